"""Temporary files of killed processes are swept, those of living ones never."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpora import leftovers
from corpora.leftovers import Claim, sweep

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs flock")
ROOT = Path(leftovers.__file__).resolve().parents[1]


def folder_in(parent, name):
    def create():
        (parent / name).mkdir()
        (parent / name / "part").write_text("x")
        return str(parent / name)

    return create


def test_only_what_no_process_claims_is_swept(tmp_path):
    claim = Claim(folder_in(tmp_path, "ours-1.tmp"))
    for name in ("ours-2.tmp", "others-1.tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "ours-3.tmp").write_text("a file")
    (tmp_path / "ours-4.tmp").symlink_to(tmp_path / "others-1.tmp")
    sweep(tmp_path, "ours-?.tmp")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["others-1.tmp", "ours-1.tmp", "ours-4.tmp"]
    assert (tmp_path / "ours-1.tmp" / "part").exists()
    claim.remove()
    assert not (tmp_path / "ours-1.tmp").exists()


def test_a_released_claim_is_swept(tmp_path):
    claim = Claim(folder_in(tmp_path, "ours-1.tmp"))
    claim.release()
    sweep(tmp_path, "ours-?.tmp")
    assert not (tmp_path / "ours-1.tmp").exists()


def test_what_was_swept_before_its_lock_is_created_again(tmp_path):
    made = []

    def create():
        made.append(folder_in(tmp_path, f"ours-{len(made)}.tmp")())
        if len(made) == 1:
            sweep(tmp_path, "ours-?.tmp")  # by another process
        return made[-1]

    assert Claim(create).path == made[1]
    assert [Path(path).exists() for path in made] == [False, True]


HOLDER = """
import sys, tempfile; sys.path.insert(0, {root!r}); tempfile.tempdir = {folder!r}
from wordvec.system.scratch import Scratch
from wordvec.system.atomic_files import replacing
import io; from contextlib import nullcontext; from corpora.sources import OneShot
scratch = Scratch(); scratch.path("a").write_text("x")
source = OneShot("pipe", lambda: nullcontext(io.BytesIO(b"text"))); source.open().close()
with replacing({folder!r} + "/out.bin") as file:
    file.write(b"x" * 99); print("ready", flush=True); sys.stdin.read()
"""


def test_leftovers_of_killed_processes_go_and_those_of_living_ones_stay(
    tmp_path, folder_for_temporary_files, monkeypatch
):
    from wordvec.system.atomic_files import replacing
    from wordvec.system.scratch import Scratch

    folder = folder_for_temporary_files
    code = HOLDER.format(root=str(ROOT), folder=str(folder))
    living, killed = (
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    )
    try:
        for process in (living, killed):
            assert process.stdout.readline() == b"ready\n"
        assert len(list(folder.iterdir())) == 6
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        scratch = Scratch()
        scratch.path("b").touch()
        with replacing(folder / "out.bin") as file:
            file.write(b"whole")
        leftovers.sweep(folder, "corpora-????????.tmp")
        found = sorted(path.name.partition("-")[0][:9] for path in folder.iterdir())
        assert found == [".out.bin.", "corpora", "out.bin", "wordvec", "wordvec"]
        scratch.close()
        living.communicate()
        assert living.returncode == 0
        assert sorted(path.name for path in folder.iterdir()) == ["out.bin"]
        assert (folder / "out.bin").read_bytes() == b"x" * 99
    finally:
        for process in (living, killed):
            process.kill()
            process.communicate()
