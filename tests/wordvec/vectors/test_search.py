"""Top-k selection without a full sort."""

import numpy as np
import pytest

from wordvec.vectors.search import contenders, nth_largest


@pytest.mark.parametrize("size", [1, 63, 64, 129, 1_500, 20_000])
@pytest.mark.parametrize("ties", [3, 10**9])
def test_nth_largest_matches_sorting(size, ties):
    values = np.random.default_rng(size).integers(0, ties, size).astype(np.float32)
    for n in {1, 2, 10, size // 2, size} & set(range(1, size + 1)):
        assert nth_largest(values, n) == np.sort(values)[-n]


def test_nth_largest_may_be_after_the_last_full_block():
    values = np.zeros(64 * 40 + 5, np.float32)
    values[-3:] = [1, 2, 3]
    assert [nth_largest(values, n) for n in (1, 2, 3, 4)] == [3, 2, 1, 0]


def test_excluded_rows_are_never_contenders():
    scores = np.random.default_rng(0).standard_normal(5_000).astype(np.float32)
    scores[np.argsort(scores)[-20:]] = -np.inf
    found = contenders(scores, scores, 10)
    assert np.array_equal(np.sort(scores[found]), np.sort(scores)[-10:])
    assert contenders(np.full(100, -np.inf), np.full(100, -np.inf), 3).size == 0
