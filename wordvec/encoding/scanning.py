"""Implementation of ``encode_corpus``: counting types in bounded memory, and looking up token ids.

Text comes as blocks of bytes that neither start nor end inside a token. White space inside a token, possible only in
lists of tokens, is replaced by bytes that UTF-8 does not use (``hide``, ``split_tokens``). For a text without
tokens, which is refused, no kernel is called, because compiling takes long.
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from wordvec.kernels.tokenize import Scan, Types

Item = TypeVar("Item")
Result = TypeVar("Result")

_FIRST_ROUND, _LARGEST_ROUND = 1 << 20, 1 << 24
"""Bytes of text after which the threads' tables are merged: the first time, and at most."""

_OFTEN = 1 << 16
"""Number of first types that each thread counts in an array of its own."""

_FREQUENT = 1 << 14
"""Size of the table of frequent types of each thread: 256 KB, which leaves room for more in the second cache."""

WHITE = bytes([*range(9, 14), 32])
"""Bytes that separate tokens: ASCII white space."""

_UNUSED = bytes(range(0xF8, 0xF8 + len(WHITE)))
_HIDE, _SHOW = bytes.maketrans(WHITE, _UNUSED), bytes.maketrans(_UNUSED, WHITE)
_HIDDEN = re.compile(rb"[\xf8-\xfd]")


def hide(token: bytes) -> bytes:
    """Replace the white space of a UTF-8 token reversibly; ``split_tokens`` restores it."""
    return token.translate(_HIDE)


def join_tokens(tokens: list[str]) -> bytes:
    """Join tokens into a block of text, one per line."""
    text = "\n".join(tokens)
    if text.count("\n") == len(tokens) - 1 and not any(white in text for white in "\t\v\f\r "):
        return text.encode() + b"\n"
    return b"".join(hide(token.encode()) + b"\n" for token in tokens)


def split_tokens(text: bytes) -> list[str]:
    """Split a block made by ``join_tokens`` into its tokens."""
    if not text.isascii() and _HIDDEN.search(text):
        return [token.translate(_SHOW).decode() for token in text.split(b"\n")[:-1]]
    return text.decode().split("\n")[:-1]


