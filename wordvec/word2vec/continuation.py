"""Training that continues from vectors there are: which fit, where they go, and the vocabulary of both."""

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.vectors.dense import WordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.settings import Word2VecSettings


def check_fits(initial: WordVectors, corpus: EncodedCorpus, settings: Word2VecSettings) -> None:
    """Whether training on ``corpus`` can continue from ``initial``.

    Raises:
        InputError: it has no context vectors, vectors of another size, or its text was cut into tokens otherwise; or
            the loss has no context vectors.
    """
    if settings.loss == "hierarchical":
        raise InputError(
            "loss = hierarchical learns vectors of the nodes of a tree, which no file keeps, and cannot continue from "
            "vectors there are; choose loss = negative"
        )
    if initial.context_vectors is None:
        raise InputError(
            "the vectors to continue from have no context vectors, the output side of training; continue from a "
            ".safetensors file that training wrote, which keeps them"
        )
    if initial.vector_size != settings.vector_size:
        raise InputError(
            f"vector_size must be that of the vectors to continue from, {initial.vector_size}, "
            f"got {settings.vector_size}"
        )
    cuts = [f"{side.tokenizer}{', lower-cased' if side.lowercase else ''}" for side in (initial, corpus)]
    if cuts[0] != cuts[1]:
        raise InputError(
            f"the vectors to continue from were trained on another kind of tokens ({cuts[0]}) than this text was cut "
            f"into ({cuts[1]}); cut it alike"
        )


def start_from(initial: WordVectors, vocabulary: Vocabulary, rows: tuple[np.ndarray, np.ndarray]) -> int:
    """Copy the vectors of the words that both know into the input and output ``rows`` (V, D); their number."""
    assert initial.context_vectors is not None
    old_ids = initial.vocabulary.rows_of(vocabulary.tokens)
    shared = np.flatnonzero(old_ids >= 0)
    for side, old in zip(rows, (initial.vectors, initial.context_vectors), strict=True):
        side[shared] = old[old_ids[shared]]
    return len(shared)


def grown(
    initial: WordVectors, vocabulary: Vocabulary, rows: tuple[np.ndarray, np.ndarray]
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    """The words of both, and their vectors, (all words, D) each.

    A word that only ``initial`` knows keeps its vectors bit for bit.
    """
    assert initial.context_vectors is not None
    words = initial.vocabulary.merged(vocabulary)
    trained, old = vocabulary.rows_of(words.tokens), initial.vocabulary.rows_of(words.tokens)
    left = trained < 0
    both = [side[trained] for side in rows]
    for side, before in zip(both, (initial.vectors, initial.context_vectors), strict=True):
        side[left] = before[old[left]]
    return words, both[0], both[1]
