"""Check that an encoded corpus has contexts to learn from."""

import numpy as np

from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import InputError

_PIECE = 1 << 20
"""Sentences per step."""

_LONG_WORD = 20
"""Mean length, in characters, above which words are probably whole sentences without spaces."""


def check_contexts(corpus: EncodedCorpus) -> None:
    """Raise InputError if no sentence has two words, because no word then has a context.

    The message states what the corpus looks like and the likely cause.
    """
    sentences = len(corpus)
    for first in range(0, sentences, _PIECE):
        if (np.diff(corpus.offsets[first : first + _PIECE + 1]) > 1).any():
            return
    words = len(corpus.ids)
    seen = f"no two words are in the same sentence, so that no word has a context: {words:,} words in {sentences:,}"
    raise InputError(f"{seen} {'sentence' if sentences == 1 else 'sentences'}; {_remedy(corpus)}")


def _remedy(corpus: EncodedCorpus) -> str:
    words, counts = corpus.vocabulary.tokens, corpus.vocabulary.counts
    if corpus.raw_tokens > len(corpus):
        return f"all but {len(corpus.ids):,} of {corpus.raw_tokens:,} words are not in the vocabulary; lower min_count"
    lengths = np.array([len(word) for word in words])
    weights = None if counts is None or not counts.any() else counts
    mean = float(np.average(lengths, weights=weights))
    if mean >= _LONG_WORD or any(map(_is_unsegmented, words)):
        return (
            f"the words have {mean:.0f} characters on average, such as {words[0]!r:.30}: insert spaces between the "
            "words first (word segmentation)"
        )
    return (
        f"each sentence is a single word, such as {words[0]!r:.30}: pass sentences, not a flat list of words (in a "
        "file, one sentence per line)"
    )


def _is_unsegmented(word: str) -> bool:
    """Whether a word of five or more characters is in a script without spaces: Thai to Khmer, Japanese or Chinese."""
    return len(word) >= 5 and all("\u0e00" <= c <= "\u109f" or "\u1780" <= c <= "\u17ff" or c >= "\u3040" for c in word)
