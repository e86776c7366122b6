"""Tokenizing, type counting and encoding of UTF-8 bytes.

Tokens are separated by ASCII white space (as in ``bytes.split()``) and sentences end with a newline. Sixty-four bytes
at a time are converted to a bit mask of white space; a token between two blanks is identified by two integers, made of
its first fifteen bytes and its length.
"""

import sys
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types as numba_types

from wordvec.kernels.simd import JIT_OFF, Int, Lowering, atomic_add, kernel, prefetch_to_read, primitive

TYPES, LETTERS, SHIFT = range(3)
"""Indices in ``Types.used``."""

PADDING = 80
"""Spaces that must follow a text, so that wide loads need no bounds check."""

ONE, EIGHT, SIXTEEN, WIDTH = np.uint64(1), np.uint64(8), np.uint64(16), np.uint64(64)
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
HIGH = np.uint64(0x8080808080808080)
"""The highest bit of each of eight bytes."""
LOW = np.uint64(0x7F7F7F7F7F7F7F7F)
LONG = np.uint64(0xFF00000000000000)
"""Length field of a token too long for its key to be unique."""


class Types(NamedTuple):
    """Type table: open addressing (slots), then one row per type."""

    used: np.ndarray  # (3,) int64: number of types, bytes in ``letters``, and 64 - log2(slots)
    slots: np.ndarray  # (power of two, at least twice the rows) int32, the type, or -1 if empty
    keys: np.ndarray  # (rows, 2) uint64
    starts: np.ndarray  # (rows + 1,) int64, start of the type's bytes in ``letters``
    letters: np.ndarray  # (bytes,) uint8
    counts: np.ndarray  # (rows,) int64
    errors: np.ndarray  # (rows,) int64, maximum number of uncounted occurrences


if JIT_OFF:

    def trailing_zeros(bits: np.uint64) -> np.uint64:
        value = int(bits)
        return np.uint64((value & -value).bit_length() - 1)

    def load_eight(text: np.ndarray, place: np.uint64) -> np.uint64:
        return np.uint64(int.from_bytes(text[int(place) : int(place) + 8].tobytes(), "little"))

else:

    @primitive
    def trailing_zeros(typingctx: Any, bits: Any) -> Lowering:
        """Return the number of trailing zero bits of a nonzero uint64."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], context.get_constant(numba_types.boolean, True))

        return numba_types.uint64(numba_types.uint64), codegen

    @primitive
    def load_eight(typingctx: Any, text: Any, place: Any) -> Lowering:
        """Load eight bytes as one little-endian integer; no bounds check."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            pointer = builder.bitcast(builder.gep(data, [args[1]]), ir.IntType(64).as_pointer())
            value = builder.load(pointer, align=1)
            return value if sys.byteorder == "little" else builder.bswap(value)

        return numba_types.uint64(text, numba_types.uint64), codegen


# -- tokens -----------------------------------------------------------------------------------------------------------


@kernel(inline=True)
def gather(flags: np.uint64) -> np.uint64:
    """Gather the highest bits of eight bytes into the lowest eight bits."""
    return ((flags >> np.uint64(7)) * np.uint64(0x0102040810204080)) >> np.uint64(56)


@kernel(inline=True)
def blanks(text: np.ndarray, base: np.uint64) -> np.uint64:
    """Return the bit mask of white space in the 64 bytes from ``base`` on."""
    marks = spaces = np.uint64(0)
    for k in range(0, 64, 8):
        value = load_eight(text, base + np.uint64(k))
        # Bytewise: adding to seven bits carries into the eighth, never beyond.
        above = ((value & LOW) + np.uint64(0x5F5F5F5F5F5F5F5F)) | value
        marks |= gather(~above & HIGH) << np.uint64(k)
        other = value ^ np.uint64(0x2020202020202020)
        other |= (other & LOW) + LOW
        spaces |= gather(~other & HIGH) << np.uint64(k)
    # Bytes below the space are rare: a newline, a tab, or a byte that belongs to a token.
    rest = marks & ~spaces
    while rest:
        byte = text[base + trailing_zeros(rest)]
        if byte < 9 or byte > 13:
            marks ^= rest ^ (rest & (rest - ONE))
        rest &= rest - ONE
    return marks


