"""Intrinsic evaluation of word vectors: similarity benchmarks (Spearman's correlation) and analogies (accuracy).

Words of a similarity benchmark are looked up as written, then lower-cased; only lower-cased if the vectors were trained
on lower-cased text. Several words ("new york") are then looked up as a phrase (``new_york``). Words with accents, also
those of analogies, are looked up in composed and decomposed form.

Analogies ignore case, like word2vec's ``compute-accuracy`` and gensim: of tokens that differ only in case, the first
represents the question's words, none of them answers a question that contains one, and each is a correct answer if one
is. If all tokens are lower-case, this changes nothing. The protocol determines which questions count:

=========  =============================================================================================================
``P30k``   answers among the first 30,000 tokens; only questions whose four words are among them (likewise ``P50k`` ...)
``Pfull``  answers among all tokens; only questions whose four words are in the vocabulary, or the first three composed
``Phyp``   answers among all tokens; all questions, those with unknown words counted as wrong (hyperwords)
=========  =============================================================================================================

Vectors with subwords compose the words of a similarity benchmark that are outside the vocabulary, and, under ``Pfull``
and ``Phyp``, the first three words of a question; answers are always tokens of the vocabulary.
"""

import logging
import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from corpora.normalization import normalized
from wordvec.errors import InputError
from wordvec.system.validation import check_choice, check_kind
from wordvec.vectors import search
from wordvec.vectors.benchmark_files import (
    Section,
    benchmark_name,
    columns_of,
    numbered_lines,
    read_pairs,
    read_questions,
    score_column,
)  # fmt: skip
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vectors.tables import Summarized, Tabular
from wordvec.vocabulary import accent_forms

_log = logging.getLogger(__name__)

PROTOCOLS = ("P30k", "Pfull", "Phyp")
"""The standard protocols; see the module docstring."""


