"""Continued training from existing vectors: compatibility checks, initialization, merged vocabulary."""

from dataclasses import replace
from typing import Protocol

import numpy as np

from wordvec.errors import InputError
from wordvec.formats.ngrams import composed_vectors, ngram_rows
from wordvec.formats.safetensors import pack_tokens
from wordvec.formats.table import SubwordTable
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.sparse import SparseWordVectors
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.epoch import Frequencies
from wordvec.word2vec.settings import ContinuationSettings, Word2VecSettings, ngram_lengths
from wordvec.word2vec.trees import check_nodes


class Tokenized(Protocol):
    """How a text was tokenized."""

    tokenizer: str
    lowercase: bool


def check_fits(
    initial: WordVectors, corpus: Tokenized, settings: Word2VecSettings, continuation: ContinuationSettings
) -> None:
    """Check that training on ``corpus`` can continue from ``initial``.

    Raises:
        InputError: ``initial`` is sparse, has another vector size, or is known to have another tokenizer or casing; or
            rates differ in hogwild mode; or their n-grams are others, or their nodes are not a tree.
    """
    if continuation.initial_rate != 1 and settings.mode != "reproducible":
        raise InputError(f"mode must be reproducible with {_rated(continuation)}, got {settings.mode}")
    if isinstance(initial, SparseWordVectors):
        raise InputError("training cannot continue from sparse vectors; continue from dense ones")
    if settings.loss == "hierarchical" and initial.nodes is not None:
        check_nodes(initial.nodes, len(initial))
    if settings.subwords is not None:
        _check_subwords(initial, settings, continuation)
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


def _check_subwords(initial: WordVectors, settings: Word2VecSettings, continuation: ContinuationSettings) -> None:
    if isinstance(initial, SubwordVectors):
        old = initial.subwords
        was = _described(f"{old.min_n}-{old.max_n}", old.buckets, old.hashes)
        least, most = ngram_lengths(str(settings.subwords))
        wanted = _described(f"{least}-{most}", settings.buckets, settings.subword_hashes)
        if was != wanted:
            raise InputError(f"subwords must be those of the vectors to continue from, {was}, got {wanted}")
        if old.pruned:
            raise InputError("training with subwords cannot continue from a pruned model; leave out subwords")
    elif settings.subword_hashes is not None:
        raise InputError(
            f"subword_hashes = {settings.subword_hashes} needs initial vectors with n-grams, because words have no "
            "rows of their own that could hold others; leave out subword_hashes"
        )
    elif continuation.initial_rate != 1:
        raise InputError(
            f"subwords with {_rated(continuation)} need initial vectors with n-grams, because others change with the "
            "n-grams of their words; leave out subwords"
        )


def _described(lengths: str, buckets: int, hashes: int | None) -> str:
    return f"{lengths} in {buckets:,} buckets" + (f" by {hashes} hashes" if hashes else "")


def _rated(continuation: ContinuationSettings) -> str:
    rate = f"initial_rate = {continuation.initial_rate:g}"
    return rate if continuation.initial_rate else f"frozen vectors ({rate})"


def arrays_of(vectors: WordVectors) -> tuple[np.ndarray | None, ...]:
    """Return the arrays of vectors to continue from, which identify them."""
    arrays: tuple[np.ndarray | None, ...]
    arrays = (*pack_tokens(vectors.tokens), vectors.counts, vectors.vectors, vectors.context_vectors)
    if vectors.nodes is not None:
        arrays = (*arrays, vectors.nodes.vectors, vectors.nodes.children)
    if not isinstance(vectors, SubwordVectors):
        return arrays
    rows = vectors.subwords
    return (*arrays, rows.word_vectors, rows.ngram_vectors, rows.ngram_buckets)


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

    That of hierarchical softmax has the nodes of a tree instead, see ``TrainingTree``.
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


def start_subwords(initial: WordVectors, vocabulary: Vocabulary, shared: np.ndarray, rows: SubwordTable) -> np.ndarray:
    """Set the own rows of the ``shared`` words and the n-gram rows, and return the numbers of the n-grams that
    ``initial`` has.

    Vectors without n-grams become the means of their words' rows.

    Args:
        shared: from ``start_from``.
        rows: views of the rows of training.
    """
    assert rows.ngram_buckets is not None
    tokens = [vocabulary.tokens[k] for k in shared.tolist()]
    if not isinstance(initial, SubwordVectors):
        rows.word_vectors[shared] = _own_rows(rows.word_vectors[shared], tokens, rows)
        return np.zeros(0, np.int64)
    old = initial.subwords
    if rows.hashes is None:
        rows.word_vectors[shared] = old.word_vectors[initial.vocabulary.rows_of(tokens)]
    if old.ngram_buckets is None:
        known, places = np.arange(len(rows.ngram_buckets)), rows.ngram_buckets
    else:
        _, known, places = np.intersect1d(rows.ngram_buckets, old.ngram_buckets, True, return_indices=True)
    rows.ngram_vectors[known] = old.ngram_vectors[places]
    return known


def grown_subwords(initial: WordVectors, rows: SubwordTable) -> tuple[SubwordTable, np.ndarray]:
    """Return ``rows`` with the n-grams of both, and the own rows (V, D) of the words of ``initial``, or their vectors
    if they have none."""
    assert rows.ngram_buckets is not None
    if not isinstance(initial, SubwordVectors):
        return rows, _own_rows(initial.vectors, initial.tokens, rows)
    old, buckets = initial.subwords, None
    if old.ngram_buckets is None:
        ngrams = old.ngram_vectors.copy()
        ngrams[rows.ngram_buckets] = rows.ngram_vectors
    else:
        buckets = np.union1d(old.ngram_buckets, rows.ngram_buckets)
        ngrams = np.empty((len(buckets), initial.vector_size), np.float32)
        ngrams[np.searchsorted(buckets, old.ngram_buckets)] = old.ngram_vectors
        ngrams[np.searchsorted(buckets, rows.ngram_buckets)] = rows.ngram_vectors
    before = old.word_vectors if old.hashes is None else initial.vectors
    return replace(rows, ngram_vectors=ngrams, ngram_buckets=buckets), before


def _own_rows(vectors: np.ndarray, tokens: list[str], rows: SubwordTable) -> np.ndarray:
    """Return the own rows (V, D) of words whose means with their n-grams are ``vectors``."""
    bounds, _ = ngram_rows(rows, tokens)
    ngrams = replace(
        rows, word_vectors=np.zeros(vectors.shape, np.float32), ngram_vectors=np.ascontiguousarray(rows.ngram_vectors)
    )
    size = (np.diff(bounds) + 1).astype(np.float32)[:, None]
    return np.asarray(size * (vectors - composed_vectors(ngrams, tokens)))


def grown(
    initial: Vocabulary,
    before: tuple[np.ndarray, np.ndarray | None],
    vocabulary: Vocabulary,
    rows: tuple[np.ndarray, np.ndarray],
) -> tuple[Vocabulary, np.ndarray, np.ndarray]:
    """Return the merged vocabulary with its input and output vectors, (all words, D) each.

    Words that only ``initial`` has keep their vectors ``before`` bit for bit; None stands for zeros.
    """
    words = initial.merged(vocabulary)
    trained, old = vocabulary.rows_of(words.tokens), initial.rows_of(words.tokens)
    left = trained < 0
    both = [side[trained] for side in rows]
    for side, kept in zip(both, before, strict=True):
        side[left] = 0 if kept is None else kept[old[left]]
    return words, both[0], both[1]
