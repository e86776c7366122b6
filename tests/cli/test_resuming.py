"""``train-embeddings`` killed or interrupted at any point: resuming produces the same bytes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

ROOT = Path(main.__file__).resolve().parents[1]
TINY = ("--vector-size", "8", "--epochs", "2", "--min-count", "1")
LONG = ("--vector-size", "96", "--window", "8", "--epochs", "24", "--min-count", "1", "--subsample", "0", "-o", "v.bin")
CHECKPOINT = Path("v.bin.checkpoint")


def train(*arguments, code=0):
    result = CliRunner().invoke(main.train_embeddings, [str(argument) for argument in arguments])
    assert result.exit_code == code, (result.output, result.exception)
    return result


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory, with a corpus that takes a second or two and a tiny one."""
    monkeypatch.chdir(tmp_path)
    numbers = np.random.default_rng(4).zipf(1.4, 150_000) % 2_000
    lines = [" ".join(f"w{number}" for number in line) for line in np.array_split(numbers, 8_000)]
    Path("long.txt").write_text("\n".join(lines))
    Path("short.txt").write_text("the old king saw the young queen\nthe young queen saw the old king\n" * 50)
    return tmp_path


def start(*arguments, before=""):
    """Start the command in a separate process that first runs ``before``."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{before}\n"
    code += "from cli import main; main.train_embeddings(prog_name='train-embeddings')"
    return subprocess.Popen([sys.executable, "-P", "-c", code, *arguments], stderr=subprocess.PIPE, text=True)


def wait_for(process, condition, seconds=90):
    """Wait until the condition holds or the process ends; return whether it holds."""
    until = time.monotonic() + seconds
    while not condition() and process.poll() is None:
        assert time.monotonic() < until, "timed out"
        time.sleep(0.005)
    return condition()


def reached():
    """Return the epochs in the checkpoint, including the fraction of the current one."""
    from wordvec.formats.tensors import TensorFile

    file = TensorFile(CHECKPOINT)
    reached = file.metadata_of("wordvec")["reached"]
    bounds = file.read("bounds")
    done = (file.read("lanes.state")[:, 0] - bounds[:-1]).sum() / bounds[-1] if reached["within"] else 0
    return reached["epoch"] + done


def stamp():
    try:
        return CHECKPOINT.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def leftovers():
    return sorted(Path().glob(".*.part"))


# -- killed -----------------------------------------------------------------------------------------------------------


def test_resuming_after_kills_at_random_points_is_bit_identical(folder):
    train("long.txt", *LONG, "--quiet")
    whole = Path("v.bin").read_bytes()
    Path("v.bin").unlink()
    chance, positions = random.Random(8), [0.0]
    for _ in range(3):
        before = stamp()
        process = start("long.txt", *LONG, "--resume", "--checkpoint-every", "0.2s")
        try:
            # Each run saves at least once, so that training makes progress.
            saved = wait_for(process, lambda before=before: stamp() != before)
            time.sleep(chance.uniform(0, 0.3))
        finally:
            process.kill()
        output = process.communicate()[1]
        if not (saved and CHECKPOINT.exists()):
            break  # it finished first
        assert process.returncode == -signal.SIGKILL, output
        assert ("resuming from" if len(positions) > 1 else "no checkpoint at") in output
        positions.append(reached())
    assert len(positions) > 2
    assert positions == sorted({*positions}), "saved work is not repeated"
    started = CHECKPOINT.exists()
    result = train("long.txt", *LONG, "--resume", "--threads", "1")
    if started:
        assert f"resuming from v.bin.checkpoint, {positions[-1]:.2f} epochs of 24" in result.stderr
    assert Path("v.bin").read_bytes() == whole
    assert not CHECKPOINT.exists()
    assert not leftovers()


@pytest.mark.parametrize("moment", ["fsync", "replace", "unlink"])
def test_resuming_after_kills_while_writing_is_bit_identical(folder, moment):
    """Third checkpoint half written; written but not yet renamed; vectors saved but the checkpoint not yet removed."""
    options = ("short.txt", *TINY, "--epochs", "9", "-o", "v.bin")
    train(*options, "--quiet")
    whole = Path("v.bin").read_bytes()
    Path("v.bin").unlink()
    number = 1 if moment == "unlink" else 3
    before = f"""
