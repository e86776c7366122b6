"""Vocabulary and initial embeddings from the texts' words and pretrained vectors."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wordvec import Vocabulary

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

RANDOM_SCALE = 0.1
"""Standard deviation of random embeddings that are trained; larger ones overfit more."""


def build_embedding(
    counted: Sequence[tuple[str, int]],
    vectors: "WordVectors | None",
    *,
    vector_size: int,
    scale: float,
    keep: int,
    tuned: bool,
    random: np.random.Generator,
) -> tuple[Vocabulary, np.ndarray]:
    """Return the vocabulary and the initial embeddings: the texts' words, then pretrained vectors of other words.

    Args:
        counted: the texts' words, as returned by ``count_tokens``.
        vectors: pretrained vectors; None makes all rows random.
        vector_size: width without ``vectors``.
        scale: standard deviation of pretrained rows and of frozen random rows; 0 does not rescale pretrained rows.
        keep: the largest number of pretrained vectors to keep for words that the texts lack, from the first row on.
        tuned: training updates the rows. Random rows then start small and, alongside pretrained ones, words without
            a vector start at zero like unknown words: large random rows overfit and cost a point of accuracy.
            Frozen rows must be large enough to distinguish words.
        random: draws the random rows.

    Returns:
        The vocabulary of V words and the table (V + 1, E) float32, whose last row, zeros, is for unknown words.
    """
    words = [token for token, _ in counted]
    width = vector_size if vectors is None else vectors.vectors.shape[1]
    table = random.standard_normal((len(words), width), dtype=np.float32)
    table *= np.float32(RANDOM_SCALE if tuned else scale or 1.0)
    if vectors is None:
        return Vocabulary(words), np.concatenate([table, np.zeros((1, width), np.float32)])
    rows = np.array([vectors.vocabulary.lookup(word) for word in words], dtype=np.int64)
    found = rows >= 0
    if tuned:
        table[~found] = 0
    logger.info("%s of the %s words of the texts have a pretrained vector", f"{found.sum():,}", f"{len(words):,}")
    if words and not found.any():
        logger.warning(
            "no word of the texts has a pretrained vector: check that tokenizer and casing match those of the vectors"
        )
    own = set(words)
    extra: list[int] = []
    for row, token in enumerate(vectors.tokens):
        if len(extra) >= keep:
            break
        if token not in own:
            extra.append(row)
    pretrained = vectors.vectors[rows[found]] if found.any() else vectors.vectors
    deviation = float(pretrained.std(dtype=np.float64))
    factor = np.float32(scale / deviation if scale and deviation else 1.0)
    table[found] = vectors.vectors[rows[found]] * factor
    kept = vectors.vectors[np.array(extra, dtype=np.int64)] * factor
    vocabulary = Vocabulary(words + [vectors.tokens[row] for row in extra])
    return vocabulary, np.concatenate([table, kept, np.zeros((1, width), np.float32)]).astype(np.float32, copy=False)