@kernel(inline=True)
def key_of(text: np.ndarray, start: np.uint64, stop: np.uint64) -> tuple[np.uint64, np.uint64]:
    """Return a key of two integers, unique for tokens of at most 15 bytes and a hash for longer ones."""
    size = stop - start
    low, high = load_eight(text, start), load_eight(text, start + EIGHT)
    if size < SIXTEEN:  # without a branch at eight bytes, which processors would predict badly
        first = min(size, EIGHT)
        low &= ALL >> ((EIGHT - first) * EIGHT)
        high &= (ONE << ((size - first) * EIGHT)) - ONE
        return low, high | size << np.uint64(56)
    high = (high ^ size) * np.uint64(0x9E3779B97F4A7C15)
    high ^= high >> np.uint64(32)
    place = start + SIXTEEN
    while place < stop:
        step = load_eight(text, place) & (ALL >> ((EIGHT - min(stop - place, EIGHT)) * EIGHT))
        high = (high ^ step) * np.uint64(0x9E3779B97F4A7C15)
        high ^= high >> np.uint64(32)
        place += EIGHT
    return low, high | LONG


@kernel(inline=True)
def first_slot(low: np.uint64, high: np.uint64, shift: np.uint64) -> np.uint64:
    """Return the first slot to probe (Fibonacci hashing, Knuth 6.4): the highest bits depend on all others."""
    mixed = (low ^ (high * np.uint64(0xC2B2AE3D27D4EB4F))) * np.uint64(0x9E3779B97F4A7C15)
    return mixed >> shift


@kernel(inline=True)
def find(
    types: Types, text: np.ndarray, start: np.uint64, stop: np.uint64, low: np.uint64, high: np.uint64
) -> np.uint64:
    """Return the slot of the type ``text[start:stop]``, or the empty slot for inserting it."""
    mask = np.uint64(types.slots.size - 1)
    slot = first_slot(low, high, np.uint64(types.used[SHIFT]))
    while True:
        number = types.slots[slot]
        if number < 0:
            return slot
        same = types.keys[number, 0] == low and types.keys[number, 1] == high
        if same and (high < LONG or is_spelled(types, number, text, start, stop)):
            return slot
        slot = (slot + ONE) & mask


@kernel
def is_spelled(types: Types, number: int, text: np.ndarray, start: np.uint64, stop: np.uint64) -> bool:
    """Whether a type equals ``text[start:stop]``, compared byte by byte."""
    first = np.uint64(types.starts[number])
    if np.uint64(types.starts[number + 1]) - first != stop - start:
        return False
    size = np.uint64(0)
    while size < stop - start and types.letters[first + size] == text[start + size]:
        size += ONE
    same: bool = size == stop - start
    return same


@kernel
def add(
    types: Types, slot: np.uint64, text: np.ndarray, start: np.uint64, stop: np.uint64, low: np.uint64, high: np.uint64
) -> np.int64:
    """Insert a new type into an empty slot; return its row, or -1 if the table is full."""
    number: np.int64 = types.used[TYPES]
    letters = types.used[LETTERS]
    size = np.int64(stop - start)
    if number == types.counts.size or letters + size > types.letters.size:
        return np.int64(-1)
    for k in range(size):
        types.letters[letters + k] = text[start + np.uint64(k)]
    types.slots[slot] = number
    types.keys[number, 0], types.keys[number, 1] = low, high
    types.starts[number], types.starts[number + 1] = letters, letters + size
    types.counts[number] = types.errors[number] = 0
    types.used[TYPES], types.used[LETTERS] = number + 1, letters + size
    return number


# -- texts ------------------------------------------------------------------------------------------------------------


class Batch(NamedTuple):
    """Batch of tokens that are looked up together, so that their memory accesses overlap."""

    state: np.ndarray  # (3,) uint64: tokens in the batch; next 64-byte block; start of the current token
    firsts: np.ndarray  # (BATCH + 32,) uint64, start of each token in the text
    stops: np.ndarray  # (BATCH + 32,) uint64, one past its last byte
    lows: np.ndarray  # (BATCH + 32,) uint64, see ``key_of``
    highs: np.ndarray
    places: np.ndarray  # (BATCH + 32,) uint64, first slot to probe


BATCH = 128
"""Minimum number of tokens per batch except the last; a 64-byte block adds at most 32."""

SIZE, BASE, FIRST = range(3)
"""Indices in ``Batch.state``."""


@kernel(inline=True)
def start_batch(batch: Batch, start: int) -> None:
    batch.state[BASE] = batch.state[FIRST] = np.uint64(start)


