"""Words composed from the rows of their character n-grams (Bojanowski et al. 2017, arXiv 1607.04606).

The input vector of a word is the mean of its own row, if it has one, and those of its n-grams, and each of these rows
receives the whole change of the mean, as in fastText. Rows that always change alike can be trained as one, their mean.
fastText composes a center again for each of its pairs. Here each input word of a lane's slice is composed once, into a
private row, and the lane trains on that row as on any input row; all objectives are those of ``objectives.py``. A round
(see ``sharing.py``) gets another phase, and two get more to do:

    prepare   a lane lists the input words of its slice                                        list_words
    compose   each thread composes some columns of the words of all lanes                      compose_words
    add       and adds the change of these columns to the rows, in lane order                  spread_words

So one thread alone touches a column of the input and n-gram rows, which stays in its cache from round to round, in a
plane of its own (``planes.py``), and all threads have the same work, whichever rows the words of a round have. Rows are
in an order (``objectives.py``) that the processor fetches ahead by itself: fetching the next word's by instruction took
a quarter longer.
"""

from typing import NamedTuple

import numpy as np

from wordvec.kernels.sharing import rate_of
from wordvec.kernels.simd import Int, kernel, load, multiply, multiply_add, splat, store, subtract
from wordvec.kernels.slices import CENTER, FILLED, LAST_CENTER, PRIVATE, Lane, Step
from wordvec.kernels.tile import add_to

_FNV_BASIS, _FNV_PRIME = np.uint32(2166136261), np.uint32(16777619)

_BELOW, _ABOVE = np.uint8(ord("<")), np.uint8(ord(">"))


class Subwords(NamedTuple):
    """The rows each word is the mean of; read-only but for ``table``.

    A row is the mean of its parts: the rows of n-grams that always occur together, so that they always change alike.
    """

    offsets: np.ndarray  # (V + 1,) int64
    rows: np.ndarray  # (offsets[V],) int32, the word's own row first; a bucket that two n-grams share occurs twice
    parts: np.ndarray  # (offsets[V],) float32, the number of parts of each of these rows
    sizes: np.ndarray  # (V,) float32, the number of parts of each word
    rates: np.ndarray  # (offsets[V],) float32, factors of the learning rate of each of these rows
    contexts: bool  # whether contexts are inputs, or only centers
    table: np.ndarray = np.zeros(0, np.float32)  # (all rows * stride,) float32, a plane for the columns of each thread
    columns: np.ndarray = np.zeros(1, np.int64)  # (threads + 1,) int64, their bounds


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
def plane_of(subwords: Subwords, thread: int, stride: int) -> tuple[int, int, int]:
    """Return the first column of ``thread``, the one after its last, and where row 0 would start in its plane.

    Column d of a row is at start + row * (last - first) + d.
    """
    first, last = subwords.columns[thread], subwords.columns[thread + 1]
    return first, last, subwords.table.size // stride * first - first


@kernel(inline=True)
def row_place(subwords: Subwords, k: int, start: int, width: int) -> int:
    return start + int(subwords.rows[k]) * width


@kernel(inline=True)
def copy_place(place: int, stride: int, start: int, width: int) -> int:
    """Return where the unchanged copy of a word composed at ``place`` is in a plane: in the row after its own."""
    return start + (place // stride + 1) * width


@kernel(inline=True)
def compose(
    memory: np.ndarray, subwords: Subwords, word: int, stride: int, first: int, last: int, start: int, place: int
) -> None:
    """Write columns ``first`` to ``last`` of the mean of the word's parts to ``place``, and a copy to the plane.

    Two vectors at a time, whose loads overlap.
    """
    table, width = subwords.table, last - first
    begin, end = subwords.offsets[word], subwords.offsets[word + 1]
    scale = splat(np.float32(1) / subwords.sizes[word])
    copy = copy_place(place, stride, start, width)
    pairs = last - width % 32
    for d in range(first, pairs, 32):
        a0 = a1 = splat(np.float32(0))
        for k in range(begin, end):
            row, parts = row_place(subwords, k, start, width) + d, splat(subwords.parts[k])
            a0, a1 = multiply_add(parts, load(table, row), a0), multiply_add(parts, load(table, row + 16), a1)
        a0, a1 = multiply(a0, scale), multiply(a1, scale)
        store(memory, place + d, a0)
        store(memory, place + d + 16, a1)
        store(table, copy + d, a0)
        store(table, copy + d + 16, a1)
    for d in range(pairs, last, 16):
        total = splat(np.float32(0))
        for k in range(begin, end):
            total = multiply_add(splat(subwords.parts[k]), load(table, row_place(subwords, k, start, width) + d), total)
        total = multiply(total, scale)
        store(memory, place + d, total)
        store(table, copy + d, total)


@kernel(inline=True)
def composed_place(lane: Lane, i: Int, stride: int) -> int:
    """Return where the lane's composed word ``i`` is, after its copies of shared rows; an unchanged copy follows, see
    ``copy_place``."""
    place: int = lane.state[PRIVATE] + (1 + lane.copied.size + 2 * i) * stride
    return place


@kernel(internal=True)
def list_words(
    lane: Lane, words: np.ndarray, slot_of_row: np.ndarray, step: Step, subwords: Subwords | None
) -> None:  # fmt: skip
    """List the input words of the prepared slice, and set their places to where they will be composed.

    Args:
        words: (1 + words,) int64, set to their number and the words.
        slot_of_row: (2 V,) int32, private to the thread; all -1 before and after.
    """
    if subwords is not None:
        state = lane.state
        count: Int = 0
        first, last = (0, state[FILLED]) if subwords.contexts else (state[CENTER], state[LAST_CENTER])
        for b in range(first, last):
            word = lane.token_ids[b]
            if slot_of_row[word] < 0:  # not listed yet
                count += 1
                words[count] = word
                slot_of_row[word] = count
            lane.input_places[b] = composed_place(lane, np.int64(slot_of_row[word]), step.stride)
        words[0] = count
        for word in words[1 : count + 1]:
            slot_of_row[word] = -1


@kernel(internal=True)
def compose_words(
    memory: np.ndarray, lane: Lane, words: np.ndarray, step: Step, subwords: Subwords | None, thread: int, threads: int
) -> None:
    """Compose the columns of ``thread`` of the listed words."""
    if subwords is not None:
        stride = step.stride
        first, last, start = plane_of(subwords, thread, stride)
        for i in range(1, words[0] + 1 if first < last else 0):
            compose(memory, subwords, words[i], stride, first, last, start, composed_place(lane, i, stride))


@kernel(internal=True)
def spread_words(
    memory: np.ndarray, lane: Lane, words: np.ndarray, step: Step, subwords: Subwords | None, row_rates: np.ndarray,
    thread: int, threads: int,
) -> None:  # fmt: skip
    """Add the change of every composed word, times their rates, to the columns of ``thread`` of its rows."""
    if subwords is not None:
        stride, table = step.stride, subwords.table
        first, last, start = plane_of(subwords, thread, stride)
        width = last - first
        for i in range(1, words[0] + 1 if width > 0 else 0):
            place = composed_place(lane, i, stride)
            copy = copy_place(place, stride, start, width)
            for k in range(subwords.offsets[words[i]], subwords.offsets[words[i] + 1]):
                rate = subwords.rates[k] * rate_of(row_rates, subwords.rows[k])
                if rate != 0:
                    row = row_place(subwords, k, start, width)
                    for d in range(first, last, 16):
                        change = subtract(load(memory, place + d), load(table, copy + d))
                        add_to(table, row + d, multiply(change, splat(rate)))
