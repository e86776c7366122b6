"""Tokens and vectors as they come out of a file, checked and gathered into one table."""

import logging

import numpy as np

from wordvec.errors import FormatError
from wordvec.formats.table import VectorTable
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)


class Rows:
    """A table that grows with what was read, whatever the file declared.

    Args:
        name: the file's name, for messages.
        vector_size: D.
        expected: so many rows are likely; room for them is made at once, so it must have been checked.
    """

    def __init__(self, name: str, vector_size: int, expected: int = 0) -> None:
        self.name = name
        self.vector_size = vector_size
        self.read = 0
        """Rows added, those left out included."""
        self._table = np.empty((expected, vector_size), dtype=np.float32)
        self._ids: dict[str, int] = {}
        self._repeated: list[str] = []
        self._mended: list[str] = []

    def add(self, tokens: list[bytes], vectors: np.ndarray) -> None:
        """Take the next rows.

        Args:
            tokens: n tokens as stored, none empty.
            vectors: (n, D) float32, all finite.
        """
        kept: list[int] = []
        start = len(self._ids)
        for row, token in enumerate(self._decoded(tokens)):
            if self._ids.setdefault(token, start + len(kept)) == start + len(kept):
                kept.append(row)
            else:
                self._repeated.append(token)
        if len(kept) < len(tokens):
            vectors = vectors[kept]
        self.read += len(tokens)
        self._make_room(start + len(kept))
        self._table[start : start + len(kept)] = vectors

    def finish(self) -> VectorTable:
        """The vectors; a warning is logged for each kind of mending."""
        for words, what in (
            (self._mended, "tokens are not UTF-8; U+FFFD stands for what could not be read"),
            (self._repeated, "tokens are there again; the first of each is kept"),
        ):
            if words:
                _log.warning("%s: %s %s, such as %r", self.name, f"{len(words):,}", what, words[0])
        self._table.resize((len(self._ids), self.vector_size), refcheck=False)
        return VectorTable(Vocabulary(list(self._ids)), self._table)

    def _decoded(self, tokens: list[bytes]) -> list[str]:
        try:
            return b"\n".join(tokens).decode("utf-8").split("\n") if tokens else []
        except UnicodeDecodeError:
            decoded = [token.decode("utf-8", "replace") for token in tokens]
            self._mended += [new for new, old in zip(decoded, tokens, strict=True) if new.encode("utf-8") != old]
            return decoded

    def _make_room(self, rows: int) -> None:
        if rows > len(self._table):
            self._table.resize((max(rows, len(self._table) * 3 // 2), self.vector_size), refcheck=False)


def check_complete(name: str, read: int, declared: int) -> None:
    """Raise where a file held fewer vectors than its first line said."""
    if read < declared:
        raise FormatError(f"{name}: its first line declares {declared:,} vectors, {read:,} are there; it was cut short")