@kernel(inline=True)
def read_batch(text: np.ndarray, batch: Batch, types: Types) -> None:
    """Read the next tokens of the text and prefetch their slots in ``types``."""
    end, shift = np.uint64(text.size - PADDING), np.uint64(types.used[SHIFT])
    base, first, size = batch.state[BASE], batch.state[FIRST], 0
    while base <= end and size < BATCH:
        marks = blanks(text, base)
        while marks:
            stop = base + trailing_zeros(marks)
            marks &= marks - ONE
            if stop > first:
                low, high = key_of(text, first, stop)
                place = first_slot(low, high, shift)
                prefetch_to_read(types.slots, place)
                batch.firsts[size], batch.stops[size] = first, stop
                batch.lows[size], batch.highs[size], batch.places[size] = low, high, place
                size += 1
            first = stop + ONE
        base += WIDTH
    batch.state[SIZE], batch.state[BASE], batch.state[FIRST] = np.uint64(size), base, first


@kernel(inline=True)
def ask_for_keys(batch: Batch, types: Types) -> None:
    """Prefetch the keys of the types in the slots found by ``read_batch``."""
    for k in range(np.int64(batch.state[SIZE])):
        prefetch_to_read(types.keys, 2 * max(np.int64(types.slots[batch.places[k]]), np.int64(0)))


@kernel
def count(
    text: np.ndarray, start: int, known: Types, often: np.ndarray, new: Types, ids: np.ndarray, ends: np.ndarray,
    batch: Batch,
) -> tuple[int, Int, int]:  # fmt: skip
    """Count the tokens of ``text`` from byte ``start`` on; the text neither starts nor ends inside a token.

    Args:
        text: (bytes,) uint8.
        known: type table shared between threads: the first types are counted in ``often``, the others atomically.
        often: (n,) int64, this thread's counts of the first n known types, updated in place.
        new: this thread's table of all other types, updated in place.
        ids: (at least half the bytes + 1,) int32, receives the row of each token in ``known``, or -1 - its row in
            ``new``.
        ends: (at least the newlines,) int32, receives for each newline the number of tokens before it.
        batch: private to the thread.

    Returns:
        Bytes, tokens and sentence ends processed; fewer bytes than given if ``new`` is full.
    """
    end = np.uint64(text.size - PADDING)
    tokens: Int = 0
    sentences = 0
    done = np.uint64(start)
    start_batch(batch, start)
    while batch.state[BASE] <= end:
        read_batch(text, batch, known)
        ask_for_keys(batch, known)
        for k in range(np.int64(batch.state[SIZE])):
            first, stop, low, high = batch.firsts[k], batch.stops[k], batch.lows[k], batch.highs[k]
            while done < first:
                if text[done] == 10:
                    ends[sentences] = tokens
                    sentences += 1
                done += ONE
            number = np.int64(known.slots[find(known, text, first, stop, low, high)])
            if number < 0:
                slot = find(new, text, first, stop, low, high)
                row = np.int64(new.slots[slot])
                if row < 0:
                    row = add(new, slot, text, first, stop, low, high)
                    if row < 0:
                        read: Any = np.int64(first)  # an int to the caller
                        return read, tokens, sentences
                new.counts[row] += 1
                number = -1 - row
            elif number < often.size:
                often[number] += 1
            else:
                atomic_add(known.counts, number, 1)
            ids[tokens] = number
            tokens += 1
            done = stop
    while done < end:
        if text[done] == 10:
            ends[sentences] = tokens
            sentences += 1
        done += ONE
    return text.size - PADDING, tokens, sentences


@kernel
def encode(text: np.ndarray, types: Types, ids: np.ndarray, ends: np.ndarray, batch: Batch) -> tuple[Int, int, int]:
    """Encode the tokens of ``text`` that are in the table; the text neither starts nor ends inside a token.

    Args:
        text: (bytes,) uint8.
        types: the vocabulary; a type's row is its id.
        ids: (at least half the bytes + 1,) int32, receives the ids.
        ends: (at least the newlines,) int32, receives for each newline the number of ids of this text before it.
        batch: scratch.

    Returns:
        Tokens read, ids and sentence ends written.
    """
    end = np.uint64(text.size - PADDING)
    tokens: Int = 0
    kept = sentences = 0
    done = np.uint64(0)
    start_batch(batch, 0)
    while batch.state[BASE] <= end:
        read_batch(text, batch, types)
        ask_for_keys(batch, types)
        size = np.int64(batch.state[SIZE])
        for k in range(size):
            first, stop = batch.firsts[k], batch.stops[k]
            # Usually a single blank between two tokens.
            while done < first:
                if text[done] == 10:
                    ends[sentences] = kept
                    sentences += 1
                done += ONE
            number = types.slots[find(types, text, first, stop, batch.lows[k], batch.highs[k])]
            ids[kept] = number
            kept += number >= 0
            done = stop
        tokens += size
    while done < end:
        if text[done] == 10:
            ends[sentences] = kept
            sentences += 1
        done += ONE
    return tokens, kept, sentences


