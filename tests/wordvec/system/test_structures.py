"""Checks of offsets, ids and CSR matrices: valid ones pass, errors name the place."""

import numpy as np
import pytest
from scipy.sparse import coo_array, csc_array, csr_array, csr_matrix

from wordvec import InputError
from wordvec.system import structures
from wordvec.system.structures import check_csr, check_ids, check_offsets, checked_csr, owned, whole_array


@pytest.fixture(autouse=True, params=[2, 1 << 20])
def _pieces(request, monkeypatch):
    monkeypatch.setattr(structures, "_PIECE", request.param)


def test_valid_structures_pass():
    for dtype in (np.int32, np.int64, np.uint64):
        check_offsets("offsets", np.array([0, 3, 3, 7, 7], dtype), 7)
        check_ids("ids", np.array([4, 0, 3, 1], dtype), 5)
    check_offsets("offsets", np.array([0]), 0)
    check_offsets("offsets", np.array([0, 1, 2]), 2, strictly=True)
    check_ids("ids", np.empty(0, np.int32), 0)
    dense = np.array([[0, 2.0, 0], [0, 0, 0], [1, 0, 3]])
    for matrix in (csr_array(dense), csr_matrix(dense, dtype=np.int8), csr_array(dense > 0), csr_array((0, 3))):
        check_csr("matrix", matrix, columns=3)
    check_csr("matrix", csr_array(dense), rows=3, columns=3)


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 3, 2, 4], "offsets must increase from 0 to 4, got 2 after 3 at position 2"),
        ([1, 3, 4], "offsets must increase from 0 to 4, got 1 at position 0"),
        ([0, 1, 2, 3, 5], "offsets must increase from 0 to 4, got 5 at the end"),
        (
            [0, 2**63 - 1, -5, 4],
            "offsets must increase from 0 to 4, got -5 after 9,223,372,036,854,775,807 at position 2",
        ),
        ([], "offsets must be a one-dimensional array of integers, got float64 of shape .0,."),
        ([[0, 4]], "offsets must be a one-dimensional array of integers, got int64 of shape .1, 2."),
        ([0.0, 4.0], "offsets must be a one-dimensional array of integers, got float64 of shape .2,."),
        (4, "offsets must be a one-dimensional array of integers, got int64 of shape .."),
    ],
)
def test_invalid_offsets_are_rejected_with_their_position(offsets, message):
    with pytest.raises(InputError, match=f"^{message}.?$"):
        check_offsets("offsets", np.array(offsets), 4)


def test_empty_and_repeated_offsets():
    with pytest.raises(InputError, match="offsets must increase from 0 to 4, got an empty array"):
        check_offsets("offsets", np.empty(0, np.int64), 4)
    with pytest.raises(InputError, match="offsets must strictly increase from 0 to 4, got 2 after 2 at position 3"):
        check_offsets("offsets", np.array([0, 1, 2, 2, 4]), 4, strictly=True)
    with pytest.raises(InputError, match="got list"):
        check_offsets("offsets", [0, 4], 4)


@pytest.mark.parametrize("wrong", [5, 2**31 - 1, -1, -(2**31)])
@pytest.mark.parametrize("place", [0, 3, 4])
def test_ids_out_of_range_are_rejected_with_their_position(wrong, place):
    ids = np.array([4, 0, 3, 1, 2], np.int32)
    ids[place] = wrong
    with pytest.raises(InputError, match=rf"^ids must be in 0\.\.4, got {wrong:,} at position {place}$"):
        check_ids("ids", ids, 5)


def damaged(name, change, form=csr_array):
    matrix = form(np.array([[0, 2.0, 0], [0, 0, 0], [1, 0, 3]]))
    setattr(matrix, name, change(getattr(matrix, name)))
    return matrix


