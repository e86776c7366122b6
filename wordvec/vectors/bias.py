"""Word embedding association test (WEAT): measured bias of word vectors."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import comb
from typing import Any

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_whole
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.similarities import listed_words
from wordvec.vectors.tables import Summarized


@dataclass(frozen=True)
class Association(Summarized):
    """Result of a word embedding association test."""

    effect_size: float
    """-2 to 2; above 0 if the first targets are nearer to the first attributes than the second targets are."""
    p_value: float
    """One-sided: the share of equal-sized partitions of the targets with at least this association."""
    permutations: int
    """Partitions tried; all of them, or random ones."""

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON-serializable values."""
        return asdict(self)


def weat(
    vectors: WordVectors,
    targets: tuple[Sequence[str], Sequence[str]],
    attributes: tuple[Sequence[str], Sequence[str]],
    *,
    permutations: int = 10_000,
    seed: int = 1,
) -> Association:
    """Return how differently two sets of target words are associated with two sets of attributes (WEAT).

    s(w) is the mean cosine of w with the first attributes minus that with the second. The effect size is the
    difference of the mean s of both targets, divided by the sample standard deviation of s over all targets (Caliskan
    et al. 2017). All partitions are tried if there are at most ``permutations``, else as many random ones, in which the
    observed one is counted.

    Args:
        vectors: of words.
        targets, attributes: two lists of words each; the targets of the same length.
        permutations: partitions to try.
        seed: of random partitions.

    Raises:
        UnknownTokenError: a word has no vector.
        InputError: an empty list, targets of different lengths, or all targets have the same association.

    Example:
        >>> wv = WordVectors(["rose", "daisy", "ant", "wasp", "good", "bad"],
        ...                  [[1, 0.1], [1, 0.3], [0.2, 1], [0, 1], [1, 0], [0, 1]])
        >>> found = weat(wv, (["rose", "daisy"], ["ant", "wasp"]), (["good"], ["bad"]))
        >>> round(found.effect_size, 2), round(found.p_value, 2)
        (1.72, 0.17)
    """
    check_kind("vectors", vectors, WordVectors)
    (x, y), (a, b) = (map(listed_words, pair) for pair in (targets, attributes))
    if not (len(x) and len(y) and len(a) and len(b)):
        raise InputError("weat needs two lists of target words and two of attributes, none of them empty")
    if len(x) != len(y):
        raise InputError(f"both lists of targets must have the same length, got {len(x)} and {len(y)}")
    words = [*x, *y]
    scores = vectors.similarity_matrix(words, a).mean(axis=1) - vectors.similarity_matrix(words, b).mean(axis=1)
    half = len(x)
    spread = scores.std(ddof=1)
    if not spread:
        raise InputError("all target words have the same association; the effect size is undefined")
    effect = (scores[:half].mean() - scores[half:].mean()) / spread
    permutations = check_whole("permutations", permutations, 1)
    observed = scores[:half].sum() - 1e-12
    partitions = comb(2 * half, half)
    if partitions <= permutations:
        sums = np.array([scores[list(chosen)].sum() for chosen in combinations(range(2 * half), half)])
        return Association(float(effect), float((sums >= observed).mean()), partitions)
    rng = np.random.default_rng(check_whole("seed", seed, 0))
    sums = np.array([scores[rng.permutation(2 * half)[:half]].sum() for _ in range(permutations)])
    return Association(float(effect), float((1 + (sums >= observed).sum()) / (1 + permutations)), permutations)
