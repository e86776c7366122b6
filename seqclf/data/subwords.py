"""Words that a network's vocabulary lacks, composed of the vectors of their character n-grams."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec import FormatError, InputError
from wordvec.formats.ngrams import compose_unknown, most_common_ngrams
from wordvec.formats.table import SubwordTable
from wordvec.system.structures import check_buckets, check_ngrams

if TYPE_CHECKING:
    from wordvec import WordVectors

_KEY = "subwords"
_TENSORS = ("ngram_vectors", "ngram_buckets")
_NUMBERS = ("min_n", "max_n", "buckets", "pruned", "hashes")


class Subwords:
    """Character n-grams of pretrained vectors.

    Args:
        table: the n-grams and their vectors, scaled like the embeddings.
        lowercase: whether words are lower-cased first, as the text was that the vectors were trained on.
    """

    def __init__(self, table: SubwordTable, lowercase: bool) -> None:
        self.table, self.lowercase = table, lowercase

    @classmethod
    def of(cls, vectors: "WordVectors", scale: np.float32, most: int) -> "Subwords | None":
        """Return the n-grams of vectors, at most ``most``, with their vectors times ``scale``; None if there are none.

        Raises:
            InputError: a vector has NaN or infinity.
        """
        given = vectors.table().subwords
        if given is None or not most or not len(given.ngram_vectors):
            return None
        kept = most_common_ngrams(given, vectors.tokens, most)
        rows = kept.ngram_vectors * scale
        if not np.isfinite(rows).all():
            raise InputError("the n-grams of the vectors have NaN or infinity; their file is damaged")
        buckets = np.arange(len(rows), dtype=np.int32) if kept.ngram_buckets is None else kept.ngram_buckets
        return cls(replace(kept, ngram_vectors=rows, ngram_buckets=buckets), vectors.lowercase)

    def compose(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors (n, E) of words, and which words (n,) have one; the rows of the others are zeros."""
        return compose_unknown(self.table, [word.lower() for word in words] if self.lowercase else words)

    def extend(self, rows: np.ndarray, words: Sequence[str], unknown: int) -> np.ndarray | None:
        """Give unknown words rows of their own after the embedding table, and return the vectors (K, E) of these rows.

        Args:
            rows: (n,) int32, the row of each word; changed in place.
            words: n words. unknown: the last row of the table, for unknown words.

        Returns:
            None if no unknown word has a known n-gram.
        """
        places = np.flatnonzero(rows == unknown)
        distinct = {
            word: number for number, word in enumerate(dict.fromkeys(words[place] for place in places.tolist()))
        }
        vectors, known = self.compose(list(distinct))
        if not known.any():
            return None
        new = np.where(known, unknown + np.cumsum(known), unknown)
        rows[places] = new[[distinct[words[place]] for place in places.tolist()]]
        return np.asarray(vectors[known])

    def header(self) -> dict[str, Any]:
        """Return the entry of a model file's header."""
        numbers = {name: value for name in _NUMBERS if (value := getattr(self.table, name)) is not None}
        return {_KEY: {**numbers, "lowercase": self.lowercase}}

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the arrays of a model file."""
        assert self.table.ngram_buckets is not None
        return dict(zip(_TENSORS, (self.table.ngram_vectors, self.table.ngram_buckets), strict=True))


def take_subwords(
    name: str, tensors: Mapping[str, np.ndarray], header: Mapping[str, Any]
) -> tuple[Subwords | None, dict[str, np.ndarray]]:
    """Return the n-grams of a model file, None if it has none, and its other tensors.

    Raises:
        FormatError: they are inconsistent.
    """
    about = header.get(_KEY)
    if about is None:
        return None, dict(tensors)
    vectors, buckets = (tensors.get(key) for key in _TENSORS)
    table = tensors.get("embedding")
    try:
        check_ngrams(about, "lowercase")
    except InputError as error:
        raise FormatError(f"{name} is damaged: {error}") from None
    if (
        vectors is None or buckets is None or table is None or table.ndim != 2
        or vectors.dtype != np.float32 or buckets.dtype != np.int32
        or buckets.ndim != 1 or not buckets.size or vectors.shape != (buckets.size, table.shape[1])
    ):  # fmt: skip
        raise FormatError(f"{name} is damaged: it must hold a vector of the embeddings' size for each bucket")
    try:
        check_buckets(buckets, about["buckets"])
    except InputError as error:
        raise FormatError(f"{name} is damaged: {error}") from None
    if not np.isfinite(vectors).all():
        raise FormatError(f"{name} is damaged: ngram_vectors has values that are not finite")
    sizes = {key: about[key] for key in _NUMBERS if key in about}
    words = np.zeros((0, vectors.shape[1]), np.float32)
    found = SubwordTable(**sizes, word_vectors=words, ngram_vectors=vectors, ngram_buckets=buckets)
    return Subwords(found, about["lowercase"]), {key: each for key, each in tensors.items() if key not in _TENSORS}
