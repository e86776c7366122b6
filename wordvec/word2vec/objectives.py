"""The settings of the loss as the kernels read them."""

from typing import TYPE_CHECKING

import numpy as np

from wordvec.errors import InputError
from wordvec.word2vec.huffman import huffman_tree
from wordvec.word2vec.settings import Word2VecSettings

if TYPE_CHECKING:
    from wordvec.kernels.objectives import Objective

SOFTMAX_TYPES = 20_000
"""The largest vocabulary for full softmax: its output vectors are all read for every four tokens, and of this many the
9 MB (of 100 numbers each) still lie in a processor's cache."""


def check_softmax(settings: Word2VecSettings, types: int) -> None:
    """
    Raises:
        InputError: full softmax over more than ``SOFTMAX_TYPES`` types.
    """
    if settings.loss == "softmax" and types > SOFTMAX_TYPES:
        raise InputError(
            f"loss = softmax scores every type for every token and takes up to {SOFTMAX_TYPES:,} of them, the "
            f"vocabulary has {types:,}; set max_vocabulary, raise min_count, or choose loss = hierarchical or negative"
        )


def objective_of(settings: Word2VecSettings, counts: np.ndarray) -> tuple["Objective", int]:
    """What the kernels learn, and the length of the longest path down its tree, 0 where there is none."""
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
        tree = huffman_tree(counts)
        paths, longest = Paths(*tree, saturation), int(np.diff(tree.offsets).max())
    skipgram = settings.model == "skipgram"
    return Objective(
        skipgram=True if skipgram else None,
        divide=None if skipgram else settings.cbow_gradient == "mean",
        shared=True if settings.negatives_are_shared else None,
        fresh=fresh,
        paths=paths,
        softmax=True if settings.loss == "softmax" else None,
    ), longest


def cut_sentences(offsets: np.ndarray, limit: int | None) -> np.ndarray:
    """Where sentences start and end, (S + 1,) int64, when none may be longer than ``limit`` tokens; None: the same.

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
