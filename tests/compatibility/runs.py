"""Data and settings of the checkpoints: resuming needs the same ones."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from wordvec import (
    CooccurrenceSettings,
    EncodedCorpus,
    GloveSettings,
    Word2VecSettings,
    count_cooccurrences,
    encode_corpus,
)
from wordvec.count_based.cooccurrence import CooccurrenceCounts

SENTENCES = [
    "the old king rules the land",
    "the young queen rules the land",
    "the old dog sleeps",
    "a young dog barks at the king",
    "rain falls on the old land",
] * 20

WORD2VEC = Word2VecSettings(
    vector_size=4, window=3, negatives=2, epochs=3, learning_rate=0.1, subsample=0, lanes=2, lane_tokens=64,
    shared_negatives=4, block_size=4, seed=7,
)  # fmt: skip
GLOVE = GloveSettings(vector_size=4, epochs=4, seed=7)


def corpus() -> EncodedCorpus:
    return encode_corpus(SENTENCES, min_count=1, cache=False, threads=1)


def cooccurrence() -> CooccurrenceCounts:
    return count_cooccurrences(corpus(), CooccurrenceSettings(window=3), threads=1)


def series() -> np.ndarray:
    """Two columns of 60 steps, (60, 2) float64: a season of 6 with a trend, and a slower wave."""
    steps = np.arange(60)
    return np.stack([20 + 0.1 * steps + 3 * np.sin(steps * 2 * np.pi / 6), 9 + np.cos(steps / 5)], axis=1)


@contextlib.contextmanager
def temporary_copy(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copy(path, copy)
        yield copy
