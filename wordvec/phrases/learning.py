"""Finding the phrases of a corpus, pass by pass."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from wordvec.encoding.contexts import check_contexts
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError
from wordvec.formats.safetensors import pack_tokens
from wordvec.phrases.corpus import Pass
from wordvec.phrases.counting import chain_words, count_pairs, new_chains
from wordvec.phrases.joining import new_joins
from wordvec.phrases.scoring import pair_scores
from wordvec.phrases.settings import PhraseSettings
from wordvec.system.scratch import Scratch
from wordvec.system.threads import worker_count

if TYPE_CHECKING:
    from wordvec.kernels.phrases import Chains

_log = logging.getLogger(__name__)

_PIECE = 1 << 22
"""Ids counted per step."""


def learn_phrases(corpus: EncodedCorpus, settings: PhraseSettings, *, threads: int | None = None) -> list[Pass]:
    """Return the phrases of each pass, in descending order of their scores.

    Each pass joins the words and phrases of the one before, from left to right. A pass without phrases is the last.

    Args:
        corpus: with all words of the text (``min_count=1``).
        settings: how pairs are scored.
        threads: None means one per core.

    Raises:
        InputError: no pair of words is a phrase.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["new york is old", "old new york", "is it new"], min_count=1)
        >>> learn_phrases(corpus, PhraseSettings(min_count=1, threshold=1))
        [{('new', 'york'): 1.8333333333333333}]
    """
    check_contexts(corpus)
    text = _Text(list(corpus.vocabulary.tokens), corpus.ids, corpus.offsets)
    passes: list[Pass] = []
    while len(passes) < settings.passes:
        counted = _Counted(text, settings, worker_count(threads))
        keys, found = counted.phrases()
        if not found:
            if not passes:
                raise InputError(counted.reason())
            _log.info("pass %d found no phrases", len(passes) + 1)
            break
        passes.append(found)
        _log.info("pass %d found %s phrases", len(passes), f"{len(found):,}")
        if len(passes) < settings.passes:
            text.join(counted.chains, counted.bits, keys, [settings.delimiter.join(parts) for parts in found])
    return passes


class _Text:
    """The text between two passes.

    Attributes:
        tokens: V words and phrases.
        ids: (N,) int32. offsets: (S + 1,) int64.
    """

    def __init__(self, tokens: list[str], ids: np.ndarray, offsets: np.ndarray) -> None:
        self.tokens, self.ids, self.offsets = tokens, ids, offsets
        self._scratch = Scratch()
        self._owned = False

    def counts(self) -> np.ndarray:
        """Return the count of each token, (V,) int64."""
        counts = np.zeros(len(self.tokens), np.int64)
        for first in range(0, len(self.ids), _PIECE):
            counts += np.bincount(self.ids[first : first + _PIECE], minlength=len(counts))
        return counts

    def join(self, chains: "Chains", bits: int, keys: np.ndarray, phrases: list[str]) -> None:
        """Replace the pairs ``keys`` (P,) by their phrases."""
        from wordvec.kernels.phrases import join

        number = {token: token_id for token_id, token in enumerate(self.tokens)}
        phrase_ids = [number.setdefault(phrase, len(number)) for phrase in phrases]
        self.tokens = list(number)
        ids, offsets = self.ids, self.offsets
        if not self._owned:  # else in place
            ids = self._scratch.array("ids", np.int32, len(ids))
            offsets = self._scratch.array("offsets", np.int64, len(offsets))
        joins = new_joins(keys, np.array(phrase_ids, np.int32))
        nowhere = np.empty(0, np.int32)
        left = join(self.ids, self.offsets, chains, np.uint64(bits), joins, ids, offsets, nowhere)
        self.ids, self.offsets, self._owned = ids[:left], offsets, True


class _Counted:
    """The words and pairs of a text, and the scores of the frequent pairs."""

    def __init__(self, text: _Text, settings: PhraseSettings, threads: int) -> None:
        self._settings, self._tokens = settings, text.tokens
        self.bits = max(len(text.tokens) - 1, 1).bit_length()
        self.chains = new_chains(text.tokens, settings.connectors, self.bits)
        most = settings.max_pairs_in_memory
        self._pairs = count_pairs(text.ids, text.offsets, self.chains, self.bits, threads=threads, most=most)
        if self._pairs.error:
            _log.warning(
                "more than max_pairs_in_memory = %s distinct pairs of words: counts may be too low by up to %s; raise "
                "it to count exactly",
                f"{most:,}",
                f"{self._pairs.error:,}",
            )
        self._chain_words = chain_words(self.chains, settings.connectors)
        self._words = text.counts()
        tokens = int(self._words.sum())
        is_word = (self.chains.connectors < 0) & (self._words > 0)
        types = int(np.count_nonzero(is_word)) + len(self._pairs.keys)
        letters = set(settings.delimiter)
        if not all(map(letters.isdisjoint, (*text.tokens, *settings.connectors))):
            types -= self._merge_equal(np.flatnonzero(is_word))
        frequent = self._pairs.counts >= settings.min_count
        self._keys, pairs = self._pairs.keys[frequent], self._pairs.counts[frequent]
        mask = np.uint64((1 << self.bits) - 1)
        first = self._words[self._keys >> np.uint64(self.bits) & mask]
        second = self._words[self._keys & mask]
        totals = {"types": types, "tokens": tokens, "min_count": settings.min_count}
        self._scores = pair_scores(settings.scoring, first, second, pairs, **totals)

    def phrases(self) -> tuple[np.ndarray, Pass]:
        """Return the keys (P,) of the pairs that are phrases, and their words and scores in the same order."""
        rows = np.flatnonzero(self._scores > self._settings.threshold)
        found = sorted((-self._scores[row], self._parts(int(self._keys[row])), row) for row in rows.tolist())
        keys = self._keys[[row for _, _, row in found]] if found else self._keys[:0]
        return keys, {parts: float(-score) for score, parts, _ in found}

    def reason(self) -> str:
        """Return why there are no phrases."""
        settings = self._settings
        if len(self._scores):
            best = int(np.argmax(self._scores))
            return (
                f"the text has no phrases: no pair of words scores above threshold = {settings.threshold:g} (the best, "
                f"{self._shown(self._keys[best])}, scores {self._scores[best]:.3g}); lower threshold"
            )
        if not len(self._pairs.keys):
            return "the text has no phrases: connector words separate or are all of its words; pass fewer"
        best = int(np.argmax(self._pairs.counts))
        most = int(self._pairs.counts[best])
        often = f"{most:,} times" if most > 1 else "once"
        return (
            f"the text has no phrases: no pair of words occurs at least min_count = {settings.min_count} times (the "
            f"most frequent, {self._shown(self._pairs.keys[best])}, occurs {often}); lower min_count"
        )

    def _merge_equal(self, words: np.ndarray) -> int:
        """Give words and pairs that read the same when joined, as (a_b, c) and (a, b_c), the sum of their counts.

        Args:
            words: the ids of the words of the text.

        Returns:
            The number of words and pairs that read like another.
        """
        hashes = self._hashes(words)
        ordered = np.sort(hashes)
        repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        del ordered
        if not len(repeated):
            return 0
        groups: dict[str, list[int]] = {}
        places = np.searchsorted(repeated, hashes)
        np.minimum(places, len(repeated) - 1, out=places)
        for row in np.flatnonzero(repeated[places] == hashes).tolist():
            pair = row - len(words)
            if pair < 0:
                text = self._tokens[words[row]]
            else:
                text = self._settings.delimiter.join(self._parts(int(self._pairs.keys[pair])))
            groups.setdefault(text, []).append(row)
        counts = np.concatenate([self._words[words], self._pairs.counts])
        for rows in groups.values():
            counts[rows] = counts[rows].sum()
        self._words = self._words.copy()
        self._words[words] = counts[: len(words)]
        self._pairs = replace(self._pairs, counts=counts[len(words) :])
        return sum(len(rows) - 1 for rows in groups.values())

    def _hashes(self, words: np.ndarray) -> np.ndarray:
        """Return a hash, uint64, of some words and then of all joined pairs; equal texts have equal ones."""
        from wordvec.kernels.phrases import hash_pairs, hash_words

        delimiter = self._settings.delimiter
        letters, starts = pack_tokens(self._tokens)
        between = [delimiter.join(["", *chain, ""]) if chain else delimiter for chain in self._chain_words]
        of_tokens, found = (np.empty(n, np.uint64) for n in (len(self._tokens), len(words) + len(self._pairs.keys)))
        hash_words(letters, starts, of_tokens)
        found[: len(words)] = of_tokens[words]
        pairs = found[len(words) :]
        hash_pairs(self._pairs.keys, np.uint64(self.bits), of_tokens, letters, starts, *pack_tokens(between), pairs)
        return found

    def _parts(self, key: int) -> tuple[str, ...]:
        """Return the words of a pair."""
        mask = (1 << self.bits) - 1
        first, second = self._tokens[key >> self.bits & mask], self._tokens[key & mask]
        return (first, *self._chain_words[key >> 2 * self.bits], second)

    def _shown(self, key: np.uint64) -> str:
        return repr(" ".join(self._parts(int(key))))
