"""Spelling correction by a noisy channel: word counts, a learned error model, and the words around."""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from corpora import get_tokenizer
from wordvec.applications.deletions import DeletionIndex
from wordvec.applications.error_model import ENGLISH, ErrorModel
from wordvec.errors import InputError
from wordvec.system.validation import check_kind, check_whole
from wordvec.vectors.tables import Neighbors
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from wordvec.vectors.dense import WordVectors

_WINDOW = 3
"""Words on each side of a misspelling that are its context."""
_CONTEXT_WEIGHT, _OUTSIDE = 0.5, -3.0
"""Weight of the products with the context, next to logarithms of probabilities, and the product of a word without a
vector; chosen on the development half of the comparison in docs/how-to/spelling.md."""
_CONTENDERS = 10

_RUN = re.compile(r"\S+")

Suggestions = Neighbors
"""Words and their scores (the logarithms of count times probability), in descending order."""


class SpellingCorrector:
    """A spelling corrector that knows the words of a corpus.

    Of the known words within two edits of an unknown one, it takes the one of greatest count times probability of the
    misspelling (Kernighan, Church & Gale 1990). A known word is correct, and so are its possessive
    (``London's``) and a word without letters.

    Args:
        vocabulary: the known words, in lower case, with their counts.
        errors: the probabilities of misspellings.

    Raises:
        InputError: the vocabulary has no counts, or an argument is of another type.

    Example:
        >>> corrector = SpellingCorrector(Vocabulary(["their", "there", "address"], [30, 40, 2]))
        >>> corrector.correct_words(["thier", "Adress", "there", "xyz"])
        ['their', 'Address', 'there', 'xyz']
        >>> corrector.correct_text("THIER adress: 12 There St")
        'THEIR address: 12 There St'
    """

    def __init__(self, vocabulary: Vocabulary, errors: ErrorModel = ENGLISH) -> None:
        self.vocabulary = check_kind("vocabulary", vocabulary, Vocabulary)
        self.errors = check_kind("errors", errors, ErrorModel)
        if vocabulary.counts is None:
            raise InputError("spelling correction needs the counts of words; pass Vocabulary(tokens, counts)")
        self._log_counts = np.log(np.maximum(vocabulary.counts, 1))

    @cached_property
    def _index(self) -> DeletionIndex:
        return DeletionIndex([token if _has_letter(token) else "" for token in self.vocabulary.tokens])

    def correct(self, word: str) -> str:
        """Return the correction of a word in its case; a word that is known, or like no other, is unchanged."""
        return self.correct_words([word])[0]

    def correct_words(self, words: Sequence[str]) -> list[str]:
        """Return :meth:`correct` of each word, thousands a second."""
        best = {word: found[0][0] for word, found in self._suggested(words, 1).items() if found}
        return [_in_case_of(word, best[word]) if word in best else word for word in words]

    def suggestions(self, word: str, top: int = 5) -> Suggestions:
        """Return the most probable corrections in lower case, with scores; none for a word that is known.

        Example:
            >>> corrector = SpellingCorrector(Vocabulary(["their", "there", "address"], [30, 40, 2]))
            >>> [word for word, score in corrector.suggestions("thier")]
            ['their', 'there']
        """
        return self.suggestions_of([word], top)[0]

    def suggestions_of(self, words: Sequence[str], top: int = 5) -> list[Suggestions]:
        """Return :meth:`suggestions` for each word."""
        found = self._suggested(words, check_whole("top", top, 1))
        return [found[word] for word in words]

    def correct_text(self, text: str, vectors: "WordVectors | None" = None) -> str:
        """Return a text with its unknown words corrected; all else, such as white space and punctuation, is kept.

        Args:
            text: running text.
            vectors: prefer corrections that occur with the three words on each side: by the mean of the products of
                vectors and context vectors, in both directions. None: by count and errors only.

        Raises:
            InputError: ``text`` is not a string, or the vectors have no context vectors.

        Example:
            >>> from wordvec import WordVectors
            >>> corrector = SpellingCorrector(Vocabulary(["bread", "beard", "eat", "shave"], [9, 9, 9, 9]))
            >>> rows = [[2, 0], [2, 0], [0, 2], [0, 2]]
            >>> wv = WordVectors(["bread", "eat", "beard", "shave"], rows, context_vectors=rows)
            >>> [corrector.correct_text(text, wv) for text in ("Eat berad!", "Shave berad!")]
            ['Eat bread!', 'Shave beard!']
        """
        return self.correct_texts([text], vectors)[0]

    def correct_texts(self, texts: Sequence[str], vectors: "WordVectors | None" = None) -> list[str]:
        """Return :meth:`correct_text` of each text; the context of a word is within its text."""
        if vectors is not None and getattr(vectors, "context_vectors", None) is None:
            raise InputError(
                "these vectors have no context vectors to correct by; pass those that train-embeddings wrote as "
                ".safetensors"
            )
        places = [
            [match for run in _RUN.finditer(check_kind("text", text, str)) for match in _words_in(run)]
            for text in texts
        ]
        suggested = self._suggested(chain.from_iterable(map(itemgetter(0), each) for each in places), _CONTENDERS)
        found = []
        for text, matches in zip(texts, places, strict=True):
            parts, done = [], 0
            words = [word for word, _, _ in matches]
            for place, (word, start, end) in enumerate(matches):
                if suggested[word]:
                    scores = _with_context(suggested, words, place, vectors)
                    best = suggested[word][int(np.argmax(scores))][0]
                    parts += [text[done:start], _in_case_of(word, best)]
                    done = end
            found.append("".join([*parts, text[done:]]))
        return found

    def _suggested(self, words: Iterable[str], top: int) -> dict[str, Suggestions]:
        """Return at most ``top`` suggestions for each distinct word."""
        written = {check_kind("a word", word, str): word.lower().replace("\u2019", "'") for word in words}
        stems = {form: form.removesuffix("'s") for form in written.values() if not self._knows(form)}
        unknown = sorted({stem for stem in stems.values() if _has_letter(stem) and not self._knows(stem)})
        best: dict[str, list[tuple[str, float]]] = {}
        queries, rows = self._index.near(unknown)
        tokens = self.vocabulary.tokens
        costs = self.errors.costs_of(
            [tokens[row] for row in rows.tolist()], [unknown[query] for query in queries.tolist()]
        )
        # One letter may become any other: nothing is known of it.
        lengths = np.array([len(word) for word in unknown], np.int64)
        close = np.isfinite(costs) & (lengths[queries] > 1)
        queries, rows, costs = queries[close], rows[close], costs[close]
        scores = self._log_counts[rows] - costs
        order = np.lexsort((rows, -scores, queries))
        edges = np.searchsorted(queries[order], np.arange(len(unknown) + 1))
        for query, word in enumerate(unknown):
            chosen = order[edges[query] : edges[query + 1]][:top].tolist()
            best[word] = [(tokens[rows[place]], float(scores[place])) for place in chosen]
        endings = {form: form[len(stem) :] for form, stem in stems.items()}
        return {
            word: Neighbors((other + endings[form], score) for other, score in best.get(stems.get(form, ""), []))
            for word, form in written.items()
        }

    def _knows(self, form: str) -> bool:
        return self.vocabulary.lookup(form) >= 0


