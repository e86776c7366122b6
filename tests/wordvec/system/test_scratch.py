"""Large arrays in memory and in temporary files."""

import errno
import os

import numpy as np
import pytest

from wordvec.errors import InputError
from wordvec.system import scratch
from wordvec.system.scratch import Scratch


@pytest.mark.parametrize("limit", [0, 1 << 20])
@pytest.mark.parametrize("size", [0, 1, 3000])
def test_an_array_is_in_memory_or_in_a_file(monkeypatch, folder_for_temporary_files, limit, size):
    monkeypatch.setattr(scratch, "_IN_MEMORY", limit)
    files = Scratch()
    array = files.array("ids", np.int64, size)
    array[:] = np.arange(size)
    assert (array.shape, array.dtype) == ((size,), np.int64)
    assert array.tolist() == list(range(size))
    assert isinstance(array, np.memmap) == (size * 8 > limit)
    files.close()
    assert os.listdir(folder_for_temporary_files) == []


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs posix_fallocate")
def test_a_full_disk_is_reported(monkeypatch, folder_for_temporary_files):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scratch, "_IN_MEMORY", 0)
    monkeypatch.setattr(os, "posix_fallocate", fail)
    with pytest.raises(InputError, match="temporary files cannot be written: no space left on device"):
        Scratch().array("ids", np.int32, 5)
