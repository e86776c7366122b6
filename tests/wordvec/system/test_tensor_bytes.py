"""The safetensors layout: agreement with the safetensors library, and files replaced while they are read."""

import io
import json
import os
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from seqclf import load_model
from tests.seqclf.test_model_file import FILES
from wordvec import WordVectors, load_vectors
from wordvec.formats import tensors
from wordvec.formats.registry import describe
from wordvec.formats.tensors import TensorFile
from wordvec.system.tensor_bytes import DTYPES, read_array, read_header

ARRAYS = {
    **{name: np.arange(6).astype(dtype).reshape(2, 3) for name, dtype in DTYPES.items()},
    **{"empty": np.empty((0, 3), np.float32), "scalar": np.array(7.0)},
}


def with_header(header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def header_of(content):
    return read_header(io.BytesIO(content), len(content))


def test_arrays_of_every_dtype_are_read():
    content = save(ARRAYS, {"key": "value"})
    header = header_of(content)
    assert header.metadata == {"key": "value"}
    assert header.entries.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        found = read_array(io.BytesIO(content), header, name)
        assert (found.dtype, found.shape) == (array.dtype, array.shape)
        assert np.array_equal(found, array)
    assert read_array(io.BytesIO(content), header, "F32", 1).tolist() == [[0, 1, 2]]
    with pytest.raises(ValueError, match="array 'F64' is truncated"):
        read_array(io.BytesIO(content[: header.start + 20]), header, "F64")


def entry(shape=(1,), dtype="F32", offsets=(0, 4)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "invalid header length"),
        (b"\xff" * 40, "invalid header length"),
        (with_header(b"[]"), "invalid header"),
        (with_header(b"{" * 50_000), "."),
        (with_header(b'{"a":' + b"9" * 5000 + b"}"), "."),
        (with_header(b'{"a":{},"a":{}}'), "a name is repeated"),
        (with_header({"a": 3}), "array 'a' has invalid offsets"),
        (with_header({"a": entry(offsets=(0, True))}, bytes(4)), "array 'a' has invalid offsets"),
        (with_header({"a": entry(dtype="F99")}, bytes(4)), "array 'a' has the unknown dtype 'F99'"),
        (with_header({"a": entry(shape=(-1,))}, bytes(4)), "array 'a' has an invalid shape"),
        (with_header({"a": entry(shape=(1.0,))}, bytes(4)), "array 'a' has an invalid shape"),
        (with_header({"a": entry(shape=(0, 2**60), offsets=(0, 0))}), "array 'a' has too large a shape"),
        (with_header({"a": entry(shape=(2**31, 2**31))}, bytes(4)), "array 'a' has too large a shape"),
        (with_header({"a": entry(shape=(2,))}, bytes(4)), "array 'a' does not match its size in bytes"),
        (with_header({"a": entry(offsets=(4, 8))}, bytes(8)), "array 'a' does not match"),
        (with_header({"a": entry(), "b": entry()}, bytes(4)), "array 'b' does not match"),
        (with_header({"a": entry()}, bytes(5)), "its arrays end at byte"),
        (with_header({"a": entry()}, bytes(3)), "its arrays end at byte"),
        (with_header({"__metadata__": {"a": 3}}), "invalid metadata"),
        (with_header({"__metadata__": ["a"]}), "invalid metadata"),
    ],
)
def test_invalid_headers_are_rejected(content, message):
    with pytest.raises((ValueError, RecursionError), match=message):
        header_of(content)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=6))
def test_what_is_read_is_what_the_library_reads(place, patch):
    content = bytearray(save({name: ARRAYS[name] for name in ("F32", "I64", "U8", "empty")}, {"key": "value"}))
    place %= len(content)
    content[place : place + len(patch)] = patch
    try:
        header = header_of(bytes(content))
    except (ValueError, RecursionError):
        return
    try:
        expected = dict(deserialize(bytes(content)))
    except SafetensorError as error:  # stricter than the library's format text: unknown keys, repeated names
        raise AssertionError(f"accepted what the library rejects: {error}") from None
    for name in header.entries:
        found = read_array(io.BytesIO(bytes(content)), header, name)
        assert found.tobytes() == bytes(expected[name]["data"])


# -- replaced while they are read -------------------------------------------------------------------------------------


@pytest.fixture
def two_files(tmp_path):
    """Write two vector files of other words, sizes and numbers; return the first, and how to replace it."""
    path, other = tmp_path / "v.safetensors", tmp_path / "other.safetensors"
    WordVectors(["a1", "a2"], np.full((2, 3), 1, np.float32), settings={"which": "a"}).save(path)
    WordVectors(["b1", "b2"], np.full((2, 3), 2, np.float32), settings={"which": "b"}).save(other)
    return path, lambda: os.replace(other, path)


def test_vectors_are_those_of_one_file_even_if_it_is_replaced(two_files, monkeypatch):
    path, replace = two_files
    monkeypatch.setattr(tensors, "read_header", lambda *given: (read_header(*given), replace())[0])
    found = load_vectors(path)
    assert (found.tokens, found.settings, found.vectors.tolist()) == (["a1", "a2"], {"which": "a"}, [[1] * 3] * 2)
    monkeypatch.undo()
    assert load_vectors(path).tokens == ["b1", "b2"]


def test_a_description_is_that_of_one_file(two_files, monkeypatch):
    path, replace = two_files
    size = path.stat().st_size
    monkeypatch.setattr(tensors, "read_header", lambda *given: (read_header(*given), replace())[0])
    about = describe(path)
    assert (about["about"]["settings"], about["bytes"]) == ({"which": "a"}, size)


def test_a_tensor_file_stays_open(two_files):
    path, replace = two_files
    file = TensorFile(path)
    replace()
    assert file.read("vectors").tolist() == [[1] * 3] * 2


def test_models_are_those_of_one_file(tmp_path, monkeypatch):
    path, other = tmp_path / "m.safetensors", tmp_path / "other.safetensors"
    shutil.copy(FILES / "tagger.safetensors", path)
    shutil.copy(FILES / "classifier.safetensors", other)
    expected = load_model(path).network.parameters()
    monkeypatch.setattr(
        "seqclf.model_file.read_header", lambda *given: (read_header(*given), os.replace(other, path))[0]
    )
    found = load_model(path, "tagger").network.parameters()
    assert all(np.array_equal(found[name], array) for name, array in expected.items())


def test_short_reads_are_continued(tmp_path):
    class Slow(io.FileIO):
        def read(self, size=-1):
            return super().read(min(size, 3))

        def readinto(self, view):
            return super().readinto(memoryview(view)[:3])

    path = tmp_path / "a.safetensors"
    header = json.dumps({"a": {"dtype": "I32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + np.array([5, 6], np.int32).tobytes())
    with Slow(path) as file:
        found = read_header(file, path.stat().st_size)
        assert read_array(file, found, "a").tolist() == [5, 6]
