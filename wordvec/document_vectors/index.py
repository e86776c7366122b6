"""Implementation of document vectors: numbering words and n-grams, and counting them per document.

Threads number blocks of text in parallel, each with its own word table; the tables are then merged and the words sorted
in vocabulary order, independent of the threads. Documents are counted in chunks of whole documents.
"""

import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import NamedTuple

import numpy as np

from wordvec.encoding.scanning import Buffers, Table, in_order, join_tokens, split_tokens
from wordvec.errors import InputError
from wordvec.vocabulary import Vocabulary

_CHUNK = 1 << 17
"""Tokens after which a chunk ends at the next document boundary."""


_LONG = 1 << 18
"""Tokens inside one document after which they are counted, so that memory does not grow with its length."""

_CONTROL = re.compile(r"[\x00-\x20]")

LEFT_OUT = -2
"""The number of a stop word: n-grams join the words around it. An unknown word, -1, is in no n-gram."""


class Chunk(NamedTuple):
    """Whole documents: numbers of words or n-grams, and document offsets."""

    ids: np.ndarray  # (N,) int32
    offsets: np.ndarray  # (documents + 1,) int64
    counts: np.ndarray | None = None  # (N,) int32, how often each occurs at its place; None for once


class Rows(NamedTuple):
    """Counted documents: their columns, ascending in each document, with counts."""

    columns: np.ndarray  # (entries,) int32
    counts: np.ndarray  # (entries,) int32
    sizes: np.ndarray  # (documents,) int64, entries per document


# -- words ------------------------------------------------------------------------------------------------------------


class _TokenNumberer:
    """Per-thread state for numbering the tokens of a block of text."""

    def __init__(self, table: Table, learns: bool) -> None:
        self.table = table
        self.buffers = Buffers()
        self.learns = learns
        self.places: np.ndarray | None = None  # (types,) int32, maps this table's numbers to the merged ones

    def number(self, block: bytes) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of a block's tokens, and for each line end the number of tokens before it."""
        from wordvec.kernels.documents import number

        if block.isspace():  # nothing is compiled for a text that is refused
            return np.empty(0, np.int32), np.zeros(block.count(b"\n"), np.int32)
        text, ids, ends = self.buffers.padded(block), self.buffers.ids, self.buffers.ends
        done, tokens, documents = 0, 0, 0
        while True:
            table = self.table.types
            done, tokens, documents = number(text, done, table, self.learns, ids, tokens, ends, documents)
            if done >= len(block):
                return ids[:tokens].copy(), ends[:documents].copy()
            self.table.grow()


class Part(NamedTuple):
    """A numbered piece of text, which may start and end within a document."""

    numberer: _TokenNumberer | None  # whose numbers they are; None if they need no translation
    ids: np.ndarray  # (tokens,) int32
    ends: np.ndarray  # (documents that end here,) integers, number of tokens before each end
    counts: np.ndarray | None = None  # (tokens,) int32, how often each occurs; None for once


def learn_words(blocks: Iterable[bytes], threads: int, in_order_of_text: bool) -> tuple[Table, deque[Part]]:
    """Return the words of a text with their counts, in no particular order, and the numbered text.

    Long documents are condensed unless ``in_order_of_text``.
    """
    from wordvec.kernels.documents import absorb

    numberers: list[_TokenNumberer] = []
    spare: SimpleQueue[_TokenNumberer] = SimpleQueue()

    def work(block: bytes) -> Part:
        try:
            numberer = spare.get_nowait()
        except Empty:
            numberer = _TokenNumberer(Table(), learns=True)
            numberers.append(numberer)
        ids, ends = numberer.number(block)
        spare.put(numberer)
        return Part(numberer, ids, ends)

    numbered = in_order(work, blocks, threads)
    parts = deque(numbered if in_order_of_text else _condensed(numbered))
    table = numberers[0].table if numberers else Table()
    for numberer in numberers[1:]:
        other, done = numberer.table, 0
        numberer.places = np.empty(len(other), np.int32)
        while done < len(other):
            done = absorb(table.types, other.types, done, numberer.places)
            if done < len(other):
                table.grow()
        numberer.table = table
    return table, parts


