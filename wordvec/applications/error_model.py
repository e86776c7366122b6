"""Error model of a spelling corrector: the probability of a misspelling, given the word that was meant.

A misspelling is one or two edits away from its word. Edits are of ten kinds (``KINDS``), each with a probability of its
own at the first letter and elsewhere, because first letters are rarely wrong (Pollock & Zamora 1984). The model is the
noisy channel of Kernighan, Church & Gale 1990, with kinds of letters in place of pairs of letters.
"""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from wordvec.errors import InputError
from wordvec.system.validation import check_kind, shown

KINDS = (
    "drop doubled", "drop vowel", "drop consonant", "add doubled", "add vowel", "add consonant",
    "replace vowel by vowel", "replace consonant by consonant", "replace vowel and consonant", "swap",
)  # fmt: skip
"""Kinds of edits: a letter is missing, or added, that equals the one next to it, or is another vowel or consonant; one
is replaced by another; two letters next to each other are swapped."""

MOST_EDITS = 2
_DROP, _ADD, _REPLACE, _SWAP = 0, 3, 6, 9
"""Places in ``KINDS``."""
_VOWELS = frozenset("aeiouyаеёиіоуыэюяαεηιουω")
_SIZES = {True: 6, False: 20}
"""Number of vowels and consonants that a letter may be replaced by, or that may be added."""
_PRIOR = 10.0
"""Times that a learned model is taken to have seen each kind of edit already, at the rate of the initial model."""
_ROUNDS = 3
_STEP = 1e-6
_BLOCK = 1 << 11
"""Pairs that are aligned at a time."""


