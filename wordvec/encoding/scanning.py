"""What stands behind ``encode_corpus``: counting the types of a text in bounded memory, and looking its tokens up.

Text comes as blocks of bytes that neither start nor end inside a token. A token that holds white space itself, as only
a list of tokens can, has it replaced by bytes that UTF-8 does not use (``hide`` and ``show``).
"""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from wordvec.kernels.tokenize import Types

Item = TypeVar("Item")
Result = TypeVar("Result")

_FIRST_ROUND, _LARGEST_ROUND = 1 << 20, 1 << 24
"""Bytes of text after which what the threads found is merged: first, and at most."""

_OFTEN = 1 << 16
"""So many of the first types are counted by each thread for itself."""

WHITE = bytes([*range(9, 14), 32])
"""What separates tokens."""

_UNUSED = bytes(range(0xF8, 0xF8 + len(WHITE)))
_HIDE, _SHOW = bytes.maketrans(WHITE, _UNUSED), bytes.maketrans(_UNUSED, WHITE)
_HIDDEN = re.compile(rb"[\xf8-\xfd]")


def hide(token: bytes) -> bytes:
    """UTF-8 without white space, from which ``show`` makes the same token again."""
    return token.translate(_HIDE)


def join_tokens(tokens: list[str]) -> bytes:
    """Tokens as a block of text, a line each."""
    text = "\n".join(tokens)
    if text.count("\n") == len(tokens) - 1 and not any(white in text for white in "\t\v\f\r "):
        return text.encode() + b"\n"
    return b"".join(hide(token.encode()) + b"\n" for token in tokens)


def split_tokens(text: bytes) -> list[str]:
    """What ``join_tokens`` joined."""
    if not text.isascii() and _HIDDEN.search(text):
        return [token.translate(_SHOW).decode() for token in text.split(b"\n")[:-1]]
    return text.decode().split("\n")[:-1]


class Table:
    """Types with their counts, growing as they come."""

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
        """A table of different joined tokens, of which each one's number is its place; at least so many rows."""
        from wordvec.kernels.tokenize import count

        rows = max(block.count(b"\n"), least)
        known, table, nothing, done = Table(1), Table(1 << (rows - 1).bit_length()), np.zeros(1, np.int64), 0
        buffers = Buffers()
        text = buffers.padded(block)
        while (done := count(text, done, known.types, nothing, table.types, buffers.batch)[0]) < len(block):
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
        """(types,) int64: the true count is at most the count and this."""
        return self.types.errors[: len(self)]

    def grow(self) -> None:
        """Make room: for twice the types if all rows are taken, else for twice the letters."""
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
        """Forget all types."""
        self.types.used[:2] = 0
        self.types.slots.fill(-1)

    def merge(self, other: "Table", error: int) -> None:
        """Add another table's types and counts; what is new here may have been seen ``error`` times before."""
        from wordvec.kernels.tokenize import merge

        done = 0
        while (done := merge(self.types, other.types, done, error)) < len(other):
            self.grow()

    def keep(self, kept: np.ndarray) -> None:
        """Drop the types that are not ``kept`` (types,) bool."""
        from wordvec.kernels.tokenize import keep

        keep(self.types, kept)
        self._make_slots()

    def find(self, tokens: list[str]) -> np.ndarray:
        """The numbers of those tokens that are in the table, int32."""
        return _encoded(join_tokens(tokens), self.types, Buffers())[1]

    def spell(self, numbers: np.ndarray) -> bytes:
        """The types' bytes, a line each."""
        from wordvec.kernels.tokenize import spell

        numbers = numbers.astype(np.int64)
        sizes = self.types.starts[numbers + 1] - self.types.starts[numbers]
        text: np.ndarray = np.empty(int(sizes.sum()) + len(numbers), np.uint8)
        spell(self.types, numbers, text)
        return text.tobytes()

    def ordered(self, numbers: np.ndarray) -> np.ndarray:
        """The same types by falling count, those of equal count in the order of their bytes."""
        counts, start = self.counts[numbers], self.types.keys[numbers, 0].byteswap()
        if (self.types.letters[: self.types.used[1]] >= _UNUSED[0]).any():
            start[:] = 0
        order = np.lexsort((start, -counts))
        numbers, counts, start = numbers[order], counts[order], start[order]
        # Only those of equal count and equal first eight bytes are left to compare.
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
        rehash(self.types)


