"""Intrinsic evaluation of concepts: categorization (purity of clusters) and outlier detection."""

import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_whole
from wordvec.vectors.benchmark_files import benchmark_name, read_categories, read_outliers
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.similarities import normalized_rows
from wordvec.vectors.tables import Summarized

_ROUNDS = 100


@dataclass(frozen=True)
class CategorizationResult(Summarized):
    """Agreement of clusters of word vectors with categories."""

    name: str
    """The file name without its extensions."""
    purity: float
    """The share of words whose cluster's most frequent category is theirs, 0 to 1."""
    categories: int
    words: int
    """Words in the file."""
    covered: int
    """Words with a vector; the others are left out."""

    @property
    def score(self) -> float:
        """The headline number: the purity."""
        return self.purity

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON-serializable values."""
        return {key: getattr(self, key) for key in ("name", "purity", "categories", "words", "covered")}


@dataclass(frozen=True)
class OutlierResult(Summarized):
    """Detection of the word that does not belong to a group."""

    name: str
    """The file name without its extensions."""
    accuracy: float
    """The share of outliers that are found."""
    position: float
    """The mean position of the outlier by descending compactness without it, 0 (worst) to 1 (found): OPP."""
    asked: int
    """Outliers with a vector, of groups with at least two words."""
    questions: int
    """Outliers in the file."""
    items: np.ndarray = field(repr=False, compare=False)
    """(questions,) float64: 1 for a found outlier, 0 for another, NaN if it was not asked."""

    @property
    def score(self) -> float:
        """The headline number: the accuracy."""
        return self.accuracy

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON-serializable values."""
        return {key: getattr(self, key) for key in ("name", "accuracy", "position", "asked", "questions")}


def evaluate_categorization(
    vectors: WordVectors, path: str | os.PathLike[str], *, starts: int = 10, seed: int = 1
) -> CategorizationResult:
    """Cluster words by their vectors and compare the clusters with categories: purity.

    Spherical k-means (Dhillon & Modha 2001) with as many clusters as there are categories, the best of several starts
    by k-means++ (Arthur & Vassilvitskii 2007).

    Args:
        vectors: the vectors to evaluate.
        path: lines of a word and its category, separated by tabs, commas, semicolons or white space, as in BLESS, AP
            and Battig.
        starts: k-means runs.
        seed: of the starts.

    Raises:
        InputError: an invalid file, or words of fewer than two categories with a vector.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "kinds.tsv"
        >>> _ = path.write_text("cat\\tanimal\\ndog\\tanimal\\ncar\\tvehicle\\nbus\\tvehicle\\n")
        >>> wv = WordVectors(["cat", "dog", "car", "bus"], [[1, 0.1], [1, 0.3], [0.2, 1], [0, 1]])
        >>> evaluate_categorization(wv, path)
        CategorizationResult(name='kinds', purity=1.0, categories=2, words=4, covered=4)
    """
    check_kind("vectors", vectors, WordVectors)
    starts = check_whole("starts", starts, 1)
    listed = read_categories(path)
    known = [(word, category) for word, category in listed if word in vectors]
    categories, labels = np.unique([category for _, category in known], return_inverse=True)
    if len(categories) < 2:
        raise InputError(f"{path}: words of at least two categories need vectors, got those of {len(categories)}")
    units = normalized_rows(vectors[[word for word, _ in known]].astype(np.float64))
    rng = np.random.default_rng(check_whole("seed", seed, 0))
    runs = [_spherical_k_means(units, len(categories), rng) for _ in range(starts)]
    clusters, _ = max(runs, key=lambda run: run[1])
    counts = np.zeros((len(categories), len(categories)), np.int64)
    np.add.at(counts, (clusters, labels), 1)
    purity = float(counts.max(axis=1).sum() / len(known))
    return CategorizationResult(benchmark_name(path), purity, len(categories), len(listed), len(known))


def evaluate_outliers(vectors: WordVectors, path: str | os.PathLike[str]) -> OutlierResult:
    """Count how often the word that makes a group least compact is its outlier.

    The compactness of a group without a word is the mean cosine of all its pairs; the word without which it is largest
    is the predicted outlier (Camacho-Collados & Navigli 2016). Words of a group without a vector are left out.

    Args:
        vectors: the vectors to evaluate.
        path: groups as in the 8-8-8 data set: the words of a group, one a line, an empty line, and its outliers, one a
            line; several groups are separated by another empty line.

    Raises:
        InputError: an invalid file, or no outlier and its group with vectors.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "animals.txt"
        >>> _ = path.write_text("cat\\ndog\\ncow\\n\\ncar\\nbus\\n")
        >>> wv = WordVectors(["cat", "dog", "cow", "car"], [[1, 0.1], [1, 0.3], [1, 0], [0.2, 1]])
        >>> found = evaluate_outliers(wv, path)
        >>> found.accuracy, found.asked, found.questions
        (1.0, 1, 2)
    """
    check_kind("vectors", vectors, WordVectors)
    items, positions = list[float](), list[float]()
    for group, outliers in read_outliers(path):
        words = [word for word in group if word in vectors]
        for outlier in outliers:
            if len(words) < 2 or outlier not in vectors:
                items.append(np.nan)
                continue
            position = _position([*words, outlier], vectors)
            positions.append(position / len(words))
            items.append(float(position == len(words)))
    if not positions:
        raise InputError(
            f"{path}: no outlier and two words of its group have vectors; "
            "give groups in the language and case of the vectors"
        )
    return OutlierResult(
        benchmark_name(path),
        float(np.nanmean(items)),
        float(np.mean(positions)),
        len(positions),
        len(items),
        np.array(items),
    )


def _position(words: list[str], vectors: WordVectors) -> int:
    """Return the number of words without which the group is less compact than without the last one."""
    cosines = vectors.similarity_matrix(words)
    np.fill_diagonal(cosines, 0)
    without = cosines.sum() - 2 * cosines.sum(axis=1)  # all have the same number of pairs
    return int((without[:-1] < without[-1]).sum())


def _spherical_k_means(units: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Return the clusters (n,) of unit vectors (n, D), and the sum of the cosines with their centers."""
    centers = units[[int(rng.integers(len(units)))]]
    while len(centers) < k:
        far = np.maximum(0, 1 - (units @ centers.T).max(axis=1))
        chances = far / far.sum() if far.sum() else np.full(len(far), 1 / len(far))
        centers = np.append(centers, units[[int(rng.choice(len(units), p=chances))]], axis=0)
    clusters = np.full(len(units), -1)
    for _ in range(_ROUNDS):
        cosines = units @ centers.T
        nearest = cosines.argmax(axis=1)
        if (nearest == clusters).all():
            break
        clusters = nearest
        sums = np.zeros_like(centers)
        np.add.at(sums, clusters, units)
        empty = np.bincount(clusters, minlength=k) == 0
        centers = np.where(empty[:, None], centers, normalized_rows(sums))
    return clusters, float((units * centers[clusters]).sum())
