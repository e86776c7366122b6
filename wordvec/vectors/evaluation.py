"""How good are these vectors? Sets of word pairs (Spearman's correlation) and of analogies, each protocol by its name.

Words of a set are lower-cased first when the vectors were trained lower-cased; otherwise they are looked up as written,
then lower-cased. On vectors whose tokens are all lower-case both rules are the same.

Analogies are scored as word2vec's ``compute-accuracy`` does, and a result names which questions it counts:

=========  ==========================================================================================================
``P30k``   answers from the first 30,000 tokens; questions whose four words are among them (``P50k`` and so on likewise)
``Pfull``  answers from all tokens; questions whose four words are known
``Phyp``   answers from all tokens; all questions, and those with an unknown word count as wrong (hyperwords)
=========  ==========================================================================================================
"""

import math
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_choice
from wordvec.vectors import search as queries
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors

PROTOCOLS = ("P30k", "Pfull", "Phyp")
"""The protocols in use; see the module."""


@dataclass(frozen=True)
class SimilarityResult:
    """How the vectors' cosines follow people's scores on one set of word pairs."""

    name: str
    """The file's name without its extensions."""
    spearman: float | None
    """Spearman's rank correlation, -1 to 1, of the pairs found; None when they do not determine it."""
    pairs: int
    """Pairs in the set."""
    covered: int
    """Pairs with both words in the vocabulary; the others are left out."""

    @property
    def score(self) -> float | None:
        """The one number: the correlation."""
        return self.spearman

    @property
    def coverage(self) -> float:
        """The part of the pairs that was found, 0 to 1."""
        return self.covered / self.pairs

    def summary(self) -> dict[str, Any]:
        """The result as JSON can hold it."""
        return {"name": self.name, "spearman": self.spearman, "pairs": self.pairs, "covered": self.covered}


@dataclass(frozen=True)
class AnalogyCount:
    """How many questions of a section, or of several, were answered rightly."""

    name: str
    right: int
    asked: int
    """Questions that count under the protocol."""
    questions: int
    """Questions in the file."""

    @property
    def accuracy(self) -> float | None:
        """Right answers per question asked, 0 to 1; None when none was asked."""
        return self.right / self.asked if self.asked else None

    def summary(self) -> dict[str, Any]:
        """The count as JSON can hold it."""
        return {
            "name": self.name,
            "accuracy": self.accuracy,
            "right": self.right,
            "asked": self.asked,
            "questions": self.questions,
        }


@dataclass(frozen=True)
class AnalogyResult:
    """Answers to a file of analogy questions, by section and in total."""

    name: str
    """The file's name without its extensions."""
    protocol: str
    method: str
    sections: list[AnalogyCount]
    total: AnalogyCount
    semantic: AnalogyCount | None
    """The sections whose names do not start with ``gram``; None where no section's does."""
    syntactic: AnalogyCount | None
    """The sections whose names start with ``gram``, as in Google's set; None where there are none."""

    @property
    def accuracy(self) -> float | None:
        """That of the total."""
        return self.total.accuracy

    @property
    def score(self) -> float | None:
        """The one number: the accuracy."""
        return self.accuracy

    def summary(self) -> dict[str, Any]:
        """The result as JSON can hold it."""
        parts = {"total": self.total, "semantic": self.semantic, "syntactic": self.syntactic}
        return {
            "name": self.name,
            "protocol": self.protocol,
            "method": self.method,
            "sections": [section.summary() for section in self.sections],
            **{name: None if part is None else part.summary() for name, part in parts.items()},
        }


def evaluate_similarity(vectors: WordVectors, path: str | os.PathLike[str]) -> SimilarityResult:
    """Compare the cosines of word pairs with the scores people gave, by Spearman's rank correlation.

    Args:
        vectors: what to evaluate.
        path: a file of ``word1<TAB>word2<TAB>score`` lines; one that starts with ``#`` and is no pair is a comment.

    Raises:
        InputError: the file is not there, holds no pairs, or a line (named) is no pair.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
        >>> _ = path.write_text("Up\\tnorth\\t9.5\\nup\\tdown\\t1\\nup\\tright\\t4\\nup\\twrong\\t0\\n")
        >>> wv = WordVectors(["up", "north", "down", "right"], [[0, 1], [0.1, 1], [0, -1], [1, 0]])
        >>> evaluate_similarity(wv, path)
        SimilarityResult(name='pairs', spearman=1.0, pairs=4, covered=3)
    """
    pairs = _read_pairs(path)
    row = _lookup(vectors, len(vectors))
    rows = np.array([(row(a), row(b)) for a, b, _ in pairs])
    found = (rows >= 0).all(axis=1)
    scores = np.array([score for _, _, score in pairs])[found]
    cosines = vectors.row_similarities(*rows[found].T)
    return SimilarityResult(_name(path), spearman(scores, cosines), len(pairs), int(found.sum()))