class Table:
    """A growing hash table of types and their counts."""

    def __init__(self, rows: int = 1 << 16) -> None:
        from wordvec.kernels.tokenize import Types

        self.types = Types(
            used=np.zeros(3, np.int64),
            slots=np.empty(0, np.int32),
            keys=np.empty((rows, 2), np.uint64),
            starts=np.zeros(rows + 1, np.int64),
            letters=np.empty(8 * rows, np.uint8),
            counts=np.empty(rows, np.int64),
            errors=np.empty(rows, np.int64),
        )
        self._make_slots()

    @classmethod
    def of(cls, block: bytes, least: int = 2) -> "Table":
        """Return a table of distinct joined tokens, numbered by position, with at least ``least`` rows."""
        from wordvec.kernels.tokenize import ADD, count

        rows = max(block.count(b"\n"), least)
        table = Table(1 << (rows - 1).bit_length())
        buffers = Buffers()
        text, scan = buffers.padded(block), buffers.scan()
        while block and not count(text, table.types, buffers.often, table.types, ADD, buffers.ids, buffers.ends, scan):
            table.grow()
        return table

    def __len__(self) -> int:
        return int(self.types.used[0])

    @property
    def counts(self) -> np.ndarray:
        """(types,) int64."""
        return self.types.counts[: len(self)]

    @property
    def errors(self) -> np.ndarray:
        """(types,) int64: the true count is at most the count plus this."""
        return self.types.errors[: len(self)]

    def grow(self) -> None:
        """Double the capacity: of the types if all rows are used, else of the letters."""
        types = self.types
        if len(self) < len(types.counts):
            self.types = types._replace(letters=_twice(types.letters))
            return
        names = ("keys", "counts", "errors")
        self.types = types._replace(**{name: _twice(getattr(types, name)) for name in names})
        starts = np.zeros(len(self.types.counts) + 1, np.int64)
        starts[: len(types.starts)] = types.starts
        self.types = self.types._replace(starts=starts)
        self._make_slots()

    def clear(self) -> None:
        """Remove all types."""
        self.types.used[:2] = 0
        self.types.slots.fill(-1)

    def merge(self, other: "Table", error: int) -> np.ndarray:
        """Add another table's types and counts; a type new here may have occurred up to ``error`` times before.

        Returns:
            (types of ``other``,) int32, their numbers here.
        """
        from wordvec.kernels.tokenize import merge

        done, rows = 0, np.empty(len(other), np.int32)
        while done < len(other):
            done = merge(self.types, other.types, done, error, rows)
            if done < len(other):
                self.grow()
        return rows

    def keep(self, kept: np.ndarray) -> None:
        """Remove the types not in ``kept`` (types,) bool."""
        from wordvec.kernels.tokenize import keep

        keep(self.types, kept)
        self._make_slots()

    def find(self, tokens: list[str]) -> np.ndarray:
        """Return the numbers, int32, of the tokens that are in the table."""
        if not tokens or not len(self):
            return np.empty(0, np.int32)
        return _encoded(join_tokens(tokens), self.types, Buffers())[1]

    def spell(self, numbers: np.ndarray) -> bytes:
        """Return the types' bytes, one per line."""
        from wordvec.kernels.tokenize import spell

        numbers = numbers.astype(np.int64)
        sizes = self.types.starts[numbers + 1] - self.types.starts[numbers]
        text: np.ndarray = np.empty(int(sizes.sum()) + len(numbers), np.uint8)
        spell(self.types, numbers, text)
        return text.tobytes()

    def ordered(self, numbers: np.ndarray) -> np.ndarray:
        """Sort types by descending count, ties in byte order."""
        counts, start = self.counts[numbers], self.types.keys[numbers, 0].byteswap()
        if (self.types.letters[: self.types.used[1]] >= _UNUSED[0]).any():
            start[:] = 0
        order = np.lexsort((start, -counts))
        numbers, counts, start = numbers[order], counts[order], start[order]
        # Only types with equal counts and equal first eight bytes remain to be compared.
        equal = np.flatnonzero((counts[1:] == counts[:-1]) & (start[1:] == start[:-1]))
        tied = np.union1d(equal, equal + 1)
        words = [word.translate(_SHOW) for word in self.spell(numbers[tied]).split(b"\n")[:-1]]
        ranks = list(zip((-counts[tied]).tolist(), words, strict=True))
        places = sorted(range(len(tied)), key=ranks.__getitem__)
        numbers[tied] = numbers[tied[places]]
        return numbers

    def _make_slots(self) -> None:
        from wordvec.kernels.tokenize import SHIFT, rehash

        bits = (2 * len(self.types.counts) - 1).bit_length()
        if len(self.types.slots) != 1 << bits:
            self.types = self.types._replace(slots=np.empty(1 << bits, np.int32))
        self.types.slots.fill(-1)
        self.types.used[SHIFT] = 64 - bits
        if len(self):
            rehash(self.types)


