"""Continued training from existing vectors: compatibility checks, initialization, merged vocabulary."""

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.vectors.dense import WordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.settings import Word2VecSettings


def check_fits(initial: WordVectors, corpus: EncodedCorpus, settings: Word2VecSettings) -> None:
    """Check that training on ``corpus`` can continue from ``initial``.

    Raises:
        InputError: ``initial`` has no context vectors, another vector size, or another tokenizer or casing; or the
            loss is hierarchical softmax, which has no context vectors.
    """
    if settings.subwords is not None:
        raise InputError("training with subwords cannot continue from existing vectors; train on all texts together")
    if settings.loss == "hierarchical":
        raise InputError(
            "loss = hierarchical learns vectors of tree nodes, which no file stores, and cannot continue from existing "
            "vectors; choose loss = negative"
        )
    if initial.context_vectors is None:
        raise InputError(
            "the vectors to continue from have no context vectors (the output vectors of training); continue from a "
            ".safetensors file written by training, which stores them"
        )
    if initial.vector_size != settings.vector_size:
        raise InputError(
            f"vector_size must be that of the vectors to continue from, {initial.vector_size}, "
            f"got {settings.vector_size}"
        )
    cuts = [f"{side.tokenizer}{', lower-cased' if side.lowercase else ''}" for side in (initial, corpus)]
    if cuts[0] != cuts[1]:
        raise InputError(
            f"the vectors to continue from were trained with another tokenizer ({cuts[0]}) than this text "
            f"({cuts[1]}); use the same one"
        )


def start_from(initial: WordVectors, vocabulary: Vocabulary, rows: tuple[np.ndarray, np.ndarray]) -> int:
    """Copy the vectors of shared words into the input and output ``rows`` (V, D) and return their number."""
    assert initial.context_vectors is not None
    old_ids = initial.vocabulary.rows_of(vocabulary.tokens)
    shared = np.flatnonzero(old_ids >= 0)
    for side, old in zip(rows, (initial.vectors, initial.context_vectors), strict=True):
        side[shared] = old[old_ids[shared]]
    return len(shared)


def grown(
    initial: WordVectors, vocabulary: Vocabulary, rows: tuple[np.ndarray, np.ndarray]
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    """Return the merged vocabulary with its input and output vectors, (all words, D) each.

    Words that only ``initial`` has keep their vectors bit for bit.
    """
    assert initial.context_vectors is not None
    words = initial.vocabulary.merged(vocabulary)
    trained, old = vocabulary.rows_of(words.tokens), initial.vocabulary.rows_of(words.tokens)
    left = trained < 0
    both = [side[trained] for side in rows]
    for side, before in zip(both, (initial.vectors, initial.context_vectors), strict=True):
        side[left] = before[old[left]]
    return words, both[0], both[1]
