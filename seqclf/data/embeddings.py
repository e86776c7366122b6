"""Vocabulary and initial embeddings from the texts' words and pretrained vectors."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqclf.data.subwords import Subwords
from wordvec import InputError, Vocabulary
from wordvec.system.available_memory import require_memory

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

RANDOM_SCALE = 0.1
"""Standard deviation of random embeddings that are trained; larger ones overfit more."""


class Embedding(NamedTuple):
    """The words of a network and their initial vectors.

    Attributes:
        vocabulary: V words.
        table: (V + 1, E) float32; the last row, zeros, is for unknown words.
        trained: the number of words that training updates, the first ones.
        subwords: compose unknown words; None without n-grams.
    """

    vocabulary: Vocabulary
    table: np.ndarray
    trained: int
    subwords: Subwords | None = None


def build_embedding(
    counted: Sequence[tuple[str, int]],
    vectors: "WordVectors | None",
    *,
    vector_size: int,
    scale: float,
    min_count: int,
    keep: int,
    keep_ngrams: int,
    tuned: bool,
    random: np.random.Generator,
) -> Embedding:
    """Return the vocabulary and the initial embeddings: the texts' words, then pretrained vectors of other words.

    Args:
        counted: all of the texts' words, as returned by ``count_tokens``.
        vectors: pretrained vectors; None makes all rows random.
        vector_size: width without ``vectors``.
        scale: standard deviation of pretrained rows and of frozen random rows; 0 does not rescale pretrained rows.
        min_count: rarer words have pretrained or composed vectors, or none.
        keep: the largest number of pretrained vectors to keep for words that the texts lack, from the first row on.
        keep_ngrams: the largest number of n-grams of the vectors to keep. Words without a pretrained vector are
            composed of them.
        tuned: training updates the rows. Random rows then start small and, alongside pretrained ones, words without
            a vector start at zero like unknown words: large random rows overfit and cost a point of accuracy, and
            composed ones half a point. Frozen rows must be large enough to distinguish words.
        random: draws the random rows.

    Raises:
        InputError: the vectors have no words, as those of a floret file.
        TrainingError: the embeddings do not fit in memory.
    """
    if vectors is not None and not len(vectors):
        raise InputError(
            "embeddings need vectors with words, got those of a floret file, which holds none; pass the .safetensors "
            "file of the training"
        )
    words = [token for token, count in counted if count >= min_count]
    width = vector_size if vectors is None else vectors.vectors.shape[1]
    require_memory(8 * len(words) * width, f"a table of {len(words):,} words x {width:,}", "lower vector_size")
    table = random.standard_normal((len(words), width), dtype=np.float32)
    table *= np.float32(RANDOM_SCALE if tuned else scale or 1.0)
    if vectors is None:
        return Embedding(Vocabulary(words), np.concatenate([table, np.zeros((1, width), np.float32)]), len(words))
    rows = np.array([vectors.lookup(word) for word in words], dtype=np.int64)
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
    others = [vectors.tokens[row] for row in extra]
    subwords = Subwords.of(vectors, factor, keep_ngrams)
    if subwords is not None:
        lacking = [] if tuned else [word for word, hit in zip(words, found, strict=True) if not hit]
        composed, known = subwords.compose(lacking)
        table[np.flatnonzero(~found)[: len(lacking)][known]] = composed[known]
        rare = [word for word, count in counted if count < min_count and vectors.lookup(word) < 0]
        more, has_vector = subwords.compose(rare)
        others += [word for word, has in zip(rare, has_vector, strict=True) if has]
        kept = np.concatenate([kept, more[has_vector]])
        logger.info("%s words of the texts are composed of n-grams", f"{known.sum() + has_vector.sum():,}")
    whole = np.concatenate([table, kept, np.zeros((1, width), np.float32)]).astype(np.float32, copy=False)
    return Embedding(Vocabulary(words + others), whole, len(words), subwords)
