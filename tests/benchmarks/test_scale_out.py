"""The cost model of training over shards, and the simulation of stragglers and failures."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from benchmarks.word_vectors.scale_out import (
    Machine,
    Training,
    Troubles,
    a_terabyte,
    main,
    moved_bytes,
    reading_seconds,
    round_seconds,
    simulate,
    training_seconds,
)

NO_TROUBLES = Troubles(spread=0.0, slow_share=0.0, hours_between_failures=1e12)


def test_a_round_of_two_nodes():
    training = Training(tokens=8e6, types=50_000, size=100, shards=2, round_tokens=1e6, epochs=3)
    assert training.model == 40e6
    assert training.rounds == 12
    machine = Machine(tokens_per_second=2e6, copied=1e9, combined=1e9, bandwidth=1e8, task=0.0, latency=0.0)
    assert round_seconds(training, machine) == pytest.approx(
        {"train": 0.5, "load and change": 0.12, "combine": 0.04, "exchange": 0.4, "latency": 0, "scheduler": 0}
    )
    assert training_seconds(training, machine) == pytest.approx(12 * 1.06)
    assert reading_seconds(training, replace(machine, read=1e6)) == pytest.approx(8 * 5.9)


def test_bytes_of_a_round():
    """Two nodes exchange half of the rows and half of the changes, each with the other."""
    training = Training(17e6, 68_305, 100, shards=2, round_tokens=1.7e6)
    assert moved_bytes(training) == 2 * training.model
    assert moved_bytes(replace(training, shards=64)) == training.model * (1 + 1 + 1 / 8) * 63


def test_tasks_that_the_scheduler_cannot_handle_in_time_add_to_a_round():
    training = Training(1e9, 1_000_000, 300, shards=128, round_tokens=1e6, piece=32e6)
    assert training.pieces == 75
    assert training.tasks == 128 * 77 + 75 * (16 + 2 + 1)
    slow, quick = (round_seconds(training, Machine(task=task)) for task in (1e-2, 1e-6))
    assert sum(slow.values()) == pytest.approx(training.tasks * 1e-2)
    assert quick["scheduler"] == 0


def test_without_troubles_the_simulation_is_the_model():
    training, machine = a_terabyte(32), Machine()
    found = simulate(training, machine, NO_TROUBLES)
    assert found["seconds"] == pytest.approx(training_seconds(training, machine))
    assert found["failures"] == found["repeated"] == 0


def test_every_round_waits_for_a_slow_node_and_failures_repeat_rounds():
    training, machine = a_terabyte(128), Machine()
    ideal = simulate(training, machine, NO_TROUBLES)["seconds"]
    slow = simulate(training, machine, replace(NO_TROUBLES, slow_share=1.0, slow_factor=2.0))["seconds"]
    parts = round_seconds(training, machine)
    assert slow - ideal == pytest.approx(training.rounds * (parts["train"] + parts["load and change"]))
    failing = simulate(training, machine, replace(NO_TROUBLES, hours_between_failures=20.0))
    assert failing["failures"] > 0
    assert failing["seconds"] - ideal >= failing["repeated"] > 0


def test_the_command_prints_a_table():
    result = CliRunner().invoke(main, ["--bandwidth", "10"])
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].split()[:3] == ["nodes", "T", "rounds"]
    assert [line.split()[0] for line in lines[1:7]] == ["8", "8", "32", "32", "128", "128"]
