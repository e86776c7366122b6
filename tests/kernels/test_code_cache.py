"""The cache of compiled kernels: invalidation, folders that cannot be written, damaged files."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import wordvec.kernels
from wordvec.kernels.simd import JIT_OFF

pytestmark = pytest.mark.skipif(JIT_OFF, reason="there is no cache without JIT")

COMPILED, FROM_CACHE = ["0.5", "2.0", "0", "0"], ["0.5", "2.0", "1", "1"]

WATCH = "import atexit; atexit.register(lambda: print('numba.np.npyimpl' in sys.modules))"
"""Print whether Numba has loaded what only its compiler needs."""

PROBE = """
from wordvec.kernels.simd import kernel, load, store, add{more}

@kernel
def probe(x):
    store(x, 0, {value})
"""

RUN = """
import numpy as np
from wordvec.kernels import near
from other import far
x, y = np.zeros(16, np.float32), np.ones(16, np.float32)
near.probe(x), far.probe(y)
print(x[0], y[0], sum(near.probe.stats.cache_hits.values()), sum(far.probe.stats.cache_hits.values()))
"""


@pytest.fixture
def copied_kernels(tmp_path):
    """A copy of the kernel package with an extra kernel that calls tile.py, and one in another folder."""
    source = Path(wordvec.kernels.__file__).parent
    folder = tmp_path / "wordvec" / "kernels"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "wordvec" / "__init__.py").touch()
    (tmp_path / "other").mkdir()
    near = PROBE.format(more="\nfrom wordvec.kernels.tile import sigmoid", value="sigmoid(load(x, 0))")
    (folder / "near.py").write_text(near)
    (tmp_path / "other" / "far.py").write_text(PROBE.format(more="", value="add(load(x, 0), load(x, 0))"))
    return tmp_path


def run_copy(folder, before="", **environment):
    """Run the two kernels in a new process, after the statements ``before``; return the output and stderr."""
    # -B and -P: no stale byte code, and no imports from the current folder.
    code = f"import sys; sys.path.insert(0, {str(folder)!r})\n{before}\n{RUN}"
    command = [sys.executable, "-B", "-P", "-c", code]
    given = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON"))} | environment
    result = subprocess.run(command, env=given, capture_output=True, text=True, timeout=120, cwd=folder)
    assert result.returncode == 0, result.stderr
    return result.stdout.split(), result.stderr


def replace_in(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_an_edit_of_any_kernel_invalidates_the_cache(copied_kernels):
    cache = {"NUMBA_CACHE_DIR": str(copied_kernels / "cache")}
    assert run_copy(copied_kernels, **cache)[0] == ["0.5", "2.0", "0", "0"]
    assert run_copy(copied_kernels, WATCH, **cache)[0] == [*FROM_CACHE, "False"], "unchanged kernels are cached"
    for file in (copied_kernels / "cache").rglob("far.*.nbi"):
        file.unlink()
    found = run_copy(copied_kernels, WATCH, **cache)[0]
    assert found == ["0.5", "2.0", "1", "0", "True"], "one from the cache, then one to compile"

    kernels = copied_kernels / "wordvec" / "kernels"
    replace_in(kernels / "tile.py", "half = splat(np.float32(0.5))", "half = splat(np.float32(0.75))")
    assert run_copy(copied_kernels, **cache)[0] == ["0.75", "2.0", "0", "0"], (
        "edited: tile.py, which other folders may also call"
    )

    replace_in(kernels / "simd.py", 'add = _binary("fadd"', 'add = _binary("fsub"')
    assert run_copy(copied_kernels, **cache)[0] == ["0.75", "0.0", "0", "0"], "edited: simd.py"

    files = [file.name for file in (copied_kernels / "cache").rglob("*.nbi")]
    assert len({name.split("-")[0] for name in files}) == len(files), "code of earlier versions is removed"


ALWAYS_SAY = """
import logging, wordvec.kernels.compiling as c
c.SLOW = 0
logging.basicConfig(format="%(message)s")
"""
READ_ONLY = "import wordvec.kernels.code_cache as c; c._is_writable = lambda folder: False"
FULL = f"""
from numba.core.caching import IndexDataCacheFile as F
def full(*_): raise OSError({errno.ENOSPC}, "No space left on device")
F._save_data = full
"""


def files_in(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.fixture
def nowhere(copied_kernels):
    """The environment of a user who can write to no folder but the temporary one."""
    # No folder can be created below a file, not even by root.
    barred = copied_kernels / "a_file"
    barred.touch()
    (copied_kernels / "wordvec" / "kernels" / "__pycache__").touch()
    (copied_kernels / "other" / "__pycache__").touch()
    (copied_kernels / "temporary").mkdir()
    names = ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")
    return dict.fromkeys(names, str(barred / "below")) | {"TMPDIR": str(copied_kernels / "temporary")}


def test_a_filled_folder_that_cannot_be_written_is_read(copied_kernels):
    assert run_copy(copied_kernels)[0] == COMPILED
    before = files_in(copied_kernels)
    without_home = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), "/nowhere")
    assert run_copy(copied_kernels, f"{ALWAYS_SAY}\n{READ_ONLY}", **without_home) == (FROM_CACHE, "")
    assert files_in(copied_kernels) == before


def test_kernels_fall_back_to_a_private_temporary_folder_and_say_so_once(copied_kernels, nowhere):
    found, stderr = run_copy(copied_kernels, ALWAYS_SAY, **nowhere)
    (folder,) = (copied_kernels / "temporary").iterdir()
    assert found == COMPILED
    assert stderr.count("\n") == 1
    assert f"kept in {folder}; set NUMBA_CACHE_DIR to a writable folder" in stderr
    assert run_copy(copied_kernels, ALWAYS_SAY, **nowhere) == (FROM_CACHE, "")
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="only POSIX has a temporary folder shared by users")
def test_a_temporary_folder_that_others_can_write_is_not_used(copied_kernels, nowhere):
    folder = copied_kernels / "temporary" / f"wordvec-kernels-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    found, stderr = run_copy(copied_kernels, ALWAYS_SAY, **nowhere)
    assert found == COMPILED
    assert "in every process: no cache folder is writable; set NUMBA_CACHE_DIR to one that is" in stderr
    assert not list(folder.iterdir())


def test_a_full_disk_and_damaged_files_do_not_stop_kernels(copied_kernels):
    cache = {"NUMBA_CACHE_DIR": str(copied_kernels / "cache")}
    assert run_copy(copied_kernels, FULL, **cache)[0] == COMPILED
    assert run_copy(copied_kernels, **cache)[0] == COMPILED
    for file in (copied_kernels / "cache").rglob("*.nbc"):
        os.truncate(file, file.stat().st_size // 2)
    assert run_copy(copied_kernels, **cache)[0] == COMPILED
    assert run_copy(copied_kernels, **cache)[0] == FROM_CACHE