def _no_items() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class SimilarityResult(Summarized):
    """Correlation of the vectors' cosines with human ratings on a similarity benchmark."""

    name: str
    """The file name without its extensions."""
    spearman: float | None
    """Spearman's rank correlation, -1 to 1, over the covered pairs; None if undefined."""
    pairs: int
    """Pairs in the file."""
    covered: int
    """Pairs with both words in the vocabulary, or composed of subwords; the others are skipped."""
    composed: int = 0
    """Of these, pairs with a word outside the vocabulary, composed of its subwords."""
    pearson: float | None = None
    """Pearson's correlation over the same pairs; None if undefined."""
    items: np.ndarray = field(default_factory=_no_items, repr=False, compare=False)
    """(pairs, 2) float64, each pair's rating and cosine; NaN for the cosine of a skipped pair."""

    @property
    def score(self) -> float | None:
        """The headline number: Spearman's correlation."""
        return self.spearman

    @property
    def coverage(self) -> float:
        """The fraction of covered pairs, 0 to 1."""
        return self.covered / self.pairs

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON-serializable values."""
        return {
            "name": self.name,
            "spearman": self.spearman,
            "pairs": self.pairs,
            "covered": self.covered,
            "composed": self.composed,
            "pearson": self.pearson,
        }


@dataclass(frozen=True)
class AnalogyCount:
    """Number of correctly answered questions of one or more sections."""

    name: str
    right: int
    asked: int
    """Questions that the protocol counts."""
    questions: int
    """Questions in the file."""
    composed: int = 0
    """Of the counted questions, those with a word outside the vocabulary, composed of its subwords."""

    @property
    def accuracy(self) -> float | None:
        """Correct answers per counted question, 0 to 1; None if no question counts."""
        return self.right / self.asked if self.asked else None

    def summary(self) -> dict[str, Any]:
        """Return the count as JSON-serializable values."""
        return {
            "name": self.name,
            "accuracy": self.accuracy,
            "right": self.right,
            "asked": self.asked,
            "questions": self.questions,
            "composed": self.composed,
        }


@dataclass(frozen=True)
class AnalogyResult(Tabular):
    """Accuracy on a file of analogy questions, by section and in total."""

    name: str
    """The file name without its extensions."""
    protocol: str
    method: str
    sections: list[AnalogyCount]
    total: AnalogyCount
    semantic: AnalogyCount | None
    """The sections whose names do not start with ``gram``; None if no section's name does."""
    syntactic: AnalogyCount | None
    """The sections whose names start with ``gram``, as in Google's benchmark; None if there are none."""
    case_sensitive: bool = False
    """Whether tokens that differ only in case were different words."""
    items: np.ndarray = field(default_factory=_no_items, repr=False, compare=False)
    """(questions,) float64 in the order of the file: 1 for a correct answer, 0 for another, NaN if not counted."""

    @property
    def accuracy(self) -> float | None:
        """Accuracy over all sections."""
        return self.total.accuracy

    @property
    def score(self) -> float | None:
        """The headline number: the accuracy."""
        return self.accuracy

    def table_columns(self) -> dict[str, list[Any]]:
        """Return a row for each section, and those of the semantic and syntactic sections and of all together."""
        parts = [*self.sections, *(part for part in (self.semantic, self.syntactic) if part is not None), self.total]
        rows = [part.summary() for part in parts]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON-serializable values."""
        parts = {"total": self.total, "semantic": self.semantic, "syntactic": self.syntactic}
        return {
            "name": self.name,
            "protocol": self.protocol,
            "method": self.method,
            "case_sensitive": self.case_sensitive,
            "sections": [section.summary() for section in self.sections],
            **{name: None if part is None else part.summary() for name, part in parts.items()},
        }


def evaluate_similarity(
    vectors: WordVectors, path: str | os.PathLike[str], *, missing: Literal["skip", "zero"] = "skip"
) -> SimilarityResult:
    """Compute the correlations, Spearman's and Pearson's, of the cosines of word pairs with human ratings.

    Args:
        vectors: the vectors to evaluate.
        path: a file of pairs as published: two words and, in the first column after them that holds numbers, the
            score; separated by tabs, semicolons, commas or white space; with or without a header and more columns. A
            line that starts with ``#`` and is not a pair is a comment.
        missing: ``"skip"`` pairs with an unknown word, or count their cosine as ``"zero"``.

    Raises:
        InputError: the file does not exist, has no pairs, or has an invalid line, which the message names.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
        >>> _ = path.write_text("Up\\tnorth\\t9.5\\nup\\tdown\\t1\\nup\\tright\\t4\\nup\\twrong\\t0\\n")
        >>> wv = WordVectors(["up", "north", "down", "right"], [[0, 1], [0.1, 1], [0, -1], [1, 0]])
        >>> found = evaluate_similarity(wv, path)
        >>> found.spearman, round(found.pearson, 3), found.covered, found.pairs
        (1.0, 0.986, 3, 4)
    """
    check_choice("missing", missing, ("skip", "zero"))
    check_kind("vectors", vectors, WordVectors)
    pairs = read_pairs(path)
    types = len(vectors)
    if isinstance(vectors, SubwordVectors):
        vectors = vectors.with_words(word for pair in pairs for word in pair[:2])
    row = row_lookup(vectors, len(vectors))
    rows = np.array([(row(a), row(b)) for a, b, _ in pairs])
    found = (rows >= 0).all(axis=1)
    items = np.array([(score, np.nan if missing == "skip" else 0.0) for _, _, score in pairs])
    items[found, 1] = vectors.row_similarities(*rows[found].T)
    scores, cosines = items[~np.isnan(items[:, 1])].T
    return SimilarityResult(
        benchmark_name(path),
        spearman(scores, cosines),
        len(pairs),
        int(found.sum()),
        composed=int((rows[found] >= types).any(axis=1).sum()),
        pearson=pearson(scores, cosines),
        items=items,
    )


def evaluate_analogies(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    protocol: str = "P30k",
    method: Literal["add", "mul"] = "add",
    case_sensitive: bool = False,
) -> AnalogyResult:
    """Count how often d is the top answer to the questions "a is to b as c is to d" in a file.

    As in :meth:`WordVectors.analogy`, a, b and c are never answers.

    Args:
        vectors: the vectors to evaluate; ``P30k`` assumes that tokens are in descending order of frequency.
        path: a file of four words per line, where a line ``: name`` starts a section.
        protocol: ``"P30k"`` (or another number of thousands), ``"Pfull"`` or ``"Phyp"``.
        method: ``"add"`` (3CosAdd) or ``"mul"`` (3CosMul).
        case_sensitive: whether tokens that differ only in case are different words; questions are then looked up as
            written, then lower-cased.

    Raises:
        InputError: the file does not exist, has no questions, or has an invalid line, which the message names; or the
            protocol or method is unknown.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "questions.txt"
        >>> _ = path.write_text(": royal\\nman king woman queen\\nman king boy prince\\n")
        >>> wv = WordVectors(["king", "queen", "man", "woman"], [[1, 1], [1, -1], [0.2, 1], [0.2, -1]])
        >>> evaluate_analogies(wv, path).total
        AnalogyCount(name='total', right=1, asked=1, questions=2, composed=0)
        >>> evaluate_analogies(wv, path, protocol="Phyp").accuracy
        0.5
    """
    top = candidate_rows(protocol, len(check_kind("vectors", vectors, WordVectors)))
    if method not in ("add", "mul"):
        raise InputError(f"method must be 'add' or 'mul', got {method!r}")
    sections = read_questions(path)
    if top < len(vectors) and not vectors.vocabulary.by_frequency:
        _log.warning(
            "the tokens are not in descending order of frequency (%s ...), so that %s does not ask about the %s most "
            "frequent ones; use Pfull",
            ", ".join(vectors.tokens[:3]),
            protocol,
            f"{top:,}",
        )
    twins = _Twins(vectors.tokens[:top], vectors.normalize) if not case_sensitive else None
    row = twins.row if twins else row_lookup(vectors, top)
    ids = [np.array([[row(word) for word in words] for words in section.questions]) for section in sections]
    if isinstance(vectors, SubwordVectors) and protocol in ("Pfull", "Phyp"):
        vectors = _compose_unknown(vectors, sections, ids)
    known: list[np.ndarray] = [np.all(rows >= 0, axis=1) for rows in ids]
    right = _correct_answers(vectors, top, np.concatenate(ids)[np.concatenate(known)], method, twins)
    counts, outcomes, start = [], list[np.ndarray](), 0
    for section, rows, mask in zip(sections, ids, known, strict=True):
        answerable = int(mask.sum())
        correct = int(right[start : start + answerable].sum())
        outcomes.append(np.full(len(mask), 0.0 if protocol == "Phyp" else np.nan))
        outcomes[-1][mask] = right[start : start + answerable]
        start += answerable
        asked = len(mask) if protocol == "Phyp" else answerable
        composed = int((mask & (rows >= top).any(axis=1)).sum())
        counts.append(AnalogyCount(section.name, correct, asked, len(mask), composed))
    syntactic = [count for count in counts if count.name.startswith("gram")]
    semantic = [count for count in counts if not count.name.startswith("gram")]
    return AnalogyResult(
        name=benchmark_name(path),
        protocol=protocol,
        method=method,
        case_sensitive=case_sensitive,
        items=np.concatenate(outcomes),
        sections=counts,
        total=summed("total", counts),
        semantic=summed("semantic", semantic) if syntactic else None,
        syntactic=summed("syntactic", syntactic) if syntactic else None,
    )


def evaluate_file(vectors: WordVectors, path: str | os.PathLike[str]) -> SimilarityResult | AnalogyResult:
    """Evaluate on a benchmark file: word similarity if its first lines are pairs with a score, else analogies (P30k).

    Raises:
        InputError: see :func:`evaluate_similarity` and :func:`evaluate_analogies`.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
        >>> _ = path.write_text("up\\tnorth\\t9.5\\nup\\tdown\\t1\\n")
        >>> wv = WordVectors(["up", "north", "down"], [[0, 1], [0.1, 1], [0, -1]])
        >>> evaluate_file(wv, path).score
        1.0
    """
    lines = [line for _, line in numbered_lines(path) if line.strip() and not line.startswith("#")]
    first = [columns_of(line) for line in lines[:2]]
    # Four words separated by spaces are a question, even if the last is a number.
    if any((len(columns) == 3 or "\t" in lines[0]) and score_column(columns) is not None for columns in first):
        return evaluate_similarity(vectors, path)
    return evaluate_analogies(vectors, path)


def spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return Spearman's correlation of two series (n,): Pearson's of their ranks, with average ranks for ties.

    Returns:
        -1 to 1, or None if either series is constant or shorter than 2.

    Example:
        >>> import numpy as np
        >>> spearman(np.array([1, 2, 3, 4]), np.array([10, 30, 20, 40]))
        0.8
    """
    return pearson(average_ranks(x), average_ranks(y))


