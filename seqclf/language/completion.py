"""Completion of the last word of a text: words of the vocabulary, or characters up to the word's end."""

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from corpora.normalization import normalized
from seqclf.language.text import UNKNOWN, end_of_line
from seqclf.layers.batches import pack
from seqclf.layers.tape import States
from wordvec.system.validation import check_whole

if TYPE_CHECKING:
    from seqclf.language.model import TrainedLanguageModel

BEAM = 4
"""Unfinished words kept for each completion that is asked for, where the model reads characters."""
LONGEST = 30
"""Characters added at most."""
UNIGRAM = 0.01
"""The share of the words' frequencies in their probabilities, so that rare contexts rule no word out."""


class Completer:
    """Completes texts by a language model; a text that continues the one before is read from where that ended.

    A model of words ranks the words of its vocabulary that begin with the last word of the text, as written or else
    lower-cased, by their probability after the words before; a text that ends in white space has all words as
    candidates. A model of characters searches for the most probable ends of the word by a beam.

    Args:
        model: of words or characters.

    Example:
        >>> from seqclf import LanguageModelSettings, train_language_model
        >>> settings = LanguageModelSettings(hidden_size=16, epochs=5, batch_size=2, window=8, learning_rate=0.02)
        >>> model = train_language_model(["the cat sat on the mat"] * 20, settings=settings, threads=1)
        >>> [word for word, probability in Completer(model).complete("the cat s", top=3)]
        ['sat']
    """

    def __init__(self, model: "TrainedLanguageModel") -> None:
        self.model = model
        vocabulary = model.vocabulary
        special = {UNKNOWN, end_of_line(model.unit)}
        words = sorted((token, row) for row, token in enumerate(vocabulary.tokens) if token not in special)
        self._words = [word for word, _ in words]
        self._rows = np.array([row for _, row in words], np.int64)
        assert vocabulary.counts is not None
        self._unigrams = vocabulary.counts / max(vocabulary.counts.sum(), 1)
        self._read: tuple[list[int], States, np.ndarray] | None = None

    def complete(self, text: str, *, top: int = 10) -> list[tuple[str, float]]:
        """Return the most probable words for the end of a text, each with its probability among all that fit.

        Args:
            text: may be empty. top: the largest number of words.

        Raises:
            InputError: ``top`` is below 1.
        """
        check_whole("top", top, 1)
        if self.model.unit == "character":
            return self._by_characters(text, top)
        partial = "" if not text or text[-1].isspace() else text.split()[-1]
        context = text[: len(text) - len(partial)]
        partial = normalized(partial, self.model.settings.get("normalize", "none"))
        first, last = self._range(partial)
        if first == last:
            first, last = self._range(partial.lower())
        if first == last:
            return []
        _, probabilities = self._after(context)
        rows = self._rows[first:last]
        chances = (1 - UNIGRAM) * probabilities[rows] + UNIGRAM * self._unigrams[rows]
        best = np.argsort(-chances, kind="stable")[:top]
        whole = float(chances.sum()) or 1.0
        return [(self._words[first + place], float(chances[place]) / whole) for place in best]

    def _range(self, prefix: str) -> tuple[int, int]:
        """Return the places of the sorted words that begin with a prefix."""
        first = bisect_left(self._words, prefix)
        return first, bisect_left(self._words, prefix + "\U0010ffff", lo=first)

    def _after(self, context: str) -> tuple[States, np.ndarray]:
        """Return the state and the probabilities (V,) after a context, ``<unk>`` having none."""
        ids = self.model.prompt_ids(context)
        tokens = ids.tolist()
        states = None
        if self._read is not None:
            before, kept, probabilities = self._read
            if tokens == before:
                return kept, probabilities
            if tokens[: len(before)] == before:
                ids, states = ids[len(before) :], kept
        probabilities, states = self.model.after(ids, states)
        self._read = tokens, states, probabilities
        return states, probabilities

    def _by_characters(self, text: str, top: int) -> list[tuple[str, float]]:
        tokens, network = self.model.vocabulary.tokens, self.model.network
        ends = np.array([token.isspace() for token in tokens])
        partial = "" if not text or text[-1].isspace() else text.split()[-1]
        states, probabilities = self._after(text)
        begun, scores = [""], np.zeros(1)
        found: dict[str, float] = {}
        next_p = probabilities[None]
        for _ in range(LONGEST):
            with np.errstate(divide="ignore"):
                total = scores[:, None] + np.log(next_p.astype(np.float64))
            for row, word in enumerate(begun):
                ended = float(np.logaddexp.reduce(total[row, ends]))
                if partial + word and np.isfinite(ended):
                    found[partial + word] = ended
            total[:, ends] = -np.inf
            flat = np.argsort(-total, axis=None, kind="stable")[: BEAM * top]
            flat = flat[np.isfinite(total.reshape(-1)[flat])]
            bound = sorted(found.values())[-top] if len(found) >= top else -np.inf
            flat = flat[total.reshape(-1)[flat] > bound]  # a longer word is no more probable
            if not flat.size:
                break
            rows, added = np.divmod(flat, len(tokens))
            begun, scores = [begun[row] + tokens[new] for row, new in zip(rows, added, strict=True)], total[rows, added]
            states = States(states.h[:, rows], states.c[:, rows])
            batch = pack(added.astype(np.int32), np.arange(added.size + 1), np.arange(added.size))
            read, states = network.read(batch, states)
            next_p = network.head.forward(read)
            next_p[:, self.model.vocabulary.token_to_id[UNKNOWN]] = 0
        best = sorted(found, key=lambda word: (-found[word], word))[:top]
        whole = float(np.logaddexp.reduce([found[word] for word in found])) if found else 0.0
        return [(word, float(np.exp(found[word] - whole))) for word in best]