@kernel
def renumber(ids: np.ndarray, numbers: np.ndarray, ends: np.ndarray, first: int, kept: int) -> int:
    """Replace the ids of a part of a corpus, and drop those without a new one.

    Args:
        ids: (n,) int32, updated in place.
        numbers: (types,) int32, the new id of each, or -1.
        ends: (m,) int64, ascending, ends of sentences between ``first`` and ``first + n``, updated in place.
        first, kept: ids of the corpus before this part, and how many of them were kept.

    Returns:
        The number of ids kept, which come first in ``ids``.
    """
    start: Int = 0
    written = 0
    for sentence in range(ends.size + 1):
        stop = np.int64(ends[sentence] - first if sentence < ends.size else ids.size)
        for k in range(start, stop):
            number = numbers[ids[k]]
            ids[written] = number
            written += number >= 0
        start = stop
        if sentence < ends.size:
            ends[sentence] = kept + written
    return written


# -- tables -----------------------------------------------------------------------------------------------------------


@kernel
def merge(types: Types, new: Types, first: int, error: int, rows: np.ndarray) -> int:
    """Merge the types of another table, from row ``first`` on, with their counts.

    Args:
        types: updated in place. A type not yet in it may have occurred ``error`` times before.
        new: one thread's table.
        rows: (types of ``new``,) int32, receives their rows in ``types``.

    Returns:
        The first row of ``new`` that did not fit.
    """
    for number in range(first, new.used[TYPES]):
        start, stop = np.uint64(new.starts[number]), np.uint64(new.starts[number + 1])
        low, high = new.keys[number, 0], new.keys[number, 1]
        slot = find(types, new.letters, start, stop, low, high)
        row = np.int64(types.slots[slot])
        if row < 0:
            row = add(types, slot, new.letters, start, stop, low, high)
            if row < 0:
                return number
            types.errors[row] = error
        types.counts[row] += new.counts[number]
        rows[number] = row
    end: int = new.used[TYPES]
    return end


@kernel
def rehash(types: Types) -> None:
    """Rebuild the slots, which must all be empty."""
    mask = np.uint64(types.slots.size - 1)
    for number in range(types.used[TYPES]):
        slot = first_slot(types.keys[number, 0], types.keys[number, 1], np.uint64(types.used[SHIFT]))
        while types.slots[slot] >= 0:
            slot = (slot + ONE) & mask
        types.slots[slot] = number


@kernel
def keep(types: Types, kept: np.ndarray) -> None:
    """Drop the rows that are not ``kept`` (types,) bool, preserving order. Must be followed by ``rehash``."""
    row = letters = 0
    for number in range(types.used[TYPES]):
        if kept[number]:
            start, stop = types.starts[number], types.starts[number + 1]
            for k in range(stop - start):
                types.letters[letters + k] = types.letters[start + k]
            types.keys[row, 0], types.keys[row, 1] = types.keys[number, 0], types.keys[number, 1]
            types.counts[row], types.errors[row] = types.counts[number], types.errors[number]
            types.starts[row] = letters
            letters += stop - start
            row += 1
    types.starts[row] = letters
    types.used[TYPES], types.used[LETTERS] = row, letters


@kernel
def spell(types: Types, numbers: np.ndarray, text: np.ndarray) -> int:
    """Write the bytes of some types, each followed by a newline; return the number of bytes written.

    Args:
        numbers: (n,) int64.
        text: (at least their bytes + n,) uint8, updated in place.
    """
    written = 0
    for number in numbers:
        for k in range(types.starts[number], types.starts[number + 1]):
            text[written] = types.letters[k]
            written += 1
        text[written] = 10
        written += 1
    return written
