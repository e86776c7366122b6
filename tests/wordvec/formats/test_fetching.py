"""Vectors from standard input, URLs and compressed files of every kind."""

import bz2
import functools
import gzip
import http.server
import io
import lzma
import sys
import threading
from importlib.util import find_spec

import numpy as np
import pytest
from click.testing import CliRunner

from cli import main
from wordvec import FormatError, InputError, WordVectors, load_vectors
from wordvec.formats.registry import describe

PARQUET = pytest.param("parquet", marks=pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs pyarrow"))
FORMATS = ("txt", "bin", "safetensors", "npz", PARQUET)


@pytest.fixture(scope="module")
def wv():
    return WordVectors(["up", "down", "left"], np.arange(12, dtype=np.float32).reshape(3, 4))


def content(wv, tmp_path, format):
    wv.save(tmp_path / f"v.{format}")
    return (tmp_path / f"v.{format}").read_bytes()


def assert_same(found, wv):
    assert found.tokens == wv.tokens
    assert found.vectors.tobytes() == wv.vectors.tobytes()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("ending", "compress"), [("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_vectors_behind_a_url(wv, tmp_path, format, ending, compress):
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install 'wordvec-seqclf[distributed]'")
    folder = f"memory://vectors-{format}{ending}"
    url = f"{folder}/v.{format}{ending}"
    with fsspec.open(url, "wb") as file:
        file.write(compress(content(wv, tmp_path, format)))
    assert_same(load_vectors(url), wv)
    assert describe(url)["tokens"] == 3
    with pytest.raises(InputError, match=r"memory://nowhere/v\.txt: no such file"):
        load_vectors("memory://nowhere/v.txt")
    with fsspec.open(f"{folder}/w.{format}", "wb") as file:
        file.write(b"x")
    with pytest.raises(InputError, match="names 2 files; name one"):
        load_vectors(folder)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def served(tmp_path):
    """The address of a server of the files in ``tmp_path``."""
    handler = functools.partial(_Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("format", FORMATS)
def test_vectors_of_a_web_server(wv, tmp_path, served, format):
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    (tmp_path / f"v.{format}.gz").write_bytes(gzip.compress(content(wv, tmp_path, format)))
    assert_same(load_vectors(f"{served}/v.{format}"), wv)
    assert_same(load_vectors(f"{served}/v.{format}.gz"), wv)
    with pytest.raises(InputError, match=rf"{served}/w\.{format}: no such file"):
        load_vectors(f"{served}/w.{format}")


def test_a_server_without_a_connection_is_not_a_missing_file():
    pytest.importorskip("fsspec")
    pytest.importorskip("aiohttp")
    with pytest.raises(InputError, match=r"http://127\.0\.0\.1:1/v\.txt cannot be read: .*127\.0\.0\.1"):
        load_vectors("http://127.0.0.1:1/v.txt")


@pytest.mark.parametrize(("ending", "compress"), [(".bz2", bz2.compress), (".xz", lzma.compress)])
def test_compressed_files(wv, tmp_path, ending, compress):
    data = compress(content(wv, tmp_path, "txt"))
    path = tmp_path / f"w.txt{ending}"
    path.write_bytes(data)
    assert_same(load_vectors(path), wv)
    path.write_bytes(data[:-9])
    with pytest.raises(InputError, match="truncated"):
        load_vectors(path)
    with pytest.raises(InputError, match="no such file"):
        load_vectors(tmp_path / f"none{ending}")
    (tmp_path / "named.txt").write_bytes(data)
    with pytest.raises(FormatError, match=f"name it {ending}"):
        load_vectors(tmp_path / "named.txt")


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "npz"])
def test_standard_input(wv, tmp_path, format, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content(wv, tmp_path, format))))
    assert_same(load_vectors("-"), wv)


def test_commands_read_vectors_from_standard_input(wv, tmp_path):
    data = gzip.compress(content(wv, tmp_path, "txt"))
    done = CliRunner().invoke(main.wordvec, ["convert", "-", str(tmp_path / "out.bin")], input=data)
    assert done.exit_code == 0, done.output
    assert_same(load_vectors(tmp_path / "out.bin"), wv)
    empty = CliRunner().invoke(main.wordvec, ["neighbors", "-", "up"], input=b"")
    assert (empty.exit_code, empty.stderr) == (1, "Error: -: an empty file; train or convert the vectors again\n")


def test_no_room_for_the_copy(tmp_path, monkeypatch):
    (tmp_path / "v.txt.xz").write_bytes(lzma.compress(b"1 1\nup 1\n"))

    def full(**_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(InputError, match=r"cannot be copied to .*: no space left on device; set TMPDIR"):
        load_vectors(tmp_path / "v.txt.xz")
