"""Damaged and malicious document matrices: rejected in bounded memory, with the rule."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from tests.wordvec.formats.test_damage import outcome
from wordvec import FormatError, InputError, Vocabulary, count_documents, load_documents, save_documents
from wordvec.formats.documents import DocumentMatrix


def stored(**changes):
    """Return the bytes of a small matrix file with some arrays, or their raw .npy bytes, replaced."""
    buffer = io.BytesIO()
    matrix, vocabulary = count_documents(["a a b", "b c", "c"])
    arrays = {
        "indices": matrix.indices,
        "indptr": matrix.indptr,
        "format": np.array(b"csr"),
        "shape": np.array(matrix.shape),
        "data": matrix.data,
        "features": np.frombuffer("".join(f"{token}\n" for token in vocabulary.tokens).encode(), np.uint8),
        "settings": np.frombuffer(b"{}", np.uint8),
        "idf": np.ones(3),
    }
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in (arrays | changes).items():
            content = io.BytesIO()
            if isinstance(array, bytes):
                content.write(array)
            else:
                np.lib.format.write_array(content, array)
            archive.writestr(f"{name}.npy", content.getvalue())
    return buffer.getvalue()


def header(shape, dtype="<i8", order=False):
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": dtype, "fortran_order": order, "shape": shape})
    return content.getvalue()


def test_a_matrix_of_three_rows_is_read(tmp_path):
    path = tmp_path / "m.npz"
    path.write_bytes(stored())
    found = load_documents(path)
    assert found.matrix.toarray().tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]
    found.matrix.data[:] = 1  # writable, like any matrix
    path.write_bytes(stored(indptr=np.array([0, 2, 4, 5]), indices=np.array([0, 1, 1, 2, 2])))
    assert load_documents(path).matrix.toarray().tolist() == [[2, 1, 0], [0, 1, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": header((10**9,)) + bytes(40)}, r"data\.npy declares int64 of shape \(1000000000,\), which does not"),
        ({"data": header((2**62, 4)) + bytes(40)}, r"data\.npy declares int64 of shape"),
        ({"data": header((-5,)) + bytes(40)}, r"data\.npy declares int64 of shape \(-5,\)"),
        ({"data": header((5,), "|O") + bytes(40)}, r"data\.npy declares object"),
        ({"data": header((5,), [("a", "<i8")]) + bytes(40)}, r"data\.npy declares"),
        ({"data": b"text"}, "magic"),
        ({"data": b"\x93NUMPY\x03\x00\x10\x00\x00\x00" + b"{" * 16}, "unknown version"),
        ({"data": b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16}, r"m\.npz is damaged"),
        ({"data": b"\x93NUMPY\x01\x00\xff\xff" + b" " * 65_535}, r"^[^\n]*m\.npz is damaged: [^\n]{9,200}$"),
        ({"data": np.array(5)}, "matrix must hold real numbers"),
        ({"shape": np.array([2**40, 3])}, r"1,099,511,627,776 rows, 4 offsets"),
        ({"shape": np.array([3, 2**40])}, "columns, 3 features"),
        ({"indptr": np.array(5)}, "damaged"),
        ({"indptr": np.array([0, 2**31 - 1, 1, 5], np.int32)}, "indptr must increase from 0 to 5, got 1 after 2,147,"),
        ({"indices": np.array([0, 1, 3, 2, 2], np.int32)}, r"indices must be in 0\.\.2, got 3 at position 2"),
        ({"idf": np.array([1, np.inf, 1])}, "idf must be finite, got inf at position 1"),
        ({"settings": np.frombuffer(b"[" * 100_000, np.uint8)}, "damaged"),
    ],
)
def test_damage_is_rejected_without_allocating(tmp_path, change, message):
    path = tmp_path / "m.npz"
    path.write_bytes(stored(**change))
    tracemalloc.start()
    with pytest.raises(FormatError, match=message) as caught:
        load_documents(path)
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < len(str(path)) + 300


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8))
def test_corrupted_bytes_give_a_matrix_or_a_format_error(tmp_path, place, patch):
    content = bytearray(stored())
    place %= len(content)
    content[place : place + len(patch)] = patch
    path = tmp_path / "m.npz"
    path.write_bytes(bytes(content))
    found = outcome(load_documents, path)
    if isinstance(found, InputError):
        assert str(found).startswith(str(path))
    else:
        assert found.matrix.shape[1] == len(found.vocabulary)


@pytest.mark.parametrize(
    ("matrix", "idf", "message"),
    [
        (csr_array((2, 3)).tocsc(), None, r"matrix must be sparse, in CSR format, got csc_array; call tocsr\(\)"),
        (np.zeros((2, 3)), None, "matrix must be sparse, in CSR format, got ndarray"),
        (csr_array((2, 4)), None, r"matrix must have 3 columns, got shape \(2, 4\)"),
        (csr_array((2, 3)), np.ones(2), r"idf must have one weight per column, \(3,\), got shape \(2,\)"),
    ],
)
def test_only_consistent_matrices_are_saved(tmp_path, matrix, idf, message):
    with pytest.raises(InputError, match=message):
        save_documents(DocumentMatrix(matrix, Vocabulary(["a", "b", "c"]), idf), tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())