@dataclass(frozen=True)
class ErrorModel:
    """Costs of edits: negative logarithms of their probabilities, per letter at which they may occur.

    Args:
        costs: of each of ``KINDS``, after the first letter.
        first_costs: at the first letter.
        second_cost: added for the second edit.

    Example:
        >>> ENGLISH.cost("address", "adress") < ENGLISH.cost("address", "addriss") < ENGLISH.cost("address", "addrezs")
        True
        >>> ENGLISH.cost("address", "dres")
        inf
    """

    costs: tuple[float, ...]
    first_costs: tuple[float, ...]
    second_cost: float

    def __post_init__(self) -> None:
        for name in ("costs", "first_costs"):
            if len(getattr(self, name)) != len(KINDS):
                raise InputError(f"{name} must be {len(KINDS)} numbers, one per kind, got {len(getattr(self, name))}")

    def cost(self, word: str, typed: str) -> float:
        """Return the negative logarithm of the probability of ``typed``, given ``word`` and an error; 0 if equal."""
        for name, value in (("word", word), ("typed", typed)):
            check_kind(name, value, str)
        if word == typed:
            return 0.0
        return float(self.costs_of([word], [typed])[0])

    def costs_of(self, words: list[str], typed: list[str]) -> np.ndarray:
        """Return :meth:`cost` of each pair of different strings, (n,) float64; infinite beyond two edits."""
        blocks = range(0, len(words), _BLOCK)
        found = [self._aligned(words[start : start + _BLOCK], typed[start : start + _BLOCK]) for start in blocks]
        return np.concatenate([np.zeros(0), *found])

    def _aligned(self, words: list[str], typed: list[str]) -> np.ndarray:
        """Return the costs (n,) of the cheapest alignments, by the dynamic program for all pairs at once.

        A row has the costs of the first i letters of the word and i - 2 to i + 2 of the typed one: others need more
        than two edits.
        """
        truth, given = _Letters(words), _Letters(typed)
        later, first = np.array(self.costs), np.array(self.first_costs)
        drop, add = truth.edge_costs(later, first, _DROP), given.edge_costs(later, first, _ADD)
        ends = ((0, 0), (MOST_EDITS + 1, max(0, truth.codes.shape[1] - given.codes.shape[1]) + MOST_EDITS + 1))
        codes, vowels, add = np.pad(given.codes, ends), np.pad(given.vowels, ends), np.pad(add, ends)
        add[codes == 0] = np.inf
        shape = (len(words), 2 * MOST_EDITS + 1)
        found = np.full((MOST_EDITS + 1, len(words)), np.inf)
        before: list[np.ndarray] = []
        two_before: list[np.ndarray] = []
        for i in range(truth.codes.shape[1] + 1):
            window = slice(i, i + shape[1])
            last = codes[:, window]  # the last of the typed letters of each cell
            if i:
                letter = truth.codes[:, i - 1, None]
                same = last == letter
                costs = later if i > 1 else first
                replace = costs[_REPLACE + _replacement(truth.vowels[:, i - 1, None], vowels[:, window])]
                replace[same | (last == 0)] = np.inf
            if i > 1:
                swapped = (codes[:, i - 1 : i - 1 + shape[1]] == letter) & (truth.codes[:, i - 2, None] == last) & ~same
                swap = np.where(swapped, (later if i > MOST_EDITS else first)[_SWAP], np.inf)
            rows: list[np.ndarray] = []
            for edits in range(MOST_EDITS + 1):
                row = np.full(shape, np.inf)
                if i == 0 and edits == 0:
                    row[:, MOST_EDITS] = 0
                if i:
                    row[same] = before[edits][same]
                if edits:
                    np.minimum(row[:, 1:], rows[-1][:, :-1] + add[:, window][:, 1:], out=row[:, 1:])
                if edits and i:
                    fewer = before[edits - 1]
                    np.minimum(row[:, :-1], fewer[:, 1:] + drop[:, i - 1, None], out=row[:, :-1])
                    np.minimum(row, fewer + replace, out=row)
                if edits and i > 1:
                    np.minimum(row, two_before[edits - 1] + swap, out=row)
                rows.append(row)
            ending = np.flatnonzero(truth.lengths == i)
            shift = given.lengths[ending] - i + MOST_EDITS
            ending, shift = ending[(shift >= 0) & (shift < shape[1])], shift[(shift >= 0) & (shift < shape[1])]
            for edits in range(1, MOST_EDITS + 1):
                found[edits, ending] = rows[edits][ending, shift]
            two_before, before = before, rows
        return np.asarray(np.minimum(found[1], found[2] + self.second_cost))

    @staticmethod
    def learned(pairs: Iterable[tuple[str, str]], initial: "ErrorModel | None" = None) -> "ErrorModel":
        """Learn a model from words and their misspellings; three rounds of hard EM over the alignments.

        Args:
            pairs: the word that was meant, and what was typed; pairs that are equal, or more than two edits apart, are
                left out.
            initial: aligns the pairs at first, and is the prior: its rate of each kind counts like ten edits.
                None: ``ENGLISH``.

        Raises:
            InputError: no pair is left.

        Example:
            >>> model = ErrorModel.learned([("their", "thier"), ("piece", "peice"), ("field", "feild")] * 10)
            >>> model.costs[KINDS.index("swap")] < ENGLISH.costs[KINDS.index("swap")]
            True
        """
        model = ENGLISH if initial is None else check_kind("initial", initial, ErrorModel)
        prior = np.exp(-np.array([model.costs, model.first_costs]))
        given = [pair for pair in pairs if pair[0] != pair[1]]
        near = np.isfinite(model.costs_of([word for word, _ in given], [typed for _, typed in given]))
        words, typed = ([pair[side] for pair, is_near in zip(given, near, strict=True) if is_near] for side in (0, 1))
        if not words:
            raise InputError("no pair of a word and a misspelling is one or two edits apart; give at least one")
        chances = sum(map(_chances, words), np.zeros((2, len(KINDS))))
        for _ in range(_ROUNDS):
            counts = model._edits(words, typed)
            twice = float(counts.sum()) - len(words)  # misspellings of two edits
            rates = (counts + _PRIOR) / (chances + _PRIOR / prior)
            # The probability of two edits, in any order, over that of one; rates count the edits of one misspelling.
            odds = 2 * (twice + 1) / (len(words) - twice + 1)
            costs = -np.log(np.minimum(rates, 1))
            second = math.log((len(words) + twice) / len(words)) - math.log(odds)
            model = ErrorModel(tuple(costs[0].tolist()), tuple(costs[1].tolist()), second)
        return model

    def _edits(self, words: list[str], typed: list[str]) -> np.ndarray:
        """Return how often each kind occurs in the cheapest alignments, (2, 10): the derivative of their costs."""
        found = np.zeros((2, len(KINDS)))
        least = self.costs_of(words, typed)
        for first in (0, 1):
            for kind in range(len(KINDS)):
                costs = [list(self.costs), list(self.first_costs)]
                costs[first][kind] += _STEP
                changed = ErrorModel(tuple(costs[0]), tuple(costs[1]), self.second_cost)
                found[first, kind] = np.rint((changed.costs_of(words, typed) - least) / _STEP).sum()
        return found


