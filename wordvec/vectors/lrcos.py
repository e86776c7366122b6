"""LRCos: analogies by the similarity to the source word and the membership in the class of target words."""

import logging
import os

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_number, check_whole
from wordvec.vectors.benchmark_files import benchmark_name, read_questions
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.evaluation import AnalogyCount, AnalogyResult, candidate_rows, row_lookup, summed

_log = logging.getLogger(__name__)


def evaluate_lrcos(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    protocol: str = "P30k",
    strength: float = 10.0,
    seed: int = 1,
) -> AnalogyResult:
    """Count how often b is the best answer for a pair a : b of an analogy section, given its other pairs.

    For each pair of a section, a logistic regression separates the second words of the other pairs from their first
    words and as many random words; the answer has the highest product of its probability and its cosine with a, shifted
    to 0..1 (LRCos, Drozd et al. 2016, section 3.2). a is never the answer.

    Args:
        vectors: the vectors to evaluate.
        path: analogy questions; the pairs of a section are those that its questions consist of.
        protocol: as for :func:`wordvec.evaluate_analogies`; the answers and the words of pairs.
        strength: inverse of the L2 penalty of the regression, C.
        seed: of the random words.

    Returns:
        Counts of pairs, not of questions.

    Raises:
        InputError: see :func:`wordvec.evaluate_analogies`.
    """
    top = candidate_rows(protocol, len(check_kind("vectors", vectors, WordVectors)))
    strength = check_number("strength", strength, above=0)
    row = row_lookup(vectors, top)
    units = vectors.unit_vectors[:top].astype(np.float64)
    rng = np.random.default_rng(check_whole("seed", seed, 0))
    counts, items = [], []
    for section in read_questions(path):
        pairs = list(dict.fromkeys(pair for a, b, c, d in section.questions for pair in ((a, b), (c, d))))
        rows = np.array([(row(a), row(b)) for a, b in pairs])
        known = (rows >= 0).all(axis=1)
        outcome = np.full(len(pairs), 0.0 if protocol == "Phyp" else np.nan)
        if known.sum() > 1:
            outcome[known] = _answered(units, rows[known], strength, rng)
        right, asked = int(np.nansum(outcome)), int((~np.isnan(outcome)).sum())
        counts.append(AnalogyCount(section.name, right, asked, len(pairs)))
        items.append(outcome)
    if not any(count.asked for count in counts):
        raise InputError(f"{path}: no section has two pairs of known words")
    syntactic = [count for count in counts if count.name.startswith("gram")]
    semantic = [count for count in counts if not count.name.startswith("gram")]
    return AnalogyResult(
        name=benchmark_name(path),
        protocol=protocol,
        method="lrcos",
        sections=counts,
        total=summed("total", counts),
        semantic=summed("semantic", semantic) if syntactic else None,
        syntactic=summed("syntactic", syntactic) if syntactic else None,
        items=np.concatenate(items),
    )


def _answered(units: np.ndarray, pairs: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Return (n,) whether the best answer for the first word of each pair (n, 2) of rows is its second word."""
    weights = np.zeros((len(pairs) + 1, units.shape[1] + 1))  # the last row is where the first one starts
    others = np.setdiff1d(np.arange(len(units)), pairs)
    drawn = rng.choice(others, min(len(others), len(pairs)), replace=False)
    for place in range(len(pairs)):
        used = np.arange(len(pairs)) != place
        inside = np.unique(pairs[used, 1])
        outside = np.setdiff1d(np.append(pairs[used, 0], drawn), inside)
        y = np.append(np.ones(len(inside)), np.zeros(len(outside)))
        weights[place] = logistic_regression(units[np.append(inside, outside)], y, strength, weights[place - 1])
    scores = (1 + units @ units[pairs[:, 0]].T) / 2
    scores /= 1 + np.exp(-(units @ weights[:-1, :-1].T + weights[:-1, -1]))
    scores[pairs[:, 0], np.arange(len(pairs))] = -1
    return np.asarray((scores.argmax(axis=0) == pairs[:, 1]).astype(np.float64))


def logistic_regression(x: np.ndarray, y: np.ndarray, strength: float, start: np.ndarray) -> np.ndarray:
    """Return the weights (D + 1,) of a logistic regression with an L2 penalty, the unpenalized intercept last.

    Minimizes ``strength * sum(log(1 + exp(-s z))) + |w|^2 / 2``, as scikit-learn's ``LogisticRegression(C=strength)``,
    by Newton's method.

    Args:
        x: (n, D); y: (n,) 0 or 1.
        strength: C.
        start: (D + 1,), where to begin.
    """
    design = np.append(x, np.ones((len(x), 1)), axis=1)
    penalty = np.append(np.ones(x.shape[1]), 0.0)

    def loss(weights: np.ndarray) -> float:
        margins = design @ weights
        return float(strength * (np.logaddexp(0, margins) - y * margins).sum() + (penalty * weights**2).sum() / 2)

    weights, current = start, loss(start)
    for _ in range(50):
        predicted = 1 / (1 + np.exp(-(design @ weights)))
        gradient = strength * design.T @ (predicted - y) + penalty * weights
        curvature = strength * (design.T * (predicted * (1 - predicted))) @ design + np.diag(penalty + 1e-9)
        step, size = np.linalg.solve(curvature, gradient), 1.0
        while size > 1e-4 and loss(weights - size * step) > current:
            size /= 2
        weights = weights - size * step
        previous, current = current, loss(weights)
        if previous - current < 1e-9 * (1 + abs(current)):
            break
    return np.asarray(weights)
