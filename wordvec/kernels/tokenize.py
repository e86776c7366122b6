"""Tokenizing, type counting and encoding of UTF-8 bytes.

Tokens are separated by ASCII white space (as in ``bytes.split()``) and sentences end with a newline. Sixty-four bytes
at a time are converted to a bit mask of white space; a token between two blanks is identified by two integers, made of
its first fifteen bytes and its length. Most tokens are found in a small table of frequent types, which fits the
processor's cache; the others are looked up together in the large one, so that their memory accesses overlap.
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

    def count_ones(bits: np.uint64) -> np.uint64:
        return np.uint64(int(bits).bit_count())

    def load_eight(text: np.ndarray, place: np.uint64) -> np.uint64:
        return np.uint64(int.from_bytes(text[int(place) : int(place) + 8].tobytes(), "little"))

    def _mask(doc: str, *ranges: tuple[int, int]) -> Any:
        def mask(text: np.ndarray, place: np.uint64) -> np.uint64:
            piece = text[int(place) : int(place) + 64]
            found = np.any([(piece >= low) & (piece <= high) for low, high in ranges], axis=0)
            return np.uint64(int.from_bytes(np.packbits(found, bitorder="little").tobytes(), "little"))

        return mask

else:

    @primitive
    def trailing_zeros(typingctx: Any, bits: Any) -> Lowering:
        """Return the number of trailing zero bits of a nonzero uint64."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.cttz(args[0], context.get_constant(numba_types.boolean, True))

        return numba_types.uint64(numba_types.uint64), codegen

    @primitive
    def count_ones(typingctx: Any, bits: Any) -> Lowering:
        """Return the number of one bits of a uint64."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.ctpop(args[0])

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

    def _mask(doc: str, *ranges: tuple[int, int]) -> Any:
        """Make a primitive that returns the bit mask of the bytes in ``ranges`` among the 64 from a place on."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = ir.VectorType(ir.IntType(8), 64)
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            piece = builder.load(builder.bitcast(builder.gep(data, [args[1]]), kind.as_pointer()), align=1)
            marks = None
            for low, high in ranges:
                above = builder.sub(piece, ir.Constant(kind, [low] * 64))
                found = builder.icmp_unsigned("<=", above, ir.Constant(kind, [high - low] * 64))
                marks = found if marks is None else builder.or_(marks, found)
            mask = builder.bitcast(marks, ir.IntType(64))
            return mask if sys.byteorder == "little" else builder.bitreverse(mask)

        def typing(typingctx: Any, text: Any, place: Any) -> Lowering:
            return numba_types.uint64(text, numba_types.uint64), codegen

        typing.__doc__ = doc
        return primitive(typing)


blanks = _mask("Return the bit mask of white space in the 64 bytes from ``place`` on.", (9, 13), (32, 32))
newlines = _mask("Return the bit mask of newlines in the 64 bytes from ``place`` on.", (10, 10))


# -- tokens -----------------------------------------------------------------------------------------------------------


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


class Scan(NamedTuple):
    """State of counting one text, the tokens to be looked up together, and the table of frequent types."""

    state: np.ndarray  # (6,) int64, see below; all zero at the start of a text
    firsts: np.ndarray  # (WAITING + 32,) uint64, start of each waiting token in the text
    stops: np.ndarray  # (WAITING + 32,) uint64, one past its last byte
    lows: np.ndarray  # (WAITING + 32,) uint64, see ``key_of``
    highs: np.ndarray
    places: np.ndarray  # (WAITING + 32,) int64, index of its id
    frequent: np.ndarray  # (power of two, 2) uint64: keys of at most 13 bytes, with the id above the bytes; or ABSENT


WAITING = 128
"""Minimum number of tokens that are looked up together except the last; a 64-byte block adds at most 32."""

BASE, FIRST, TOKENS, SENTENCES, WAIT, SETTLED = range(6)
"""Indices in ``Scan.state``: next 64-byte block, start of the current token, tokens, newlines, waiting tokens, and how
many of those are looked up."""

MARK, ADD, ADD_TO_NEW = range(3)
"""What ``count`` does with an unknown token: give it the id -1 (and count nothing in ``known``); add it to ``known``,
which is also ``new``; or add it to ``new`` and give it the id -1 - its row."""

ABSENT = np.uint64(0xFE00000000000000)
SHORT = np.uint64(14 << 56)
"""Keys of tokens of at most 13 bytes are below; the sixteen bits of ``ID`` are zero in them."""
ID_SHIFT, ID = np.uint64(40), np.uint64(0xFFFF)


