"""Text classifiers of fastText: the mean of the vectors of words and n-grams, and a linear layer (Joulin et al. 2017,
arXiv 1607.01759)."""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from seqclf.data.texts import Text, as_texts, tokenize_texts
from seqclf.model_file import FASTTEXT
from wordvec import InputError
from wordvec.formats.fasttext_model import HIERARCHICAL, SOFTMAX, Model, read_classifier
from wordvec.formats.ngrams import Ngrams, fnv_hash
from wordvec.system.huffman import huffman_children
from wordvec.system.threads import worker_count

_PREFIX = b"__label__"
_END = b"</s>"
"""Ends each text, as a word of the vocabulary."""
_FACTOR = np.uint64(116_049_371)
"""Combines the hashes of the words of an n-gram."""
_FLOOR = 1e-5
"""fastText's addition to every probability, before its logarithm."""
_BINS, _MOST = 512, 8
"""fastText looks up the logistic function at this many places, from minus to plus this value."""
_SCORES = 1 << 22
"""Scores computed at a time."""


class FastTextClassifier:
    """A text classifier that fastText trained, which predicts the labels and probabilities of the fasttext package.

    Texts are split at white space, as in fastText, and are not lower-cased or normalized. ``</s>`` is added to each;
    words of the form ``__label__x`` are left out. Labels have no ``__label__`` before them, as in the labels that the
    readers of labeled text return; another prefix is kept. fastText adds 0.00001 to all probabilities.

    Args:
        model: a supervised model.
        name: of its file, for messages.

    Attributes:
        labels: in the order of the probabilities' columns, most frequent first.
        settings: training arguments.
        metrics, history, origin: empty.
    """

    kind = FASTTEXT

    def __init__(self, model: Model, name: str = "the model") -> None:
        arguments = model.arguments
        self.labels = [label.removeprefix(_PREFIX).decode("utf-8", "replace") for label in model.labels]
        self.settings: dict[str, Any] = {
            "tokenizer": "whitespace",
            "vector_size": arguments.dim,
            "epochs": arguments.epochs,
            "min_count": arguments.min_count,
            "loss": model.loss_name,
            "word_ngrams": arguments.word_ngrams,
            "min_n": arguments.min_n,
            "max_n": arguments.max_n,
            "buckets": arguments.buckets,
            "trained_by": "fastText",
        }
        self.metrics: dict[str, Any] = {}
        self.history: list[dict[str, Any]] = []
        self.origin: dict[str, Any] = {}
        self._model, self._name = model, name
        self._rows = _Rows(model)
        children = None
        if arguments.loss == HIERARCHICAL and len(self.labels) > 1:
            children = huffman_children(model.label_counts)
        self._children = children
        self._preferred = np.arange(len(self.labels))[::-1] if children is None else _leaves(children)[::-1]

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a supervised model, ``.bin`` or ``.ftz``.

        Raises:
            FormatError: damaged, or not a supervised model.
            InputError: the file cannot be read.
        """
        return cls(read_classifier(path), str(path))

    def predict_proba(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Return every label's probability for every text.

        Args:
            texts: strings, or lists of tokens. Line breaks are white space.
            threads: for the interface of other models; prediction takes one thread.

        Returns:
            (N, C) float32; columns are ``labels``. Those of negative sampling and one-vs-all models are independent of
            each other. The row of a text without a known word or n-gram is zeros.

        Raises:
            InputError: ``texts`` is a single string, an element is not a text, or the model has NaN or infinity.
        """
        worker_count(threads)
        lines = _lines(texts)
        found = np.zeros((len(lines), len(self.labels)), np.float32)
        size = max(_SCORES // len(self.labels), 1)
        for start in range(0, len(lines), size):
            hidden, known = self._hidden(lines[start : start + size])
            scores = self._log_probabilities(_products(hidden, self._model.outputs))
            found[start : start + size][known] = np.exp(scores)[known]
        return found

    def predict(self, texts: Iterable[Text], *, threads: int | None = None) -> np.ndarray:
        """Return the most probable label of every text (N,), as fastText if several are equal, and "" for a text
        without a known word or n-gram; arguments as :meth:`predict_proba`."""
        found = self.predict_proba(texts, threads=threads)
        best = np.array(self.labels)[self.ranking(found)[:, 0]]
        return np.where(found.any(axis=1), best, "")

    def ranking(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the columns (N, C) of probabilities in descending order, the best one as fastText chooses it."""
        order = np.argsort(-probabilities[:, self._preferred], axis=1, kind="stable")
        return np.asarray(self._preferred[order])

    def _hidden(self, texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean (N, D) of each text's rows, and which texts have any."""
        from scipy.sparse import csr_array

        rows, offsets = self._rows.of(texts)
        counts = np.diff(offsets)
        used, places = np.unique(rows, return_inverse=True)
        table = np.ascontiguousarray(self._model.inputs[used], np.float32)
        if not np.isfinite(table).all():
            raise InputError(f"{self._name}: its input rows have NaN or infinity; the fastText model is damaged")
        ones = np.ones(len(rows), np.float32)
        shape = (len(texts), len(used))
        hidden = csr_array((ones, places.reshape(-1), offsets), shape=shape) @ table  # adds in order, as fastText does
        return hidden * (1 / np.maximum(counts, 1)).astype(np.float32)[:, None], counts > 0

    def _log_probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the logarithms (N, C) float32 that fastText ranks the labels by."""
        if self._children is not None:
            return _tree_log_probabilities(scores, self._children)
        if self._model.arguments.loss == HIERARCHICAL:
            return np.zeros_like(scores)  # a tree of one label
        if self._model.arguments.loss == SOFTMAX:
            found = np.exp(scores - scores.max(axis=1, keepdims=True))
            found /= found.sum(axis=1, keepdims=True)
        else:
            found = _logistic(scores)
        return _log(found)

    def __repr__(self) -> str:
        words, loss = len(self._model.words), self._model.loss_name
        return f"<{type(self).__name__}: {loss}, {words:,} words, {len(self.labels)} labels>"


def _lines(texts: Iterable[Text]) -> list[bytes]:
    """Return texts in UTF-8.

    Raises:
        InputError: see ``tokenize_texts``.
    """
    given = as_texts(texts)
    tokens = tokenize_texts(given, "whitespace", lowercase=False)
    lines = (text if isinstance(text, str) else " ".join(words) for text, words in zip(given, tokens, strict=True))
    return [line.encode("utf-8", "replace") for line in lines]


class _Rows:
    """The input rows of texts: words, their character n-grams and n-grams of words, as in ``dictionary.cc``."""

    def __init__(self, model: Model) -> None:
        arguments = model.arguments
        self._words = {word: row for row, word in enumerate(model.words)}
        self._labels = set(model.labels)
        self._word_ngrams, self._buckets = arguments.word_ngrams, arguments.buckets
        self._ngrams = Ngrams(arguments.min_n, arguments.max_n, arguments.buckets) if arguments.max_n else None
        kept = sorted(model.pruned.items()) if model.pruned is not None else []
        self._kept = None if model.pruned is None else np.array(kept, np.int64).reshape(-1, 2).T

    def of(self, texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows (n,) int64 of all texts, in fastText's order, and their bounds (N + 1,) int64."""
        index: dict[bytes, int] = {}
        split = [[index.setdefault(word, len(index)) for word in self._split(text)] for text in texts]
        words = np.array([word for text in split for word in text], np.int64)
        owners = np.repeat(np.arange(len(texts)), [len(text) for text in split])
        rows, bounds = self._of_words(list(index))
        counts = np.diff(bounds)[words]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        parts = [(rows[np.repeat(bounds[words], counts) + within], np.repeat(owners, counts))]
        if self._word_ngrams > 1 and len(words):
            hashes = np.array([fnv_hash(word) for word in index], np.uint32).view(np.int32)
            parts.append(self._of_word_ngrams(hashes[words], owners))
        return _grouped(parts, len(texts))

    def _split(self, text: bytes) -> Iterator[bytes]:
        """Yield the words of a text, which are not labels, up to the first end of a text."""
        for word in text.replace(b"\0", b" ").split():
            if word == _END:
                break
            if word in self._words or not (word in self._labels or word.startswith(_PREFIX)):
                yield word
        yield _END

    def _of_words(self, words: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of words and of their character n-grams, and their bounds."""
        own = np.array([self._words.get(word, -1) for word in words], np.int64)
        known = np.flatnonzero(own >= 0)
        parts = [(own[known], known)]
        if self._ngrams is not None:
            offsets, buckets = self._ngrams.hash([word.decode() for word in words])
            parts.append(self._of_buckets(buckets, np.repeat(np.arange(len(words)), np.diff(offsets))))
        return _grouped(parts, len(words))

    def _of_word_ngrams(self, hashes: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of the n-grams of words, and the text of each: those that start at the first word first."""
        found = np.full((len(hashes), self._word_ngrams - 1), -1, np.int64)
        words = hashes.astype(np.uint64)  # with the sign extended
        value = words
        for k in range(1, min(self._word_ngrams, len(hashes))):
            value = value[:-1] * _FACTOR + words[k:]
            inside = owners[k:] == owners[:-k]
            found[:-k, k - 1][inside] = (value % np.uint64(self._buckets))[inside]
        starts, _ = np.nonzero(found >= 0)
        return self._of_buckets(found[found >= 0], owners[starts])

    def _of_buckets(self, buckets: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of buckets and their owners, without buckets that were pruned."""
        if self._kept is None:
            return len(self._words) + buckets.astype(np.int64), owners
        kept, rows = self._kept
        if not len(kept):
            return rows, rows
        places = np.minimum(np.searchsorted(kept, buckets), len(kept) - 1)
        there = kept[places] == buckets
        return len(self._words) + rows[places[there]], owners[there]


def _grouped(parts: Sequence[tuple[np.ndarray, np.ndarray]], owners: int) -> tuple[np.ndarray, np.ndarray]:
    """Join rows and their owners, group them by owner in the order given, and return them with their bounds."""
    rows, of = (np.concatenate(side) for side in zip(*parts, strict=True))
    order = np.argsort(of, kind="stable")
    return rows[order], np.append(0, np.cumsum(np.bincount(of, minlength=owners)))


def _products(hidden: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return hidden @ outputs.T (N, C), each product added up in order, whatever the other texts are."""
    found = np.zeros((len(hidden), len(outputs)), np.float32)
    for place in range(hidden.shape[1]):
        found += hidden[:, place, None] * outputs[:, place]
    return found


def _logistic(scores: np.ndarray) -> np.ndarray:
    """Return fastText's logistic function, from its table."""
    places = np.arange(_BINS + 1) * (2 * _MOST / _BINS) - _MOST
    table = (1 / (1 + np.exp(-places))).astype(np.float32)
    table = np.concatenate([[np.float32(0)], table, [np.float32(1)]])
    bins = np.floor((scores + np.float32(_MOST)) * np.float32(_BINS / 2 / _MOST)).astype(np.int64)
    found = table[np.clip(bins, -1, _BINS + 1) + 1]
    return np.where(scores > _MOST, np.float32(1), found)


def _log(probabilities: np.ndarray) -> np.ndarray:
    """Return fastText's float32 logarithm of a probability."""
    return np.log(probabilities + np.float64(_FLOOR)).astype(np.float32)


def _tree_log_probabilities(scores: np.ndarray, children: np.ndarray) -> np.ndarray:
    """Return the logarithms (N, C) of the products of the turns down a Huffman tree; a score is that of code 1.

    Args:
        scores: (N, C), of the inner nodes; the last column is unused.
        children: from ``huffman_children``.
    """
    labels = len(children) + 1
    found = np.zeros((len(scores), 2 * labels - 1), np.float32)
    for node in range(labels - 2, -1, -1):
        turn = (1 / (1 + np.exp(-scores[:, node].astype(np.float64)))).astype(np.float32)
        for child, probability in zip(children[node], (1 - turn, turn), strict=True):
            found[:, child] = found[:, labels + node] + _log(probability)
    return found[:, :labels]


def _leaves(children: np.ndarray) -> np.ndarray:
    """Return the leaves of a tree from left to right."""
    found: list[int] = []
    waiting = [2 * len(children)]
    while waiting:
        node = waiting.pop()
        if node <= len(children):
            found.append(node)
        else:
            waiting += children[node - len(children) - 1, ::-1].tolist()
    return np.array(found)
