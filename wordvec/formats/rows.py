"""Accumulator for the tokens and vectors read from a file, with deduplication."""

import logging
from collections.abc import Sequence
from itertools import islice

import numpy as np

from wordvec.errors import FormatError, InputError
from wordvec.formats.table import VectorTable
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)


class Rows:
    """Table that grows with the rows actually read, regardless of the declared size.

    Args:
        name: file name, for messages.
        vector_size: D.
        expected: rows to preallocate; must have been validated against the file size.
        skip_bad: whether invalid rows are skipped and counted instead of raising an error.
        encoding: of the tokens.
        words: the only tokens whose rows are kept, or None for all.
    """

    def __init__(
        self,
        name: str,
        vector_size: int,
        expected: int = 0,
        skip_bad: bool = False,
        encoding: str = "utf-8",
        words: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self.vector_size = vector_size
        self.read = 0
        """Number of rows added, including skipped ones."""
        self._words = words
        self._table = np.empty((expected if words is None else 0, vector_size), dtype=np.float32)
        self._ids: dict[str, int] = {}
        self._repeated: list[str] = []
        self._repaired: list[str] = []
        self.skip_bad = skip_bad
        self._encoding = encoding
        self._bad: list[str] = []
        self._unnamed = 0

    def add(self, tokens: list[bytes], vectors: np.ndarray) -> None:
        """Append the next rows.

        Args:
            tokens: n tokens as stored, nonempty.
            vectors: (n, D) float32, all finite.
        """
        self.add_joined(b"\n".join(tokens), vectors)

    def add_joined(self, tokens: bytes, vectors: np.ndarray) -> None:
        """Append the next rows, as ``add``, whose tokens have newlines between."""
        if len(vectors):
            self.add_named(self._decoded(tokens), vectors)

    def add_named(self, tokens: list[str], vectors: np.ndarray) -> None:
        """Append the next rows, as ``add``, whose tokens are strings."""
        start = len(self._ids)
        self.read += len(tokens)
        kept = self._new_rows(tokens)
        if len(kept) < len(tokens):
            vectors = vectors[kept]
        self._make_room(len(self._ids))
        self._table[start : len(self._ids)] = vectors

    def _new_rows(self, tokens: list[str]) -> Sequence[int]:
        """Return the rows of the tokens to keep, each the first of its token, and give them ids."""
        ids, start = self._ids, len(self._ids)
        if self._words is None and not self._repeated:
            ids.update(zip(tokens, range(start, start + len(tokens)), strict=True))
            if len(ids) == start + len(tokens):
                return range(len(tokens))
            # A token is repeated, and has lost its first row.
            ids = self._ids = {token: row for row, token in enumerate(islice(ids, start))}
        kept: list[int] = []
        for row, token in enumerate(tokens):
            if self._words is not None and token not in self._words:
                continue
            if ids.setdefault(token, start + len(kept)) == start + len(kept):
                kept.append(row)
            else:
                self._repeated.append(token)
        return kept

    def bad(self, message: str, rows: int = 1) -> None:
        """Count an invalid row that ``message`` describes, or raise it as a FormatError.

        Raises:
            FormatError: invalid rows are not skipped.
        """
        if not self.skip_bad:
            raise FormatError(f"{message}; skip_bad_rows leaves such rows out")
        self._bad.append(message)
        self.read += rows

    def unnamed(self) -> None:
        """Leave out a row whose token is empty or white space."""
        self._unnamed += 1
        self.read += 1

    def finish(self) -> VectorTable:
        """Return the vectors; log a warning for each kind of repair.

        Raises:
            FormatError: no valid row.
        """
        if self._unnamed:
            rows = "row" if self._unnamed == 1 else "rows"
            _log.warning("%s: skipped %s %s with an empty or white space token", self.name, f"{self._unnamed:,}", rows)
        if self._bad:
            rows = "row" if len(self._bad) == 1 else "rows"
            _log.warning("skipped %s invalid %s, the first: %s", f"{len(self._bad):,}", rows, self._bad[0])
        if not self._ids and self._words is not None and self.read:
            raise InputError(f"{self.name}: none of its {self.read:,} tokens is among the words to read")
        if not self._ids:
            raise FormatError(f"{self.name}: no valid vectors")
        for words, what in (
            (self._repaired, f"tokens are not valid {self._encoding.upper()}; invalid bytes were replaced by U+FFFD"),
            (self._repeated, "repeated tokens were skipped; the first occurrence of each is kept"),
        ):
            if words:
                _log.warning("%s: %s %s, such as %.60r", self.name, f"{len(words):,}", what, words[0])
        self._table.resize((len(self._ids), self.vector_size), refcheck=False)
        return VectorTable(Vocabulary.of_rows(self._ids), self._table)

    def _decoded(self, joined: bytes) -> list[str]:
        try:
            return joined.decode(self._encoding).split("\n")
        except UnicodeDecodeError:
            tokens = joined.split(b"\n")
            decoded = [token.decode(self._encoding, "replace") for token in tokens]
            pairs = zip(decoded, tokens, strict=True)
            self._repaired += [new for new, old in pairs if new.encode(self._encoding, "ignore") != old]
            return decoded

    def _make_room(self, rows: int) -> None:
        if rows > len(self._table):
            self._table.resize((max(rows, len(self._table) * 3 // 2), self.vector_size), refcheck=False)


def check_number_of_rows(rows: Rows, declared: int) -> None:
    """Log a warning if a file whose invalid rows are skipped has other rows than its first line declares."""
    if rows.read != declared:
        _log.warning("%s: its first line declares %s vectors, found %s", rows.name, f"{declared:,}", f"{rows.read:,}")


def check_complete(name: str, read: int, declared: int) -> None:
    """Raise FormatError if a file contains fewer vectors than its first line declares."""
    if read < declared:
        raise FormatError(
            f"{name}: truncated: its first line declares {declared:,} vectors, found {read:,}; "
            "skip_bad_rows reads the rows that there are"
        )