import os, signal
real, calls = os.{moment}, []
def killed(*arguments):
    calls.append(arguments)
    if len(calls) == {number}:
        if {moment!r} == "fsync":
            os.ftruncate(arguments[0], os.fstat(arguments[0]).st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
os.{moment} = killed
"""
    process = start(*options, "--resume", "--checkpoint-every", "0.000001s", before=before)
    output = process.communicate(timeout=90)[1]
    assert process.returncode == -signal.SIGKILL, output
    assert bool(leftovers()) == (moment != "unlink")
    assert CHECKPOINT.exists()
    assert Path("v.bin").exists() == (moment == "unlink")
    result = train(*options, "--resume")
    assert "resuming from v.bin.checkpoint" in result.stderr
    assert Path("v.bin").read_bytes() == whole
    assert not CHECKPOINT.exists()
    assert not leftovers()


# -- interrupted ------------------------------------------------------------------------------------------------------


def interrupt(process, times=1):
    for _ in range(times):
        process.send_signal(signal.SIGINT)
    return process.communicate(timeout=90)[1]


def test_ctrl_c_saves_a_checkpoint_and_explains_how_to_resume(folder):
    train("long.txt", *LONG, "--quiet")
    whole = Path("v.bin").read_bytes()
    Path("v.bin").unlink()
    process = start("long.txt", *LONG, "--checkpoint-every", "1h")
    for line in process.stderr:
        if line.startswith("epoch 1/24"):
            break
    output = interrupt(process, times=2)  # Ctrl-C pressed twice
    assert process.returncode == 130, output
    assert output.splitlines()[-1] == "Interrupted; rerun with --resume to continue from v.bin.checkpoint."
    assert "Traceback" not in output
    assert reached() >= 1
    rejected = train("long.txt", *LONG, "--checkpoint-every", "1h", code=1)
    assert "v.bin.checkpoint holds the state of an interrupted training" in rejected.stderr
    train("long.txt", *LONG, "--resume")
    assert Path("v.bin").read_bytes() == whole
    again = train("long.txt", *LONG, "--resume")
    assert "v.bin is already complete; nothing to do" in again.stderr
    assert Path("v.bin").read_bytes() == whole


@pytest.mark.parametrize("option", [("--resume",), ("--checkpoint-every", "1h"), ()])
def test_ctrl_c_before_training_leaves_no_files(folder, option):
    before = "import corpora, os, signal\nreal = corpora.TextCorpus.blocks\n"
    before += "def blocks(self, size):\n    os.kill(os.getpid(), signal.SIGINT)\n    return real(self, size)\n"
    process = start("short.txt", *TINY, "-o", "v.bin", "--no-cache", *option,
                    before=f"{before}corpora.TextCorpus.blocks = blocks")  # fmt: skip
    output = process.communicate(timeout=90)[1]
    assert process.returncode == 130, output
    assert output.splitlines()[-1] == "Interrupted; no output was written."
    assert {path.name for path in Path().iterdir()} == {"long.txt", "short.txt"}


# -- the options ------------------------------------------------------------------------------------------------------


def test_resume_without_a_checkpoint_starts_from_the_beginning(folder):
    result = train("short.txt", *TINY, "-o", "v.bin", "--resume")
    assert "no checkpoint at v.bin.checkpoint: training starts from the beginning" in result.stderr
    assert Path("v.bin").exists()
    assert not CHECKPOINT.exists()


def test_resume_of_a_different_run_is_rejected(folder):
    train("short.txt", *TINY, "-o", "v.safetensors", "--resume")
    before = Path("v.safetensors").read_bytes()
    for change, message in (
        (("--seed", 2), "seed was 1 and is now 2"),
        (("--max-vocabulary", 4), "the words or their counts differ (6 words then, 4 words now)"),
    ):
        rejected = train("short.txt", *TINY, *change, "-o", "v.safetensors", "--resume", code=1)
        (*_, line) = rejected.stderr.splitlines()
        assert line.startswith("Error: no checkpoint found, and v.safetensors was not produced by this run")
        assert message in line
    assert Path("v.safetensors").read_bytes() == before


@pytest.mark.parametrize("time", ["0", "0s", "5", "-5m", "5 m", "1d", "soon", "nans", "1e3s"])
def test_checkpoint_intervals_must_be_positive_and_have_a_unit(folder, time):
    result = train("short.txt", "-o", "v.bin", "--checkpoint-every", time, code=2)
    assert f"{time!r} is not a positive duration with a unit; write a time such as 30s, 5m or 1h" in " ".join(
        result.stderr.split()
    )
    assert "checkpoint-every" in result.stderr


def test_durations_are_parsed():
    from cli.shared.options import Duration

    read = Duration(or_count="epochs").convert
    assert [read(text, None, None) for text in ("30s", "0.5m", "2h", ".25s")] == [30.0, 30.0, 7200.0, 0.25]
    assert read("3", None, None) == 3
    assert isinstance(read("3", None, None), int)


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder that even root cannot write to")
def test_unwritable_folder_is_rejected_before_any_work(folder):
    result = train("short.txt", *TINY, "-o", "/proc/self/v.bin", "--resume", code=1)
    assert "cannot be written" in result.stderr


def test_resuming_works_without_the_cache(folder, monkeypatch):
    monkeypatch.setenv("WORDVEC_CACHE", str(folder / "cache"))
    train("long.txt", *LONG, "--quiet")
    whole = Path("v.bin").read_bytes()
    Path("v.bin").unlink()
    process = start("long.txt", *LONG, "--checkpoint-every", "0.2s")
    assert wait_for(process, CHECKPOINT.exists)
    process.kill()
    process.communicate()
    shutil.rmtree(folder / "cache")
    result = train("long.txt", *LONG, "--resume")
    assert "resuming from" in result.stderr
    assert "using the cached encoded corpus" not in result.stderr
    assert Path("v.bin").read_bytes() == whole


def test_summary_of_a_resumed_run_covers_the_whole_run(folder):
    process = start("long.txt", *LONG, "--checkpoint-every", "0.2s")
    assert wait_for(process, CHECKPOINT.exists)
    process.kill()
    process.communicate()
    train("long.txt", *LONG, "--resume", "--summary", "s.json")
    summary = json.loads(Path("s.json").read_text())
    assert len(summary["losses"]) == 24
    assert summary["seconds"] > 0.2
    assert summary["memory"]["vectors"] > 0