def pearson(x: np.ndarray, y: np.ndarray) -> float | None:
    """Return Pearson's correlation of two series (n,).

    Returns:
        -1 to 1, or None if either series is constant or shorter than 2.
    """
    a, b = x - x.mean() if len(x) else x, y - y.mean() if len(y) else y
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.clip(a @ b / spread, -1, 1)) if spread else None


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank (n,) float64 of each value, starting at 1; ties get the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]


# -- answers ----------------------------------------------------------------------------------------------------------


class _Twins:
    """Tokens that differ only in case, each represented by the first.

    Attributes:
        first: (R,) int64, for each row the first row with the same token but for case.
    """

    def __init__(self, tokens: list[str], form: str) -> None:
        self._form, self._row = form, dict[str, int]()
        self.first = np.array([self._row.setdefault(token.lower(), row) for row, token in enumerate(tokens)], np.int64)
        self._others: dict[int, list[int]] = {}
        for row in np.flatnonzero(self.first != np.arange(len(tokens))).tolist():
            self._others.setdefault(int(self.first[row]), []).append(row)

    def row(self, word: str) -> int:
        """Return the row that represents a word, or -1."""
        found = (self._row.get(spelling.lower(), -1) for spelling in _spellings(word, self._form))
        return next((row for row in found if row >= 0), -1)

    def exclude(self, scores: np.ndarray, rows: np.ndarray) -> None:
        """Set the scores (n, R) of the other spellings of the question's words, rows (n, 3), to -inf."""
        if self._others:
            for question, words in enumerate(rows.tolist()):
                for word in words:
                    scores[question, self._others.get(word, [])] = -np.inf


