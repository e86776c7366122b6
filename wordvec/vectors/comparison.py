"""Comparison of two vector spaces: shared neighbors, and the words whose neighbors differ most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_whole
from wordvec.vectors.alignment import Alignment, align
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.evaluation import spearman
from wordvec.vectors.tables import Summarized, Tabular

_QUERIES = 256
_PAIRS = 10_000


@dataclass(frozen=True)
class WordChange(Summarized):
    """How the neighbors of a word differ between two spaces."""

    word: str
    overlap: float
    """The share of its nearest neighbors that both spaces have."""
    cosine: float | None
    """Of its two vectors, after the alignment; None if the dimensions differ."""
    neighbors: tuple[list[str], list[str]]
    """Its nearest shared words in each space."""

    def summary(self) -> dict[str, Any]:
        """Return the change as JSON-serializable values."""
        first, second = self.neighbors
        return {"word": self.word, "overlap": self.overlap, "cosine": self.cosine, "first": first, "second": second}


@dataclass(frozen=True, eq=False)
class Comparison(Tabular):
    """Two spaces over the words that they share; :func:`compare` makes it."""

    shared: int
    """Tokens that both have."""
    compared: int
    """Of these, the first ones of the first space."""
    overlap: float
    """The mean share of the ``top`` nearest neighbors that a word has in both spaces, 0 to 1."""
    cosine: float | None
    """The mean cosine of a word's two vectors after the alignment; None if the dimensions differ."""
    correlation: float | None
    """Spearman's correlation of both spaces' cosines of 10,000 random pairs of words."""
    top: int
    changes: list[WordChange]
    """All compared words, the most changed first: by overlap, then by cosine."""
    alignment: Alignment | None
    """The first space rotated to the second; None if the dimensions differ."""

    def table_columns(self) -> dict[str, list[Any]]:
        """Return a row for each compared word, the most changed first."""
        rows = [change.summary() for change in self.changes]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def summary(self) -> dict[str, Any]:
        """Return the totals as JSON-serializable values."""
        names = ("shared", "compared", "overlap", "cosine", "correlation", "top")
        return {name: getattr(self, name) for name in names}


def compare(a: WordVectors, b: WordVectors, *, top: int = 10, restrict: int = 10_000) -> Comparison:
    """Compare two spaces by the neighbors of the words that they share.

    The neighbors of a word are looked for among the compared words; that the shares of equal neighbors need no common
    axes makes them comparable across trainings (Wendlandt et al. 2018; Gonen et al. 2020). The spaces are also aligned
    by orthogonal Procrustes on the compared words (Hamilton et al. 2016).

    Args:
        a, b: of the same dimension or not.
        top: number of neighbors.
        restrict: compare only the first ``restrict`` shared words in the order of ``a``; rare words differ most.

    Raises:
        InputError: fewer than ``top`` + 1 shared words.

    Example:
        >>> old = WordVectors(["cat", "dog", "mouse", "screen"], [[1, 0.1], [1, 0.2], [1, 0.3], [-0.1, 1]])
        >>> new = WordVectors(["cat", "dog", "mouse", "screen"], [[1, 0.1], [1, 0.2], [0.1, 1], [-0.1, 1]])
        >>> compare(old, new, top=1).changes[0].word
        'mouse'
    """
    for name, vectors in (("a", a), ("b", b)):
        check_kind(name, vectors, WordVectors)
    top, restrict = check_whole("top", top, 1), check_whole("restrict", restrict, 1)
    tokens = [token for token in a.tokens if token in b.vocabulary]
    words = tokens[:restrict]
    if len(words) <= top:
        raise InputError(f"{top} neighbors need at least {top + 1} shared words to compare, got {len(words):,}")
    first, second = a.vectors[a.vocabulary.rows_of(words)], b.vectors[b.vocabulary.rows_of(words)]
    sides = [WordVectors(words, rows) for rows in (first, second)]
    near = [_nearest_rows(side.unit_vectors, top) for side in sides]
    overlaps = np.array([len(set(x) & set(y)) for x, y in zip(*(rows.tolist() for rows in near), strict=True)]) / top
    alignment, cosines = None, np.zeros(len(words))
    if a.vector_size == b.vector_size:
        alignment = align(sides[0], sides[1])
        cosines = (alignment.source.vectors * alignment.target.vectors).sum(axis=1).astype(np.float64)
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, len(words), (2, _PAIRS))
    pairs = pairs[:, pairs[0] != pairs[1]]
    correlation = spearman(*(side.row_similarities(*pairs) for side in sides))
    order = np.lexsort((cosines, overlaps))
    changes = [
        WordChange(
            words[row],
            float(overlaps[row]),
            None if alignment is None else float(cosines[row]),
            ([words[other] for other in near[0][row]], [words[other] for other in near[1][row]]),
        )
        for row in order.tolist()
    ]
    return Comparison(
        shared=len(tokens),
        compared=len(words),
        overlap=float(overlaps.mean()),
        cosine=None if alignment is None else float(cosines.mean()),
        correlation=correlation,
        top=top,
        changes=changes,
        alignment=alignment,
    )


def changes_of(comparison: Comparison, words: Sequence[str]) -> list[WordChange]:
    """Return the changes of some words, in their order; each is looked up as written, then in lower case.

    Raises:
        InputError: a word is not among the compared ones.
    """
    tokens = [change.word for change in comparison.changes]
    known = WordVectors(tokens, np.zeros((len(tokens), 1)), normalize="NFC")
    rows = [known.lookup(word) for word in words]
    if -1 in rows:
        missing = words[rows.index(-1)]
        more = f"; set restrict to {comparison.shared} to compare all" if comparison.shared > len(tokens) else ""
        raise InputError(
            f"{missing!r} is not among the {len(tokens):,} compared words of {comparison.shared:,} that both have{more}"
        )
    return [comparison.changes[row] for row in rows]


def _nearest_rows(units: np.ndarray, top: int) -> np.ndarray:
    """Return the rows (n, top) of each row's nearest other rows, the nearest first."""
    found = np.empty((len(units), top), np.int64)
    for start in range(0, len(units), _QUERIES):
        block = units[start : start + _QUERIES]
        scores = block @ units.T
        scores[np.arange(len(block)), np.arange(start, start + len(block))] = -np.inf
        best = np.sort(np.argpartition(-scores, top - 1, axis=1)[:, :top], axis=1)
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
        found[start : start + _QUERIES] = np.take_along_axis(best, order, axis=1)
    return found
