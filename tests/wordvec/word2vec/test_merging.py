"""Merging of the rows that always change alike."""

import numpy as np
import pytest

from wordvec.kernels.subwords import Subwords
from wordvec.word2vec.merging import merge_rows

TYPES = 3


def subwords_of(words):
    sizes = [len(word) for word in words]
    rows = np.array([row for word in words for row in word], np.int32)
    ones = np.ones(len(rows), np.float32)
    rates = 1 + np.arange(len(rows), dtype=np.float32)
    return Subwords(np.append(0, np.cumsum(sizes)), rows, ones, np.array(sizes, np.float32), rates, contexts=False)


WITH_OWN = [[0, 6, 7, 8, 9], [1, 7, 10, 9, 9], [2, 8, 6, 9]]
"""Rows 6 and 8 have words 0 and 2; row 10 has word 1 alone; row 9 is twice in word 1."""

WITHOUT_OWN = [[6, 7, 6], [8, 7, 8], [9, 9, 9, 10]]


@pytest.mark.parametrize(
    ("words", "merged", "rows", "parts"),
    [
        (WITH_OWN, [[0, 6, 7, 8], [1, 7, 8, 8], [2, 6, 8]], [0, 1, 2, 6, 7, 8], [[0], [1, 7], [2], [3, 5], [4], [6]]),
        (WITHOUT_OWN, [[6, 7, 6], [8, 7, 8], [9, 9, 9, 10]], [6, 7, 8, 9, 10], [[0], [1], [2], [3], [4]]),
        ([[6, 7], [8, 8], [9, 7]], [[6, 7], [8, 8], [9, 7]], [6, 7, 8, 9], [[0], [1], [2], [3]]),
        ([[6, 7], [8, 9], [10]], [[6], [7], [8]], [6, 7, 8], [[0, 1], [2, 3], [4]]),
    ],
)
def test_rows_with_the_same_words_are_merged(words, merged, rows, parts):
    subwords = subwords_of(words)
    composed, found = merge_rows(subwords, TYPES)
    assert [each.tolist() for each in np.split(composed.rows, composed.offsets[1:-1])] == merged
    assert found.rows.tolist() == rows
    assert [each.tolist() for each in np.split(found.parts, found.bounds[1:-1])] == parts
    counts = dict(zip(rows, np.diff(found.bounds), strict=True))
    assert composed.parts.tolist() == [counts[row] for row in composed.rows.tolist()]
    np.testing.assert_array_equal(composed.sizes, subwords.sizes)
    first = np.unique(subwords.rows)[found.parts[found.bounds[:-1]]]
    np.testing.assert_array_equal(composed.rates, subwords.rates[np.isin(subwords.rows, first)])


def test_parts_change_as_their_row_does():
    _, found = merge_rows(subwords_of(WITH_OWN), TYPES)
    parts = np.random.default_rng(1).standard_normal((8, 5)).astype(np.float32)
    table = np.full((9, 5), 7, np.float32)
    found.average(parts, table)
    np.testing.assert_allclose(table[[6, 1]], [(parts[3] + parts[5]) / 2, (parts[1] + parts[7]) / 2], rtol=1e-6)
    assert (table[3:6] == 7).all(), "the output rows stay"
    same = parts.copy()
    found.move(same, table)
    np.testing.assert_array_equal(same, parts, "bit for bit")
    table[6] += 1
    table[1] -= 2
    found.move(same, table)
    np.testing.assert_allclose(same - parts, np.array([0, -2, 0, 1, 0, 1, 0, -2])[:, None] * np.ones(5), rtol=1e-5)
