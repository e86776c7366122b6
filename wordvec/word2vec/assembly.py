"""Vectors from the rows of a training, together with those that it continues from."""

import logging
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from wordvec.formats.ngrams import composed_vectors
from wordvec.formats.table import SubwordTable
from wordvec.system.structures import frozen
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.subwords import SubwordVectors
from wordvec.vocabulary import Vocabulary
from wordvec.word2vec.continuation import grown, grown_subwords, initial_contexts, start_from, start_subwords
from wordvec.word2vec.epoch import TrainedRows
from wordvec.word2vec.settings import Word2VecSettings, ngram_lengths
from wordvec.word2vec.trees import TrainingTree

_log = logging.getLogger(__name__)

_SORTED = 16
"""Columns sorted at a time, of which NumPy makes a copy."""


class Text(Protocol):
    """What vectors record of the text that they were trained on; see ``EncodedCorpus``."""

    vocabulary: Vocabulary
    tokenizer: str
    lowercase: bool
    normalize: str


class Assembly:
    """Copies existing vectors into the rows of a training, and makes vectors of its rows.

    Args:
        text: the training data, with V types.
        settings: resolved.
        buckets: (U,) int32, those of the n-gram rows, in any order.
        tree: of hierarchical softmax, or None.
        initial: vectors to continue from, or None; checked.
        record: what the vectors state as their settings.
    """

    def __init__(
        self,
        text: Text,
        settings: Word2VecSettings,
        buckets: np.ndarray,
        tree: TrainingTree | None,
        initial: WordVectors | None,
        record: dict[str, Any],
    ) -> None:
        self._text, self._settings, self._tree = text, settings, tree
        self._order = np.argsort(buckets)
        self._buckets = buckets[self._order]
        self._initial, self._record = initial, record
        self._initial_contexts = None if initial is None else initial_contexts(initial, settings)

    def start(self, rows: TrainedRows) -> np.ndarray:
        """Copy the vectors to continue from into ``rows``, and return the numbers of the rows that have them.

        Rows are counted as in the table of training: words, contexts, n-grams.
        """
        initial, vocabulary = self._initial, self._text.vocabulary
        assert initial is not None
        known = start_from(initial, self._initial_contexts, vocabulary, (rows.words, rows.contexts))
        if self._tree is not None:
            self._tree.start(rows.contexts)
        outputs = self._initial_contexts if self._tree is None else initial.nodes
        _log.info(
            "%s of %s words continue from existing vectors%s",
            f"{len(known):,}",
            f"{len(vocabulary):,}",
            "; the output side of training starts at zero" if outputs is None else "",
        )
        subwords = self._subwords(rows._replace(ngrams=rows.ngrams[self._order]))
        if subwords is not None:
            ngrams = self._order[start_subwords(initial, vocabulary, known, subwords)]
            rows.ngrams[self._order] = subwords.ngram_vectors
            known = np.append(known, 2 * len(vocabulary) + ngrams)
        return known

    def vectors(self, rows: TrainedRows) -> WordVectors:
        """Return vectors of the rows, which they share unless vectors they continue from have other words; those of
        n-grams are sorted by bucket."""
        text, settings = self._text, self._settings
        vocabulary, vectors, context_vectors, nodes = text.vocabulary, rows.words, rows.contexts, None
        for first in range(0, rows.ngrams.shape[1], _SORTED):
            columns = rows.ngrams[:, first : first + _SORTED]
            columns[:] = columns[self._order]
        subwords = self._subwords(rows)
        if self._initial is not None:
            before = self._initial.vectors
            if subwords is not None:
                subwords, before = grown_subwords(self._initial, subwords)
            vocabulary, vectors, context_vectors = grown(
                self._initial.vocabulary, (before, self._initial_contexts), vocabulary, (vectors, context_vectors)
            )
        if self._tree is not None:
            nodes = self._tree.nodes(rows.contexts, vocabulary)
        how: dict[str, Any] = {
            # The output vectors of hierarchical softmax belong to tree nodes, not to words.
            "context_vectors": None if settings.loss == "hierarchical" else frozen(context_vectors),
            "tokenizer": text.tokenizer,
            "lowercase": text.lowercase,
            "normalize": text.normalize,
            "settings": dict(self._record),
        }
        found: WordVectors
        if subwords is None:
            found = WordVectors(vocabulary, frozen(vectors), **how)
        elif subwords.hashes is None:
            found = SubwordVectors(vocabulary, replace(subwords, word_vectors=vectors), **how)
        else:
            composed = frozen(composed_vectors(subwords, vocabulary.tokens, vectors))
            found = SubwordVectors(vocabulary, subwords, vectors=composed, **how)
        found.nodes = nodes
        return found

    def _subwords(self, rows: TrainedRows) -> SubwordTable | None:
        settings = self._settings
        if settings.subwords is None:
            return None
        own = rows.words if settings.subword_hashes is None else rows.words[:0]
        return SubwordTable(
            *ngram_lengths(settings.subwords), settings.buckets, own, rows.ngrams, self._buckets,
            hashes=settings.subword_hashes,
        )  # fmt: skip
