"""Post-processing of word vectors: named steps that combine, each from vectors to new vectors.

====================  ================================================================================================
step                  what it does
====================  ================================================================================================
``center``            subtract the mean
``normalize``         L2-normalize each vector
``all-but-the-top``   subtract the mean and the first N principal components (Mu & Viswanath 2018); N is D / 100
``pca``               subtract the mean and keep the first N principal components
``combine``           add the context vectors: w + c (Levy et al. 2015)
``retrofit``          move words toward their synonyms in a lexicon (Faruqui et al. 2015)
``remove-direction``  subtract the part along the direction between pairs of words (Bolukbasi et al. 2016, neutralize)
====================  ================================================================================================

The new vectors keep tokens, counts, settings and attributes; ``origin`` lists the steps. Context vectors and n-grams
are left out.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from wordvec.errors import InputError
from wordvec.system.structures import frozen
from wordvec.system.validation import check_choice, check_kind, check_whole, shown
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.similarities import listed_words, normalized_rows

Step: TypeAlias = Callable[[WordVectors], WordVectors]


def center(vectors: WordVectors) -> WordVectors:
    """Return the vectors minus their mean.

    Example:
        >>> center(WordVectors(["up", "down"], [[1, 3], [1, 1]])).vectors
        array([[ 0.,  1.],
               [ 0., -1.]], dtype=float32)
    """
    rows = _rows(vectors)
    return _replaced(vectors, rows - rows.mean(axis=0))


def normalize(vectors: WordVectors) -> WordVectors:
    """Return the L2-normalized vectors; zero vectors stay zero."""
    return _replaced(vectors, normalized_rows(_rows(vectors)))


def all_but_the_top(vectors: WordVectors, components: int | None = None) -> WordVectors:
    """Return the vectors without their mean and their first principal components.

    Mu & Viswanath 2018 (arXiv 1702.01417), algorithm 1.

    Args:
        vectors: V x D.
        components: how many; None: D / 100, rounded, and at least 1.

    Raises:
        InputError: ``components`` is below 1, or not below D.
    """
    size = vectors.vector_size
    n = max(1, round(size / 100)) if components is None else components
    centered, axes = _principal_axes(vectors, check_whole("components", n, 1, size - 1))
    return _replaced(vectors, centered - centered @ axes.T @ axes)


def pca(vectors: WordVectors, dimensions: int) -> WordVectors:
    """Return the coordinates on the first principal components, V x ``dimensions``, by descending variance.

    Each component has its largest weight positive.

    Raises:
        InputError: ``dimensions`` is below 1 or above D.
    """
    centered, axes = _principal_axes(vectors, check_whole("dimensions", dimensions, 1, vectors.vector_size))
    return _replaced(vectors, centered @ axes.T)


def combine(vectors: WordVectors) -> WordVectors:
    """Return the sums of input and output vectors; see :meth:`wordvec.WordVectors.combined`."""
    return vectors.combined()


def retrofit(vectors: WordVectors, lexicon: Mapping[str, Sequence[str]], iterations: int = 10) -> WordVectors:
    """Return vectors that are near to the given ones and to those of their synonyms.

    Each iteration sets each word of the lexicon, in row order, to the mean of its given vector and the mean of its
    neighbors' vectors (Faruqui et al. 2015, equation 1, alpha 1 and beta 1 / degree).

    Args:
        vectors: V x D.
        lexicon: the neighbors of words; unknown words are left out.
        iterations: over the words; the paper uses 10.

    Raises:
        InputError: no word of the lexicon and a neighbor of it is in the vocabulary.

    Example:
        >>> wv = WordVectors(["glad", "happy", "sad"], [[1, 0], [0, 1], [-1, -1]])
        >>> retrofit(wv, {"glad": ["happy"]}, 1)["glad"]
        array([0.5, 0.5], dtype=float32)
    """
    iterations = check_whole("iterations", iterations, 1)
    neighbors: dict[int, list[int]] = {}
    for word, others in lexicon.items():
        row = vectors.lookup(word)
        found = [other for other in map(vectors.lookup, listed_words(others)) if other >= 0 and other != row]
        if row >= 0 and found:
            neighbors.setdefault(row, []).extend(found)
    if not neighbors:
        raise InputError(
            f"no word of the lexicon ({len(lexicon):,}) and a neighbor of it is in the vocabulary; "
            "give a lexicon in the language and case of the vectors"
        )
    given = _rows(vectors)
    rows = given.copy()
    for _ in range(iterations):
        for row in sorted(neighbors):
            rows[row] = (given[row] + rows[neighbors[row]].mean(axis=0)) / 2
    return _replaced(vectors, rows)


def read_lexicon(path: str | os.PathLike[str]) -> dict[str, list[str]]:
    """Read a lexicon: on each line a word and its neighbors, separated by white space.

    Raises:
        InputError: the file does not exist, or has no such line.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "ppdb.txt"
        >>> _ = path.write_text("glad happy cheerful\\n\\nsad unhappy\\nlone\\n")
        >>> read_lexicon(path)
        {'glad': ['happy', 'cheerful'], 'sad': ['unhappy']}
    """
    from corpora import read_lines

    lexicon: dict[str, list[str]] = {}
    for line in read_lines(path):
        word, *others = line.split() or [""]
        if others:
            lexicon.setdefault(word, []).extend(others)
    if not lexicon:
        raise InputError(f"{path}: no words with neighbors; expected a word and its neighbors per line")
    return lexicon


def direction_of(vectors: WordVectors, pairs: Iterable[tuple[str, str]]) -> np.ndarray:
    """Return the direction (D,) float64 of norm 1 along which the words of each pair differ most, from b to a.

    The first principal component of the pairs' unit vectors, each minus its pair's mean (Bolukbasi et al. 2016,
    section 5.1).

    Raises:
        UnknownTokenError: a word has no vector.
        InputError: no pairs, or no differences.
    """
    listed = list(pairs)
    for pair in listed:
        if isinstance(pair, str) or len(pair) != 2:
            raise InputError(f"pairs must be of two words, got {shown(pair)}")
    if not listed:
        raise InputError("a direction needs at least one pair of words")
    first, second = (normalized_rows(vectors[list(side)].astype(np.float64)) for side in zip(*listed, strict=True))
    halves = (first - second) / 2
    if not halves.any():
        raise InputError("the words of each pair have the same vector; a direction needs a difference")
    _, axes = np.linalg.eigh(halves.T @ halves)
    axis = axes[:, -1]
    return np.asarray(axis if (halves @ axis).sum() >= 0 else -axis)


def remove_direction(vectors: WordVectors, pairs: Iterable[tuple[str, str]]) -> WordVectors:
    """Return the vectors minus their parts along the direction between pairs of words, such as he and she.

    Later evaluations found that such a bias remains measurable by other means (Gonen & Goldberg 2019).

    Raises:
        InputError: see :func:`direction_of`.

    Example:
        >>> wv = WordVectors(["he", "she", "nurse"], [[1, 1], [1, -1], [3, -2]])
        >>> remove_direction(wv, [("he", "she")])["nurse"]
        array([3., 0.], dtype=float32)
    """
    axis, rows = direction_of(vectors, pairs), _rows(vectors)
    return _replaced(vectors, rows - np.outer(rows @ axis, axis))


# -- steps by name ----------------------------------------------------------------------------------------------------

STEPS = ("center", "normalize", "all-but-the-top", "pca", "combine", "retrofit", "remove-direction")
"""Names of steps."""

_ARGUMENTS = {"pca": "N", "retrofit": "FILE", "remove-direction": "he:she,man:woman"}
_PLAIN: dict[str, Step] = {"center": center, "normalize": normalize, "combine": combine}


def parse_step(text: str) -> Step:
    """Return the step that a text such as ``center`` or ``all-but-the-top=3`` names; files are read at once.

    Raises:
        InputError: an unknown step, a missing or superfluous argument, or an invalid one.

    Example:
        >>> parse_step("pca=1")(WordVectors(["up", "down"], [[0, 1], [0, -1]])).vectors
        array([[ 1.],
               [-1.]], dtype=float32)
    """
    name, separator, argument = text.partition("=")
    check_choice("step", name, STEPS)
    if name in _ARGUMENTS and not argument:
        raise InputError(f"step {name} needs an argument: {name}={_ARGUMENTS[name]}")
    if name in _PLAIN:
        if separator:
            raise InputError(f"step {name} has no argument, got {text!r}")
        return _PLAIN[name]
    if name == "retrofit":
        lexicon = read_lexicon(argument)
        return lambda vectors: retrofit(vectors, lexicon)
    if name == "remove-direction":
        pairs = [(a, b) for a, _, b in (pair.partition(":") for pair in argument.split(","))]
        if not all(a and b for a, b in pairs):
            raise InputError(f"step {name} needs pairs of words: {name}={_ARGUMENTS[name]}, got {argument!r}")
        return lambda vectors: remove_direction(vectors, pairs)
    if argument and not argument.isdecimal():
        raise InputError(f"step {name} needs a whole number, got {argument!r}")
    number = int(argument) if argument else None
    if name == "pca":
        return lambda vectors: pca(vectors, number or 0)
    return lambda vectors: all_but_the_top(vectors, number)


def postprocessed(vectors: WordVectors, steps: Sequence[str]) -> WordVectors:
    """Return the vectors after some steps, in this order; see :func:`parse_step`.

    Raises:
        InputError: an invalid step.

    Example:
        >>> wv = postprocessed(WordVectors(["up", "down"], [[3, 1], [3, -1]]), ["center", "normalize"])
        >>> wv["up"], wv.origin["postprocessing"]
        (array([0., 1.], dtype=float32), ['center', 'normalize'])
    """
    for step in [parse_step(text) for text in steps]:
        vectors = step(vectors)
    done = [*vectors.origin.get("postprocessing", []), *steps]
    vectors.origin = {**vectors.origin, "postprocessing": done}
    return vectors


# -- implementation ---------------------------------------------------------------------------------------------------


def _rows(vectors: WordVectors) -> np.ndarray:
    """Return the vectors (V, D) as float64."""
    return check_kind("vectors", vectors, WordVectors).vectors.astype(np.float64)


def _replaced(vectors: WordVectors, rows: np.ndarray) -> WordVectors:
    return vectors.replaced(frozen(rows.astype(np.float32)))


def _principal_axes(vectors: WordVectors, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centered vectors (V, D) and their first principal axes (n, D), signed by their largest weight."""
    rows = _rows(vectors)
    rows -= rows.mean(axis=0)
    _, axes = np.linalg.eigh(rows.T @ rows)
    first = axes[:, ::-1][:, :n].T
    signs = np.sign(first[np.arange(n), np.abs(first).argmax(axis=1)])
    return rows, first * signs[:, None]