def parse_errors(lines: Iterable[str], name: str = "the list of errors") -> list[tuple[str, str]]:
    """Return the pairs of words and misspellings in lines such as ``receive: recieve receve``, in lower case.

    A tab may take the place of the colon. Empty lines are skipped.

    Raises:
        InputError: a line has no colon or tab, or nothing on one side of it.

    Example:
        >>> parse_errors(["receive: recieve receve", "their\\tthier"])
        [('receive', 'recieve'), ('receive', 'receve'), ('their', 'thier')]
    """
    found = []
    for number, line in enumerate(lines, 1):
        right, _, wrong = line.partition("\t" if "\t" in line else ":")
        if line.strip() and not (right.strip() and wrong.strip()):
            raise InputError(f"{name}:{number}: expected a word, a colon and its misspellings, got {shown(line)}")
        found += [(right.strip().lower(), each.lower()) for each in wrong.split()]
    return found


class _Letters:
    """Strings as code points (n, L), 0 beyond their ends, with their lengths and which of the letters are vowels."""

    def __init__(self, words: list[str]) -> None:
        array = np.array(words, dtype=np.str_)
        self.codes = array.view(np.uint32).reshape(len(words), -1)
        self.lengths = np.array([len(word) for word in words], np.int64)
        self.vowels = _vowel_table()[np.minimum(self.codes, len(_vowel_table()) - 1)]

    def edge_costs(self, later: np.ndarray, first: np.ndarray, doubled: int) -> np.ndarray:
        """Return the cost (n, L) of dropping, or of adding, each letter; ``doubled`` is the first of three kinds."""
        kind = np.where(self.vowels, doubled + 1, doubled + 2)
        same = (self.codes[:, 1:] == self.codes[:, :-1]) & (self.codes[:, 1:] > 0)
        kind[:, 1:][same] = doubled
        kind[:, :-1][same] = doubled
        return np.asarray(np.where(np.arange(kind.shape[1]) == 0, first[kind], later[kind]))


def _replacement(vowel: np.ndarray, by_vowel: np.ndarray) -> np.ndarray:
    """Return 0 for a vowel by a vowel, 1 for a consonant by a consonant, 2 otherwise."""
    return np.where(vowel == by_vowel, np.where(vowel, 0, 1), 2)


@cache
def _vowel_table() -> np.ndarray:
    """Return which code points are vowels; the last stands for all beyond."""
    table = np.zeros(0x2000, bool)
    for code in range(len(table) - 1):
        table[code] = _is_vowel(chr(code))
    return table


@cache
def _is_vowel(letter: str) -> bool:
    return unicodedata.normalize("NFD", letter)[0].lower() in _VOWELS


def _edge_kind(word: str, place: int, doubled: int) -> int:
    """Return the kind of dropping, or of adding, a letter of a word; ``doubled`` is the first of the three kinds."""
    if word[place] in (word[place - 1 : place], word[place + 1 : place + 2]):
        return doubled
    return doubled + 1 if _is_vowel(word[place]) else doubled + 2


def _chances(word: str) -> np.ndarray:
    """Return how many edits of each kind a word allows: (2, 10), after and at the first letter."""
    found = np.zeros((2, len(KINDS)))
    for place, letter in enumerate(word):
        row, vowel = found[int(place == 0)], _is_vowel(letter)
        row[_edge_kind(word, place, _DROP)] += 1
        row[_REPLACE if vowel else _REPLACE + 1] += _SIZES[vowel] - 1
        row[_REPLACE + 2] += _SIZES[not vowel]
        row[_SWAP] += word[place + 1 : place + 2] not in ("", letter)
    for place in range(len(word) + 1):
        near = set(word[max(place - 1, 0) : place + 1])
        row, vowels = found[int(place == 0)], sum(map(_is_vowel, near))
        row[_ADD : _ADD + 3] += len(near), _SIZES[True] - vowels, _SIZES[False] - (len(near) - vowels)
    return found


ENGLISH = ErrorModel(
    (2.32, 3.17, 3.17, 5.24, 6.09, 7.34, 4.99, 6.92, 8.66, 3.67),
    (4.01, 5.44, 5.09, 8.63, 9.19, 10.17, 5.66, 7.38, 9.49, 6.03),
    1.2,
)
"""Learned with :meth:`ErrorModel.learned`, from equal costs, from the misspellings in the dictionary of codespell 2.4.3
that have one correction, at most two edits away, without those that are also in spell-testset1."""