def evaluate_analogies(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    protocol: str = "P30k",
    method: Literal["add", "mul"] = "add",
) -> AnalogyResult:
    """Answer a file of questions "a is to b as c is to d" and count how often d comes first.

    As in :meth:`WordVectors.analogy`, a, b and c are never answers.

    Args:
        vectors: what to evaluate; tokens must stand by falling frequency for ``P30k`` to mean what it says.
        path: a file of four words a line, with ``: name`` lines that start a section.
        protocol: ``"P30k"`` (or another number of thousands), ``"Pfull"`` or ``"Phyp"``.
        method: ``"add"`` (3CosAdd) or ``"mul"`` (3CosMul).

    Raises:
        InputError: the file is not there, holds no questions, or a line (named) is none; an unknown protocol or method.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "questions.txt"
        >>> _ = path.write_text(": royal\\nman king woman queen\\nman king boy prince\\n")
        >>> wv = WordVectors(["king", "queen", "man", "woman"], [[1, 1], [1, -1], [0.2, 1], [0.2, -1]])
        >>> evaluate_analogies(wv, path).total
        AnalogyCount(name='total', right=1, asked=1, questions=2)
        >>> evaluate_analogies(wv, path, protocol="Phyp").accuracy
        0.5
    """
    top = _answers_from(protocol, len(vectors))
    if method not in ("add", "mul"):
        raise InputError(f"method must be 'add' or 'mul', got {method!r}")
    sections = _read_questions(path)
    row = _lookup(vectors, top)
    ids = [np.array([[row(word) for word in words] for words in section.questions]) for section in sections]
    known: list[np.ndarray] = [np.all(rows >= 0, axis=1) for rows in ids]
    right = _answered(vectors, top, np.concatenate(ids)[np.concatenate(known)], method)
    counts, start = [], 0
    for section, mask in zip(sections, known, strict=True):
        answerable = int(mask.sum())
        correct = int(right[start : start + answerable].sum())
        start += answerable
        asked = len(mask) if protocol == "Phyp" else answerable
        counts.append(AnalogyCount(section.name, correct, asked, len(mask)))
    syntactic = [count for count in counts if count.name.startswith("gram")]
    semantic = [count for count in counts if not count.name.startswith("gram")]
    return AnalogyResult(
        name=_name(path),
        protocol=protocol,
        method=method,
        sections=counts,
        total=_sum("total", counts),
        semantic=_sum("semantic", semantic) if syntactic else None,
        syntactic=_sum("syntactic", syntactic) if syntactic else None,
    )


def evaluate_file(vectors: WordVectors, path: str | os.PathLike[str]) -> SimilarityResult | AnalogyResult:
    """Evaluate on a file of either kind: of word pairs where its lines have three columns, else of analogies (P30k).

    Raises:
        InputError: as :func:`evaluate_similarity` and :func:`evaluate_analogies` do.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "pairs.tsv"
        >>> _ = path.write_text("up\\tnorth\\t9.5\\nup\\tdown\\t1\\n")
        >>> wv = WordVectors(["up", "north", "down"], [[0, 1], [0.1, 1], [0, -1]])
        >>> evaluate_file(wv, path).score
        1.0
    """
    lines = [line for _, line in _read(path) if line.strip() and not line.startswith("#")]
    if lines and lines[0].count("\t") == 2:
        return evaluate_similarity(vectors, path)
    return evaluate_analogies(vectors, path)


def spearman(x: np.ndarray, y: np.ndarray) -> float | None:
    """Spearman's correlation of two series (n,): Pearson's of their ranks, equal values sharing their average rank.

    Returns:
        -1 to 1, or None where one of them is constant or shorter than 2.

    Example:
        >>> import numpy as np
        >>> spearman(np.array([1, 2, 3, 4]), np.array([10, 30, 20, 40]))
        0.8
    """
    a, b = average_ranks(x), average_ranks(y)
    a, b = a - a.mean() if len(a) else a, b - b.mean() if len(b) else b
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(np.clip(a @ b / spread, -1, 1)) if spread else None


def average_ranks(values: np.ndarray) -> np.ndarray:
    """The rank, from 1, of each value (n,) float64; equal values share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]


# -- answers ----------------------------------------------------------------------------------------------------------


def _answered(vectors: WordVectors, top: int, ids: np.ndarray, method: str) -> np.ndarray:
    """Whether the best answer among the first ``top`` rows to each question (n, 4) is its fourth word, (n,) bool."""
    right = np.zeros(len(ids), dtype=bool)
    block = queries.query_block(top)
    if isinstance(vectors, SparseWordVectors):
        score = _sparse_scores(vectors, top, ids, method)
    else:
        score = _dense_scores(vectors.unit_vectors[:top], method)
    for start in range(0, len(ids), block):
        asked = ids[start : start + block]
        scores = score(asked)
        np.put_along_axis(scores, asked[:, :3], -np.inf, axis=1)
        right[start : start + block] = scores.argmax(axis=1) == asked[:, 3]
    return right


def _dense_scores(units: np.ndarray, method: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function from questions (n, 4) to the scores (n, R) of all answers."""

    def by_mul(ids: np.ndarray) -> np.ndarray:
        # Questions of a section share words, so that the products of the distinct ones are far fewer.
        distinct, places = np.unique(ids[:, :3], return_inverse=True)
        return _multiplied((1 + units[distinct] @ units.T) / 2, places.reshape(-1, 3))

    def by_add(ids: np.ndarray) -> np.ndarray:
        return (units[ids[:, 1]] - units[ids[:, 0]] + units[ids[:, 2]]) @ units.T

    return by_mul if method == "mul" else by_add


