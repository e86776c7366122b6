"""Text files with their phrases joined, as a corpus."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from corpora import TextCorpus
from wordvec.phrases.joining import TextJoiner

Pass: TypeAlias = dict[tuple[str, ...], float]
"""The phrases of one pass and their scores: first word, connector words, last word."""


class PhraseCorpus(TextCorpus):  # type: ignore[misc]
    """A corpus whose phrases are joined while it is read.

    Iterating over it yields lines of tokens, as the tokenizer separates them, with blanks in between.

    Args:
        corpus: the text, with its own tokenizer and casing.
        passes: the phrases of each pass.
        connector_words: the words that may stand inside a phrase.
        delimiter: stands between the words of a phrase.
    """

    def __init__(
        self, corpus: TextCorpus, passes: Sequence[Pass], connector_words: Sequence[str], delimiter: str
    ) -> None:
        self.__dict__.update(corpus.__dict__)  # its sources are resolved already; standard input only once
        self._corpus = corpus
        self._joiner = TextJoiner(passes, connector_words, delimiter)
        key = repr(([sorted(found) for found in passes], sorted(connector_words), delimiter))
        self._key = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def __iter__(self) -> Iterator[str]:
        started: list[bytes] = []
        for block in self.blocks():
            first, *others = block.split(b"\n")
            started.append(first)
            for line in others:
                yield b"".join(started).decode()
                started = [line]

    def blocks(self, size: int = 1 << 22) -> Iterator[bytes]:
        return self._joiner.blocks(self._corpus.blocks(size))

    def bytes_read(self) -> int:
        return int(self._corpus.bytes_read())

    def checksums(self) -> list[bytes]:
        checksums: list[bytes] = self._corpus.checksums()
        return checksums

    def check_unchanged(self, checksums: list[bytes]) -> None:
        self._corpus.check_unchanged(checksums)

    def provenance(self) -> list[dict[str, Any]]:
        files: list[dict[str, Any]] = self._corpus.provenance()
        return files

    def fingerprint(self) -> str:
        return f"{self._corpus.fingerprint()} {self._key}"

    def reads_fast(self) -> bool:
        return False
