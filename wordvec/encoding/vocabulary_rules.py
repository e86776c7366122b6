"""Which of the types of a text are its vocabulary: rules, lists of words, and what to say when nothing is left."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from corpora import read_lines
from wordvec.encoding.scanning import Counter, Table, join_tokens
from wordvec.errors import InputError
from wordvec.system.validation import check_whole
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

MAX_TYPES = 10_000_000
"""So many different tokens are counted exactly; a table of them takes about a gigabyte."""


@dataclass(frozen=True)
class Rules:
    """What ``encode_corpus`` was asked for. ``keep`` and ``drop`` hold no word twice."""

    min_count: int
    max_vocabulary: int | None
    keep: list[str]
    drop: list[str]
    vocabulary: Vocabulary | None
    max_types: int

    def check(self) -> None:
        """Raise InputError for a number out of range and for rules that contradict each other."""
        for name, value in (
            ("min_count", self.min_count),
            ("max_vocabulary", self.max_vocabulary),
            ("max_types_in_memory", self.max_types),
        ):
            if value is not None:
                check_whole(name, value, 1)
        if self.vocabulary is not None and (self.max_vocabulary is not None or self.keep or self.drop):
            raise InputError(
                "a vocabulary that is given is taken as it is; leave out max_vocabulary, keep_words and drop_words"
            )
        both = sorted({*self.keep} & {*self.drop})
        if both:
            raise InputError(f"keep_words and drop_words both hold {both[0]!r}; take it out of one of them")
        if self.max_vocabulary is not None and len(self.keep) > self.max_vocabulary:
            raise InputError(
                f"keep_words holds {len(self.keep):,} words, max_vocabulary is {self.max_vocabulary:,}; raise it"
            )

    def fingerprint(self) -> str:
        """Hex digest of all of them."""
        numbers = [self.min_count, self.max_vocabulary, self.keep, self.drop, self.max_types]
        whole = hashlib.blake2b(json.dumps(numbers).encode(), digest_size=16)
        if self.vocabulary is not None:
            whole.update(join_tokens(self.vocabulary.tokens))
            whole.update(b"" if self.vocabulary.counts is None else self.vocabulary.counts.tobytes())
        return whole.hexdigest()

    def choose(self, counter: Counter) -> np.ndarray:
        """The numbers of the types that are the vocabulary, by falling count and then in the order of their bytes.

        Raises:
            InputError: there are none.
        """
        table = counter.table
        counts = table.counts
        allowed = counts >= self.min_count
        allowed[: counter.pinned] = False
        allowed[table.find(self.drop)] = False
        kept = np.flatnonzero(counts[: counter.pinned])
        if len(kept) < counter.pinned:
            _log.info("%d of the %d words to keep do not occur", counter.pinned - len(kept), counter.pinned)
        others = np.flatnonzero(allowed)
        if self.max_vocabulary is not None:
            others = _most_frequent(table, others, self.max_vocabulary - len(kept))
        if not len(kept) and not len(others):
            raise InputError(self._nothing_left(counts))
        self._tell_error(counter)
        return table.ordered(np.concatenate([kept, others]))

    def _nothing_left(self, counts: np.ndarray) -> str:
        most = counts.max(initial=0)
        if most == 0:
            return "the corpus has no token; give it some text"
        if most >= self.min_count:
            return f"drop_words holds every token that occurs at least min_count = {self.min_count} times; drop fewer"
        return (
            f"no token occurs at least min_count = {self.min_count} times (the most frequent occurs {most:,} times); "
            "lower min_count"
        )

    def _tell_error(self, counter: Counter) -> None:
        if counter.error:
            _log.warning(
                "there are more than max_types_in_memory = %s different words: counts may be too low by at most %s, "
                "and words seen so often may be missing; raise it to count exactly",
                f"{self.max_types:,}",
                f"{counter.error:,}",
            )


def _most_frequent(table: Table, numbers: np.ndarray, size: int) -> np.ndarray:
    """The ``size`` first ones in the order of the vocabulary; only what may be among them is put into order."""
    if size >= len(numbers):
        return numbers
    counts = table.counts[numbers]
    least = np.partition(counts, len(counts) - size)[len(counts) - size] if size else counts.max() + 1
    return table.ordered(numbers[counts >= least])[:size]


def word_list(words: str | os.PathLike[str] | Iterable[str], name: str, lowercase: bool) -> list[str]:
    """Different words: the lines of a file (blank ones left out), or as they are given.

    Raises:
        InputError: the file cannot be read, or something is no word.
    """
    if isinstance(words, str | os.PathLike):
        words = [word for line in read_lines(words) if (word := line.strip("\t\v\f\r "))]
    listed = dict.fromkeys(words)
    for word in listed:
        if not isinstance(word, str) or not word:
            raise InputError(f"{name} holds {word!r}; a word must be a string that is not empty")
        if any("\ud800" <= letter <= "\udfff" for letter in word):
            raise InputError(f"{name} holds {word!r}, in which is half of a character; it cannot be in any text")
    return list(dict.fromkeys(word.lower() for word in listed)) if lowercase else list(listed)
