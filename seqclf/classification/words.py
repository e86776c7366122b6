"""Texts as the words that a classifier's network reads."""

from collections.abc import Sequence

import numpy as np

from seqclf.data.characters import Characters
from seqclf.data.subwords import Subwords
from seqclf.data.texts import encode
from seqclf.layers.batches import Sequences, Spelling
from wordvec import Vocabulary


def encode_words(
    tokens: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    subwords: Subwords | None = None,
    characters: Characters | None = None,
) -> Sequences:
    """Return texts as ids of words; with ``characters``, each distinct word has its own id and spelling.

    Example:
        >>> tokens = [["fire", "fires"], ["fire"]]
        >>> encode_words(tokens, Vocabulary(["fire"])).ids
        array([0, 1, 0], dtype=int32)
        >>> found = encode_words(tokens, Vocabulary(["fire"]), characters=Characters.learn(["fire", "fires"], 8))
        >>> found.ids, found.rows, found.spelling.offsets
        (array([0, 1, 0], dtype=int32), array([0, 1], dtype=int32), array([0, 4, 9]))
    """
    if characters is None:
        return Sequences(*encode(tokens, vocabulary, subwords))
    number: dict[str, int] = {}
    ids = np.array([number.setdefault(token, len(number)) for text in tokens for token in text], np.int32)
    offsets = np.zeros(len(tokens) + 1, np.int64)
    np.cumsum([len(text) for text in tokens], out=offsets[1:])
    words = list(number)
    rows, _, vectors = encode([words], vocabulary, subwords)
    return Sequences(ids, offsets, vectors, rows, Spelling(*characters.spell(words)))