@pytest.mark.parametrize("form", [csr_array, csr_matrix])
@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("indices", lambda old: np.array([1, 3, 0], old.dtype), r"m.indices must be in 0\.\.2, got 3 at position 1"),
        ("indices", lambda old: old[:2], "m must have a column index per value: 3 values, 2 indices"),
        ("indices", lambda old: old * 1.0, "m.indices must be a one-dimensional array of integers, got float64"),
        ("indptr", lambda old: np.array([0, 2**31 - 1, 1, 3], old.dtype), "m.indptr must increase from 0 to 3, got 1"),
        ("indptr", lambda old: old[:3], "m.indptr must have 4 offsets, one per row and 0, got 3"),
        ("data", lambda old: old[:2], "m must have a column index per value: 2 values, 3 indices"),
        ("data", lambda old: np.append(old, 4), "m must have a column index per value: 4 values, 3 indices"),
        ("data", lambda old: old * 1j, "m must hold real numbers, got complex128"),
        ("data", lambda old: old.astype(object), "m must hold real numbers, got object"),
    ],
)
def test_csr_matrices_whose_arrays_disagree_are_rejected(form, name, change, message):
    with pytest.raises(InputError, match=message):
        check_csr("m", damaged(name, change, form))


def test_other_formats_and_shapes_are_rejected():
    for other in (csc_array((2, 3)), coo_array((2, 3))):
        with pytest.raises(
            InputError, match=rf"m must be sparse, in CSR format, got {type(other).__name__}; call tocsr"
        ):
            check_csr("m", other)
    with pytest.raises(InputError, match=r"got ndarray; convert it with scipy\.sparse\.csr_array"):
        check_csr("m", np.eye(2))
    with pytest.raises(InputError, match=r"m must have 2 rows, got shape \(3, 4\)"):
        check_csr("m", csr_array((3, 4)), rows=2)
    with pytest.raises(InputError, match=r"m must have 2 columns, got shape \(3, 4\)"):
        check_csr("m", csr_array((3, 4)), columns=2)


def test_matrices_that_kernels_can_read_are_not_copied():
    plain = csr_array(np.array([[0, 2.0, 0], [1, 0, 3]]))
    assert checked_csr("m", plain) is plain
    small = csr_matrix(np.array([[0, 2, 0], [1, 0, 3]], np.int8))
    found = checked_csr("m", small)
    assert found.dtype == np.int32
    assert small.dtype == np.int8
    assert isinstance(found, csr_matrix)


def test_repeated_cells_are_summed_in_a_copy():
    twice = csr_array((np.array([1.0, 4, 2]), np.array([2, 0, 2]), np.array([0, 3])), shape=(1, 3))
    found = checked_csr("m", twice)
    assert (found.indices.tolist(), found.data.tolist()) == ([0, 2], [4, 3])
    assert twice.indices.tolist() == [2, 0, 2]


def test_memory_mapped_arrays_are_not_copied(tmp_path):
    np.arange(9, dtype=np.int32).tofile(tmp_path / "ids")
    mapped = np.memmap(tmp_path / "ids", np.int32, mode="r")
    assert owned(mapped) is mapped
    assert not np.shares_memory(owned(table := np.zeros(3)), table)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0, [1, 2]], r"rows must hold real numbers, got \[0, \[1, 2\]\]"),
        ([0, 1.5], "rows must be whole numbers, got 1.5 at position 1"),
        ([[0, 1]], r"rows must have shape \(n,\), got \(1, 2\)"),
        ([0, -1], r"rows must be in 0\.\.4, got -1 at position 1"),
        ("01", "rows must hold real numbers, got <U2"),
    ],
)
def test_values_that_are_no_rows_are_rejected(values, message):
    with pytest.raises(InputError, match=message):
        whole_array("rows", values, 5)


def test_whole_floats_and_lists_are_rows():
    for values in ([0, 4], (0.0, 4.0), np.array([0, 4], np.uint64), np.array([0.0, 4.0])):
        assert whole_array("rows", values, 5).tolist() == [0, 4]
