"""The pairs that are learned from: a word and its contexts."""

from collections.abc import Iterator

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.system.validation import check_whole


def training_pairs(corpus: EncodedCorpus, window: int = 5) -> Iterator[tuple[int, int]]:
    """Every centre with each of its contexts: the words at most ``window`` places from it, in its sentence.

    What skip-gram predicts (the context from the centre) and CBOW the other way round, with every window whole and
    every word kept; what ``count_cooccurrences`` counts with flat weights. To look at, not to train with: the kernels
    walk the same windows a thousand times faster.

    Yields:
        (centre, context) token ids, centres in the order of the text.

    Raises:
        InputError: the window is less than 1.

    Example:
        >>> from wordvec import encode_corpus
        >>> corpus = encode_corpus(["new york city", "york"], min_count=1)
        >>> tokens = corpus.vocabulary.tokens
        >>> [(tokens[center], tokens[context]) for center, context in training_pairs(corpus, window=1)]
        [('new', 'york'), ('york', 'new'), ('york', 'city'), ('city', 'york')]
    """
    return _pairs(corpus, check_whole("window", window, 1))


def _pairs(corpus: EncodedCorpus, window: int) -> Iterator[tuple[int, int]]:
    for sentence in range(len(corpus)):
        ids = np.asarray(corpus.ids[corpus.offsets[sentence] : corpus.offsets[sentence + 1]]).tolist()
        for place, center in enumerate(ids):
            for context_place in range(max(place - window, 0), min(place + window + 1, len(ids))):
                if context_place != place:
                    yield center, ids[context_place]
