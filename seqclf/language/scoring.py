"""Log-probabilities of single lines of text."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from seqclf.language.network import WINDOW
from seqclf.language.text import UNKNOWN
from seqclf.layers.batches import pack, row_sequences
from seqclf.layers.workers import Workers

if TYPE_CHECKING:
    from seqclf.language.model import TrainedLanguageModel

LINES = 64
"""Lines that are read at once; each one's score does not depend on the others."""


class LineScore(NamedTuple):
    """The score of a line.

    Attributes:
        line: as given.
        tokens: words or characters, and the line's end. unknown: how many the vocabulary lacks.
        log_probability: the sum of log p, in nats.
    """

    line: str
    tokens: int
    unknown: int
    log_probability: float

    @property
    def perplexity(self) -> float:
        """Of a token of the line; infinite beyond the range of floating point."""
        loss = -self.log_probability / self.tokens
        return math.exp(loss) if loss < 709 else math.inf


def score_lines(
    model: "TrainedLanguageModel", lines: Iterable[str], *, threads: int | None = None
) -> Iterator[LineScore]:
    """Yield the score of each line, read from the beginning of a text.

    Args:
        model: of words or characters.
        lines: strings without line ends; a generator is read bit by bit.
        threads: the largest number of threads; None uses all cores. They do not change the result.

    Raises:
        InputError: a line is not a string.

    Example:
        >>> from seqclf import LanguageModelSettings, train_language_model
        >>> settings = LanguageModelSettings(hidden_size=16, epochs=5, batch_size=2, window=8, learning_rate=0.02)
        >>> model = train_language_model(["the cat sat on the mat"] * 20, settings=settings, threads=1)
        >>> good, bad = score_lines(model, ["the cat sat on the mat", "mat the on sat cat"])
        >>> good.perplexity < 2 < bad.perplexity
        True
    """
    given = iter(lines)
    unknown_id = model.vocabulary.token_to_id[UNKNOWN]
    with Workers(threads) as workers:
        while batch := list(islice(given, LINES)):
            encoded = [model.encode([line]) for line in batch]
            sums = _sums(model, encoded, workers)
            for line, ids, total in zip(batch, encoded, sums, strict=True):
                yield LineScore(line, ids.size - 1, int(np.count_nonzero(ids[1:] == unknown_id)), total)


def _sums(model: "TrainedLanguageModel", encoded: list[np.ndarray], workers: Workers) -> list[float]:
    network, sums = model.network, np.zeros(len(encoded))
    short = [place for place, ids in enumerate(encoded) if ids.size <= WINDOW]
    for place, ids in enumerate(encoded):
        if ids.size > WINDOW:
            sums[place] = network.log_probabilities(ids, workers).sum()
    if short:
        offsets = np.cumsum([0, *(encoded[place].size - 1 for place in short)])
        members = np.arange(len(short))
        batch = pack(np.concatenate([encoded[place][:-1] for place in short]), offsets, members)
        following = pack(np.concatenate([encoded[place][1:] for place in short]), offsets, members)
        rows, _ = network.read(batch, None, workers)
        found = network.head.log_probabilities(rows, following.token_ids[following.forward_rows], workers)
        line = np.array(short)[batch.order[row_sequences(batch)]]
        sums += np.bincount(line, found, len(encoded))
    return [float(total) for total in sums]