def _sparse_scores(
    vectors: SparseWordVectors, top: int, all_ids: np.ndarray, method: str
) -> Callable[[np.ndarray], np.ndarray]:
    """The same, from the cosines of all words in the questions: products with a sparse matrix are dear."""
    distinct = np.unique(all_ids[:, :3])
    cosines = vectors.cosines_of_rows(distinct, top)
    if method == "mul":
        shifted = (1 + cosines) / 2
        return lambda ids: _multiplied(shifted, np.searchsorted(distinct, ids[:, :3]))

    def by_add(ids: np.ndarray) -> np.ndarray:
        a, b, c = np.searchsorted(distinct, ids[:, :3]).T
        return cosines[b] - cosines[a] + cosines[c]

    return by_add


def _multiplied(shifted: np.ndarray, places: np.ndarray) -> np.ndarray:
    """3CosMul from cosines of words, shifted to 0 .. 1, and where those of each question are, (n, 3)."""
    a, b, c = places.T
    scores = shifted[b]
    scores *= shifted[c]
    scores /= shifted[a] + np.float32(queries.MUL_EPSILON)
    return scores


def _answers_from(protocol: str, size: int) -> int:
    thousands = re.fullmatch(r"P([1-9]\d{0,5})k", protocol)
    if thousands:
        return min(1000 * int(thousands[1]), size)
    check_choice("protocol", protocol, PROTOCOLS)
    return size


def _lookup(vectors: WordVectors, top: int) -> Any:
    """A function from a word to its row among the first ``top``, or -1."""
    get = vectors.vocabulary.token_to_id.get

    def row(word: str) -> int:
        spellings = (word.lower(),) if vectors.lowercase else (word, word.lower())
        return next((found for found in (get(spelling, top) for spelling in spellings) if found < top), -1)

    return row


def _sum(name: str, counts: Iterable[AnalogyCount]) -> AnalogyCount:
    counts = list(counts)
    return AnalogyCount(
        name,
        sum(count.right for count in counts),
        sum(count.asked for count in counts),
        sum(count.questions for count in counts),
    )


# -- files ------------------------------------------------------------------------------------------------------------


@dataclass
class _Section:
    name: str
    questions: list[list[str]] = field(default_factory=list)


def _read_questions(path: str | os.PathLike[str]) -> list[_Section]:
    """The sections that hold questions; ``//`` starts a comment, as in the older of Google's files."""
    sections = [_Section("(no section)")]
    for place, line in _read(path):
        words = line.split()
        if line.startswith(":"):
            sections.append(_Section(line[1:].strip()))
        elif words and not line.startswith("//"):
            if len(words) != 4:
                raise InputError(
                    f"{place}: expected 4 words, found {len(words)}; a question is four words a line, "
                    f"and a section starts with a colon"
                )
            sections[-1].questions.append(words)
    sections = [section for section in sections if section.questions]
    if not sections:
        raise InputError(f"{path}: no questions; expected four words a line")
    return sections


def _read_pairs(path: str | os.PathLike[str]) -> list[tuple[str, str, float]]:
    pairs = []
    for place, line in _read(path):
        columns = [column.strip() for column in line.split("\t")]
        score = _number(columns[-1])
        if len(columns) == 3 and all(columns) and math.isfinite(score):
            pairs.append((columns[0], columns[1], score))
        elif line.strip() and not line.startswith("#"):
            if len(columns) != 3:
                problem = f"expected 3 columns, found {len(columns)}"
            elif all(columns):
                problem = f"expected a score, found {columns[2]!r}"
            else:
                problem = "a column is empty"
            raise InputError(f"{place}: {problem}; a line is two words and a score with tabs between")
    if not pairs:
        raise InputError(f"{path}: no word pairs; expected two words and a score a line, with tabs between")
    return pairs


def _read(path: str | os.PathLike[str]) -> Iterable[tuple[str, str]]:
    from corpora import read_lines

    return ((f"{path}:{number}", line) for number, line in enumerate(read_lines(path), 1))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _name(path: str | os.PathLike[str]) -> str:
    name = Path(path).name
    for compressed in (".gz", ".bz2", ".xz", ".zst"):
        name = name.removesuffix(compressed)
    return Path(name).stem
