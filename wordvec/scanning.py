"""Counting tokens while they are numbered: the table of types behind ``encode_corpus``, grown as it fills."""

from collections.abc import Iterator
from typing import IO

import numpy as np

from wordvec.errors import InputError

_PIECE = 1 << 18
"""Bytes scanned in one call of the kernel; the table must have room for that many new types at most."""


class Scanner:
    """Types in the order of their first occurrence, with counts.

    ``scan`` takes bytes, ``scan_lists`` lists of tokens; both append to two open files the number of each token (int32)
    and, for each sentence, the tokens up to its end (int64).
    """

    def __init__(self) -> None:
        self._slots = np.full(1 << 16, -1, np.int32)
        self._used = np.zeros(4, np.int64)
        self._hashes = np.empty(0, np.uint64)
        self._starts = np.zeros(1, np.int64)
        self._counts = np.empty(0, np.int64)
        self._letters = np.empty(0, np.uint8)
        self._listed: list[str] | None = None

    @property
    def counts(self) -> np.ndarray:
        """(types,) int64."""
        return self._counts[: self._used[0]]

    def scan(self, text: np.ndarray, numbers: IO[bytes], ends: IO[bytes]) -> None:
        """Count the tokens of ``text`` (uint8, cut at white space)."""
        from wordvec.kernels.tokenize import Types, scan

        start = 0
        while start < len(text):
            stop = _end_of_piece(text, start)
            piece = text[start:stop]
            start = stop
            self._make_room(len(piece))
            ids = np.empty(len(piece) // 2 + 1, np.int32)
            sentence_ends = np.empty(len(piece), np.int64)
            types = Types(self._used, self._slots, self._hashes, self._starts, self._counts, self._letters)
            tokens, sentences = scan(piece, types, ids, sentence_ends)
            numbers.write(ids[:tokens].tobytes())
            ends.write(sentence_ends[:sentences].tobytes())

    def scan_lists(self, sentences: Iterator[list[str]], numbers: IO[bytes], ends: IO[bytes]) -> None:
        """Count the tokens of sentences that are lists already; a token may hold any character."""
        number_of: dict[str, int] = {}
        counts: list[int] = []
        total = 0
        for place, sentence in enumerate(sentences):
            if isinstance(sentence, str | bytes) or not hasattr(sentence, "__iter__"):
                raise InputError(f"item {place} is of type {type(sentence).__name__}, expected a list of tokens")
            ids = []
            for token in sentence:
                if not isinstance(token, str) or not token:
                    raise InputError(f"item {place} holds {token!r}; a token must be a string that is not empty")
                number = number_of.setdefault(token, len(counts))
                if number == len(counts):
                    counts.append(0)
                counts[number] += 1
                ids.append(number)
            total += len(ids)
            numbers.write(np.array(ids, np.int32).tobytes())
            ends.write(np.int64(total).tobytes())
        self._listed = list(number_of)
        self._counts = np.array(counts, np.int64)
        self._used[0] = len(counts)

    def choose(self, min_count: int, max_vocabulary: int | None) -> tuple[list[str], np.ndarray, np.ndarray]:
        """The vocabulary: tokens by falling count (then in byte order), their counts, and the id of every number."""
        counts = self.counts
        known = np.flatnonzero(counts >= min_count)
        words = [self._bytes(int(number)) for number in known]
        order = sorted(range(len(known)), key=lambda k: (-counts[known[k]], words[k]))[:max_vocabulary]
        chosen = known[order]
        id_of_number = np.full(len(counts), -1, np.int32)
        id_of_number[chosen] = np.arange(len(chosen), dtype=np.int32)
        return [words[k].decode("utf-8", "surrogatepass") for k in order], counts[chosen], id_of_number

    def _bytes(self, number: int) -> bytes:
        if self._listed is not None:
            return self._listed[number].encode("utf-8", "surrogatepass")
        return self._letters[self._starts[number] : self._starts[number + 1]].tobytes()

    def _make_room(self, size: int) -> None:
        """Let ``size`` bytes come, even if all they hold are new types."""
        from wordvec.kernels.tokenize import rehash

        types, letters = int(self._used[0]), int(self._used[1])
        needed = types + size // 2 + 1
        if needed > len(self._counts):
            rows = max(needed, 2 * len(self._counts))
            self._hashes = np.resize(self._hashes, rows) if types else np.empty(rows, np.uint64)
            self._counts = np.resize(self._counts, rows) if types else np.empty(rows, np.int64)
            starts = np.zeros(rows + 1, np.int64)
            starts[: len(self._starts)] = self._starts
            self._starts = starts
        if letters + size > len(self._letters):
            grown = np.empty(max(letters + size, 2 * len(self._letters)), np.uint8)
            grown[:letters] = self._letters[:letters]
            self._letters = grown
        if 2 * needed > len(self._slots):
            self._slots = np.full(1 << (2 * needed).bit_length(), -1, np.int32)
            rehash(self._slots, self._hashes, types)


def _end_of_piece(text: np.ndarray, start: int) -> int:
    """Where a piece of about ``_PIECE`` bytes from ``start`` on ends: after white space, or at the end of the text."""
    stop = start + _PIECE
    while stop < len(text):
        window = text[stop - 1 : stop + 4095]
        space = np.flatnonzero((window == 32) | ((window >= 9) & (window <= 13)))
        if len(space):
            return int(stop + space[0])
        stop += 4096
    return len(text)
