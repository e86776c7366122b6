"""Phrase detection: counting the pairs of a corpus, and joining those that are phrases.

A pair is two words of a sentence with nothing, or only connector words, between them. Its key is one integer: the chain
of connector words, then the two words, ``bits`` bits each. Chains are the nodes of a trie; the root, 0, is the empty
chain.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.batches import BASE, SIZE, Batch, ask_for_keys, read_batch, start_batch
from wordvec.kernels.simd import Int, kernel
from wordvec.kernels.tokenize import ONE, PADDING, Types, find

MIX = np.uint64(0x9E3779B97F4A7C15)
"""2^64 / golden ratio (Fibonacci hashing, Knuth 6.4)."""
PRIME, BASIS = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)
"""Constants of FNV-1a, 64 bits."""


LONGEST = 64
"""Maximum number of connector words in a chain, which bounds the text of all chains."""


class Chains(NamedTuple):
    """Chains of connector words, as a trie."""

    connectors: np.ndarray  # (V,) int32, the number of a connector word, -1 for other words
    following: np.ndarray  # (nodes, connector words) int32, the chain after one more connector word; 0: none yet
    used: np.ndarray  # (1,) int64, number of nodes


class Joins(NamedTuple):
    """The phrases of one pass, by key: open addressing."""

    keys: np.ndarray  # (P,) uint64
    phrase_ids: np.ndarray  # (P,) int32
    slots: np.ndarray  # (power of two, at least twice P) int32, the row of a phrase, or -1
    shift: np.uint64  # 64 - log2(slots)


# -- counting ---------------------------------------------------------------------------------------------------------


@kernel
def pair_keys(
    ids: np.ndarray, offsets: np.ndarray, first: int, last: int, chains: Chains, bits: np.uint64, keys: np.ndarray
) -> Int:
    """Write the keys of the pairs whose second word is at ``first .. last``; return how many there are.

    New chains are added to ``chains`` in place. Once it is full, pairs with other chains are left out, and so are pairs
    with more than ``LONGEST`` connector words.

    Args:
        keys: (last - first,) uint64, output.
    """
    sentence = np.searchsorted(offsets, first, side="right") - 1
    end = offsets[sentence + 1]
    position = first
    while position > offsets[sentence] and chains.connectors[ids[position - 1]] >= 0:
        position -= 1
    position = max(position - 1, offsets[sentence])
    written: Int = 0
    start, chain, length = np.int64(-1), np.int64(0), 0
    while position < last:
        while position == end:
            sentence += 1
            end = offsets[sentence + 1]
            start = np.int64(-1)
        word = ids[position]
        connector = chains.connectors[word]
        if connector < 0:
            if start >= 0 and chain >= 0 and position >= first:
                keys[written] = key_of(chain, start, word, bits)
                written += 1
            start, chain, length = np.int64(word), np.int64(0), 0
        elif start >= 0 and chain >= 0:
            node = np.int64(chains.following[chain, connector])
            length += 1
            if length > LONGEST:
                node = np.int64(-1)
            elif node == 0:
                node = chains.used[0]
                if node == len(chains.following):
                    node = np.int64(-1)
                else:
                    chains.following[chain, connector] = node
                    chains.used[0] += 1
            chain = node
        position += 1
    return written


@kernel(inline=True)
def key_of(chain: Int, start: Int, end: Int, bits: np.uint64) -> np.uint64:
    key: np.uint64 = (np.uint64(chain) << bits | np.uint64(start)) << bits | np.uint64(end)
    return key


@kernel
def count_runs(keys: np.ndarray, counts: np.ndarray) -> Int:
    """Replace sorted keys (n,) by the distinct ones, in place, with their ``counts``; return how many there are."""
    distinct: Int = 0
    for i in range(keys.size):
        if distinct > 0 and keys[distinct - 1] == keys[i]:
            counts[distinct - 1] += 1
        else:
            keys[distinct] = keys[i]
            counts[distinct] = 1
            distinct += 1
    return distinct


@kernel
def merge_counts(
    keys: np.ndarray, counts: np.ndarray, errors: np.ndarray, new_keys: np.ndarray, new_counts: np.ndarray, error: int,
    out_keys: np.ndarray, out_counts: np.ndarray, out_errors: np.ndarray,
) -> Int:  # fmt: skip
    """Merge two sorted lists of distinct keys and add their counts; return the number of distinct keys.

    Args:
        errors: (n,) int64, the occurrences of each key that may not be counted.
        error: the same for a new key.
        out_keys, out_counts, out_errors: outputs, with room for all keys of both.
    """
    i = j = 0
    written: Int = 0
    while i < keys.size or j < new_keys.size:
        known = i < keys.size and (j == new_keys.size or keys[i] <= new_keys[j])
        key = keys[i] if known else new_keys[j]
        count, missed = np.int64(0), np.int64(error)
        if j < new_keys.size and new_keys[j] == key:
            count += new_counts[j]
            j += 1
        if known:
            count += counts[i]
            missed = errors[i]
            i += 1
        out_keys[written], out_counts[written], out_errors[written] = key, count, missed
        written += 1
    return written


@kernel
def hash_words(letters: np.ndarray, starts: np.ndarray, hashes: np.ndarray) -> None:
    """Write the FNV-1a hash of each word ``letters[starts[w]:starts[w + 1]]`` to ``hashes`` (V,) uint64."""
    for word in range(hashes.size):
        hashes[word] = hashed(BASIS, letters, starts[word], starts[word + 1])


@kernel
def hash_pairs(
    keys: np.ndarray, bits: np.uint64, word_hashes: np.ndarray, letters: np.ndarray, starts: np.ndarray,
    chain_letters: np.ndarray, chain_starts: np.ndarray, hashes: np.ndarray,
) -> None:  # fmt: skip
    """Write the hash of each pair as joined text, which equals ``hash_words`` of that text, to ``hashes`` (P,) uint64.

    Args:
        chain_letters, chain_starts: what stands between the two words, for each chain.
    """
    mask = (ONE << bits) - ONE
    for pair in range(keys.size):
        key = keys[pair]
        end, start, chain = key & mask, key >> bits & mask, key >> bits >> bits
        value = hashed(word_hashes[start], chain_letters, chain_starts[chain], chain_starts[chain + ONE])
        hashes[pair] = hashed(value, letters, starts[end], starts[end + ONE])


@kernel(inline=True)
def hashed(value: np.uint64, letters: np.ndarray, start: Int, stop: Int) -> np.uint64:
    for k in range(start, stop):
        value = (value ^ np.uint64(letters[k])) * PRIME
    return value


# -- joining ----------------------------------------------------------------------------------------------------------


@kernel
def fill_slots(joins: Joins) -> None:
    """Enter the phrases, whose keys are distinct, into the slots, which must all be empty."""
    mask = np.uint64(joins.slots.size - 1)
    for row in range(joins.keys.size):
        slot = (joins.keys[row] * MIX) >> joins.shift
        while joins.slots[slot] >= 0:
            slot = (slot + ONE) & mask
        joins.slots[slot] = row


@kernel(inline=True)
def phrase_of(joins: Joins, key: np.uint64) -> int:
    """Return the row of a phrase, or -1."""
    mask = np.uint64(joins.slots.size - 1)
    slot = (key * MIX) >> joins.shift
    while joins.slots[slot] >= 0 and joins.keys[joins.slots[slot]] != key:
        slot = (slot + ONE) & mask
    row: int = joins.slots[slot]
    return row


@kernel
def join(
    ids: np.ndarray, offsets: np.ndarray, chains: Chains, bits: np.uint64, joins: Joins, joined: np.ndarray,
    joined_offsets: np.ndarray, places: np.ndarray,
) -> Int:  # fmt: skip
    """Replace phrases by their ids, from left to right, and return the number of tokens that are left.

    Args:
        ids: (N,) int32; negative: a word that is part of no phrase, or the end of a sentence.
        joined: (N,) int32, output; may be ``ids``.
        joined_offsets: (S + 1,) int64, output; may be ``offsets``.
        places: (N,) int32, updated in place: the first token of what is left, as ``joined``; or empty.
    """
    written: Int = 0
    position = offsets[0]
    for sentence in range(offsets.size - 1):
        last = offsets[sentence + 1]
        joined_offsets[sentence] = written
        start, chain, first = np.int64(-1), np.int64(0), written
        while position < last:
            word = ids[position]
            connector = np.int32(-1) if word < 0 else chains.connectors[word]
            row = np.int64(-1)
            if connector < 0:
                if start >= 0 and chain >= 0 and word >= 0:
                    row = np.int64(phrase_of(joins, key_of(chain, start, word, bits)))
                if row >= 0:
                    joined[first] = joins.phrase_ids[row]
                    written = first + 1
                    start = np.int64(-1)
                else:
                    start, chain, first = np.int64(word), np.int64(0), written
            elif start >= 0 and chain >= 0:
                node = np.int64(chains.following[chain, connector])
                chain = node if node > 0 else np.int64(-1)
            if row < 0:
                joined[written] = word
                if places.size > 0:
                    places[written] = places[position]
                written += 1
            position += 1
    joined_offsets[offsets.size - 1] = written
    return written


# -- text -------------------------------------------------------------------------------------------------------------


@kernel
def read_tokens(
    text: np.ndarray, types: Types, batch: Batch, ids: np.ndarray, starts: np.ndarray, stops: np.ndarray
) -> Int:
    """Find the tokens of ``text``; the text neither starts nor ends inside a token.

    Args:
        text: (bytes,) uint8. types: the words that are part of phrases.
        ids: (bytes + 1,) int32, output; -1 for other words and for a newline.
        starts, stops: (bytes + 1,) int32, output: the bytes of each.

    Returns:
        The number of tokens, newlines included.
    """
    end = np.uint64(text.size - PADDING)
    written: Int = 0
    done = np.uint64(0)
    start_batch(batch, 0)
    while batch.state[BASE] <= end:
        read_batch(text, batch, types)
        ask_for_keys(batch, types)
        for k in range(np.int64(batch.state[SIZE])):
            first, stop = batch.firsts[k], batch.stops[k]
            written = read_newlines(text, done, first, written, ids, starts, stops)
            ids[written] = types.slots[find(types, text, first, stop, batch.lows[k], batch.highs[k])]
            starts[written], stops[written] = first, stop
            written += 1
            done = stop
    return read_newlines(text, done, end, written, ids, starts, stops)


@kernel(inline=True)
def read_newlines(
    text: np.ndarray, first: np.uint64, last: np.uint64, written: Int, ids: np.ndarray, starts: np.ndarray,
    stops: np.ndarray,
) -> Int:  # fmt: skip
    """Write a token for each newline in ``text[first:last]``; return the number of tokens so far."""
    while first < last:
        if text[first] == 10:
            ids[written], starts[written], stops[written] = -1, first, first + ONE
            written += 1
        first += ONE
    return written


@kernel
def write_joined(
    text: np.ndarray, size: int, tokens: int, places: np.ndarray, left: int, starts: np.ndarray, stops: np.ndarray,
    delimiter: np.ndarray, joined: np.ndarray,
) -> Int:  # fmt: skip
    """Copy the first ``size`` bytes of a text with ``delimiter`` between the tokens of each phrase.

    Args:
        tokens: number of tokens in these bytes.
        places: (left,) int32, the first token of each token or phrase.
        starts, stops: (tokens,) int32, the bytes of each token.
        joined: (bytes,) uint8, output.

    Returns:
        The number of bytes written.
    """
    written: Int = 0
    byte = np.int64(0)
    unit = 0
    for token in range(tokens):
        if unit < left and places[unit] == token:
            unit += 1
        else:
            for k in range(delimiter.size):
                joined[written] = delimiter[k]
                written += 1
            byte = np.int64(starts[token])
        while byte < stops[token]:
            joined[written] = text[byte]
            byte += 1
            written += 1
    while byte < size:
        joined[written] = text[byte]
        byte += 1
        written += 1
    return written
