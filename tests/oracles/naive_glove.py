"""Naive GloVe in float64, with separate arrays for vectors, biases and squared gradients. Imports only NumPy."""

import numpy as np


def count_pairs(sentences, window, types):
    """Return (V, V) float64: the sum of 1 / distance over word pairs at most ``window`` apart in a sentence."""
    counts = np.zeros((types, types))
    for sentence in sentences:
        for p, word in enumerate(sentence):
            for q, context in enumerate(sentence):
                if p != q and abs(p - q) <= window:
                    counts[word, context] += 1 / abs(p - q)
    return counts


def blocks(counts, bounds, split, order):
    """Return the cells in training order: one list of (word, contexts) per block.

    Groups of ``split`` row bands are paired with groups of column bands, first with that of the same number. Words of a
    block come in ``order``, their contexts in ascending order, in groups of four while four are left.
    """
    groups = (len(bounds) - 1) // split
    for outer in range(groups):
        for group in range(groups):
            for inner in range(split):
                for band in range(split):
                    row_band = group * split + band
                    column_band = (group + outer) % groups * split + (band + inner) % split
                    block = []
                    for word in order:
                        if bounds[row_band] <= word < bounds[row_band + 1]:
                            columns = range(bounds[column_band], bounds[column_band + 1])
                            contexts = [c for c in columns if counts[word, c] > 0]
                            while len(contexts) >= 4:
                                block.append((word, contexts[:4]))
                                contexts = contexts[4:]
                            block.extend((word, [c]) for c in contexts)
                    yield block


def weight(count, x_max, alpha):
    """Return the weight of a count (Pennington et al. 2014, eq. 9)."""
    return (count / x_max) ** alpha if count < x_max else 1.0


def loss_of(tables, counts, word, contexts, x_max, alpha):
    """Return equation 8 over some cells of a word."""
    vectors, biases, context_vectors, context_biases = tables
    return sum(
        0.5
        * weight(counts[word, c], x_max, alpha)
        * (vectors[word] @ context_vectors[c] + biases[word] + context_biases[c] - np.log(counts[word, c])) ** 2
        for c in contexts
    )


class AdaGrad:
    """AdaGrad on vectors, biases, context vectors and context biases, all updated in place."""

    def __init__(self, tables, rate, x_max, alpha):
        self.tables, self.rate, self.x_max, self.alpha = tables, rate, x_max, alpha
        self.squares = [np.ones_like(table) for table in tables]

    def train(self, counts, word, contexts):
        """Take one step for some cells of a word; returns their loss before it."""
        vectors, biases, context_vectors, context_biases = self.tables
        loss = loss_of(self.tables, counts, word, contexts, self.x_max, self.alpha)
        steps = []
        for c in contexts:
            miss = vectors[word] @ context_vectors[c] + biases[word] + context_biases[c] - np.log(counts[word, c])
            pull = self.rate * weight(counts[word, c], self.x_max, self.alpha) * miss
            steps.append((c, pull * context_vectors[c], pull * vectors[word], pull))
        for table, squares, gradients in (
            (vectors, self.squares[0], [step[1] for step in steps]),
            (biases, self.squares[1], [step[3] for step in steps]),
        ):
            squares[word] += sum(gradient**2 for gradient in gradients)
            table[word] -= sum(gradients) / np.sqrt(squares[word])
        for c, _, gradient, pull in steps:
            self.squares[2][c] += gradient**2
            context_vectors[c] -= gradient / np.sqrt(self.squares[2][c])
            self.squares[3][c] += pull**2
            context_biases[c] -= pull / np.sqrt(self.squares[3][c])
        return loss