def _correct_answers(vectors: WordVectors, top: int, ids: np.ndarray, method: str, twins: _Twins | None) -> np.ndarray:
    """Return (n,) bool: whether the best answer among the first ``top`` rows is the question's fourth word (n, 4)."""
    right = np.zeros(len(ids), dtype=bool)
    block = search.query_block(top)
    if isinstance(vectors, SparseWordVectors):
        score = _sparse_scores(vectors, top, ids, method)
    else:
        score = _dense_scores(vectors.unit_vectors, top, method)
    for start in range(0, len(ids), block):
        asked = ids[start : start + block]
        scores = score(asked)
        for words in asked.T[:3]:
            candidates = np.flatnonzero(words < top)
            scores[candidates, words[candidates]] = -np.inf
        if twins is not None:
            twins.exclude(scores, asked[:, :3])
        best = scores.argmax(axis=1)
        if twins is not None:
            best = twins.first[best]
        right[start : start + block] = best == asked[:, 3]
    return right


def _compose_unknown(vectors: SubwordVectors, sections: "list[Section]", ids: list[np.ndarray]) -> WordVectors:
    """Return the vectors and, after them, those composed for a, b and c; write their rows to the ids (n, 4)."""
    unknown = [
        (rows, place, word)
        for section, found in zip(sections, ids, strict=True)
        for rows, words in zip(found, section.questions, strict=True)
        for place, word in enumerate(words[:3])
        if rows[place] < 0
    ]
    extended = vectors.with_words(word for *_, word in unknown)
    for rows, place, word in unknown:
        rows[place] = extended.lookup(word)
    return extended


