"""Approximate nearest neighbors by a graph, HNSW (Malkov & Yashunin 2018, arXiv 1603.09320), from usearch.

Needs usearch: ``pip install 'wordvec-seqclf[approximate]'``. An index is a safetensors file, valid for its vectors.
"""

import hashlib
import os
from typing import Any

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.tensors import TensorFile, write_tensors
from wordvec.system.optional import optional_module
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_kind, check_whole
from wordvec.vectors import search
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.queries import Answers

_KIND, _VERSION = "neighbor index", 1
_LINKS, _BUILD_WIDTH, _SEARCH_WIDTH = 16, 128, 128
"""M, efConstruction and ef of the paper: links of a vector, and candidates during the build and a search."""
_ROWS_AT_ONCE = 65_536


class IndexedVectors(WordVectors):
    """Word vectors whose neighbors are searched for in a graph: fast, but some may be missed.

    ``most_similar`` by 3CosAdd, its batch, ``analogy`` and ``similar_by_vector`` use the graph; scores are exact. With
    ``restrict``, and by 3CosMul, all vectors are searched. Vectors are not composed of n-grams. The graph of several
    threads depends on their timing.

    Args:
        vectors: dense vectors.
        threads: that build the graph; None: one per core.

    Raises:
        InputError: usearch is not installed, or the vectors are sparse.

    Example:
        >>> wv = WordVectors(["up", "north", "down"], [[0, 2], [0.1, 2], [0, -1]])
        >>> indexed = IndexedVectors(wv)  # doctest: +SKIP
        >>> indexed.most_similar("up", top=1)  # doctest: +SKIP
        [('north', 0.9987523555755615)]
    """

    def __init__(self, vectors: WordVectors, threads: int | None = None) -> None:
        self._take(vectors)
        self._graph = _usearch().Index(
            ndim=self.vector_size, metric="ip", dtype="f16", connectivity=_LINKS, expansion_add=_BUILD_WIDTH
        )
        workers = worker_count(threads)
        for start in range(0, len(self), _ROWS_AT_ONCE):
            rows = np.arange(start, min(start + _ROWS_AT_ONCE, len(self)))
            self._graph.add(rows, search.unit_rows(self.vectors[rows]), threads=workers)

    def _take(self, vectors: WordVectors) -> None:
        check_kind("vectors", vectors, WordVectors)
        super().__init__(vectors.vocabulary, vectors.vectors, **vectors._how())

    @classmethod
    def load(cls, path: str | os.PathLike[str], vectors: WordVectors) -> "IndexedVectors":
        """Return vectors with the index of a file.

        Raises:
            InputError: usearch is not installed, or the index is that of other vectors.
            FormatError: the file holds no index, or is damaged.
        """
        library = _usearch()
        file = TensorFile(path)
        about = file.metadata_of("wordvec")
        if about.get("kind") != _KIND or about.get("version") != _VERSION or "graph" not in file:
            raise FormatError(f"{path}: not an index of neighbors of this release; remove it to build it again")
        found = cls.__new__(cls)
        found._take(vectors)
        if about.get("vectors") != _digest(found.vectors):
            raise InputError(f"{path} is the index of other vectors; remove it to build it again")
        graph = file.read("graph").tobytes()
        # The library trusts what it reads.
        if about.get("graph") != hashlib.blake2b(graph, digest_size=32).hexdigest():
            raise FormatError(f"{path}: the index is damaged; remove it to build it again")
        found._graph = library.Index.restore(graph)
        return found

    def save_index(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file, about 350 bytes for a vector of 100 numbers.

        Raises:
            InputError: the path is not writable.
        """
        graph = bytes(self._graph.save())
        about = {
            "kind": _KIND, "version": _VERSION, "vectors": _digest(self.vectors),
            "graph": hashlib.blake2b(graph, digest_size=32).hexdigest(),
        }  # fmt: skip
        write_tensors(path, {"graph": np.frombuffer(graph, np.uint8)}, "wordvec", about)

    def recall(self, top: int = 10, sample: int = 200, seed: int = 1) -> float:
        """Return the share of the true ``top`` nearest neighbors of ``sample`` words that the graph finds."""
        top, sample = check_whole("top", top, 1), min(check_whole("sample", sample, 1), len(self))
        rows = np.random.default_rng(seed).choice(len(self), sample, replace=False)
        rows = rows[self.vectors[rows].any(axis=1)]
        directions = search.unit_rows(self.vectors[rows]).astype(np.float64)
        excluded = [[row] for row in rows.tolist()]
        true = super()._nearest(directions, excluded, top, slice(None))
        found = self._nearest(directions, excluded, top, slice(None))
        hits = sum(len({word for word, _ in a} & {word for word, _ in b}) for a, b in zip(true, found, strict=True))
        return hits / max(sum(map(len, true)), 1)

    def _nearest(
        self, directions: np.ndarray, excluded: list[list[int]], top: int, restrict: slice | np.ndarray
    ) -> list[Answers]:
        if not isinstance(restrict, slice) or restrict != slice(None):
            return super()._nearest(directions, excluded, top, restrict)
        most = min(top + max(map(len, excluded)), len(self))
        self._graph.expansion_search = max(_SEARCH_WIDTH, 2 * most)
        found = self._graph.search(directions.astype(np.float32), most, threads=1)
        keys, counts = np.atleast_2d(found.keys), np.atleast_1d(getattr(found, "counts", len(found.keys)))
        answers = []
        for direction, near, count, out in zip(directions, keys, counts, excluded, strict=True):
            rows = np.setdiff1d(near[:count].astype(np.int64), out)
            exact = search.cosines(self.vectors[rows], direction[None])[0]
            answers.append(self._answers(*search.ranked(rows, exact, top)))
        return answers


def _digest(vectors: np.ndarray) -> str:
    """Return what identifies vectors (V, D), whose words do not matter for an index."""
    whole = hashlib.blake2b(repr(vectors.shape).encode(), digest_size=32)
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        whole.update(np.ascontiguousarray(vectors[start : start + _ROWS_AT_ONCE], "<f4").data)
    return whole.hexdigest()


def _usearch() -> Any:
    return optional_module("usearch.index", "approximate search needs usearch", "approximate")