class Buffers:
    """Memory for one block at a time, used again and again: fresh pages cost more than what is written to them."""

    def __init__(self) -> None:
        from wordvec.kernels.tokenize import BATCH, Batch

        self.batch = Batch(np.zeros(3, np.uint64), *np.empty((5, BATCH + 32), np.uint64))
        self._text = np.empty(0, np.uint8)
        self.ids = np.empty(0, np.int32)
        self.ends = np.empty(0, np.int32)

    def padded(self, block: bytes) -> np.ndarray:
        """The block as the kernels want it, with spaces after it; there is room for its ids, too."""
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
    """Counts the types of a text in several threads, in memory that ``max_types`` bounds.

    What is known after a round of text, of so many bytes wherever they are counted, is looked up by all threads and
    changed by none; what a thread finds beside it, it counts in a table of its own, merged when the round ends. So the
    counts are a function of the text alone.

    When more than ``max_types`` types are known after a round, the rarest go, until at most half are left (Misra and
    Gries 1982, in the form of Manku and Motwani 2002 that remembers the counts): if a type has been counted f times
    since it was last new, and may have been seen up to d times before, it is kept while f + d is above ``error``, which
    is raised as far as need be. ``error`` bounds how much too low a count is and how often a type was seen that is not
    there; it is at most tokens / (max_types // 2 + 1), since what raises it by one takes one from more than half of
    ``max_types`` sums f + d - error.

    Args:
        threads: how many.
        max_types: above it the rarest are dropped.
        pinned: tokens that never are; their numbers are the first.
    """

    def __init__(self, threads: int, max_types: int, pinned: list[str]) -> None:
        self.table = Table.of(join_tokens(pinned), 1 << 17)
        self.table.counts[:] = 0
        self.pinned = len(pinned)
        self.max_types = max_types
        self.error = 0
        self.tokens = 0
        self._threads = threads
        self._new = [Table() for _ in range(threads)]
        self._buffers = [Buffers() for _ in range(threads)]
        self._often = np.zeros((threads, _OFTEN), np.int64)

    def count(self, blocks: Iterable[bytes]) -> None:
        """Count all of a text; once only."""
        rounds = _rounds(blocks, min(_LARGEST_ROUND, max(_FIRST_ROUND, 8 * self.max_types)))
        with _workers(self._threads) as start:
            coming = next(rounds, None)
            while coming is not None:
                shared = iter(coming)
                running = [start(self._count_some, thread, shared) for thread in range(self._threads)]
                try:
                    coming = next(rounds, None)
                finally:
                    done = [work() for work in running]
                self.tokens += sum(done)
                self._merge()
        self._add_often()

    def _count_some(self, thread: int, blocks: Iterator[bytes]) -> int:
        from wordvec.kernels.tokenize import count

        total = 0
        for block in blocks:
            buffers, done = self._buffers[thread], 0
            text = buffers.padded(block)
            while done < len(block):
                often, new = self._often[thread], self._new[thread].types
                done, tokens = count(text, done, self.table.types, often, new, buffers.batch)
                total += tokens
                if done < len(block):
                    self._new[thread].grow()
        return total

    def _merge(self) -> None:
        for table in self._new:
            self.table.merge(table, self.error)
            table.clear()
        if len(self.table) - self.pinned > self.max_types:
            self._add_often()
            self._prune()

    def _add_often(self) -> None:
        first = self.table.counts[:_OFTEN]
        first += self._often[:, : len(first)].sum(axis=0)
        self._often[:] = 0

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
    """Write the ids of a text's tokens that are in the table (int32) and where its sentences end (int64, after a 0).

    Returns:
        How many tokens the text has.
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
        offsets.write((ends + np.int64(written)).data)
        written += len(found)
        total += tokens
        spare.put(buffers)
    return total


def _encoded(block: bytes, types: "Types", buffers: Buffers) -> tuple[int, np.ndarray, np.ndarray]:
    """How many tokens, their ids and the ends of the sentences, in the memory of ``buffers``."""
    from wordvec.kernels.tokenize import encode

    tokens, kept, sentences = encode(buffers.padded(block), types, buffers.ids, buffers.ends, buffers.batch)
    return int(tokens), buffers.ids[:kept], buffers.ends[:sentences]


# -- threads ----------------------------------------------------------------------------------------------------------


def _rounds(blocks: Iterable[bytes], largest: int) -> Iterator[list[bytes]]:
    """Blocks in parcels that grow, so that frequent types are soon known."""
    goal, parcel, size = _FIRST_ROUND, list[bytes](), 0
    for block in blocks:
        parcel.append(block)
        size += len(block)
        if size >= goal:
            yield parcel
            goal, parcel, size = min(2 * goal, largest), [], 0
    if parcel:
        yield parcel


@contextmanager
def _workers(threads: int) -> Iterator[Callable[..., Callable[[], int]]]:
    """A function that starts a call and gives what waits for its result; one thread works when it is waited for."""
    if threads == 1:
        yield lambda function, *arguments: lambda: function(*arguments)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield lambda function, *arguments: pool.submit(function, *arguments).result


def in_order(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """The results of ``work`` in the order of the items, of which only a few are under way at a time."""
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