def _dense_scores(units: np.ndarray, top: int, method: str) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from questions (n, 4) to the scores (n, R) of all answers, the first ``top`` rows."""
    answers = units[:top].T

    def by_mul(ids: np.ndarray) -> np.ndarray:
        # Questions of a section share words; products of the distinct words only are far fewer.
        distinct, places = np.unique(ids[:, :3], return_inverse=True)
        return _multiplied((1 + units[distinct] @ answers) / 2, places.reshape(-1, 3))

    def by_add(ids: np.ndarray) -> np.ndarray:
        return np.asarray((units[ids[:, 1]] - units[ids[:, 0]] + units[ids[:, 2]]) @ answers)

    return by_mul if method == "mul" else by_add


def _sparse_scores(
    vectors: SparseWordVectors, top: int, all_ids: np.ndarray, method: str
) -> Callable[[np.ndarray], np.ndarray]:
    """Like ``_dense_scores``, from precomputed cosines, because products with a sparse matrix are expensive."""
    distinct = np.unique(all_ids[:, :3])
    cosines = vectors.cosines_of_rows(distinct, top)
    if method == "mul":
        shifted = (1 + cosines) / 2
        return lambda ids: _multiplied(shifted, np.searchsorted(distinct, ids[:, :3]))

    def by_add(ids: np.ndarray) -> np.ndarray:
        a, b, c = np.searchsorted(distinct, ids[:, :3]).T
        return np.asarray(cosines[b] - cosines[a] + cosines[c])

    return by_add


def _multiplied(shifted: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return 3CosMul scores from the words' cosines, shifted to 0..1, and each question's places in them (n, 3)."""
    a, b, c = places.T
    scores = shifted[b]
    scores *= shifted[c]
    scores /= shifted[a] + np.float32(search.MUL_EPSILON)
    return np.asarray(scores)


def candidate_rows(protocol: str, size: int) -> int:
    """Return the number of rows that may be answers under a protocol."""
    thousands = re.fullmatch(r"P([1-9]\d{0,5})k", protocol)
    if thousands:
        return min(1000 * int(thousands[1]), size)
    check_choice("protocol", protocol, PROTOCOLS)
    return size


def row_lookup(vectors: WordVectors, top: int) -> Any:
    """Return a function from a word to its row among the first ``top``, or -1."""
    get = vectors.vocabulary.token_to_id.get

    def row(word: str) -> int:
        for written in (word, vectors.joined(word)) if len(word.split()) > 1 else (word,):
            for cased in (written.lower(),) if vectors.lowercase else (written, written.lower()):
                for spelling in _spellings(cased, vectors.normalize):
                    if get(spelling, top) < top:
                        return get(spelling, top)
        return -1

    return row


def _spellings(word: str, form: str) -> list[str]:
    """Return a word as written, normalized like the training text, composed, and decomposed."""
    return [word] if word.isascii() else [word, normalized(word, form), *accent_forms(word)]


def summed(name: str, counts: Iterable[AnalogyCount]) -> AnalogyCount:
    """Return the sum of counts."""
    counts = list(counts)
    return AnalogyCount(
        name,
        sum(count.right for count in counts),
        sum(count.asked for count in counts),
        sum(count.questions for count in counts),
        sum(count.composed for count in counts),
    )
