"""Unigram and bigram models against direct implementations of their formulas."""

import itertools

import numpy as np

from seqclf.language.ngrams import bigram_log_probabilities, unigram_log_probabilities

TRAINED = np.array([0, 1, 2, 0, 1, 1, 3, 0, 1, 2, 0], np.int32)
COUNTS = np.array([3, 4, 2, 1, 0])  # of TRAINED[1:]; word 4 was never seen


def slow_bigram(before, word):
    pairs = list(itertools.pairwise(TRAINED))
    unigram = (COUNTS[word] + 1) / (COUNTS.sum() + 5)
    followers = len({second for first, second in pairs if first == before})
    seen = sum(first == before for first, _ in pairs)
    if not seen:
        return unigram
    return (sum(pair == (before, word) for pair in pairs) + followers * unigram) / (seen + followers)


def test_bigrams_match_the_formula_and_sum_to_1():
    for before in range(5):
        found = [np.exp(bigram_log_probabilities(COUNTS, TRAINED, np.array([before, word])))[0] for word in range(5)]
        np.testing.assert_allclose(found, [slow_bigram(before, word) for word in range(5)])
        assert abs(sum(found) - 1) < 1e-12


def test_unigrams_are_smoothed_counts():
    found = np.exp(unigram_log_probabilities(COUNTS, np.array([4, 0, 1, 2, 3, 4])))
    np.testing.assert_allclose(found, (COUNTS + 1) / 15)
