"""Co-occurrence counts of a corpus as a sparse word-context matrix.

See ``wordvec.count_based.pair_counting`` for the algorithm.
"""

from typing import TYPE_CHECKING

import numpy as np

from wordvec.count_based.pair_counting import PairCounter, plan_of
from wordvec.count_based.settings import CooccurrenceSettings
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.system.available_memory import available_memory
from wordvec.system.csr import csr_of
from wordvec.system.progress import OnProgress, reporter
from wordvec.system.scratch import Scratch
from wordvec.system.settings import or_defaults
from wordvec.system.threads import worker_count
from wordvec.system.validation import check_kind, check_whole
from wordvec.vocabulary import Vocabulary

if TYPE_CHECKING:
    from scipy.sparse import csr_array


_MEMORY = 4 << 30
"""Memory budget if the system does not report the free memory."""


class CooccurrenceCounts:
    """A word-context co-occurrence matrix.

    Attributes:
        vocabulary: V tokens, of both rows and columns.
        counts: SciPy ``csr_array`` (V, V); row w has the weighted count of each context word of w. Data float32,
            indices int32, ascending in each row, indptr int64; read-only, memory-mapped if they exceed memory.
        settings: the counting settings.
        tokenizer, lowercase, normalize: how the text was tokenized.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["a rose is a rose"], min_count=1)
        >>> found = count_cooccurrences(corpus, CooccurrenceSettings(window=2))
        >>> found.vocabulary.tokens
        ['a', 'rose', 'is']
        >>> found.counts.toarray()
        array([[0. , 2.5, 1.5],
               [2.5, 0. , 1.5],
               [1.5, 1.5, 0. ]], dtype=float32)
        >>> found.count("rose", "is")
        1.5
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        counts: "csr_array",
        *,
        settings: CooccurrenceSettings,
        tokenizer: str = "whitespace",
        lowercase: bool = False,
        normalize: str = "none",
    ) -> None:
        self.vocabulary = vocabulary
        self.counts = counts
        self.settings = settings
        self.tokenizer = tokenizer
        self.lowercase = lowercase
        self.normalize = normalize

    def count(self, word: str, context: str) -> float:
        """Return the weighted count of ``context`` as a context of ``word``.

        Raises:
            UnknownTokenError: one of them is not in the vocabulary.
        """
        row, column = self.vocabulary.token_id(word), self.vocabulary.token_id(context)
        start, end = self.counts.indptr[row : row + 2]
        place = start + np.searchsorted(self.counts.indices[start:end], column)
        return float(self.counts.data[place]) if place < end and self.counts.indices[place] == column else 0.0

    def __repr__(self) -> str:
        return f"<CooccurrenceCounts of {len(self.vocabulary):,} tokens, {len(self.counts.data):,} pairs>"


def count_cooccurrences(
    corpus: EncodedCorpus,
    settings: CooccurrenceSettings | None = None,
    *,
    threads: int | None = None,
    memory: int | None = None,
    on_progress: OnProgress | None = None,
) -> CooccurrenceCounts:
    """Count how often each word occurs near each other word, weighted by distance.

    Every cell is an exact sum, rounded to float32 at the end; only harmonic weights in windows above 22 are rounded
    first, to multiples of 2^-32 (coarser for corpora of more than 10^8 tokens). The result depends only on the corpus
    and the settings.

    Args:
        corpus: the encoded corpus; windows do not cross sentence boundaries.
        settings: the counting settings; the defaults are GloVe's.
        threads: None means one per core.
        memory: working memory in bytes, excluding the corpus (on disk) and its vocabulary (already loaded). Counts that
            exceed it are computed in parts, in temporary files. None: half of the free memory.
        on_progress: called a few times a second.

    Returns:
        The matrix, in memory or memory-mapped.

    Raises:
        InputError: ``memory`` is too small even so, or temporary files cannot be written and free memory is short.
    """
    settings = or_defaults(settings, CooccurrenceSettings)
    check_kind("corpus", corpus, EncodedCorpus, "pass encode_corpus(texts)")
    if memory is None:
        free = available_memory()
        memory = _MEMORY if free is None else free // 2
    memory = check_whole("memory", memory, 1)
    plan = plan_of(len(corpus.ids), len(corpus.vocabulary), worker_count(threads), memory)
    scratch = Scratch()
    try:
        counter = PairCounter(corpus, settings, plan, scratch, reporter(on_progress, "counting", "tokens"))
        ends, columns, values = counter.count()
    except BaseException:
        scratch.close()
        raise
    scratch.remove("kept")
    types = len(corpus.vocabulary)
    result = CooccurrenceCounts(
        corpus.vocabulary,
        csr_of(np.concatenate([np.zeros(1, np.int64), ends]), columns, values, (types, types), scratch),
        settings=settings,
        tokenizer=corpus.tokenizer,
        lowercase=corpus.lowercase,
        normalize=corpus.normalize,
    )
    return result
