"""A function mapped over files: one output each, written once, in order."""

import pytest

from tests.cases.dask_processes import needs_dask
from wordvec import InputError
from wordvec.distributed.files import map_files, map_files_here


@pytest.fixture
def files(tmp_path):
    found = {}
    for name in ("b", "a", "c"):
        (tmp_path / name).write_text(f"text {name}")
        found[str(tmp_path / name)] = tmp_path / f"{name}.out"
    return found


def shout(name):
    with open(name) as file:
        return file.read().upper().encode()


def test_here(files):
    assert list(map_files_here(shout, files)) == [str(output) for output in files.values()]
    assert [output.read_text() for output in files.values()] == ["TEXT B", "TEXT A", "TEXT C"]


def test_an_output_for_each(files, tmp_path):
    files[str(tmp_path / "d")] = tmp_path / "x" / ".." / "a.out"
    with pytest.raises(InputError, match=r"each input needs an output of its own, but 2 are written to .*a\.out"):
        next(map_files_here(shout, files))


@needs_dask
def test_on_workers_whose_tasks_fail_now_and_then(files, tmp_path):
    """Workers get copies of the function, which counts its calls in files."""
    import distributed

    from wordvec.distributed.cluster import Cluster

    def flaky(name):
        with open(f"{name}.calls", "a") as calls:
            calls.write("x")
            calls.flush()
            first = calls.tell() == 1
        if first:
            raise OSError("the network failed")
        return shout(name)

    with distributed.Client(processes=False, n_workers=1, dashboard_address=None) as client, Cluster(client) as cluster:
        assert list(map_files(flaky, files, cluster)) == [str(output) for output in files.values()]
        assert [output.read_text() for output in files.values()] == ["TEXT B", "TEXT A", "TEXT C"]
        assert [(tmp_path / f"{name}.calls").read_text() for name in "abc"] == ["xx"] * 3
        with pytest.raises(OSError, match=r"[Nn]o such file"):
            list(map_files(shout, {"/nowhere": tmp_path / "d.out"}, cluster))
    assert not (tmp_path / "d.out").exists()
