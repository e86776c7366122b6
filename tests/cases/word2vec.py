"""Small corpora and single lanes for the training tests, in the formats of the engine and of the oracles."""

from functools import lru_cache

import numpy as np
import pytest
from numba import njit

from tests.oracles import naive
from wordvec import Vocabulary, Word2VecSettings
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.encoding.subsampling import keep_probabilities
from wordvec.kernels.sharing import (
    SHARED,
    add_changes,
    clear_users,
    mark_users,
    place_in_table,
    settle_rows,
)
from wordvec.kernels.simd import JIT_OFF
from wordvec.kernels.slices import CENTER, FILLED, LAST_CENTER, POSITION, Lane, prepare_slice
from wordvec.kernels.tile import Tile
from wordvec.word2vec.epoch import Trainer
from wordvec.word2vec.sampling import alias_table, noise_probabilities

wraps_around = pytest.mark.filterwarnings("ignore:overflow encountered in scalar:RuntimeWarning")

SENTENCES = [0, 30, 0, 0, 1, 2, 90, 1, 5, 17, 0, 41, 3, 200, 8, 1, 1, 0]
"""Sentence lengths in tokens: zero, one, and more than a slice."""


def random_corpus(lengths=SENTENCES, types=30, seed=0):
    """Return sentences of these lengths with type frequencies of about 1/rank; ids equal positions only by chance."""
    random = np.random.default_rng(seed)
    weights = 1 / (1 + np.arange(types))
    ids = random.choice(types, size=sum(lengths), p=weights / weights.sum())
    return corpus_of(ids, np.concatenate([[0], np.cumsum(lengths)]), types)


def corpus_of(ids, offsets, types=None):
    """Return an ``EncodedCorpus`` of these ids; each count is increased by one, so that none is zero."""
    ids, offsets = np.array(ids, np.int32), np.array(offsets, np.int64)
    ids.flags.writeable = offsets.flags.writeable = False  # like memory-mapped arrays
    counts = np.bincount(ids, minlength=types or 0) + 1
    vocabulary = Vocabulary([f"t{k}" for k in range(len(counts))], counts)
    return EncodedCorpus(vocabulary, ids, offsets, raw_tokens=len(ids), raw_types=len(counts))


def drawn_from(corpus, settings):
    """Return ids, offsets, keep thresholds and noise table as lists for the oracles."""
    counts = np.asarray(corpus.vocabulary.counts)
    thresholds = np.rint(keep_probabilities(counts, settings.subsample) * 2.0**32)
    noise = alias_table(noise_probabilities(counts, settings.noise_exponent))
    return corpus.ids.tolist(), corpus.offsets.tolist(), thresholds.astype(int).tolist(), noise.tolist()


def epoch_key(settings, epoch=0):
    return int(np.random.SeedSequence([settings.seed, epoch]).generate_state(1, np.uint64)[0])


def start_epoch(corpus, settings, threads=1):
    """Return a trainer with random vectors on both sides and its lanes at their starts, and the vectors as float64."""
    trainer = Trainer(corpus, settings.resolved(), threads)
    types, size = len(corpus.vocabulary), settings.vector_size
    rows = trainer.memory.reshape(-1, trainer.stride)
    rows[: 2 * types, :size] = np.random.default_rng(8).standard_normal((2 * types, size)) / np.sqrt(size)
    trainer._start_lanes()
    return trainer, *tables_of(trainer.memory, types, size, trainer.stride)


def train_epoch(trainer, epoch=0):
    """Train a whole epoch without a pause."""
    trainer.begin_epoch(epoch)
    assert trainer.run(lambda: False)
    return trainer.end_epoch()


def tables_of(memory, types, size, stride):
    """Return input and output vectors as float64, (V, D) each."""
    rows = memory.reshape(-1, stride)
    assert not rows[2 * types].any(), "the padding row of the first lane moved"
    assert not rows[:, size:].any(), "padding moved"
    return rows[:types, :size].astype(np.float64), rows[types : 2 * types, :size].astype(np.float64)


class LaneCase:
    """A lane of a corpus before its first slice, with the engine's arrays and the oracles' inputs."""

    def __init__(self, corpus, *, start=0, end=None, epoch=0, **settings):
        self.settings = Word2VecSettings(lanes=1, **settings).resolved()
        self.start, self.end = start, len(corpus.ids) if end is None else end
        trainer = Trainer(corpus, self.settings, 1)
        trainer.bounds[:] = self.start, self.end
        trainer._start_lanes()
        self.step, self.text = trainer._step(epoch), trainer.text
        self.memory, self.stride, self.size = trainer.memory, trainer.stride, self.settings.vector_size
        self.rows = self.memory.reshape(-1, self.stride)
        self.types = len(corpus.vocabulary)
        self.lanes, self.users = trainer.lanes, trainer.users[0]
        self.lane, self.tile = Lane(*(a[0] for a in trainer.lanes)), Tile(*(a[0] for a in trainer.tiles))
        # The oracles' inputs.
        self.drawn = drawn_from(corpus, self.settings)
        self.key = epoch_key(self.settings, epoch)
        self.kept = naive.kept_tokens(*self.drawn[:3], self.key, self.start, self.end)
        self.contexts = naive.contexts_of(self.kept, self.key, self.settings.window, self.settings.window_weights)
        shared, fresh = self.settings.shared_negatives, self.settings.negatives_per_tile
        self.negatives = naive.negatives_of_tiles(self.kept, self.drawn[3], self.key, shared, fresh, self.start)

    @property
    def finished(self):
        return self.lane.state[POSITION] >= self.end and self.lane.state[LAST_CENTER] >= self.lane.state[FILLED]

    def prepare(self):
        """Prepare the next slice; returns the buffer positions of its centers."""
        from_python(prepare_slice)(self.lane, self.text, self.step, self.end, self.settings.lane_tokens)
        return range(self.lane.state[CENTER], self.lane.state[LAST_CENTER])

    def place(self, rows):
        """Assign rows to the prepared slice: "free" uses the table; a lane shares none ("alone") or all ("shared")."""
        if rows == "free":
            place_in_table(self.lane, self.step)
            return
        from_python(mark_users)(self.lane, 0, self.users[0], self.tile.marked[0], self.step)
        if rows == "shared":
            self.users[self.users > 0] = SHARED
        settle_rows(self.memory, self.lane, self.users, self.tile.slot_of_row, self.step)

    def add(self):
        """Add the updates of the copies to the table."""
        scratch = self.tile.slot_of_row, self.tile.merging
        from_python(add_changes)(self.memory, self.lanes, self.step, NO_RATES, *scratch, 0, 1)
        clear_users(self.users[0], self.tile.marked[0])

    def randomize(self, seed=5, scale=1.0):
        """Set random input and output vectors, so that scores distinguish vectors."""
        drawn = np.random.default_rng(seed).standard_normal((2 * self.types, self.size))
        self.rows[: 2 * self.types, : self.size] = scale * drawn / np.sqrt(self.size)
        return self.tables()

    def tables(self):
        return tables_of(self.memory, self.types, self.size, self.stride)


NO_RATES = np.zeros(0, np.float32)


@lru_cache
def from_python(function):
    """Make a kernel compiled only for other kernels callable from Python; not cached, which could be stale."""
    return function if JIT_OFF else njit(lambda *arguments: function(*arguments))


fewer_without_jit = 5 if JIT_OFF else 1
"""Divisor of the number of examples, because running kernels in pure Python is slow."""
