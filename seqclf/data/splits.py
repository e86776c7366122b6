"""Random splits into training and validation rows."""

import logging

import numpy as np

logger = logging.getLogger(__name__)

_FEW = 5


def warn_if_few(count: int, unit: str) -> None:
    """Log a warning if there are validation data, but too few to compare epochs."""
    if 0 < count < _FEW:
        logger.warning(
            "only %d validation %s to choose the epoch by; give more, or set the validation fraction to 0, which keeps "
            "the last epoch", count, unit if count > 1 else unit.removesuffix("s"),
        )  # fmt: skip


def random_split(count: int, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split ``count`` rows into training and validation rows, both in random order.

    Example:
        >>> train, validation = random_split(10, 0.25, seed=1)
        >>> len(train), len(validation)
        (8, 2)
    """
    order = np.random.default_rng([seed, 0x5911]).permutation(count)
    rows, validation = np.split(order, [count - int(count * fraction)])
    return rows, validation


def stratified_split(targets: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split rows into training and validation rows, both ascending, class by class; each class keeps a training row.

    The number of validation rows is as close to ``round(fraction * N)`` as that allows: the classes with the largest
    remainders contribute one more row.

    Example:
        >>> train, validation = stratified_split(np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1]), 0.5, seed=1)
        >>> len(validation), int(np.array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1])[validation].sum())
        (5, 2)
    """
    counts = np.bincount(targets)
    shares = counts * fraction
    given = np.minimum(np.floor(shares).astype(np.int64), np.maximum(counts - 1, 0))
    for row in np.argsort(given - shares, kind="stable"):
        if given.sum() >= round(fraction * targets.size):
            break
        if given[row] < min(np.ceil(shares[row]), counts[row] - 1):
            given[row] += 1
    random = np.random.default_rng([seed, 0x5711])
    drawn = []
    for row, count in enumerate(given):
        members = random.permutation(np.flatnonzero(targets == row))
        drawn.append(members[:count])
    validation = np.sort(np.concatenate(drawn))
    training = np.setdiff1d(np.arange(targets.size), validation)
    return training, validation


def stratified_folds(targets: np.ndarray, folds: int, seed: int) -> list[np.ndarray]:
    """Deal rows, shuffled within their class, to folds in turn; the rows of each fold are ascending.

    Example:
        >>> [rows.size for rows in stratified_folds(np.array([0, 0, 0, 0, 1, 1, 1]), 3, seed=1)]
        [3, 2, 2]
    """
    random = np.random.default_rng([seed, 0xF01D])
    dealt = np.concatenate([random.permutation(np.flatnonzero(targets == each)) for each in np.unique(targets)])
    return [np.sort(dealt[fold::folds]) for fold in range(folds)]
