"""Ctrl-C, SIGTERM and SIGHUP: a network keeps its best epoch, temporary files go, exit code 130."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import cli.forecast
import cli.language_model
import cli.shared.supervised
from cli import main
from seqclf import load_model

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")

SMALL = "--hidden-size 4 --epochs 200"
COMMANDS = {
    "classify_text": (cli.shared.supervised, f"labels.tsv {SMALL} --vector-size 4 --model network"),
    "tag_text": (cli.shared.supervised, f"tags.tsv {SMALL} --vector-size 4"),
    "language_model": (cli.language_model, f"text.txt {SMALL} --vector-size 4 --batch-size 2"),
    "transduce": (cli.shared.supervised, f"pairs.tsv {SMALL} --vector-size 4 --target-vector-size 4"),
    "forecast": (cli.forecast, f"series.csv {SMALL} --window 3 --horizon 1 --method network"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("labels.tsv").write_text("yes\tthe old king\nno\tthe young queen\n" * 10)
    Path("tags.tsv").write_text("the\tD\nking\tN\n\na\tD\nqueen\tN\n\n" * 10)
    Path("pairs.tsv").write_text("".join(f"{word}\t{word[::-1]}\n" for word in ("ab", "cab", "abba", "dab")) * 5)
    Path("text.txt").write_text("the old king saw the young queen\n" * 20)
    Path("series.csv").write_text("Sales\n" + "".join(f"{step % 5}\n" for step in range(40)))
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    yield tmp_path
    for number, handler in handlers.items():
        signal.signal(number, handler)


def interrupted(monkeypatch, name, number, *options, when, times=1):
    """Train with a command that gets a signal at the first report for which ``when`` holds."""
    module, arguments = COMMANDS[name]
    seen = []

    def show(progress, state, *_, **__):
        if len(seen) < times and when(state):
            seen.append(state)
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(module, "show_epochs", show)
        return CliRunner().invoke(getattr(main, name), ["train", *arguments.split(), "-o", "m.safetensors", *options])


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_network_keeps_its_best_epoch(folder, monkeypatch, name, number):
    result = interrupted(monkeypatch, name, number, when=lambda state: state.epoch_done and state.epoch == 2)
    assert result.exit_code == 130, (result.output, result.exception)
    assert result.stderr.splitlines()[-1] == "Interrupted after writing m.safetensors."
    model = load_model("m.safetensors")
    assert [row["epoch"] for row in model.history] == [1, 2, 3]
    best = model.metrics["best_epoch"]
    assert model.metrics["dev_loss"] == model.history[best - 1]["dev_loss"]
    assert not list(folder.glob(".*"))


def test_two_signals_at_once_are_one_interruption(folder, monkeypatch):
    kill = os.kill
    monkeypatch.setattr(
        os, "kill", lambda *_: [kill(os.getpid(), number) for number in (signal.SIGTERM, signal.SIGHUP)]
    )
    result = interrupted(monkeypatch, "tag_text", None, when=lambda state: state.epoch_done and state.epoch == 2)
    assert (result.exit_code, Path("m.safetensors").exists()) == (130, True), (result.output, result.exception)


def test_a_second_interrupt_later_ends_at_once(folder, monkeypatch):
    monkeypatch.setattr("cli.shared.signals._SAME", 0)
    kill = os.kill
    monkeypatch.setattr(os, "kill", lambda *_: [kill(os.getpid(), signal.SIGINT) for _ in range(2)])
    result = interrupted(monkeypatch, "tag_text", None, when=lambda state: state.epoch_done and state.epoch == 2)
    assert (result.exit_code, Path("m.safetensors").exists()) == (130, False), (result.output, result.exception)


@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_complete_epoch_nothing_is_written(folder, monkeypatch, name):
    result = interrupted(monkeypatch, name, signal.SIGTERM, when=lambda state: True)
    assert result.exit_code == 130, (result.output, result.exception)
    if "Interrupted after" not in result.stderr:  # the first report may be that of a complete epoch
        assert result.stderr.splitlines()[-1] == "Interrupted; no output was written."
        assert not Path("m.safetensors").exists()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("options", [["--resume"], ["--checkpoint", "state", "--resume", "--checkpoint-every", "1h"]])
def test_an_interrupted_network_resumes_to_the_same_bytes(folder, monkeypatch, name, options):
    arguments = COMMANDS[name][1]
    few = ["--epochs", "5"]
    command = ["train", *arguments.split(), "-o", "m.safetensors", *few]
    assert CliRunner().invoke(getattr(main, name), command).exit_code == 0
    whole = Path("m.safetensors").read_bytes()
    Path("m.safetensors").unlink()
    file = "state" if "state" in options else "m.safetensors.checkpoint"
    for number, when in [
        (signal.SIGINT, lambda state: True),
        (signal.SIGTERM, lambda state: state.epoch_done and state.epoch == 2),
        (signal.SIGHUP, lambda state: state.epoch_done and state.epoch == 3),
    ]:
        result = interrupted(monkeypatch, name, number, *few, *options, when=when)
        assert result.exit_code == 130, (result.output, result.exception)
        assert result.stderr.splitlines()[-1].endswith(f"; rerun with --resume to continue from {file}.")
        assert Path(file).exists()
    assert load_model("m.safetensors").metrics["best_epoch"] in (1, 2, 3, 4)
    result = CliRunner().invoke(getattr(main, name), [*command, *options])
    assert (result.exit_code, Path(file).exists()) == (0, False), (result.output, result.exception)
    assert f"resuming from {file}: 4 of 5 epochs are done" in result.stderr
    assert Path("m.safetensors").read_bytes() == whole


def test_a_checkpoint_is_no_input_and_needs_resume(folder):
    command = ["train", "labels.tsv", "-o", "m.safetensors", "--checkpoint"]
    result = CliRunner().invoke(main.classify_text, [*command, "labels.tsv"])
    assert (result.exit_code, "--checkpoint would overwrite labels.tsv, an input" in result.stderr) == (2, True)
    Path("state").write_text("not a checkpoint")
    result = CliRunner().invoke(main.classify_text, [*command, "state"])
    assert (result.exit_code, "state exists and is not a checkpoint" in result.stderr) == (1, True)
    result = CliRunner().invoke(main.classify_text, [*command, "state", "--resume"])
    assert (result.exit_code, "state: not a safetensors file" in result.stderr) == (1, True)


def test_an_interrupt_during_start_up_is_one_line(monkeypatch):
    def parse(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(main.classify_text.commands["train"], "parse_args", parse)
    result = CliRunner().invoke(main.classify_text, ["train", "x"])
    assert (result.exit_code, result.stderr) == (130, "Interrupted; no output was written.\n")
    monkeypatch.setattr(main.train_embeddings, "parse_args", parse)
    result = CliRunner().invoke(main.train_embeddings, ["x"])
    assert (result.exit_code, result.stderr) == (130, "Interrupted; no output was written.\n")


def test_nohup_keeps_ignoring_the_hangup(folder):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    CliRunner().invoke(main.wordvec, ["--version"])
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_termination_saves_the_checkpoint_of_word_vectors(folder, command_folder):
    Path("long.txt").write_text("the old king saw the young queen\n" * 20_000)
    process = subprocess.Popen(
        [command_folder / "train-embeddings", "long.txt", "-o", "v.vec", "--epochs", "1000", "--resume", "--no-cache"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for line in process.stderr:
            if line.startswith("epoch 1/"):
                break
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "Interrupted; rerun with --resume to continue from v.vec.checkpoint."
    assert sorted(path.name for path in folder.glob("*v.vec*")) == ["v.vec.checkpoint"]


@pytest.mark.parametrize("moment", ["import", "parse", "work", "end"])
def test_ctrl_c_around_the_work_of_a_console_script_leaves_no_trace(tmp_path, moment):
    code = f"""
import os, signal, sys; sys.path.insert(0, {str(Path(main.__file__).parents[1])!r})
from wordvec_seqclf import wordvec
def interrupt(*_, **__): os.kill(os.getpid(), signal.SIGINT)
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == {'{"import": "cli.main", "work": "cli.info"}'}.get({moment!r}): interrupt()
sys.meta_path.insert(0, Finder()); sys.argv = ["wordvec", "info", "missing.bin"]
if {moment!r} == "parse":
    import cli.shared.errors; cli.shared.errors.prepare_streams = interrupt
try: wordvec()
finally:
    if {moment!r} == "end": interrupt()
"""
    result = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    said = {"work": "Interrupted; no output was written.\n", "end": "Error: missing.bin: no such file\n"}
    code = 1 if moment == "end" else 130
    assert (result.returncode, result.stdout, result.stderr) == (code, "", said.get(moment, ""))
