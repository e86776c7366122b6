"""Association measures: comparison with dense formulas, and their properties."""

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array

from tests.cases.word2vec import random_corpus, wraps_around
from tests.oracles import naive_frequency
from wordvec.count_based.association import WEIGHTINGS, association_matrix
from wordvec.count_based.cooccurrence import count_cooccurrences
from wordvec.count_based.settings import CooccurrenceSettings
from wordvec.errors import InputError

pytestmark = wraps_around


@pytest.fixture(scope="module")
def found():
    return count_cooccurrences(random_corpus([40, 0, 1, 33, 7], types=25), CooccurrenceSettings(3), threads=1)


@pytest.mark.parametrize(
    ("weighting", "options"),
    [
        ("ppmi", {}),
        ("ppmi", {"smoothing": 1.0}),
        ("ppmi", {"smoothing": 0.0}),
        ("ppmi", {"shift": 5.0}),
        ("ppmi", {"shift": 0.5, "smoothing": 0.3}),
        ("npmi", {}),
        ("npmi", {"smoothing": 0.75}),
        ("log", {}),
        ("conditional", {}),
        ("count", {}),
    ],
)
@pytest.mark.parametrize("piece", [1, 50, 1 << 18])
def test_cells_match_the_formula(found, weighting, options, piece, monkeypatch):
    monkeypatch.setattr("wordvec.system.csr.PIECE", piece)
    weighted = association_matrix(found, weighting, **options)
    usual = {"ppmi": 0.75}.get(weighting, 1.0)
    expected = naive_frequency.weighted(found.counts.toarray(), weighting, **{"smoothing": usual, **options})
    np.testing.assert_allclose(weighted.toarray(), expected, rtol=1e-6, atol=1e-12)
    assert weighted.has_canonical_format
    assert (weighted.data.dtype, weighted.indices.dtype, weighted.indptr.dtype) == (np.float32, np.int32, np.int64)
    assert (weighted.data != 0).all() or weighting == "npmi"
    assert np.count_nonzero(expected)


def test_ppmi_drops_cells_without_association(found):
    kept, shifted = (
        association_matrix(found, "ppmi", smoothing=1.0),
        association_matrix(found, "ppmi", smoothing=1.0, shift=3),
    )
    assert 0 < shifted.nnz < kept.nnz < found.counts.nnz
    np.testing.assert_allclose(shifted.toarray(), np.maximum(0, kept.toarray() - np.log(3)), atol=1e-6)
    assert (kept != kept.T).nnz == 0
    assert (
        association_matrix(found, "ppmi") != association_matrix(found, "ppmi").T
    ).nnz  # smoothing treats contexts differently


def test_conditional_probabilities_sum_to_one(found):
    sums = association_matrix(found, "conditional").toarray().sum(axis=1)
    assert set(sums.round(5).tolist()) == {0.0, 1.0}  # a type that never occurs next to another has no contexts


def test_npmi_is_one_for_words_that_only_occur_together():
    pairs = csr_array(np.array([[0, 2.0, 0], [2, 0, 0], [0, 0, 4]]))
    assert association_matrix(pairs, "npmi").data.tolist() == [1, 1, 1]
    assert association_matrix(csr_array(np.array([[0, 3.0]])), "npmi").data.tolist() == [1]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_an_empty_matrix_stays_empty(weighting):
    weighted = association_matrix(csr_array((3, 4)), weighting)
    assert (weighted.shape, weighted.nnz) == ((3, 4), 0)


def test_any_sparse_matrix_is_accepted():
    table = np.array([[1, 0, 2], [0, 3, 4]])
    twice = csr_array((np.array([4, 3, 2, 0.5, 0.5]), np.array([2, 1, 2, 0, 0]), np.array([0, 0, 5])), shape=(2, 3))
    np.testing.assert_allclose(
        association_matrix(csr_array(table)).toarray(), naive_frequency.weighted(table, "ppmi", 0.75), rtol=1e-6
    )
    assert association_matrix(twice, "count").toarray().tolist() == [[0, 0, 0], [1, 3, 6]]
    assert twice.nnz == 5


def test_results_larger_than_memory_are_memory_mapped(found, tmp_path, monkeypatch):
    expected = association_matrix(found)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("wordvec.count_based.association.available_memory", lambda: 160)
    weighted = association_matrix(found)
    assert {path.name for path in tmp_path.glob("*/*")} == {"columns", "values"}
    assert (weighted != expected).nnz == 0
    del weighted
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weighting": "pmi"}, "weighting must be one of ppmi, npmi, log, conditional, count, got 'pmi'"),
        ({"smoothing": 2.0}, "smoothing must be at least 0 and at most 1, got 2.0"),
        ({"shift": 0.0}, "shift must be above 0, got 0.0"),
        ({"weighting": "log", "smoothing": 0.5}, "smoothing applies only to ppmi and npmi, not to log"),
        ({"weighting": "npmi", "shift": 5.0}, "shift applies only to ppmi, not to npmi"),
    ],
)
def test_settings_out_of_range_are_rejected(found, options, message):
    with pytest.raises(InputError, match=message):
        association_matrix(found, **options)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_invalid_counts_are_rejected(value):
    matrix = csr_array((np.array([1, value]), np.array([0, 1]), np.array([0, 2])), shape=(1, 2))
    with pytest.raises(InputError, match=r"counts must (be finite and above 0|hold finite numbers), got"):
        association_matrix(matrix)


def test_other_matrix_formats_are_rejected(found):
    with pytest.raises(InputError, match=r"CSR format, got csc_array; call tocsr\(\)"):
        association_matrix(csc_array(found.counts))


def test_counts_whose_arrays_disagree_are_rejected():
    sound = csr_array(np.arange(1.0, 13).reshape(3, 4))
    wrong = sound.copy()
    wrong.indices[3] = -1
    for matrix, message in [
        (wrong, r"counts\.indices must be in 0\.\.3, got -1 at position 3"),
        (sound.tocsc(), r"counts must be sparse, in CSR format, got csc_array; call tocsr\(\)"),
    ]:
        with pytest.raises(InputError, match=message):
            association_matrix(matrix, "count")