def _with_context(
    suggested: dict[str, Suggestions], words: list[str], place: int, vectors: "WordVectors | None"
) -> np.ndarray:
    """Return the scores of the suggestions for a word, those of the context added."""
    scores = np.array([score for _, score in suggested[words[place]]])
    if vectors is None or vectors.context_vectors is None:
        return scores
    near = words[max(0, place - _WINDOW) : place] + words[place + 1 : place + 1 + _WINDOW]
    around = [row for word in near if not suggested[word] and (row := vectors.lookup(word)) >= 0]
    if not around:
        return scores
    rows = np.array([vectors.lookup(word) for word, _ in suggested[words[place]]])
    inner, outer = (each.astype(np.float64) for each in (vectors.vectors[around], vectors.context_vectors[around]))
    own, context = vectors.vectors[rows], vectors.context_vectors[rows]
    products = ((context[:, None] * inner).sum(axis=2) + (own[:, None] * outer).sum(axis=2)).mean(axis=1) / 2
    return np.asarray(scores + _CONTEXT_WEIGHT * np.where(rows < 0, _OUTSIDE, products))


def _has_letter(word: str) -> bool:
    return any(map(str.isalpha, word))


def _words_in(run: re.Match[str]) -> list[tuple[str, int, int]]:
    """Return the words of a run of characters, as the tokenizer ``words`` cuts it, with their places in the text."""
    text, found, done = run.group(), [], 0
    for token in get_tokenizer("words").tokenize(text):
        start = text.replace("\u2019", "'").find(token, done)
        done = start + len(token)
        found.append((text[start:done], run.start() + start, run.start() + done))
    return found


def _in_case_of(typed: str, word: str) -> str:
    """Return a word in lower case, capitalized, or in capitals, like the typed one."""
    word = word.replace("'", "\u2019") if "\u2019" in typed else word
    if typed.isupper() and len(typed) > 1:
        return word.upper()
    return word[:1].upper() + word[1:] if typed[:1].isupper() else word
