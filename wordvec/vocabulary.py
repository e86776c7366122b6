"""Vocabulary: the tokens of a model in row order, with their corpus counts."""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wordvec.errors import InputError, UnknownTokenError

_SUGGESTION_ROWS, _SUGGESTION_CHARACTERS = 500_000, 100
"""Spelling suggestions are searched for in the first rows and for short words only, so that raising the error stays
fast."""

_ALPHABETICAL_ROWS = 20
"""So many first rows in alphabetical order are no coincidence."""


class Vocabulary:
    """Tokens in row order, usually by falling frequency, with their counts.

    Args:
        tokens: V distinct, non-empty strings. A token may contain any character, including spaces.
        counts: (V,) int64, the corpus count of each token, or None if unknown.

    Raises:
        InputError: a token is empty, not a string, repeated, or cannot be encoded as UTF-8; the counts do not match
            the tokens in number, are not integers, or are negative.

    Example:
        >>> vocabulary = Vocabulary(["the", "king", "queen"], [9, 3, 2])
        >>> len(vocabulary), "king" in vocabulary, vocabulary.token_to_id["queen"]
        (3, True, 2)
        >>> vocabulary.lookup("King"), vocabulary.lookup("pawn")
        (1, -1)
        >>> vocabulary.encode(["the", "old", "queen"])
        array([0, 2], dtype=int32)
    """

    def __init__(self, tokens: Sequence[str], counts: ArrayLike | None = None) -> None:
        self._hold(tokens, counts)
        _ = self.token_to_id

    def _hold(self, tokens: Sequence[str], counts: ArrayLike | None) -> None:
        self.tokens: list[str] = _checked_tokens(tokens)
        self.counts: np.ndarray | None = None if counts is None else _checked_counts(counts, len(self.tokens))

    @classmethod
    def of_distinct(cls, tokens: list[str], counts: np.ndarray) -> "Vocabulary":
        """Build a vocabulary without validation, from tokens known to be valid and distinct."""
        found = cls.__new__(cls)
        found.__setstate__({"tokens": tokens, "counts": counts})
        return found

    @classmethod
    def indexed_later(cls, tokens: Sequence[str], counts: ArrayLike | None) -> "Vocabulary":
        """Build a vocabulary whose dictionary, which finds repeated tokens, is made when it is first needed.

        Raises:
            InputError: as of a vocabulary made at once, but for repeated tokens.
        """
        found = cls.__new__(cls)
        found._hold(tokens, counts)
        return found

    @classmethod
    def of_rows(cls, token_to_id: dict[str, int]) -> "Vocabulary":
        """Build a vocabulary without counts from its dictionary, whose rows ascend from 0; it is kept, not copied.

        Raises:
            InputError: as of a list of its tokens.
        """
        found = cls.__new__(cls)
        found.__setstate__({"tokens": _checked_tokens(list(token_to_id)), "counts": None, "token_to_id": token_to_id})
        return found

    @cached_property
    def token_to_id(self) -> dict[str, int]:
        """Dictionary from token to row.

        Raises:
            InputError: a token is repeated.
        """
        rows = dict(zip(self.tokens, range(len(self.tokens)), strict=True))
        if len(rows) != len(self.tokens):
            raise InputError(_describe_repeat(self.tokens))
        return rows

    @property
    def by_frequency(self) -> bool:
        """Whether the rows seem to be in descending order of frequency, by their counts, or not in alphabetical order.

        Example:
            >>> Vocabulary(["the", "king"]).by_frequency, Vocabulary(["a", "b"], [3, 9]).by_frequency
            (True, False)
        """
        if self.counts is not None and self.counts.any():
            return bool((self.counts[1:] <= self.counts[:-1]).all())
        first = [token.lower() for token in self.tokens[:_ALPHABETICAL_ROWS]]
        return len(first) < _ALPHABETICAL_ROWS or first != sorted(first)

    def __len__(self) -> int:
        return len(self.tokens)

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.token_to_id

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Vocabulary):
            return NotImplemented
        if self.counts is None or other.counts is None:
            return self.counts is other.counts and self.tokens == other.tokens
        return self.tokens == other.tokens and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(token) for token in self.tokens[:3])
        more = ", ..." if len(self) > 3 else ""
        counted = "" if self.counts is None else f", {int(self.counts.sum()):,} counted"
        return f"<Vocabulary of {len(self):,} tokens [{shown}{more}]{counted}>"

    def __getstate__(self) -> dict[str, Any]:
        return {"tokens": self.tokens, "counts": self.counts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def lookup(self, word: str) -> int:
        """Return the row of ``word`` as written, else of its lower-cased form, else -1.

        A word with accents is also looked up in composed (NFC) and decomposed (NFD) form, which look the same.
        """
        if not isinstance(word, str):
            raise InputError(f"a word must be a string, got {repr(word)[:60]}")
        get = self.token_to_id.get
        token_id = get(word, -1)
        if token_id < 0:
            token_id = get(word.lower(), -1)
        if token_id >= 0 or word.isascii():
            return token_id
        forms = accent_forms(word)
        spellings = [*forms, *(form.lower() for form in forms)]
        return next((row for row in map(get, spellings) if row is not None), -1)

    def token_id(self, word: str) -> int:
        """Return the row of ``word``, as found by :meth:`lookup`.

        Raises:
            UnknownTokenError: the word is not in the vocabulary; the message suggests similar spellings.
        """
        row = self.lookup(word)
        if row < 0:
            raise UnknownTokenError(_describe_unknown(word, self))
        return row

    def encode(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the rows of the known ``tokens``, matched as written; unknown tokens are dropped.

        Returns:
            int32 array, at most as long as ``tokens``.
        """
        get = self.token_to_id.get
        return np.array([token_id for token_id in map(get, tokens) if token_id is not None], dtype=np.int32)

    def rows_of(self, tokens: Iterable[str]) -> np.ndarray:
        """Return the row (int64) of each token as written, -1 if unknown."""
        get = self.token_to_id.get
        return np.fromiter((get(token, -1) for token in tokens), np.int64)

    def merged(self, other: "Vocabulary") -> "Vocabulary":
        """Return the union of both, by descending sum of counts; unknown counts are 0.

        Among equals the order is that of the bytes, or of the rows if these have no counts.

        Example:
            >>> Vocabulary(["a", "b"], [3, 1]).merged(Vocabulary(["b", "c"], [5, 2])).tokens
            ['b', 'a', 'c']
        """
        tokens = [*self.tokens, *(token for token in other.tokens if token not in self)]
        counts = np.zeros(len(tokens), np.int64)
        for words in (self, other):
            if words.counts is not None:
                counts += np.append(words.counts, 0)[words.rows_of(tokens)]  # the row of an unknown one is -1
        order = list(range(len(tokens)))
        if self.counts is not None:
            order.sort(key=lambda k: tokens[k].encode())
        order.sort(key=lambda k: -counts[k])
        return Vocabulary([tokens[k] for k in order], counts[order])

    def closest(self, word: str, n: int = 3) -> list[str]:
        """Return at most ``n`` known tokens spelled like ``word``, the closest first, then in row order.

        Candidates are within an edit distance of a third of the word's length (at least 1, at most 3). Case is
        ignored, and words that differ only in accents are the closest. Only the first 500,000 rows are searched, and
        nothing for words of more than 100 characters.

        Example:
            >>> Vocabulary(["queen", "queer", "king"]).closest("quen")
            ['queen']
        """
        wanted, plain = word.lower(), _without_accents(word)
        if len(wanted) > _SUGGESTION_CHARACTERS:
            return []
        limit = min(3, max(1, len(wanted) // 3))
        letters = set(wanted)
        shortest, longest = len(wanted) - limit, len(wanted) + limit
        near: list[tuple[int, int]] = []
        for token_id, token in enumerate(islice(self.tokens, _SUGGESTION_ROWS)):
            # One edit changes the set of letters by at most two, which rules out most tokens cheaply.
            if shortest <= len(token) <= longest:
                candidate = token.lower()
                if plain == (candidate if token.isascii() else _without_accents(token)):
                    near.append((0, token_id))
                elif len(letters.symmetric_difference(candidate)) <= 2 * limit:
                    edits = edit_distance(wanted, candidate, limit)
                    if edits <= limit:
                        near.append((edits, token_id))
        return [self.tokens[token_id] for _, token_id in sorted(near)[:n]]


def accent_forms(word: str) -> list[str]:
    """Return a word in composed (NFC) and decomposed (NFD) form, which look the same."""
    return [unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)]


def _without_accents(word: str) -> str:
    """Return the letters of a word in lower case, without their accents; "ß" is "ss"."""
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(letter)
    )


def edit_distance(left: str, right: str, limit: int) -> int:
    """Return the optimal string alignment distance: insertions, deletions, substitutions and adjacent swaps.

    Any distance above ``limit`` is returned as ``limit + 1``.

    Example:
        >>> edit_distance("queen", "qeuen", 3), edit_distance("king", "kitchen", 2)
        (1, 3)
    """
    before: list[int] = []
    previous = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        current = [i]
        for j, b in enumerate(right, 1):
            cost = min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            current.append(cost)
        if min(current) > limit:
            return limit + 1
        before, previous = previous, current
    return min(previous[-1], limit + 1)


def _checked_tokens(tokens: Sequence[str]) -> list[str]:
    if isinstance(tokens, str | bytes):
        raise InputError("tokens must be a sequence of strings, got one string; pass [token, ...]")
    if isinstance(tokens, Mapping | Set):
        remedy = "pass its keys, and the counts as counts" if isinstance(tokens, Mapping) else "sort them"
        raise InputError(f"tokens must be in the order of their rows, got a {type(tokens).__name__}; {remedy}")
    tokens = list(tokens)
    try:
        "".join(tokens).encode("utf-8")
    except TypeError:
        row, wrong = next((row, token) for row, token in enumerate(tokens) if not isinstance(token, str))
        raise InputError(f"tokens must be strings, got {type(wrong).__name__} in row {row}") from None
    except UnicodeEncodeError as error:
        raise InputError(f"tokens must be encodable as UTF-8, got {error.object[error.start]!r}") from None
    if "" in tokens:
        raise InputError(f"tokens must not be empty, got '' in row {tokens.index('')}")
    return tokens


def _checked_counts(counts: ArrayLike, size: int) -> np.ndarray:
    if np.ma.is_masked(counts):
        raise InputError("counts must not have masked values; fill them")
    given = np.asarray(counts)
    if given.shape != (size,):
        raise InputError(f"counts must be one per token: {size} tokens, counts of shape {given.shape}")
    if given.size and given.dtype.kind not in "iu":
        raise InputError(f"counts must be whole numbers, got {given.dtype}")
    if given.size and given.min() < 0:
        raise InputError(f"counts must not be negative, got {given.min()} in row {int(given.argmin())}")
    if given.size and given.sum(dtype=np.longdouble) >= 2.0**63:
        raise InputError(f"the sum of counts must be below 2^63, got {int(given.max()):,} in row {int(given.argmax())}")
    return given.astype(np.int64)


def _describe_repeat(tokens: list[str]) -> str:
    first: dict[str, int] = {}
    for row, token in enumerate(tokens):
        if first.setdefault(token, row) != row:
            return f"tokens must be distinct, got {token!r:.60} in rows {first[token]} and {row}"
    raise AssertionError("no token is repeated")


def _describe_unknown(word: str, vocabulary: Vocabulary) -> str:
    near = [f"{token!r:.40}" for token in vocabulary.closest(word)]
    if not near:
        hint = "check the spelling, or train with a lower min_count"
    elif len(near) == 1:
        hint = f"did you mean {near[0]}?"
    else:
        hint = f"did you mean {', '.join(near[:-1])} or {near[-1]}?"
    return f"token {word!r:.60} is not in the vocabulary ({len(vocabulary):,} tokens); {hint}"