def _known_parts(blocks: Iterable[bytes], table: Table, threads: int) -> Iterator[Part]:
    """Yield a text numbered by a fixed table of words; unknown words are -1."""
    spare: SimpleQueue[_TokenNumberer] = SimpleQueue()

    def work(block: bytes) -> Part:
        try:
            numberer = spare.get_nowait()
        except Empty:
            numberer = _TokenNumberer(table, learns=False)
        ids, ends = numberer.number(block)
        spare.put(numberer)
        return Part(None, ids, ends)

    return in_order(work, blocks, threads)


def encoded_parts(
    ids: np.ndarray, offsets: np.ndarray, places: np.ndarray | None = None, *, in_order_of_text: bool
) -> Iterator[Part]:
    """Return the parts of an encoded corpus, with ids mapped by ``places`` if given.

    Long documents are condensed unless ``in_order_of_text``.
    """
    parts = _pieces(ids, offsets, places)
    return parts if in_order_of_text else _condensed(parts)


def _pieces(ids: np.ndarray, offsets: np.ndarray, places: np.ndarray | None) -> Iterator[Part]:
    first = 0
    while first < len(offsets) - 1:
        last = max(int(np.searchsorted(offsets, offsets[first] + _CHUNK, side="right")) - 1, first + 1)
        start, end = int(offsets[first]), int(offsets[last])
        for begin in range(start, max(end, start + 1), _CHUNK):  # more than one only inside a long document
            piece = ids[begin : min(begin + _CHUNK, end)]
            ends = offsets[first + 1 : last + 1] - begin if begin + _CHUNK >= end else offsets[:0]
            yield Part(None, piece if places is None else places[piece], ends)
        first = last


def _condensed(parts: Iterable[Part]) -> Iterator[Part]:
    """Yield the parts; inside a long document, each word once with its count, in any order."""
    inside, size = list[Part](), 0
    totals: dict[_TokenNumberer | None, np.ndarray] = {}
    for part in parts:
        if len(part.ends):
            yield from _listed(totals)
            yield from inside
            yield part
            inside, size, totals = [], 0, {}
            continue
        inside.append(part)
        size += len(part.ids)
        if size >= _LONG:
            for each in inside:
                before = totals.get(each.numberer, np.empty(0, np.int64))
                totals[each.numberer] = np.bincount(each.ids[each.ids >= 0], minlength=len(before))
                totals[each.numberer][: len(before)] += before
            inside, size = [], 0
    yield from _listed(totals)
    yield from inside


def _listed(totals: dict[_TokenNumberer | None, np.ndarray]) -> Iterator[Part]:
    for numberer, counts in totals.items():
        ids = np.flatnonzero(counts)
        yield Part(numberer, ids.astype(np.int32), np.empty(0, np.int32), counts[ids].astype(np.int32))


def consumed(parts: deque[Part]) -> Iterator[Part]:
    """Yield the parts, releasing each when the next is requested."""
    while parts:
        yield parts.popleft()


