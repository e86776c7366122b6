"""Words composed from the rows of their character n-grams (Bojanowski et al. 2017, arXiv 1607.04606).

The input vector of a word is the mean of its own row, if it has one, and those of its n-grams, and each of these rows
receives the whole change of the mean, as in fastText. fastText composes a center again for each of its pairs. Here a
lane composes each input word of its slice once, into a private row, and trains on that row as on any input row; all
objectives are those of ``objectives.py``. At the end of the round (see ``sharing.py``)

    train     each input word is composed; afterwards its row is replaced by its change        compose_words,
                                                                                               subtract_words
    add       the changes are added to the rows of the words and n-grams, in lane order        spread_words

No thread writes an input or n-gram row during training, so every lane reads the same values. Afterwards each thread
adds to some columns of every row, so that all have the same work, whichever rows the words of a round have.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.sharing import is_owner
from wordvec.kernels.simd import Int, add, kernel, load, multiply, splat, store, subtract
from wordvec.kernels.slices import CENTER, FILLED, LAST_CENTER, PRIVATE, Lane, Step
from wordvec.kernels.tile import add_to, prefetch_row

_FNV_BASIS, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)

_BELOW, _ABOVE = np.uint8(ord("<")), np.uint8(ord(">"))


class Subwords(NamedTuple):
    """The rows each word is the mean of; read-only."""

    offsets: np.ndarray  # (V + 1,) int64
    rows: np.ndarray  # (offsets[V],) int32, the word's own row first; a bucket that two n-grams share occurs twice
    contexts: bool  # whether contexts are inputs, or only centers


@kernel
def hash_ngrams(
    text: np.ndarray, starts: np.ndarray, min_n: int, max_n: int, buckets: int, offsets: np.ndarray, hashes: np.ndarray
) -> None:
    """Hash the character n-grams of words between ``<`` and ``>``, as ``Dictionary::computeSubwords`` of fastText.

    The hash is FNV-1a over UTF-8 bytes, with the sign extension of its ``int8_t(str[i])``. n counts characters; neither
    boundary alone is an n-gram, and an empty word has none.

    Args:
        text: (bytes,) uint8, the words one after another.
        starts: (V + 1,) int64, their bounds.
        offsets: (V + 1,) int64, set to the bounds of each word's n-grams.
        hashes: int32, set to their buckets; if empty, only ``offsets`` are set.
    """
    count: Int = 0
    for word in range(starts.size - 1):
        offsets[word] = count
        first, length = starts[word], starts[word + 1] - starts[word] + 2
        for i in range(length if length > 2 else 0):
            if i > 0 and i < length - 1 and (text[first + i - 1] & np.uint8(0xC0)) == np.uint8(0x80):
                continue
            hashed = _FNV_BASIS
            j: Int = i
            for n in range(1, max_n + 1):
                if j >= length:
                    break
                while True:  # one character
                    byte = _BELOW if j == 0 else _ABOVE if j == length - 1 else text[first + j - 1]
                    hashed = np.uint32((hashed ^ np.uint32(np.int8(byte))) * _FNV_PRIME)
                    j += 1
                    if j >= length - 1 or (text[first + j - 1] & np.uint8(0xC0)) != np.uint8(0x80):
                        break
                if n >= min_n and not (n == 1 and (i == 0 or j == length)):
                    if hashes.size:
                        hashes[count] = np.int32(hashed % np.uint32(buckets))
                    count += 1
    offsets[starts.size - 1] = count


@kernel
def average_rows(
    words: np.ndarray, ngrams: np.ndarray, offsets: np.ndarray, rows: np.ndarray, means: np.ndarray
) -> None:
    """Set each of ``means`` (V, D) to the mean of the word's row and the rows of its n-grams, outside training.

    Args:
        words: (V, D) float32, or (0, D) if the words have no rows of their own.
        ngrams: (U, D) float32.
        offsets: (V + 1,) int64, the bounds of each word's n-grams.
        rows: (offsets[V],) int64, rows in ``ngrams``; -1 counts as a row of zeros.
    """
    own = np.int64(words.shape[0] > 0)
    for word in range(means.shape[0]):
        mean, start, end = means[word], offsets[word], offsets[word + 1]
        for d in range(mean.size):
            mean[d] = words[word, d] if own else np.float32(0)
        for k in range(start, end):
            if rows[k] >= 0:
                for d in range(mean.size):
                    mean[d] += ngrams[rows[k], d]
        for d in range(mean.size):
            mean[d] *= np.float32(1) / np.float32(max(end - start + own, 1))


@kernel(inline=True)
def row_start(subwords: Subwords, k: int, stride: int) -> int:
    return int(subwords.rows[k]) * stride


@kernel(inline=True)
def compose(memory: np.ndarray, subwords: Subwords, word: int, stride: int, place: int) -> None:
    """Write the mean of the word's rows to ``place``, and a copy to the row after it.

    Four vectors at a time, whose loads overlap.
    """
    start, end = subwords.offsets[word], subwords.offsets[word + 1]
    scale = splat(np.float32(1) / np.float32(end - start))
    whole = stride - stride % 64
    for d in range(0, whole, 64):
        a0 = a1 = a2 = a3 = splat(np.float32(0))
        for k in range(start, end):
            row = row_start(subwords, k, stride) + d
            a0, a1 = add(a0, load(memory, row)), add(a1, load(memory, row + 16))
            a2, a3 = add(a2, load(memory, row + 32)), add(a3, load(memory, row + 48))
        for copy in range(place + d, place + d + 2 * stride, stride):
            store(memory, copy, multiply(a0, scale))
            store(memory, copy + 16, multiply(a1, scale))
            store(memory, copy + 32, multiply(a2, scale))
            store(memory, copy + 48, multiply(a3, scale))
    for d in range(whole, stride, 16):
        total = splat(np.float32(0))
        for k in range(start, end):
            total = add(total, load(memory, row_start(subwords, k, stride) + d))
        store(memory, place + d, multiply(total, scale))
        store(memory, place + stride + d, multiply(total, scale))


@kernel(inline=True)
def composed_place(lane: Lane, i: Int, stride: int) -> int:
    """Return where the lane's composed word ``i`` is, after its copies of shared rows; an unchanged copy follows."""
    place: int = lane.state[PRIVATE] + (1 + lane.copied.size + 2 * i) * stride
    return place


