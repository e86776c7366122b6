"""Alignment of two vector spaces by orthogonal Procrustes, and translation with CSLS."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wordvec.errors import InputError
from wordvec.system.structures import finite_array, frozen
from wordvec.system.validation import check_choice, check_kind, check_whole, shown
from wordvec.vectors import search
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.queries import Answers
from wordvec.vectors.similarities import normalized_rows
from wordvec.vectors.tables import Tabular

METHODS = ("csls", "cosine")
"""Valid values of ``method``."""

_QUERIES = 256


def procrustes(source: ArrayLike, target: ArrayLike) -> np.ndarray:
    """Return the orthogonal matrix Q (D, D) float64 that minimizes ``||source Q - target||``.

    Q = U V' of the singular value decomposition of ``source' target`` (Schoenemann 1966).

    Args:
        source, target: (n, D), paired rows.

    Raises:
        InputError: different shapes, or no rows.

    Example:
        >>> turned = procrustes([[1, 0], [0, 2]], [[0, 1], [-2, 0]])
        >>> turned.round(2) + 0.0
        array([[ 0.,  1.],
               [-1.,  0.]])
    """
    x, y = (finite_array(name, rows, (None, None)) for name, rows in (("source", source), ("target", target)))
    if x.shape != y.shape or not len(x):
        raise InputError(f"source and target must have the same shape, got {x.shape} and {y.shape}")
    left, _, right = np.linalg.svd(x.T @ y)
    return np.asarray(left @ right)


@dataclass(frozen=True, eq=False)
class Alignment:
    """Two vocabularies in one space; :func:`align` makes it."""

    source: WordVectors
    """The unit vectors of the source words, rotated."""
    target: WordVectors
    """The unit vectors of the target words."""
    rotation: np.ndarray
    """(D, D) float64, orthogonal: from source to target."""
    pairs: int
    """The word pairs that the rotation was fitted on."""

    def translate(
        self, words: Sequence[str], top: int = 10, *, method: str = "csls", neighbors: int = 10
    ) -> list[Answers]:
        """Return the target words nearest to each source word, with their scores in descending order.

        ``cosine`` ranks by cosine. ``csls`` (Conneau et al. 2018, equation 2) ranks by twice the cosine minus the mean
        cosines of both words with their ``neighbors`` nearest ones of the other side, which keeps words that are near
        to everything from being every word's translation.

        Raises:
            UnknownTokenError: a word is not in the source vocabulary.

        Example:
            >>> english = WordVectors(["cat", "dog", "car"], [[1, 0.1], [1, 0.4], [-0.3, 1]])
            >>> german = WordVectors(["Katze", "Hund", "Auto"], [[-0.1, 1], [-0.4, 1], [-1, -0.3]])
            >>> both = align(english, german, [("cat", "Katze"), ("car", "Auto")])
            >>> both.translate(["dog"], top=1)[0][0][0]
            'Hund'
        """
        check_choice("method", method, METHODS)
        top, neighbors = check_whole("top", top, 1), check_whole("neighbors", neighbors, 1)
        queries = self.source[list(words)]
        hubness = self._hubness(neighbors) if method == "csls" else None
        answers: list[Answers] = []
        for start in range(0, len(queries), _QUERIES):
            cosines = queries[start : start + _QUERIES] @ self.target.vectors.T
            if hubness is not None:
                cosines = 2 * cosines - _mean_of_largest(cosines, neighbors)[:, None] - hubness
            for scores in cosines:
                rows = search.contenders(scores, scores, top)
                found, best = search.ranked(rows, scores[rows], top)
                tokens = [self.target.tokens[row] for row in found.tolist()]
                answers.append(Answers(zip(tokens, best.tolist(), strict=True)))
        return answers

    def _hubness(self, neighbors: int) -> np.ndarray:
        """Return the mean cosine (V,) of each target word with its nearest source words."""
        return _in_blocks(self.target.vectors, self.source.vectors, partial(_mean_of_largest, n=neighbors))


def align(
    source: WordVectors,
    target: WordVectors,
    pairs: Iterable[tuple[str, str]] | None = None,
    *,
    center: bool = True,
    refinements: int = 0,
) -> Alignment:
    """Rotate the source space so that paired words are close.

    Vectors are L2-normalized, centered and normalized again (Artetxe et al. 2016), then rotated by
    :func:`procrustes`. Each refinement repeats this with the pairs that are each other's nearest by CSLS among the
    10,000 first rows of both (Conneau et al. 2018).

    Args:
        source, target: of the same dimension.
        pairs: source and target words; those with an unknown word are left out. None: the tokens that both have.
        center: whether the mean of each space is subtracted.
        refinements: their number.

    Raises:
        InputError: different dimensions, or no pair of known words.
    """
    for name, vectors in (("source", source), ("target", target)):
        check_kind(name, vectors, WordVectors)
    if source.vector_size != target.vector_size:
        raise InputError(
            f"source and target must have the same dimension, got {source.vector_size} and {target.vector_size}; "
            "reduce one with wordvec postprocess --step pca=N"
        )
    refinements = check_whole("refinements", refinements, 0)
    if pairs is None:
        rows = np.array(
            [(row, target.vocabulary.token_to_id.get(token, -1)) for row, token in enumerate(source.tokens)]
        )
    else:
        rows = np.array([(source.lookup(a), target.lookup(b)) for a, b in _checked_pairs(pairs)])
    rows = rows.reshape(-1, 2)
    rows = rows[(rows >= 0).all(axis=1)]
    if not len(rows):
        raise InputError(
            "no pair has its source word and its target word among the vectors; the dictionary must have words of "
            "both in their case, the source word first"
        )
    x, y = _prepared(source, center), _prepared(target, center)
    found = _rotated(source, target, x, y, rows)
    for _ in range(refinements):
        found = _rotated(source, target, x, y, _mutual(found))
    return Alignment(found.source, found.target, found.rotation, len(rows))


@dataclass(frozen=True)
class TranslationResult(Tabular):
    """Precision of translations on a dictionary."""

    precision: dict[int, float]
    """By k: the share of asked words with a correct translation among the first k."""
    asked: int
    """Source words with a known translation."""
    words: int
    """Source words of the dictionary."""

    def table_columns(self) -> dict[str, list[Any]]:
        """Return a row for each k."""
        tops = list(self.precision)
        return {
            "top": tops,
            "precision": list(self.precision.values()),
            "asked": [self.asked] * len(tops),
            "words": [self.words] * len(tops),
        }


def evaluate_translation(
    alignment: Alignment,
    pairs: Iterable[tuple[str, str]],
    *,
    tops: Sequence[int] = (1, 5),
    method: str = "csls",
    neighbors: int = 10,
) -> TranslationResult:
    """Return the precision at each of ``tops``, over source words with at least one translation that is a target word.

    Raises:
        InputError: no such word.
    """
    wanted: dict[str, set[str]] = {}
    for a, b in _checked_pairs(pairs):
        wanted.setdefault(a, set()).add(b)
    known = {
        a: {alignment.target.lookup(b) for b in translations} - {-1}
        for a, translations in wanted.items()
        if alignment.source.lookup(a) >= 0
    }
    known = {a: rows for a, rows in known.items() if rows}
    if not known:
        raise InputError(
            f"none of the {len(wanted):,} words and of their translations is among the vectors; the pairs must have "
            "words of both in their case, the source word first"
        )
    answers = alignment.translate(list(known), max(tops), method=method, neighbors=neighbors)
    ranks = [
        next((rank for rank, (token, _) in enumerate(found) if alignment.target.lookup(token) in rows), len(found))
        for found, rows in zip(answers, known.values(), strict=True)
    ]
    precision = {k: float(np.mean([rank < k for rank in ranks])) for k in tops}
    return TranslationResult(precision, len(known), len(wanted))


def read_dictionary(path: str | os.PathLike[str]) -> list[tuple[str, str]]:
    """Read word pairs, one a line, separated by a tab or white space, as those of MUSE; empty lines are skipped.

    Raises:
        InputError: the file does not exist, has no pairs, or a line is not a pair, which the message names.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "en-de.txt"
        >>> _ = path.write_text("cat Katze\\nnew york\\tNew York\\n")
        >>> read_dictionary(path)
        [('cat', 'Katze'), ('new york', 'New York')]
    """
    from corpora import read_lines

    pairs = []
    for number, line in enumerate(read_lines(path), 1):
        words = [word.strip() for word in line.split("\t")] if "\t" in line else line.split()
        if line.strip():
            if len(words) != 2 or not all(words):
                raise InputError(f"{path}:{number}: expected two words, found {len(words)}; separate them by a tab")
            pairs.append((words[0], words[1]))
    if not pairs:
        raise InputError(f"{path}: no word pairs; expected a source and a target word per line")
    return pairs


def _checked_pairs(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    listed = list(pairs)
    for pair in listed:
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"pairs must be of a source and a target word, got {shown(pair)}")
    return listed


def _prepared(vectors: WordVectors, center: bool) -> np.ndarray:
    """Return the L2-normalized vectors (V, D) float64, centered and normalized again if ``center``."""
    units = normalized_rows(vectors.vectors.astype(np.float64))
    return normalized_rows(units - units.mean(axis=0)) if center else units


def _rotated(source: WordVectors, target: WordVectors, x: np.ndarray, y: np.ndarray, rows: np.ndarray) -> Alignment:
    rotation = procrustes(x[rows[:, 0]], y[rows[:, 1]])
    new = source.replaced(frozen((x @ rotation).astype(np.float32)))
    return Alignment(new, target.replaced(frozen(y.astype(np.float32))), rotation, len(rows))


def _mutual(alignment: Alignment, most: int = 10_000, neighbors: int = 10) -> np.ndarray:
    """Return the rows (n, 2) of words that are each other's nearest by CSLS."""
    x, y = alignment.source.vectors[:most], alignment.target.vectors[:most]
    near_x, near_y = (
        _in_blocks(x, y, partial(_mean_of_largest, n=neighbors)),
        _in_blocks(y, x, partial(_mean_of_largest, n=neighbors)),
    )
    forth = _in_blocks(x, y, lambda cosines: (2 * cosines - near_y).argmax(axis=1))
    back = _in_blocks(y, x, lambda cosines: (2 * cosines - near_x).argmax(axis=1))
    rows = np.flatnonzero(back[forth] == np.arange(len(x)))
    return np.stack([rows, forth[rows]], axis=1)


def _in_blocks(left: np.ndarray, right: np.ndarray, reduced: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return ``reduced`` (L,) of the products (L, R) of ``left`` (L, D) and ``right`` (R, D), taken in blocks."""
    blocks = range(0, len(left), _QUERIES)
    return np.concatenate([reduced(left[start : start + _QUERIES] @ right.T) for start in blocks])


def _mean_of_largest(scores: np.ndarray, n: int) -> np.ndarray:
    """Return the means (R,) of the ``n`` largest scores of each row (R, C)."""
    n = min(n, scores.shape[1])
    largest = np.partition(scores, scores.shape[1] - n, axis=1)[:, scores.shape[1] - n :]
    return np.asarray(largest.mean(axis=1))
