"""Small co-occurrence counts for the GloVe tests, in the formats of the engine and of the oracle."""

import numpy as np
from scipy.sparse import csr_array

from tests.oracles import naive_glove
from wordvec import CooccurrenceSettings, Vocabulary
from wordvec.count_based.cooccurrence import CooccurrenceCounts
from wordvec.count_based.glove_blocks import first_tables, schedule_of, sorted_cells
from wordvec.system.aligned_arrays import aligned, row_stride


def random_counts(types=23, sentences=30, length=12, window=4, seed=0):
    """Return (V, V) float64 counts with type frequencies of about 1/rank; the last type never occurs."""
    random = np.random.default_rng(seed)
    shares = 1 / (1 + np.arange(types - 1))
    drawn = random.choice(types - 1, size=(sentences, length), p=shares / shares.sum())
    return naive_glove.count_pairs(drawn, window, types)


def cooccurrence_of(counts):
    """Convert a dense matrix to the input of ``train_glove``."""
    sparse = csr_array(np.asarray(counts, np.float32))
    sparse.indptr = sparse.indptr.astype(np.int64)
    for array in (sparse.data, sparse.indices, sparse.indptr):
        array.flags.writeable = False  # like memory-mapped arrays
    words = Vocabulary([f"t{k}" for k in range(len(counts))], np.arange(len(counts), 0, -1))
    return CooccurrenceCounts(words, sparse, settings=CooccurrenceSettings(window=4))


class GloveCase:
    """The tables and cells of a training run, and the oracle in the same state."""

    def __init__(self, counts, bands, settings, bounds=None):
        self.counts, self.bands, self.settings = counts, bands, settings
        types = len(counts)
        self.bounds = np.linspace(0, types, bands + 1).astype(np.int64) if bounds is None else np.array(bounds)
        self.schedule = schedule_of(bands)
        self.stride = row_stride(settings.vector_size + 2)
        self.tables = first_tables(types, settings)
        self.cells = sorted_cells(cooccurrence_of(counts).counts, self.bounds, settings)
        self.order = np.random.Generator(np.random.PCG64([settings.seed, 4])).permutation(types)
        self.oracle = naive_glove.AdaGrad(self.read()[0], settings.learning_rate, settings.x_max, settings.alpha)
        self.scratch = aligned(32, np.float32)

    def randomize(self, scale=1.0):
        """Set random vectors with norms typical of the middle of training."""
        random, size = np.random.default_rng(9), self.settings.vector_size
        rows = self.tables.reshape(2, -1, 2, self.stride)
        for side in (0, 1):
            rows[side, :, 0, :size] = scale * random.standard_normal((len(self.counts), size))
            rows[side, :, 0, size + side] = scale * random.standard_normal(len(self.counts))
        self.oracle.tables = self.read()[0]

    def read(self):
        """Return vectors, biases, context vectors, context biases as float64, and their squared gradients."""
        size = self.settings.vector_size
        sides = self.tables.reshape(2, -1, 2, self.stride).astype(np.float64)
        words, contexts = sides
        return tuple(
            [words[:, k, :size], words[:, k, size], contexts[:, k, :size], contexts[:, k, size + 1]] for k in (0, 1)
        )
