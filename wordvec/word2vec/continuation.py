"""Continued training from existing vectors: compatibility checks, initialization, merged vocabulary."""

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.epoch import Frequencies
from wordvec.word2vec.settings import ContinuationSettings, Word2VecSettings


def check_fits(
    initial: WordVectors, corpus: EncodedCorpus, settings: Word2VecSettings, continuation: ContinuationSettings
) -> None:
    """Check that training on ``corpus`` can continue from ``initial``.

    Raises:
        InputError: ``initial`` is sparse, has another vector size, or is known to have another tokenizer or casing; or
            rates differ in hogwild mode.
    """
    if continuation.initial_rate != 1 and settings.mode != "reproducible":
        raise InputError(f"initial_rate = {continuation.initial_rate:g} needs mode = reproducible, got {settings.mode}")
    if settings.subwords is not None:
        raise InputError("training with subwords cannot continue from existing vectors; train on all texts together")
    if isinstance(initial, SparseWordVectors):
        raise InputError("training cannot continue from sparse vectors; continue from dense ones")
    if initial.vector_size != settings.vector_size:
        raise InputError(
            f"vector_size must be that of the vectors to continue from, {initial.vector_size}, "
            f"got {settings.vector_size}"
        )
    cuts = [f"{side.tokenizer}{', lower-cased' if side.lowercase else ''}" for side in (initial, corpus)]
    if cuts[0] != cuts[1] and initial.states_tokenizer:
        raise InputError(
            f"the vectors to continue from were trained with another tokenizer ({cuts[0]}) than this text "
            f"({cuts[1]}); use the same one"
        )


def frequencies(initial: WordVectors, vocabulary: Vocabulary, of: str) -> Frequencies:
    """Return the counts of the ``vocabulary`` in the old text, the new one, or both ("merged").

    Raises:
        InputError: those of the old text are asked for, but ``initial`` has no counts of these words.
    """
    assert vocabulary.counts is not None
    known = np.zeros(len(initial), np.int64) if initial.counts is None else initial.counts
    old = np.append(known, 0)[initial.vocabulary.rows_of(vocabulary.tokens)]  # the row of an unknown word is -1
    if of == "old" and not old.any():
        raise InputError("initial_counts = old needs vectors with counts of words of this text; choose merged or new")
    new = vocabulary.counts
    counts = {"old": old, "new": new, "merged": old + new}[of]
    total = {"old": known.sum(), "new": new.sum(), "merged": known.sum() + new.sum()}[of]
    return Frequencies(counts, int(total))


def initial_contexts(initial: WordVectors, settings: Word2VecSettings) -> np.ndarray | None:
    """Return the context vectors (V, D) to continue from; None if the output side starts at zero.

    That of hierarchical softmax has the nodes of a tree, and the tree of a new vocabulary is another one.
    """
    return None if settings.loss == "hierarchical" else initial.context_vectors


def start_from(
    initial: WordVectors, contexts: np.ndarray | None, vocabulary: Vocabulary, rows: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Copy the vectors of shared words into the input and output ``rows`` (V, D) and return their row numbers.

    Args:
        contexts: from ``initial_contexts``.
    """
    old_ids = initial.vocabulary.rows_of(vocabulary.tokens)
    shared = np.flatnonzero(old_ids >= 0)
    for side, old in zip(rows, (initial.vectors, contexts), strict=True):
        if old is not None:
            side[shared] = old[old_ids[shared]]
    return shared


def grown(
    initial: WordVectors, contexts: np.ndarray | None, vocabulary: Vocabulary, rows: tuple[np.ndarray, np.ndarray]
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    """Return the merged vocabulary with its input and output vectors, (all words, D) each.

    Words that only ``initial`` has keep their vectors bit for bit; without ``contexts``, their output vectors are zero.
    """
    words = initial.vocabulary.merged(vocabulary)
    trained, old = vocabulary.rows_of(words.tokens), initial.vocabulary.rows_of(words.tokens)
    left = trained < 0
    both = [side[trained] for side in rows]
    for side, before in zip(both, (initial.vectors, contexts), strict=True):
        side[left] = 0 if before is None else before[old[left]]
    return words, both[0], both[1]