@kernel(inline=True)
def settle(
    text: np.ndarray, known: Types, often: np.ndarray, new: Types, how: int, ids: np.ndarray, scan: Scan
) -> bool:
    """Look up the waiting tokens; return whether all fitted into ``new``."""
    shift, bits = np.uint64(known.used[SHIFT]), np.uint64(64) - trailing_zeros(np.uint64(scan.frequent.shape[0]))
    for k in range(scan.state[SETTLED], scan.state[WAIT]):
        slot = first_slot(scan.lows[k], scan.highs[k], shift)
        prefetch_to_read(known.keys, 2 * max(np.int64(known.slots[slot]), np.int64(0)))
    for k in range(scan.state[SETTLED], scan.state[WAIT]):
        first, stop, low, high = scan.firsts[k], scan.stops[k], scan.lows[k], scan.highs[k]
        number = np.int64(known.slots[find(known, text, first, stop, low, high)])
        if number < 0:
            if how != MARK:
                slot = find(new, text, first, stop, low, high)
                number = np.int64(new.slots[slot])
                if number < 0:
                    number = add(new, slot, text, first, stop, low, high)
                    if number < 0:
                        scan.state[SETTLED] = k
                        return False
                new.counts[number] += 1
                if how == ADD_TO_NEW:
                    number = -1 - number
        elif number < often.size:
            often[number] += 1
            if high < SHORT:
                place = first_slot(low, high, bits)
                other = scan.frequent[place, 1]
                if other == ABSENT or often[number] > often[(other >> ID_SHIFT) & ID]:
                    scan.frequent[place, 0], scan.frequent[place, 1] = low, high | np.uint64(number) << ID_SHIFT
        elif how != MARK:
            atomic_add(known.counts, number, 1)
        ids[scan.places[k]] = number
    scan.state[WAIT] = scan.state[SETTLED] = 0
    return True


@kernel
def count(
    text: np.ndarray, known: Types, often: np.ndarray, new: Types, how: int, ids: np.ndarray, ends: np.ndarray,
    scan: Scan,
) -> bool:  # fmt: skip
    """Count and encode the tokens of ``text``, which neither starts nor ends inside a token.

    Args:
        text: (bytes + PADDING,) uint8.
        known: type table shared between threads: the first types are counted in ``often``, the others atomically.
        often: (n,) int64, n at most 65,536, this thread's counts of the first n known types, updated in place.
        new: this thread's table of all other types, updated in place.
        how: MARK, ADD or ADD_TO_NEW.
        ids: (at least half the bytes + 1,) int32, receives the row of each token in ``known``, or what ``how`` defines.
        ends: (at least the newlines,) int32, receives for each newline the number of tokens before it.
        scan: private to the thread; ``state`` counts the tokens and newlines, and ``frequent`` belongs to ``known``.

    Returns:
        Whether the text is finished; otherwise call again with a larger ``new``.
    """
    end, shift = np.uint64(text.size - PADDING), np.uint64(known.used[SHIFT])
    bits = np.uint64(64) - trailing_zeros(np.uint64(scan.frequent.shape[0]))
    while True:
        if scan.state[WAIT] > 0 and not settle(text, known, often, new, how, ids, scan):
            return False
        base, first = np.uint64(scan.state[BASE]), np.uint64(scan.state[FIRST])
        if base > end:
            return True
        tokens, sentences, waiting = scan.state[TOKENS], scan.state[SENTENCES], 0
        while base <= end and waiting < WAITING:
            marks = blanks(text, base)
            lines = newlines(text, base)
            if lines:
                stops = marks & ~(marks << ONE | np.uint64(first == base))
                while lines:
                    others = lines & (lines - ONE)
                    before = lines ^ (lines - ONE)  # up to the first newline that is left
                    ends[sentences] = tokens + np.int64(count_ones(stops & before))
                    sentences += 1
                    lines = others
            while marks:
                stop = base + trailing_zeros(marks)
                marks &= marks - ONE
                if stop > first:
                    low, high = key_of(text, first, stop)
                    place = first_slot(low, high, bits)
                    entry = scan.frequent[place, 1]
                    if scan.frequent[place, 0] == low and (entry ^ high) & ~(ID << ID_SHIFT) == 0:
                        number = np.int64((entry >> ID_SHIFT) & ID)
                        often[number] += 1
                        ids[tokens] = number
                    else:
                        prefetch_to_read(known.slots, first_slot(low, high, shift))
                        scan.firsts[waiting], scan.stops[waiting] = first, stop
                        scan.lows[waiting], scan.highs[waiting], scan.places[waiting] = low, high, tokens
                        waiting += 1
                    tokens += 1
                first = stop + ONE
            base += WIDTH
        scan.state[BASE], scan.state[FIRST], scan.state[TOKENS] = base, first, tokens
        scan.state[SENTENCES], scan.state[WAIT] = sentences, waiting


@kernel
def drop_unknown(ids: np.ndarray, ends: np.ndarray) -> int:
    """Drop the negative ids of a text; return the number of the others, which come first in ``ids``.

    Args:
        ids: (n,) int32, updated in place.
        ends: (m,) int32, the number of ids before each newline, updated in place.
    """
    start: Int = 0
    written = 0
    for sentence in range(ends.size + 1):
        stop = np.int64(ends[sentence] if sentence < ends.size else ids.size)
        for k in range(start, stop):
            number = ids[k]
            ids[written] = number
            written += number >= 0
        start = stop
        if sentence < ends.size:
            ends[sentence] = written
    return written


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
