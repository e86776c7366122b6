"""Threads of the networks' kernels."""

import pytest

from seqclf.layers.workers import Workers


def test_one_thread_does_not_look_up_the_number_of_cores(monkeypatch):
    def slow():
        pytest.fail("reads the limits of control groups")

    monkeypatch.setattr("seqclf.layers.workers.available_cores", slow)
    assert Workers(1).map(len, ["one", "three"]) == [3, 5]