@kernel(internal=True)
def compose_words(memory: np.ndarray, lane: Lane, step: Step, subwords: Subwords | None) -> None:
    """Compose every input word of the slice, and use the result as its input row; tokens have their slots for now."""
    if subwords is not None:
        state, stride, words = lane.state, step.stride, lane.words
        count: Int = 0
        first, last = (0, state[FILLED]) if subwords.contexts else (state[CENTER], state[LAST_CENTER])
        for b in range(first, last):
            slot, token_id = lane.input_places[b], np.int64(lane.token_ids[b])
            if lane.places[slot] == token_id * stride:  # not composed yet
                count += 1
                words[count] = token_id
                lane.places[slot] = composed_place(lane, count, stride)
        words[0] = count
        for i in range(1, count + 1):
            ahead = words[min(i + 1, count)]
            for k in range(subwords.offsets[ahead], subwords.offsets[ahead + 1]):
                prefetch_row(memory, row_start(subwords, k, stride), stride)
            compose(memory, subwords, words[i], stride, composed_place(lane, i, stride))


@kernel(internal=True)
def subtract_words(memory: np.ndarray, lane: Lane, step: Step, subwords: Subwords | None) -> None:
    """Replace the composed words by their change."""
    if subwords is not None:
        stride = step.stride
        for i in range(1, lane.words[0] + 1):
            place = composed_place(lane, i, stride)
            for d in range(0, stride, 16):
                store(memory, place + d, subtract(load(memory, place + d), load(memory, place + stride + d)))


@kernel(internal=True)
def rate_of(row_rates: np.ndarray, row: int) -> np.float32:
    rate = np.float32(1)
    if row_rates.size:
        rate = row_rates[row]
    return rate


@kernel(internal=True)
def spread_words(
    memory: np.ndarray, lane: Lane, step: Step, subwords: Subwords | None, row_rates: np.ndarray, thread: int,
    threads: int,
) -> None:  # fmt: skip
    """Add the change of every composed word, times their rates, to the part of its rows that is that of ``thread``
    among ``threads``: some columns of all rows, or, if the threads are more than a row has vectors, of some rows."""
    if subwords is not None:
        stride, words = step.stride, lane.words
        vectors = stride // 16
        groups = (threads + vectors - 1) // vectors
        parts = threads // groups
        if thread < groups * parts:
            part, group = thread % parts, thread // parts
            first, last = vectors * part // parts * 16, vectors * (part + 1) // parts * 16
            for i in range(1, words[0] + 1):
                ahead = words[min(i + 1, words[0])]
                for k in range(subwords.offsets[ahead], subwords.offsets[ahead + 1]):
                    if is_owner(subwords.rows[k], group, groups):
                        prefetch_row(memory, row_start(subwords, k, stride) + first, last - first)
                place = composed_place(lane, i, stride)
                for k in range(subwords.offsets[words[i]], subwords.offsets[words[i] + 1]):
                    rate = rate_of(row_rates, subwords.rows[k])
                    if rate != 0 and is_owner(subwords.rows[k], group, groups):
                        row = row_start(subwords, k, stride)
                        for d in range(first, last, 16):
                            add_to(memory, row + d, multiply(load(memory, place + d), splat(rate)))
