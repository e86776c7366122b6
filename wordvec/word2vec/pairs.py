"""Training pairs: center words and their contexts."""

from collections.abc import Iterator

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.system.validation import check_whole


def training_pairs(corpus: EncodedCorpus, window: int = 5) -> Iterator[tuple[int, int]]:
    """Generate every center word with each of its contexts, the words within ``window`` positions in its sentence.

    Skip-gram predicts the context from the center, CBOW the center from its contexts; ``count_cooccurrences`` counts
    these pairs with flat weights. Windows are not shrunk and no word is subsampled. This is for illustration: the
    kernels visit the same windows a thousand times faster.

    Yields:
        (center, context) token ids, centers in text order.

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
