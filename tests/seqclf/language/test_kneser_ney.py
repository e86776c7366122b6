"""Kneser-Ney n-grams against a slow version."""

import numpy as np
import pytest

from seqclf.language.kneser_ney import KneserNey
from tests.oracles.kneser_ney import kneser_ney
from wordvec import InputError

END, V = 0, 9


def text(seed, lines, most=7):
    """Ids of lines of one to ``most`` words, which repeat themselves; some lines are empty."""
    random = np.random.default_rng(seed)
    found = [END]
    for length in random.integers(0, most + 1, lines):
        word = 1
        for _ in range(length):
            word = 1 + (word * 2 + int(random.integers(0, 3) ** 2)) % (V - 2)
            found.append(word)
        found.append(END)
    return np.array(found, np.int32)


def lines_of(ids):
    found, line = [], []
    for token in ids[1:].tolist():
        line.append(token)
        if token == END:
            found.append(line)
            line = []
    return found


@pytest.mark.parametrize(
    ("order", "lines", "most"), [(1, 40, 7), (2, 60, 7), (3, 12, 7), (5, 60, 7), (5, 60, 2), (5, 30, 1), (5, 3, 0)]
)
def test_every_probability_equals_the_slow_version(order, lines, most):
    train, test = text(1, lines, most), text(2, 12)
    test[test == 3] = V - 1  # a word that training lacks
    probability = kneser_ney(lines_of(train), V, order)
    expected = []
    for line in lines_of(test):
        words = ["<s>", *line]
        expected += [probability(words[at], words[max(0, at - order + 1) : at]) for at in range(1, len(words))]
    found = np.exp(KneserNey(train, V, order).log_probabilities(test))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_probabilities_after_a_context_sum_to_1():
    model = KneserNey(text(1, 60), V, 4)
    for context in ([], [1, 3], [3, 8, 8, 2], [2]):
        p = [np.exp(model.log_probabilities(np.array([END, *context, word]))[-1]) for word in range(V)]
        assert sum(p) == pytest.approx(1)


def test_the_order_is_checked():
    with pytest.raises(InputError, match="order must be at least 1, got 0"):
        KneserNey(text(1, 4), V, 0)