class Buffers:
    """Reusable memory for one block: allocating fresh pages costs more than writing to them."""

    def __init__(self) -> None:
        self._text = np.empty(0, np.uint8)
        self.ids = np.empty(0, np.int32)
        self.ends = np.empty(0, np.int32)
        self.often = np.empty(0, np.int64)
        self._scan: Scan | None = None

    def scan(self) -> "Scan":
        """Return the state of counting a text, at its start; ``often`` has the counts of frequent types so far."""
        if self._scan is None:
            from wordvec.kernels.tokenize import WAITING, Scan

            places, frequent = np.empty(WAITING + 32, np.int64), np.empty((_FREQUENT, 2), np.uint64)
            firsts, stops, lows, highs = np.empty((4, WAITING + 32), np.uint64)
            self._scan = Scan(np.empty(6, np.int64), firsts, stops, lows, highs, places, frequent)
            self.often = np.empty(_OFTEN, np.int64)
            self.forget()
        self._scan.state[:] = 0
        return self._scan

    def forget(self) -> None:
        """Forget all frequent types and their counts."""
        from wordvec.kernels.tokenize import ABSENT

        assert self._scan is not None
        self._scan.frequent[:, 1] = ABSENT
        self.often[:] = 0

    def padded(self, block: bytes) -> np.ndarray:
        """Return the block padded with spaces, as the kernels require, and make room for its ids."""
        from wordvec.kernels.tokenize import PADDING

        size = len(block)
        if size + PADDING > len(self._text):
            self._text = np.empty(size + PADDING, np.uint8)
            self.ids, self.ends = np.empty(size // 2 + 1, np.int32), np.empty(size, np.int32)
        text = self._text[: size + PADDING]
        text[:size] = np.frombuffer(block, np.uint8)
        text[size:] = 32
        return text


def _twice(array: np.ndarray) -> np.ndarray:
    grown: np.ndarray = np.empty((2 * len(array), *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


class Counter:
    """Counts the types of a text in several threads, in memory bounded by ``max_types``.

    The text is counted in rounds of a fixed number of bytes. During a round, all threads read a shared table of the
    types known so far and count new types in tables of their own, which are merged when the round ends; one thread
    adds them to that table at once. The counts therefore depend only on the text.

    If more than ``max_types`` types are known after a round, the rarest are discarded until at most half are left
    (Misra and Gries 1982, in the form of Manku and Motwani 2002, which keeps counts): a type counted f times since it
    was last new, which may have occurred up to d times before, is kept while f + d is above ``error``, which is raised
    as far as necessary. ``error`` bounds how much a count is too low, and the count of a missing type; it is at most
    tokens / (max_types // 2 + 1), since raising it by one takes one from more than half of ``max_types`` sums
    f + d - error.

    Args:
        threads: number of threads.
        max_types: discard the rarest types above this number.
        pinned: tokens that are never discarded; they have the first numbers.
        write: is called with the ids (n,) int32 of each block, the numbers of its tokens in ``table``, and its sentence
            ends (m,) int32, in order, until types are discarded: then ``error`` is above 0.
    """

    def __init__(
        self,
        threads: int,
        max_types: int,
        pinned: list[str],
        write: Callable[[np.ndarray, np.ndarray], object] | None = None,
    ) -> None:
        self.table = Table.of(join_tokens(pinned), 1 << 17)
        self.table.counts[:] = 0
        self.pinned = len(pinned)
        self.max_types = max_types
        self.error = 0
        self.tokens = 0
        self._threads = threads
        self._new = [Table() for _ in range(threads)] if threads > 1 else [self.table]
        self._buffers = [Buffers() for _ in range(threads)]
        for buffers in self._buffers:
            buffers.scan()  # takes memory now, also for a thread that will find no block
        self._known = self.pinned
        self._write = write
        self._encoded: dict[int, tuple[int, np.ndarray, np.ndarray]] = {}
        self._merged: tuple[list[np.ndarray], dict[int, tuple[int, np.ndarray, np.ndarray]]] = ([], {})

    def count(self, blocks: Iterable[bytes]) -> None:
        """Count a whole text; may be called only once."""
        rounds = _rounds(blocks, min(_LARGEST_ROUND, max(_FIRST_ROUND, 8 * self.max_types)))
        with ThreadPoolExecutor(self._threads) as pool:
            coming = next(rounds, None)
            while coming is not None:
                shared = iter(enumerate(coming))
                running = [pool.submit(self._count_some, thread, shared) for thread in range(1, self._threads)]
                try:
                    self._write_merged()
                    coming = next(rounds, None)
                    self.tokens += self._count_some(0, shared)
                finally:
                    done = [other.result() for other in running]
                self.tokens += sum(done)
                self._merge()
        self._write_merged()
        self._add_often()

    def _count_some(self, thread: int, blocks: Iterator[tuple[int, bytes]]) -> int:
        from wordvec.kernels.tokenize import ADD, ADD_TO_NEW, SENTENCES, TOKENS, count

        total = 0
        buffers, how = self._buffers[thread], ADD if self._threads == 1 else ADD_TO_NEW
        for place, block in blocks:
            if block.isspace():
                self._hand_over(place, thread, np.empty(0, np.int32), np.zeros(block.count(b"\n"), np.int32))
                continue
            text, scan = buffers.padded(block), buffers.scan()
            ids, ends, often = buffers.ids, buffers.ends, buffers.often
            while not count(text, self.table.types, often, self._new[thread].types, how, ids, ends, scan):
                self._new[thread].grow()
            self._hand_over(place, thread, ids[: scan.state[TOKENS]], ends[: scan.state[SENTENCES]])
            total += int(scan.state[TOKENS])
        return total

    def _hand_over(self, place: int, thread: int, ids: np.ndarray, ends: np.ndarray) -> None:
        """Write what was encoded, or keep a copy until the round ends."""
        if self._write is not None and self._threads > 1:
            self._encoded[place] = thread, ids.copy(), ends.copy()
        elif self._write is not None:
            self._write(ids, ends)

    def _merge(self) -> None:
        if self._threads == 1:
            self.table.errors[self._known :] = self.error
            self._known = len(self.table)
        else:
            self._merge_tables()
        if len(self.table) - self.pinned > self.max_types:
            self._add_often()
            self._prune()
            self._write = None
            self._known = len(self.table)

    def _merge_tables(self) -> None:
        rows = []
        for table in self._new:
            rows.append(self.table.merge(table, self.error))
            table.clear()
        self._merged, self._encoded = (rows, self._encoded), {}

    def _write_merged(self) -> None:
        """Write what the threads encoded in the round that was merged last, while they count the next one."""
        (rows, encoded), self._merged = self._merged, ([], {})
        if self._write is not None:
            for _, (thread, ids, ends) in sorted(encoded.items(), key=itemgetter(0)):
                new = np.flatnonzero(ids < 0)
                ids[new] = rows[thread][-1 - ids[new]]
                self._write(ids, ends)

    def _add_often(self) -> None:
        first = self.table.counts[:_OFTEN]
        for buffers in self._buffers:
            first += buffers.often[: len(first)]
            buffers.forget()

    def _prune(self) -> None:
        sums = self.table.counts + self.table.errors - self.error
        others = sums[self.pinned :]
        place = len(others) - 1 - self.max_types // 2
        raised = int(np.partition(others, place)[place])
        kept = sums > raised
        kept[: self.pinned] = True
        self.table.keep(kept)
        self.error += raised


def encode(blocks: Iterable[bytes], table: Table, threads: int, ids: IO[bytes], offsets: IO[bytes]) -> int:
    """Write the ids (int32) of a text's tokens that are in the table, and the sentence offsets (int64).

    Returns:
        The number of tokens in the text.
    """
    total = written = 0
    offsets.write(np.int64(0).tobytes())
    spare: SimpleQueue[Buffers] = SimpleQueue()

    def work(block: bytes) -> tuple[int, np.ndarray, np.ndarray, Buffers]:
        try:
            buffers = spare.get_nowait()
        except Empty:
            buffers = Buffers()
        return *_encoded(block, table.types, buffers), buffers

    for tokens, found, ends, buffers in in_order(work, blocks, threads):
        ids.write(found.data)
        offsets.write((ends.astype(np.int64) + written).data)
        written += len(found)
        total += tokens
        spare.put(buffers)
    return total


def _encoded(block: bytes, types: "Types", buffers: Buffers) -> tuple[int, np.ndarray, np.ndarray]:
    """Return the number of tokens, and in the memory of ``buffers`` the known ids and the sentence ends."""
    from wordvec.kernels.tokenize import MARK, SENTENCES, TOKENS, count, drop_unknown

    text, scan = buffers.padded(block), buffers.scan()
    count(text, types, buffers.often, types, MARK, buffers.ids, buffers.ends, scan)
    tokens, ends = int(scan.state[TOKENS]), buffers.ends[: scan.state[SENTENCES]]
    kept = drop_unknown(buffers.ids[:tokens], ends)
    return tokens, buffers.ids[:kept], ends


# -- threads ----------------------------------------------------------------------------------------------------------


def _rounds(blocks: Iterable[bytes], largest: int) -> Iterator[list[bytes]]:
    """Yield the blocks in rounds of growing size, so that frequent types are known early."""
    goal, parcel, size = _FIRST_ROUND, list[bytes](), 0
    for block in blocks:
        parcel.append(block)
        size += len(block)
        if size >= goal:
            yield parcel
            goal, parcel, size = min(2 * goal, largest), [], 0
    if parcel:
        yield parcel


def in_order(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """Yield the results of ``work`` in the order of the items, with a bounded number in flight."""
    if threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        running: deque[Future[Result]] = deque()
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) > 2 * threads:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
