"""Bootstrap confidence intervals of benchmark scores, and paired tests of two files of vectors."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_number, check_whole
from wordvec.vectors.categorization import OutlierResult
from wordvec.vectors.evaluation import AnalogyResult, SimilarityResult, spearman
from wordvec.vectors.tables import Summarized

Result: TypeAlias = SimilarityResult | AnalogyResult | OutlierResult


@dataclass(frozen=True)
class Interval(Summarized):
    """A score, or a difference of two, with its bootstrap confidence interval."""

    estimate: float
    low: float
    high: float
    level: float
    p_value: float | None = None
    """Of a difference: two-sided, twice the smaller share of resamples on one side of 0, at most 1."""
    items: int = 0
    """Pairs or questions that were resampled."""

    def summary(self) -> dict[str, Any]:
        """Return the interval as JSON-serializable values."""
        return asdict(self)


def interval(result: Result, *, level: float = 0.95, resamples: int = 1000, seed: int = 1) -> Interval:
    """Return the percentile bootstrap interval of the headline score, over pairs or questions.

    Efron & Tibshirani 1993, chapter 13.

    Raises:
        InputError: the score is undefined.

    Example:
        >>> from wordvec.vectors.evaluation import spearman
        >>> ratings, cosines = np.arange(20.0), np.arange(20.0) ** 2
        >>> items = np.stack([ratings, cosines], axis=1)
        >>> interval(SimilarityResult("pairs", 1.0, 20, 20, items=items)).low
        1.0
    """
    items = _counted(result.items)
    return _bootstrap(items, _score_of(result), result.name, level, resamples, seed)


def difference(first: Result, second: Result, *, level: float = 0.95, resamples: int = 1000, seed: int = 1) -> Interval:
    """Return the score of the second result minus that of the first, over the items that both counted.

    The same items are drawn for both (paired bootstrap, Efron & Tibshirani 1993).

    Raises:
        InputError: results of different benchmarks, or without common items.
    """
    if type(first) is not type(second) or first.name != second.name or first.items.shape != second.items.shape:
        raise InputError(f"a difference needs two results of one benchmark, got {first.name} and {second.name}")
    score = _score_of(first)
    width = first.items.reshape(len(first.items), -1).shape[1]
    both = _counted(np.concatenate([each.items.reshape(len(each.items), -1) for each in (first, second)], axis=1))

    def gap(rows: np.ndarray) -> float | None:
        a, b = score(rows[:, :width]), score(rows[:, width:])
        return None if a is None or b is None else b - a

    return _bootstrap(both, gap, first.name, level, resamples, seed, test=True)


def _score_of(result: Result) -> Callable[[np.ndarray], float | None]:
    """Return a function from items (n, 2) or (n, 1) to the score."""
    if isinstance(result, SimilarityResult):
        return lambda rows: spearman(rows[:, 0], rows[:, 1])
    return lambda rows: float(rows.mean()) if len(rows) else None


def _counted(items: np.ndarray) -> np.ndarray:
    """Return the items without NaN, as (n, k)."""
    rows = items.reshape(len(items), -1)
    return np.asarray(rows[~np.isnan(rows).any(axis=1)])


def _bootstrap(
    items: np.ndarray,
    score: Callable[[np.ndarray], float | None],
    name: str,
    level: float,
    resamples: int,
    seed: int,
    test: bool = False,
) -> Interval:
    level = check_number("level", level, above=0, below=1)
    resamples = check_whole("resamples", resamples, 10)
    estimate = score(items)
    if estimate is None:
        raise InputError(f"{name}: the score of {len(items):,} items is undefined")
    rng = np.random.default_rng(check_whole("seed", seed, 0))
    drawn = (score(items[rng.integers(0, len(items), len(items))]) for _ in range(resamples))
    found = np.array([value for value in drawn if value is not None])
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    sides = 1 + min((found <= 0).sum(), (found >= 0).sum())
    p_value = min(1.0, 2 * float(sides) / (1 + len(found))) if test else None
    return Interval(estimate, float(low), float(high), level, p_value, len(items))