def chunks(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """Yield lists of parts that together are whole documents; the rest after the last end starts the next list."""
    waiting, size = list[Part](), 0
    for part in parts:
        waiting.append(part)
        size += len(part.ids)
        if size >= _CHUNK and len(part.ends):
            cut = int(part.ends[-1])
            waiting[-1] = part._replace(ids=part.ids[:cut])
            yield waiting
            waiting, size = [Part(part.numberer, part.ids[cut:], part.ends[:0])], len(part.ids) - cut
    if waiting:
        yield waiting


def joined(parts: list[Part]) -> Chunk:
    """Join parts into one chunk of whole documents, with translated numbers."""
    ids, ends, size = [], [np.zeros(1, np.int64)], 0
    counts = None
    if any(part.counts is not None for part in parts):
        once = [np.ones(len(part.ids), np.int32) if part.counts is None else part.counts for part in parts]
        counts = np.concatenate(once)
    for part in parts:
        places = None if part.numberer is None else part.numberer.places
        ids.append(part.ids if places is None else places[part.ids])
        ends.append(part.ends.astype(np.int64) + size)
        size += len(part.ids)
    chunk = Chunk(np.asarray(np.concatenate(ids)), np.concatenate(ends), counts)
    kept = chunk.ids != LEFT_OUT
    if kept.all():
        return chunk
    offsets = np.concatenate([[0], np.cumsum(kept)])[chunk.offsets]
    return Chunk(chunk.ids[kept], offsets, None if counts is None else counts[kept])


# -- n-grams ----------------------------------------------------------------------------------------------------------


class PairTable:
    """A growing hash table of n-grams of two or more words."""

    def __init__(self, rows: int = 1 << 16) -> None:
        from wordvec.kernels.documents import Pairs

        self.pairs: Pairs = Pairs(
            used=np.zeros(2, np.int64),
            slots=np.empty(0, np.int32),
            prefixes=np.empty(rows, np.int32),
            lasts=np.empty(rows, np.int32),
            sizes=np.empty(rows, np.uint8),
            counts=np.empty(rows, np.int64),
        )
        self._make_slots()

    def __len__(self) -> int:
        return int(self.pairs.used[0])

    def grow(self) -> None:
        """Double the capacity."""
        names = ("prefixes", "lasts", "sizes", "counts")
        old = self.pairs
        wider = {name: np.empty(2 * len(old.counts), getattr(old, name).dtype) for name in names}
        for name in names:
            wider[name][: len(self)] = getattr(old, name)[: len(self)]
        self.pairs = old._replace(**wider)
        self._make_slots()

    def expand(self, chunk: Chunk, low: int, high: int, words: int, learns: bool) -> Chunk:
        """Return the numbers of the n-grams of ``low`` to ``high`` words of each document."""
        from wordvec.kernels.documents import expand

        found = np.empty(len(chunk.ids) * (high - low + 1), np.int32)
        ends = np.zeros(len(chunk.offsets), np.int64)
        document, position, written = 0, 0, 0
        while True:
            document, position, written = expand(
                chunk.ids, chunk.offsets, document, position, low, high, words, self.pairs, learns, found, written,
                ends[1:],
            )  # fmt: skip
            if document == len(chunk.offsets) - 1:
                return Chunk(found[:written].copy() if learns else found[:written], ends)
            self.grow()

    def _make_slots(self) -> None:
        from wordvec.kernels.documents import rehash_pairs

        bits = (2 * len(self.pairs.counts) - 1).bit_length()
        self.pairs = self.pairs._replace(slots=np.full(1 << bits, -1, np.int32))
        self.pairs.used[1] = 64 - bits
        rehash_pairs(self.pairs)


def ordered_ngrams(
    tokens: list[str],
    counts: np.ndarray,
    table: PairTable,
    wanted: np.ndarray,
    separator: str = " ",
    sort: bool = False,
) -> tuple[np.ndarray, list[str]]:
    """Return the numbers of the ``wanted`` n-grams in column order, and their strings.

    The order is by descending count, then by length, then by the ranks of their words, the first word first.

    Args:
        tokens: of the words or characters that n-grams consist of. separator: between them.
        counts: (tokens + n-grams,) integers. wanted: (tokens + n-grams,) bool.
        sort: order by the strings instead.
    """
    words, pairs, used = len(tokens), table.pairs, len(table)
    prefixes, lasts, sizes = pairs.prefixes[:used], pairs.lasts[:used], pairs.sizes[:used]
    by_size = [np.flatnonzero(sizes == size) for size in range(2, int(sizes.max(initial=1)) + 1)]
    names = [*tokens, *[""] * used]
    for numbers in by_size:
        spelled = zip(numbers.tolist(), prefixes[numbers].tolist(), lasts[numbers].tolist(), strict=True)
        for number, prefix, last in spelled:
            names[words + number] = f"{names[prefix]}{separator}{tokens[last]}"
    numbers = np.flatnonzero(wanted)
    bits = words.bit_length()
    if sort and (len(by_size) + 1) * bits <= 64 and not (separator and _CONTROL.search("".join(tokens))):
        # The order of the strings is that of their words, since no character is below the separator.
        place = np.empty(words, np.uint64)
        place[sorted(range(words), key=tokens.__getitem__)] = np.arange(1, words + 1, dtype=np.uint64)
        keys = np.empty(words + used, np.uint64)
        keys[:words] = place << np.uint64(len(by_size) * bits)
        for more, ngrams in enumerate(by_size, 1):
            keys[words + ngrams] = keys[prefixes[ngrams]] | place[lasts[ngrams]] << np.uint64(
                (len(by_size) - more) * bits
            )
        order = numbers[np.argsort(keys[numbers])]
    elif sort:
        order = numbers[sorted(range(len(numbers)), key=[names[number] for number in numbers.tolist()].__getitem__)]
    else:
        ranks = np.arange(words + used, dtype=np.int64)  # among n-grams of the same length, in word order
        for ngrams in by_size:
            keys = ranks[prefixes[ngrams]] * words + lasts[ngrams]
            ranks[words + ngrams[np.argsort(keys)]] = np.arange(len(ngrams))
        every_size = np.concatenate([np.ones(words, np.uint8), sizes])
        order = numbers[np.lexsort((ranks[numbers], every_size[numbers], -counts[numbers]))]
    return order, [names[number] for number in order.tolist()]


# -- documents --------------------------------------------------------------------------------------------------------


def learn(
    blocks: Iterable[bytes],
    ngram_range: tuple[int, int],
    threads: int,
    stop_words: Collection[str] = (),
    sort: bool = False,
) -> tuple[Vocabulary, list[Rows]]:
    """Return the features of a text with their counts, by descending count, and its counted documents.

    Args:
        blocks: the text.
        ngram_range: minimum and maximum number of words per feature.
        threads: workers.
        stop_words: words that are left out, before n-grams are formed.
        sort: sort the features by their names instead.
    """
    table, parts = learn_words(blocks, threads, in_order_of_text=ngram_range[1] > 1)
    kept = np.arange(len(table))
    if stop_words:
        kept = np.delete(kept, table.find(list(stop_words)))
    if not len(kept):
        documents = sum(len(part.ends) for part in parts)
        nothing = Rows(np.empty(0, np.int32), np.empty(0, np.int32), np.zeros(documents, np.int64))
        return Vocabulary.of_distinct([], table.counts[:0]), [nothing]
    order = table.ordered(kept)
    ranks = np.full(len(table), LEFT_OUT, np.int32)
    ranks[order] = np.arange(len(order))
    spelled, counts = table.spell(order), table.counts[order]
    for numberer in {id(part.numberer): part.numberer for part in parts}.values():
        if numberer is not None:
            numberer.places = ranks if numberer.places is None else ranks[numberer.places]
            numberer.table = Table(2)
    del table
    return count_ranked(consumed(parts), lambda: split_tokens(spelled), counts, ngram_range, threads, sort=sort)


def count_ranked(
    parts: Iterable[Part],
    spell: Callable[[], list[str]],
    counts: np.ndarray,
    ngram_range: tuple[int, int],
    threads: int,
    separator: str = " ",
    sort: bool = False,
) -> tuple[Vocabulary, list[Rows]]:
    """Like ``learn``, for a text numbered by vocabulary rows, given their ``counts`` and a function for the tokens.

    n-grams join tokens by ``separator``.
    """
    low, high = ngram_range
    lists = chunks(parts)
    if high == 1:
        columns = np.arange(len(counts), dtype=np.int32)
        counted = in_order(lambda chunk: count_chunk(joined(chunk), columns), lists, threads)
        if sort:
            tokens = spell()
            ranks = sorted(range(len(tokens)), key=tokens.__getitem__)
            columns[ranks] = np.arange(len(ranks), dtype=np.int32)
            return Vocabulary.of_distinct([tokens[rank] for rank in ranks], counts[ranks]), list(counted)
        if threads == 1:
            return Vocabulary.of_distinct(spell(), counts), list(counted)
        # Build the strings while the kernels count.
        with ThreadPoolExecutor(1) as aside:
            counting = aside.submit(list[Rows], counted)
            return Vocabulary.of_distinct(spell(), counts), counting.result()
    tokens = spell()
    if separator:
        _check_no_spaces(tokens)
    pairs = PairTable()
    numbered = deque(pairs.expand(joined(chunk), low, high, len(tokens), learns=True) for chunk in lists)
    every_count = np.concatenate([counts, pairs.pairs.counts[: len(pairs)]])
    sizes = np.concatenate([np.ones(len(tokens), np.uint8), pairs.pairs.sizes[: len(pairs)]])
    order, names = ordered_ngrams(tokens, every_count, pairs, sizes >= low, separator, sort)
    columns = np.full(len(every_count), -1, np.int32)
    columns[order] = np.arange(len(order))
    del pairs, tokens
    emptied = (numbered.popleft() for _ in range(len(numbered)))
    rows = list(in_order(lambda chunk: count_chunk(chunk, columns), emptied, threads))
    return Vocabulary.of_distinct(names, every_count[order]), rows


def whole_ngrams(features: Chunk, pairs: PairTable, words: int) -> np.ndarray:
    """Add n-grams, given as one document each, to a table, and return their numbers, (features,) int32."""
    sizes = np.diff(features.offsets)
    longest = int(sizes.max(initial=1))
    if longest == 1:
        return features.ids
    found = pairs.expand(features, 1, longest, words, learns=True)
    numbers: np.ndarray = found.ids[found.offsets[:-1] + sizes - 1]
    return numbers


class Index:
    """Counts the features of a vocabulary in texts.

    Args:
        vocabulary: V features; an n-gram is written as its words separated by single spaces.
        ngram_range: minimum and maximum number of words per feature; features of other lengths are never counted.
        stop_words: words that are left out, before n-grams are formed.

    Raises:
        InputError: with n-grams, a feature does not consist of words separated by single spaces.
    """

    def __init__(self, vocabulary: Vocabulary, ngram_range: tuple[int, int], stop_words: Collection[str] = ()) -> None:
        self.vocabulary = vocabulary
        self._low, self._high = ngram_range
        self._pairs = PairTable(2)
        self._places: np.ndarray | None = None  # (table + 1,) int32, maps numbers to numbers, and -1 to -1
        if self._high == 1:
            self._table = Table.of(join_tokens(vocabulary.tokens))
            self._columns = np.arange(len(vocabulary), dtype=np.int32)
            self._columns[self._table.find(list(stop_words))] = -1
            return
        numberer = _TokenNumberer(Table(), learns=True)
        if stop_words:
            numberer.number(join_tokens(list(stop_words)))
        left_out = len(numberer.table)
        ids, ends = numberer.number("".join(f"{feature}\n" for feature in vocabulary.tokens).encode())
        if len(ends) != len(vocabulary) or len(ids) != sum(f.count(" ") + 1 for f in vocabulary.tokens):
            wrong = next(f for f in vocabulary.tokens if not all(f.split(" ")) or any(map(f.count, "\n\t\r\v\f")))
            raise InputError(f"a feature must be words separated by single spaces, got {wrong!r}")
        self._table, words = numberer.table, len(numberer.table)
        if left_out:
            self._places = np.append(np.arange(words, dtype=np.int32), np.int32(-1))
            self._places[:left_out] = LEFT_OUT
        numbers = whole_ngrams(Chunk(ids, np.concatenate([[0], ends]).astype(np.int64)), self._pairs, words)
        self._columns = np.full(words + len(self._pairs), -1, np.int32)
        self._columns[numbers] = np.arange(len(vocabulary))

    def count(self, blocks: Iterable[bytes], threads: int) -> list[Rows]:
        """Count the documents of a text."""
        parts = _known_parts(blocks, self._table, threads)
        if self._places is not None:
            places = self._places
            parts = (part._replace(ids=places[part.ids]) for part in parts)
        return self._counted(parts if self._high > 1 else _condensed(parts), threads)

    def count_encoded(self, ids: np.ndarray, offsets: np.ndarray, tokens: list[str], threads: int) -> list[Rows]:
        """Count the documents of an encoded corpus, whose ids index ``tokens``."""
        places, _ = _TokenNumberer(self._table, learns=False).number(join_tokens(tokens))
        if self._places is not None:
            places = self._places[places]
        return self._counted(encoded_parts(ids, offsets, places, in_order_of_text=self._high > 1), threads)

    def _counted(self, parts: Iterable[Part], threads: int) -> list[Rows]:
        return list(in_order(self._rows, chunks(parts), threads))

    def _rows(self, parts: list[Part]) -> Rows:
        chunk = joined(parts)
        if self._high > 1:
            chunk = self._pairs.expand(chunk, self._low, self._high, len(self._table), learns=False)
        return count_chunk(chunk, self._columns)


def count_chunk(chunk: Chunk, columns: np.ndarray) -> Rows:
    """Count the documents of a chunk, whose numbers are overwritten."""
    from wordvec.kernels.documents import BITS, count_rows

    columns = columns if len(columns) else np.full(1, -1, np.int32)
    if chunk.counts is not None:
        return _added_up(chunk.ids, chunk.offsets, chunk.counts, columns)
    size, sizes = len(chunk.ids), np.empty(len(chunk.offsets) - 1, np.int64)
    keys, spare = np.empty(size, np.uint64), np.empty(size, np.uint64)
    buckets, places, counts = np.empty(1 << BITS, np.int64), np.empty(len(sizes), np.int64), np.empty(size, np.int32)
    digits = -(-int(columns.max()).bit_length() // BITS)
    written = count_rows(
        chunk.ids, chunk.offsets, columns, digits, keys, spare, buckets, places, counts, sizes
    )  # fmt: skip
    return Rows(chunk.ids[:written].copy(), counts[:written].copy(), sizes)


def _added_up(ids: np.ndarray, offsets: np.ndarray, counts: np.ndarray, columns: np.ndarray) -> Rows:
    """Count the documents of a chunk with counts."""
    places = np.where(ids >= 0, columns[ids], -1)
    documents = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    kept = places >= 0
    keys, owners = np.unique(documents[kept] << 32 | places[kept], return_inverse=True)
    sums = np.bincount(owners, weights=counts[kept], minlength=len(keys))
    sizes = np.bincount(keys >> 32, minlength=len(offsets) - 1)
    return Rows((keys & 0xFFFFFFFF).astype(np.int32), sums.astype(np.int32), sizes)


def frequencies(rows: Iterable[Rows], features: int) -> np.ndarray:
    """Return the document frequency of each feature, (V,) int64."""
    from wordvec.kernels.documents import tally

    found = np.zeros(features, np.int64)
    for chunk in rows:
        tally(chunk.columns, found)
    return found


def select(rows: list[Rows], kept: np.ndarray) -> None:
    """Keep only the features in ``kept`` (V,) bool, in place, and renumber the columns."""
    from wordvec.kernels.documents import select

    places = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    for place, chunk in enumerate(rows):
        left = select(chunk.columns, chunk.counts, chunk.sizes, places)
        rows[place] = Rows(chunk.columns[:left].copy(), chunk.counts[:left].copy(), chunk.sizes)


def _check_no_spaces(tokens: list[str]) -> None:
    for token in tokens:
        if " " in token:
            raise InputError(f"n-grams join words by spaces, but the token {token!r} contains one; replace it")
