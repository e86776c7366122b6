"""Joining the phrases of a text: lists of tokens, and blocks of tokenized bytes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from wordvec.encoding.scanning import Buffers, Table, join_tokens
from wordvec.errors import InputError

if TYPE_CHECKING:
    from wordvec.kernels.phrases import Joins

_LARGEST_TRIE = 1 << 26
"""Maximum size of the trie of connector words; what ``learning`` finds is smaller."""

_LONGEST = 1 << 22
"""Bytes without a word that ends every phrase, after which a phrase may be cut."""


def join_phrases(
    tokens: Iterable[str], phrases: Mapping[tuple[str, ...], object], connector_words: frozenset[str], delimiter: str
) -> list[str]:
    """Return tokens with the phrases of one pass joined, from left to right.

    Example:
        >>> phrases = {("bank", "of", "america"): 12.5}
        >>> join_phrases("the bank of america".split(), phrases, frozenset(["of", "the"]), "_")
        ['the', 'bank_of_america']
    """
    joined: list[str] = []
    waiting: list[str] = []  # a word and the connector words after it
    for token in tokens:
        if token not in connector_words:
            parts = (*waiting, token)
            if len(parts) > 1 and parts in phrases:
                joined.append(delimiter.join(parts))
                waiting = []
            else:
                joined += waiting
                waiting = [token]
        elif waiting:
            waiting.append(token)
        else:
            joined.append(token)
    return joined + waiting


def new_joins(keys: np.ndarray, phrase_ids: np.ndarray) -> "Joins":
    """Return the phrases of one pass as the kernels take them, from distinct keys (P,) uint64 and ids (P,) int32."""
    from wordvec.kernels.phrases import Joins, fill_slots

    bits = max(2 * len(keys) - 1, 1).bit_length()
    joins = Joins(keys, phrase_ids, np.full(1 << bits, -1, np.int32), np.uint64(64 - bits))
    fill_slots(joins)
    return joins


class TextJoiner:
    """Joins phrases in tokenized text, in bounded memory.

    Args:
        passes: the phrases of each pass: first word, connector words, last word.
        connector_words: the words that may stand inside a phrase.
        delimiter: stands between the words of a phrase.
    """

    def __init__(
        self, passes: Sequence[Collection[tuple[str, ...]]], connector_words: Sequence[str], delimiter: str
    ) -> None:
        from wordvec.kernels.batches import BATCH, Batch
        from wordvec.kernels.phrases import Chains

        self._delimiter = np.frombuffer(delimiter.encode(), np.uint8)
        number = {word: k for k, word in enumerate(dict.fromkeys(chain.from_iterable(chain.from_iterable(passes))))}
        column = {word: k for k, word in enumerate(word for word in connector_words if word in number)}
        self._bits = max(len(number) - 1, 1).bit_length()
        nodes: dict[tuple[int, int], int] = {}  # the chain after one more connector word
        keys = [[self._key(parts, number, column, nodes) for parts in phrases] for phrases in passes]
        if len(nodes).bit_length() + 2 * self._bits > 64 or len(nodes) * len(column) > _LARGEST_TRIE:
            raise InputError(
                f"phrases have too many words ({len(number):,}), connector words ({len(column):,}) and sequences of "
                f"connector words ({len(nodes):,}); use fewer connector words"
            )
        following = np.zeros((len(nodes) + 1, max(len(column), 1)), np.int32)
        for place, node in nodes.items():
            following[place] = node
        connectors = np.fromiter((column.get(word, -1) for word in number), np.int32, len(number))
        self._chains = Chains(connectors, following, np.array([len(nodes) + 1]))
        self._joins = []
        for phrases, found in zip(passes, keys, strict=True):
            phrase_ids = [number.get(delimiter.join(parts), -1) for parts in phrases]
            self._joins.append(new_joins(np.array(found, np.uint64), np.array(phrase_ids, np.int32)))
        self._table = Table.of(join_tokens(list(number)))
        self._buffers = Buffers()
        self._batch = Batch(np.zeros(3, np.uint64), *np.empty((5, BATCH + 32), np.uint64))
        self._tokens = np.empty((4, 0), np.int32)

    def _key(
        self,
        parts: tuple[str, ...],
        number: Mapping[str, int],
        column: Mapping[str, int],
        nodes: dict[tuple[int, int], int],
    ) -> int:
        """Return the key of a phrase; its chain of connector words is added to ``nodes``."""
        node = 0
        for word in parts[1:-1]:
            node = nodes.setdefault((node, column[word]), len(nodes) + 1)
        return (node << self._bits | number[parts[0]]) << self._bits | number[parts[-1]]

    def blocks(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield blocks of tokenized text, as ``TextCorpus.blocks`` makes them, with the phrases joined.

        What may be the start of a phrase at the end of a block is carried over to the next one.
        """
        rest = b""
        for block in blocks:
            joined, rest = self._joined(rest + block)
            yield joined
        if rest:
            yield self._joined(rest, whole=True)[0]

    def _joined(self, block: bytes, whole: bool = False) -> tuple[bytes, bytes]:
        """Return a block with its phrases joined, and what is left of it for the next."""
        from wordvec.kernels.phrases import join, read_tokens, write_joined

        text = self._buffers.padded(block)
        if len(block) >= self._tokens.shape[1]:
            self._tokens = np.empty((4, len(block) + 1), np.int32)
        ids, starts, stops, places = self._tokens
        tokens = int(read_tokens(text, self._table.types, self._batch, ids, starts, stops))
        size = len(block)
        if not whole and size < _LONGEST:
            ends = np.flatnonzero(ids[:tokens] < 0)  # no phrase continues after such a token
            tokens = int(ends[-1]) + 1 if len(ends) else 0
            size = int(stops[tokens - 1]) if tokens else 0
        places[:tokens] = np.arange(tokens)
        left = tokens
        for joins in self._joins:
            ends = np.array([0, left])
            left = int(join(ids, ends, self._chains, np.uint64(self._bits), joins, ids, ends, places))
        joined = np.empty(size + tokens * len(self._delimiter), np.uint8)
        written = write_joined(text, size, tokens, places, left, starts, stops, self._delimiter, joined)
        return joined[:written].tobytes(), block[size:]
