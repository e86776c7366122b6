"""Random splits into training and validation rows, and folds."""

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from wordvec import InputError

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


def grouped_folds(targets: np.ndarray, groups: Sequence[Any], folds: int, seed: int) -> list[np.ndarray]:
    """Deal groups of rows to folds, so that the classes are spread evenly; the rows of each fold are ascending.

    Groups whose classes differ most in number come first, each to the fold that leaves the shares of the classes most
    even, as scikit-learn's StratifiedGroupKFold does.

    Args:
        targets: (N,) classes. groups: N names; rows of equal names stay together.
        folds: their number.
        seed: of the order of groups.

    Raises:
        InputError: not one group per row, or fewer groups than folds.

    Example:
        >>> groups = ["ann", "ann", "bob", "bob", "eve", "eve"]
        >>> [rows.tolist() for rows in grouped_folds(np.array([0, 1, 0, 1, 0, 1]), groups, 3, seed=1)]
        [[4, 5], [0, 1], [2, 3]]
    """
    if len(groups) != targets.size:
        raise InputError(f"{len(groups)} groups for {targets.size} texts; pass one for each text")
    names, places = np.unique(np.array(list(map(str, groups))), return_inverse=True)
    if names.size < folds:
        raise InputError(f"{folds} folds need at least as many groups, got {names.size}; use fewer folds")
    counts = np.zeros((names.size, int(targets.max()) + 1))
    np.add.at(counts, (places, targets), 1)
    order = np.random.default_rng([seed, 0x62F0]).permutation(names.size)
    order = order[np.argsort(-counts[order].std(axis=1), kind="stable")]
    shares, filled, chosen = (
        counts / counts.sum(axis=0).clip(1),
        np.zeros((folds, counts.shape[1])),
        np.full(names.size, -1),
    )
    for done, group in enumerate(order):
        empty = np.flatnonzero(~filled.any(axis=1))
        open_folds = empty if empty.size == names.size - done else np.arange(folds)
        uneven = []
        for fold in open_folds:
            tried = filled.copy()
            tried[fold] += shares[group]
            uneven.append((round(float(tried.std(axis=0).mean()), 12), float(filled[fold].sum())))
        chosen[group] = open_folds[uneven.index(min(uneven))]
        filled[chosen[group]] += shares[group]
    return [np.flatnonzero(chosen[places] == fold) for fold in range(folds)]
