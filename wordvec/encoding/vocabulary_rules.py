"""Vocabulary selection: minimum count, maximum size, words to keep and to drop."""

import hashlib
import json
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from corpora import read_lines
from corpora.normalization import normalized
from wordvec.encoding.scanning import Counter, Table, join_tokens
from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_whole, is_encodable, shown
from wordvec.vocabulary import Vocabulary

_log = logging.getLogger(__name__)

MAX_TYPES = 10_000_000
"""Number of distinct tokens that are counted exactly; a table of them takes about a gigabyte."""


@dataclass(frozen=True)
class Rules:
    """Vocabulary options of ``encode_corpus``. ``keep`` and ``drop`` contain no duplicates."""

    min_count: int
    max_vocabulary: int | None
    keep: list[str]
    drop: list[str]
    vocabulary: Vocabulary | None
    max_types: int

    def check(self) -> None:
        """Raise InputError for values out of range and contradictory rules."""
        for name, value in (
            ("min_count", self.min_count),
            ("max_vocabulary", self.max_vocabulary),
            ("max_types_in_memory", self.max_types),
        ):
            if value is not None:
                check_whole(name, value, 1)
        if self.vocabulary is not None:
            check_kind("vocabulary", self.vocabulary, Vocabulary)
        if self.vocabulary is not None and (self.max_vocabulary is not None or self.keep or self.drop):
            raise InputError("a given vocabulary is used as it is; omit max_vocabulary, keep_words and drop_words")
        if self.vocabulary is not None and self.vocabulary.counts is not None and not self.vocabulary.counts.any():
            raise InputError(
                "every count of the given vocabulary is 0, but models need the words' frequencies; give their counts, "
                "or pass the words as keep_words to count them in the text"
            )
        both = sorted({*self.keep} & {*self.drop})
        if both:
            raise InputError(f"keep_words and drop_words both contain {both[0]!r:.60}; remove it from one of them")
        if self.max_vocabulary is not None and len(self.keep) > self.max_vocabulary:
            raise InputError(
                f"keep_words has {len(self.keep):,} words, but max_vocabulary is {self.max_vocabulary:,}; raise it"
            )

    def fingerprint(self) -> str:
        """Return a hex digest of all rules."""
        numbers = [self.min_count, self.max_vocabulary, self.keep, self.drop, self.max_types]
        whole = hashlib.blake2b(json.dumps(numbers).encode(), digest_size=16)
        if self.vocabulary is not None:
            whole.update(join_tokens(self.vocabulary.tokens))
            whole.update(b"" if self.vocabulary.counts is None else self.vocabulary.counts.tobytes())
        return whole.hexdigest()

    def choose(self, counter: Counter) -> np.ndarray:
        """Return the numbers of the selected types by descending count, ties in byte order.

        Raises:
            InputError: no type is selected.
        """
        table = counter.table
        counts = table.counts
        allowed = counts >= self.min_count
        allowed[: counter.pinned] = False
        allowed[table.find(self.drop)] = False
        kept = np.flatnonzero(counts[: counter.pinned])
        if len(kept) < counter.pinned:
            _log.info("%d of %d keep_words do not occur in the corpus", counter.pinned - len(kept), counter.pinned)
        others = np.flatnonzero(allowed)
        if self.max_vocabulary is not None:
            others = _most_frequent(table, others, self.max_vocabulary - len(kept))
        if not len(kept) and not len(others):
            raise InputError(self._nothing_left(counts))
        self._warn_of_error(counter)
        return table.ordered(np.concatenate([kept, others]))

    def _nothing_left(self, counts: np.ndarray) -> str:
        most = counts.max(initial=0)
        if most == 0:
            return "the corpus has no tokens; pass some text"
        if most >= self.min_count:
            return f"drop_words contains all tokens that occur at least min_count = {self.min_count} times; drop fewer"
        often = "once" if most == 1 else f"{most:,} times"
        return (
            f"no token occurs at least min_count = {self.min_count} times (the most frequent occurs {often}); "
            "lower min_count"
        )

    def _warn_of_error(self, counter: Counter) -> None:
        if counter.error:
            _log.warning(
                "more than max_types_in_memory = %s distinct words: counts may be too low by up to %s, and words that "
                "occur at most that often may be missing; raise it to count exactly",
                f"{self.max_types:,}",
                f"{counter.error:,}",
            )


def _most_frequent(table: Table, numbers: np.ndarray, size: int) -> np.ndarray:
    """Return the first ``size`` types in vocabulary order, sorting only candidates."""
    if size >= len(numbers):
        return numbers
    counts = table.counts[numbers]
    least = np.partition(counts, len(counts) - size)[len(counts) - size] if size else counts.max() + 1
    return table.ordered(numbers[counts >= least])[:size]


def word_list(
    words: str | os.PathLike[str] | Iterable[str], name: str, lowercase: bool, normalize: str, encoding: str = "utf-8"
) -> list[str]:
    """Return the distinct words of an iterable, or of the lines of a file (blank lines are skipped), normalized.

    A file is in UTF-8 or else in ``encoding``, that of the text.

    Raises:
        InputError: the file cannot be read, or a word is invalid.
    """
    if isinstance(words, str | os.PathLike):
        words = [word for line in read_lines(words, encoding=("utf-8", encoding)) if (word := line.strip("\t\v\f\r "))]
    listed = dict.fromkeys(words)
    for word in listed:
        if not isinstance(word, str) or not word:
            raise InputError(f"{name} contains {shown(word)}; a word must be a non-empty string")
        if not is_encodable(word):
            raise InputError(
                f"{name} contains {shown(word)}, which has an unpaired surrogate and cannot occur in any text"
            )
    forms = (normalized(word, normalize) for word in listed)
    return list(dict.fromkeys(form.lower() if lowercase else form for form in forms))
