"""AdaSum of several changes, one row at a time (Maleki et al. 2020, arXiv 2006.02924)."""

import numpy as np


def adasum(a, b):
    """Combine two changes (D,) of a row."""
    a_square, b_square, both = a @ a, b @ b, a @ b
    if not a_square or not b_square:
        return a + b
    return (1 - both / (2 * a_square)) * a + (1 - both / (2 * b_square)) * b


def tree(changes):
    """Combine the changes (D,) of all shards, neighbors first, then neighbors of the results."""
    while len(changes) > 1:
        pairs = [changes[k : k + 2] for k in range(0, len(changes), 2)]
        changes = [adasum(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return changes[0]


def combine(before, changes):
    """Return the rows (R, D) with the combined changes (S, R, D) added, in float64."""
    changes = np.asarray(changes, np.float64)
    return np.stack([row + tree(list(changes[:, r])) for r, row in enumerate(np.asarray(before, np.float64))])
