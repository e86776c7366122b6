"""Interpolated modified Kneser-Ney n-grams (Chen & Goodman 1999), estimated as by Heafield et al. (2013)."""

from typing import NamedTuple

import numpy as np

from wordvec.system.validation import check_whole

ORDER = 5


class _Grams(NamedTuple):
    """All n-grams of one order, by ascending key."""

    keys: np.ndarray
    """(G,) int64: the row of the first n - 1 tokens among their n-grams, times (V + 1), plus the last token."""
    discounted: np.ndarray
    """(G,) float64: (count - discount) / sum of the counts after the same context."""
    backoff: np.ndarray
    """(contexts,) float64: the mass that a context leaves to shorter contexts; 1 if nothing follows it."""


class KneserNey:
    """N-gram model of a text; lines are independent, and the beginning of a line is part of their contexts.

    ``p_n(w | c) = max(a(c w) - D(a), 0) / sum_x a(c x) + b(c) p_{n-1}(w | c')``, down to the uniform distribution over
    V tokens. a is the count for the longest n-grams and those that begin a line, else the number of distinct tokens
    before the n-gram; D has a value for a = 1, 2 and at least 3, from the numbers of n-grams with such a.

    Args:
        ids: (N + 1,) int32, the training text as ``TrainedLanguageModel.encode`` returns it; the first token is an end.
        vocabulary: V. order: the length of the longest n-grams.

    Raises:
        InputError: ``order`` is below 1.

    Example:
        >>> end, a, b = 0, 1, 2
        >>> model = KneserNey(np.array([end, a, b, end, a, b, b, end], np.int32), vocabulary=3, order=2)
        >>> np.exp(model.log_probabilities(np.array([end, a, b, end]))).round(3)
        array([0.646, 0.708, 0.479])
    """

    def __init__(self, ids: np.ndarray, vocabulary: int, order: int = ORDER) -> None:
        check_whole("order", order, 1)
        self.order, self._vocabulary = order, vocabulary
        self._start = np.int64(vocabulary)  # the token before each line
        tokens, places = self._lines(ids)
        rows, grams, firsts = [], [], []
        row = np.zeros(tokens.size, np.int64)  # of the n-gram of the current order that ends here; -1: there is none
        for length in range(1, order + 1):
            keys = self._keys(row, tokens, places, length)
            whole = np.flatnonzero(keys >= 0)
            if not whole.size:
                break  # no line is so long
            found, first, inverse, counts = np.unique(
                keys[whole], return_index=True, return_inverse=True, return_counts=True
            )
            row = np.full(tokens.size, -1, np.int64)
            row[whole] = inverse
            rows.append(row)
            grams.append((found, counts))
            firsts.append(whole[first])
        self._orders = []
        for length, (keys, counts) in enumerate(grams, 1):
            adjusted = counts
            if length < len(grams):
                longer = firsts[length]  # one place of each n-gram that is longer by a token
                before = np.bincount(rows[length - 1][longer], minlength=keys.size)
                begins = places[firsts[length - 1]] == length - 1
                adjusted = np.where(begins, counts, before)
            if length == 1:
                adjusted = np.where(keys == self._start, 0, adjusted)
            contexts = keys // (vocabulary + 1)
            size = 1 if length == 1 else grams[length - 2][0].size
            self._orders.append(_smoothed(keys, adjusted.astype(np.float64), contexts, size))

    def log_probabilities(self, ids: np.ndarray) -> np.ndarray:
        """Return log p of each token but the first, (N,) float64; ``ids`` as for the constructor."""
        tokens, places = self._lines(ids)
        p = np.full(tokens.size, 1 / self._vocabulary)
        row = np.zeros(tokens.size, np.int64)
        for length, order in enumerate(self._orders, 1):
            context = np.zeros_like(row) if length == 1 else np.r_[-1, row[:-1]]
            known = (context >= 0) & (places >= length - 1)
            keys = self._keys(row, tokens, places, length)
            place = np.minimum(np.searchsorted(order.keys, keys), order.keys.size - 1)
            found = (order.keys[place] == keys) & known
            row = np.where(found, place, -1)
            p = np.where(known, order.backoff[np.maximum(context, 0)] * p, p) + np.where(
                found, order.discounted[place], 0.0
            )
        return np.asarray(np.log(p[tokens != self._start]))

    def _lines(self, ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the tokens with a start before each line, and each one's place in its line, from 0."""
        ends = np.flatnonzero(ids == ids[0])
        tokens = np.insert(ids.astype(np.int64), ends + 1, self._start)[1:]
        if tokens[-1] == self._start:
            tokens = tokens[:-1]
        starts = np.flatnonzero(tokens == self._start)
        return tokens, np.arange(tokens.size) - np.repeat(starts, np.diff(np.r_[starts, tokens.size]))

    def _keys(self, row: np.ndarray, tokens: np.ndarray, places: np.ndarray, length: int) -> np.ndarray:
        """Return the key of the n-gram that ends at each place, given the rows of those shorter by one; -1: none."""
        if length == 1:
            return tokens
        context = np.r_[-1, row[:-1]]
        return np.where((context >= 0) & (places >= length - 1), context * (self._vocabulary + 1) + tokens, -1)


def _smoothed(keys: np.ndarray, adjusted: np.ndarray, contexts: np.ndarray, size: int) -> _Grams:
    """Return the n-grams of an order with the parts of their probabilities, given their adjusted counts."""
    level = np.minimum(adjusted, 3).astype(np.int64)
    amounts = _discounts(adjusted)[level]
    sums = np.bincount(contexts, adjusted, size)
    left = np.bincount(contexts, amounts, size)
    whole = np.maximum(sums, 1.0)
    return _Grams(keys, (adjusted - amounts) / whole[contexts], np.where(sums > 0, left / whole, 1.0))


def _discounts(adjusted: np.ndarray) -> np.ndarray:
    """Return the discounts (4,) of counts 0, 1, 2 and at least 3 (Chen & Goodman 1999, eq. 26).

    Where a text is too small for them, they are 0.5, 1 and 1.5, as in Heafield's lmplz.
    """
    t = np.bincount(np.minimum(adjusted, 5).astype(np.int64), minlength=6).astype(np.float64)
    if not t[1:5].all():
        return np.array([0.0, 0.5, 1.0, 1.5])
    share = t[1] / (t[1] + 2 * t[2])
    found = np.array([0.0, *(k - (k + 1) * share * t[k + 1] / t[k] for k in (1, 2, 3))])
    return found if (found[1:] > 0).all() else np.array([0.0, 0.5, 1.0, 1.5])
