"""Atomic file replacement: files are complete or unchanged, whatever goes wrong."""

import errno
import os
import stat
import threading

import pytest

from wordvec import InputError
from wordvec.system.atomic_files import check_target, replacing


def write(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


def test_new_and_existing_files_are_written(tmp_path):
    path = tmp_path / "out.bin"
    write(path)
    assert path.read_bytes() == b"new"
    write(str(path), b"newer")
    assert path.read_bytes() == b"newer"
    assert os.listdir(tmp_path) == ["out.bin"]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), KeyboardInterrupt(), InputError("no"), SystemExit(1)])
@pytest.mark.parametrize("existing", [True, False])
def test_nothing_changes_after_an_error(tmp_path, error, existing):
    path = tmp_path / "out.bin"
    if existing:
        path.write_bytes(b"old")

    def interrupted():
        with replacing(path) as file:
            file.write(b"half")
            file.flush()
            raise error

    with pytest.raises(type(error)):
        interrupted()
    assert os.listdir(tmp_path) == (["out.bin"] if existing else [])
    assert not existing or path.read_bytes() == b"old"


def test_the_target_is_unchanged_until_the_block_ends(tmp_path):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_file_mode_is_preserved_or_default(tmp_path):
    path = tmp_path / "out.bin"
    (tmp_path / "plain").write_bytes(b"")
    write(path)
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    path.chmod(0o640)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_symbolic_links_are_followed_and_preserved(tmp_path):
    (tmp_path / "other").mkdir()
    path, real = tmp_path / "link", tmp_path / "other" / "real.bin"
    real.write_bytes(b"old")
    path.symlink_to(real)
    write(path)
    assert path.is_symlink()
    assert real.read_bytes() == b"new"
    assert os.listdir(real.parent) == ["real.bin"]
    path.unlink()
    path.symlink_to(tmp_path / "other" / "not yet")
    write(path)
    assert (tmp_path / "other" / "not yet").read_bytes() == b"new"


def test_invalid_targets_are_rejected(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path, message in [
        (tmp_path, "is a directory"),
        (tmp_path / "none" / "x", "none does not exist; create it first"),
        (tmp_path / "file" / "x", "does not exist"),
        ("", "empty"),
        (tmp_path / ("x" * 300), "cannot be written: file name too long"),
        (f"{tmp_path}/a\0b", "is not a valid file name: it contains a NUL character"),
    ]:
        with pytest.raises(InputError, match=message), replacing(path):
            raise AssertionError("the block must not run")
    assert os.listdir(tmp_path) == ["file"]
    assert check_target(tmp_path / "file") == tmp_path / "file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can write everywhere")
def test_a_read_only_directory_is_rejected(tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written to; choose another one"):
        check_target(folder / "x")


def test_long_file_names_leave_room_for_the_temporary_name(tmp_path):
    path = tmp_path / ("x" * 250)
    write(path)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_special_files_are_written_to_directly(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(pipe)
    reader.join(10)
    assert got == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/fd"), reason="no /dev/fd")
@pytest.mark.parametrize("through", ["path", "link", "link to a link"])
def test_open_descriptors_are_written_to_in_place(tmp_path, through):
    log = tmp_path / "log"
    log.write_bytes(b"KEEP\n")
    with open(log, "ab") as appended:
        path = tmp_path / "link"
        if through == "path":
            path = f"/dev/fd/{appended.fileno()}"
        elif through == "link":
            path.symlink_to(f"/dev/fd/{appended.fileno()}")
        else:
            (tmp_path / "second").symlink_to(f"/dev/fd/{appended.fileno()}")
            path.symlink_to("second")
        write(path)
        number = appended.fileno()
    assert log.read_bytes() == b"KEEP\nnew"
    with pytest.raises(InputError, match="bad file descriptor; give a file name"):
        check_target(f"/dev/fd/{number}")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_is_an_input_error(tmp_path, number):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")
    with pytest.raises(InputError, match=r"out\.bin cannot be written: .*; free space"), replacing(path):
        raise OSError(number, os.strerror(number))
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.bin"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.EDQUOT])
def test_a_failing_disk_is_an_input_error(tmp_path, monkeypatch, call, number):
    path = tmp_path / "out.bin"
    path.write_bytes(b"old")

    def fails(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, call, fails)
    with pytest.raises(InputError, match=r"out\.bin cannot be written: .*; (check the disk|free space|choose another)"):
        write(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.bin"]


def test_other_os_errors_propagate(tmp_path):
    with pytest.raises(ConnectionResetError), replacing(tmp_path / "out.bin"):
        raise ConnectionResetError(errno.ECONNRESET, "reset")
    with pytest.raises(FileNotFoundError, match="another"), replacing(tmp_path / "out.bin"):
        (tmp_path / "another").read_bytes()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="resource limits")
def test_a_file_size_limit_is_an_input_error(tmp_path):
    import resource
    import signal

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(InputError, match="file too large"):
            write(tmp_path / "out.bin", bytes(100_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(tmp_path) == []
