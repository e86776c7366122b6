"""Training objectives in the form the kernels take, and the size limit of full softmax."""

from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import InputError
from wordvec.system.huffman import HuffmanTree, huffman_tree
from wordvec.word2vec.settings import Word2VecSettings, ngram_lengths

if TYPE_CHECKING:
    from wordvec.kernels.objectives import Objective
    from wordvec.kernels.subwords import Subwords

SOFTMAX_TYPES = 20_000
"""Largest vocabulary for full softmax, which reads all output vectors for every four tokens; at this size, their 9 MB
(with 100 dimensions) still fit in a processor's cache."""


MOST_ROWS = 2**31 - 1


def check_softmax(settings: Word2VecSettings, types: int) -> None:
    """Check that the vocabulary is small enough for full softmax.

    Raises:
        InputError: full softmax over more than ``SOFTMAX_TYPES`` types.
    """
    if settings.loss == "softmax" and types > SOFTMAX_TYPES:
        raise InputError(
            f"loss = softmax scores every type for every token and allows at most {SOFTMAX_TYPES:,} types, but the "
            f"vocabulary has {types:,}; set max_vocabulary, raise min_count, or choose loss = hierarchical or negative"
        )


def objective_of(
    settings: Word2VecSettings,
    counts: np.ndarray,
    subwords: "Subwords | None" = None,
    tree: HuffmanTree | None = None,
) -> tuple["Objective", int]:
    """Return the kernels' objective, and the depth of its tree, 0 if it has none; None is that of the counts."""
    from wordvec.kernels.fresh_negatives import Fresh
    from wordvec.kernels.hierarchical_softmax import Paths
    from wordvec.kernels.objectives import Objective
    from wordvec.kernels.one_input import CLIP, EXACT, SKIP

    saturation = {"exact": EXACT, "clip": CLIP, "skip": SKIP}[settings.saturation]
    fresh = paths = None
    longest = 0
    if settings.fresh_negatives:
        fresh = Fresh(settings.context_predicts_center, saturation)
    if settings.loss == "hierarchical":
        tree = huffman_tree(counts) if tree is None else tree
        paths, longest = Paths(*tree, saturation), int(np.diff(tree.offsets).max())
    skipgram = settings.model == "skipgram"
    return Objective(
        skipgram=True if skipgram else None,
        divide=None if skipgram else settings.cbow_gradient == "mean",
        shared=True if settings.negatives_are_shared else None,
        fresh=fresh,
        paths=paths,
        softmax=True if settings.loss == "softmax" else None,
        subwords=subwords,
        row_rates=np.zeros(0, np.float32),
    ), longest


def subwords_of(settings: Word2VecSettings, tokens: list[str]) -> tuple["Subwords | None", np.ndarray]:
    """Return the rows that each word is composed of, and the buckets (U,) int32 that its n-grams use, in row order.

    Row 2 V + u is that of the u-th bucket; buckets that no word of the vocabulary uses have none. They are in the order
    of first use, so that frequent n-grams are together, and so are those of a rare word: composing words took 20 % less
    time on 1 M tokens of Wikipedia than in ascending order. With ``subword_hashes``, a word has no row of its own.
    """
    if settings.subwords is None:
        return None, np.zeros(0, np.int32)
    from wordvec.formats.ngrams import Ngrams
    from wordvec.kernels.subwords import Subwords

    compact = settings.subword_hashes
    offsets, hashes = Ngrams(*ngram_lengths(settings.subwords), settings.buckets, compact).hash(tokens)
    buckets, first, places = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first)
    if 2 * len(tokens) + len(buckets) > MOST_ROWS:
        raise InputError(
            f"subwords allow {MOST_ROWS:,} rows of words and n-grams, got {2 * len(tokens) + len(buckets):,}; "
            "raise min_count or lower buckets"
        )
    types = len(tokens)
    rows = (2 * types + np.argsort(order)[places]).astype(np.int32)
    if compact is None:
        rows = np.insert(rows, offsets[:-1], np.arange(types, dtype=np.int32))
        offsets = offsets + np.arange(types + 1)
    sizes, words = np.diff(offsets).astype(np.float32), np.repeat(np.arange(types), np.diff(offsets))
    some_word = np.zeros(rows.max() + 1, np.int64)
    some_word[rows] = words
    is_shared = np.bincount(rows, some_word[rows] != words) > 0
    rates = np.where(is_shared, 1, settings.word_rate).astype(np.float32)[rows]
    ones = np.ones(len(rows), np.float32)
    return Subwords(offsets, rows, ones, sizes, rates, settings.contexts_are_inputs), buckets[order]


def cut_sentences(offsets: np.ndarray, limit: int | None) -> np.ndarray:
    """Split sentences longer than ``limit`` tokens; returns the new offsets (S + 1,) int64. None: no limit.

    Example:
        >>> cut_sentences(np.array([0, 2, 2, 9]), 3).tolist()
        [0, 2, 2, 5, 8, 9]
    """
    lengths = np.diff(offsets)
    if limit is None or lengths.max(initial=0) <= limit:
        return offsets
    pieces = np.maximum(-(-lengths // limit), 1)
    number = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    starts = np.repeat(offsets[:-1], pieces) + limit * number
    return np.append(starts, offsets[-1])
