"""Truncated SVD: comparison with LAPACK, reproducibility, and word vectors."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.oracles import naive_frequency
from wordvec import CooccurrenceSettings, SvdSettings, count_cooccurrences, encode_corpus, truncated_svd
from wordvec.count_based.svd import train_svd
from wordvec.errors import InputError, TrainingError

RANDOM = np.random.default_rng(5)


@pytest.fixture(autouse=True)
def any_number_of_threads(monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")


def with_values(values, rows, columns, seed=0):
    """Return a matrix (rows, columns) with these singular values, and its singular vectors."""
    random = np.random.default_rng(seed)
    left = np.linalg.qr(random.standard_normal((rows, len(values))))[0]
    right = np.linalg.qr(random.standard_normal((columns, len(values))))[0]
    return left * values @ right.T


def sparse_matrix(rows=300, columns=200, seed=1):
    random = np.random.default_rng(seed)
    matrix = random.random((rows, columns)) * (random.random((rows, columns)) < 0.1)
    matrix[7] = 0
    return csr_array(matrix.astype(np.float32))


CORPUS = encode_corpus(
    [" ".join(f"t{k}" for k in RANDOM.zipf(1.3, 12) % 50) for _ in range(300)], min_count=1, cache=False
)


# -- the decomposition ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "columns", "rank"),
    [(40, 30, 5), (30, 40, 30), (17, 17, 1), (700, 20, 20), (3, 3, 3), (1, 1, 1), (1, 9, 1)],
)
def test_results_match_lapack(rows, columns, rank):
    values = 0.9 ** np.arange(min(rows, columns)) * 7
    matrix = with_values(values, rows, columns)
    found = truncated_svd(csr_array(matrix), rank, iterations=20, threads=1)
    np.testing.assert_allclose(found.values, values[:rank], rtol=1e-4)
    left, exact, right = np.linalg.svd(matrix)
    np.testing.assert_allclose(
        (found.left * found.values) @ found.right.T, (left[:, :rank] * exact[:rank]) @ right[:rank], atol=1e-4
    )
    for side, length in ((found.left, rows), (found.right, columns)):
        assert side.shape == (length, rank)
        assert side.dtype == np.float32
        np.testing.assert_allclose(side.T @ side, np.eye(rank), atol=1e-5)


def test_more_iterations_are_more_accurate():
    matrix = sparse_matrix()
    exact = np.linalg.svd(matrix.toarray(), compute_uv=False)[:20]
    few, some, many = (
        np.abs(truncated_svd(matrix, 20, iterations=times, oversampling=5).values - exact).max() for times in (0, 2, 12)
    )
    assert few > 2 * some > 4 * many
    more = np.abs(truncated_svd(matrix, 20, iterations=2, oversampling=60).values - exact).max()
    assert more < some / 2


def test_components_beyond_the_matrix_rank_are_zero():
    matrix = np.outer(np.arange(1.0, 31), np.arange(1.0, 21))
    found = truncated_svd(csr_array(matrix), 4)
    np.testing.assert_allclose(found.values, [np.linalg.norm(matrix), 0, 0, 0], rtol=1e-5)
    assert not found.left[:, 1:].any()
    assert not found.right[:, 1:].any()
    np.testing.assert_allclose(found.left[:, 0] * found.values[0], matrix @ found.right[:, 0], rtol=1e-4)
    assert not truncated_svd(csr_array((5, 4)), 2).values.any()


def test_the_largest_value_of_a_left_vector_is_positive():
    found = truncated_svd(sparse_matrix(), 15)
    assert (found.left[np.abs(found.left).argmax(axis=0), np.arange(15)] > 0).all()
    flipped = truncated_svd(sparse_matrix() * -1, 15)
    np.testing.assert_allclose(flipped.left, found.left, atol=1e-4)
    np.testing.assert_allclose(flipped.right, -found.right, atol=1e-4)


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_results_are_bit_identical_at_any_number_of_threads(threads):
    # More rows than a thread takes at a time, and than a partial sum of a Gram matrix has.
    matrix = csr_array(
        (RANDOM.random(9000), (RANDOM.integers(0, 4500, 9000), RANDOM.integers(0, 900, 9000))), shape=(4500, 900)
    )
    alone, together = (truncated_svd(matrix, 20, threads=t, iterations=1) for t in (1, threads))
    assert [side.tobytes() for side in alone] == [side.tobytes() for side in together]
    assert alone.left.tobytes() != truncated_svd(matrix, 20, threads=1, iterations=1, seed=2).left.tobytes()


def test_blas_threads_do_not_affect_the_result():
    code = (
        "import hashlib, numpy as np; from scipy.sparse import random_array; from wordvec import truncated_svd;"
        "matrix = random_array((600, 600), density=0.1, rng=np.random.default_rng(1), format='csr');"
        "found = truncated_svd(matrix, 150); print(hashlib.sha256(b''.join(x.tobytes() for x in found)).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 0}, "rank must be at least 1, got 0"),
        ({"rank": 201}, "rank must be at most the smaller matrix dimension, 200, got 201"),
        ({"rank": 2.5}, "rank must be a whole number, got 2.5"),
        ({"rank": 3, "iterations": -1}, "iterations must be at least 0, got -1"),
        ({"rank": 3, "oversampling": -1}, "oversampling must be at least 0, got -1"),
        ({"rank": 3, "threads": 0}, "threads must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_rejected(options, message):
    with pytest.raises(InputError, match=message):
        truncated_svd(sparse_matrix(), **options)


# -- word vectors -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("exponent", [0, 0.5, 1])
@pytest.mark.parametrize("add", [False, True])
def test_vectors_are_left_singular_vectors_scaled_by_a_power(exponent, add):
    counts = count_cooccurrences(CORPUS, CooccurrenceSettings(window=3))
    settings = SvdSettings(vector_size=4, exponent=exponent, add_contexts=add, iterations=20, shift=2, smoothing=0.5)
    result = train_svd(counts, settings, threads=1)
    dense = naive_frequency.weighted(counts.counts.toarray(), "ppmi", smoothing=0.5, shift=2)
    left, values, right = np.linalg.svd(dense)
    np.testing.assert_allclose(result.values, values[:4], rtol=1e-3)
    words, contexts = left[:, :4] * values[:4] ** exponent, right[:4].T * values[:4] ** exponent
    signs = np.sign(np.sum(result.vectors.context_vectors * contexts, axis=0))
    np.testing.assert_allclose(result.vectors.context_vectors, contexts * signs, atol=2e-2)
    np.testing.assert_allclose(result.vectors.vectors, (words + contexts * add) * signs, atol=4e-2)
    assert result.vectors.settings["model"] == "svd"
    assert result.vectors.settings["cooccurrence"]["window"] == 3
    assert (result.types, result.cells) == (len(CORPUS.vocabulary), np.count_nonzero(dense))
    assert result.summary()["settings"]["exponent"] == exponent


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"exponent": -1}, "exponent must be at least 0, got -1"),
        ({"exponent": float("inf")}, "exponent must be a finite number, got inf"),
        ({"add_contexts": 3}, "add_contexts must be true or false, got 3"),
        ({"iterations": -1}, "iterations must be at least 0, got -1"),
    ],
)
def test_svd_settings_out_of_range_are_rejected(options, message):
    with pytest.raises(InputError, match=message):
        SvdSettings(**options)


def test_more_dimensions_than_words_are_rejected():
    counts = count_cooccurrences(CORPUS, CooccurrenceSettings(window=3))
    with pytest.raises(InputError, match=r"vector_size must be at most the number of words, .* got 100; lower it"):
        train_svd(counts)
    alone = count_cooccurrences(encode_corpus(["a", "b"], min_count=1, cache=False))
    with pytest.raises(InputError, match="no two words co-occur more often than by chance"):
        train_svd(alone, SvdSettings(vector_size=1))


def test_factors_beyond_the_memory_are_refused():
    matrix = csr_array(([1.0], ([5], [7])), shape=(2_000_000, 1_000_000))
    with pytest.raises(
        TrainingError,
        match=r"an SVD of 800,000 dimensions of a matrix of 2,000,000 x 1,000,000 needs at least .* GB of memory, but "
        r"only .* GB are free; lower vector_size, or raise min_count",
    ):
        truncated_svd(matrix, 800_000)


def test_matrices_whose_arrays_disagree_are_rejected():
    sound = csr_array(np.arange(12.0).reshape(3, 4))
    wrong = sound.copy()
    wrong.indices[3] = 2**31 - 1
    for matrix, message in [
        (wrong, r"matrix\.indices must be in 0\.\.3, got 2,147,483,647 at position 3"),
        (sound.tocsc(), r"matrix must be sparse, in CSR format, got csc_array; call tocsr\(\)"),
        (sound.toarray(), "matrix must be sparse, in CSR format, got ndarray"),
        (sound * 1j, "matrix must hold real numbers, got complex128"),
    ]:
        with pytest.raises(InputError, match=message):
            truncated_svd(matrix, 2)
