"""Texts as tokens and token ids."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from corpora import get_tokenizer
from seqclf.data.columns import one_column
from wordvec import InputError, Vocabulary

Text: TypeAlias = str | Sequence[str]
"""A text as a string, or as a list of its tokens."""


def tokenize_texts(texts: Iterable[Text], tokenizer: str, lowercase: bool) -> list[list[str]]:
    """Tokenize texts: strings go through the named tokenizer, lists of tokens are only lower-cased.

    An array (N, 1) or a DataFrame of one column is a list of N texts.

    Raises:
        InputError: ``texts`` is a single string, a dict or a table of several columns, or an element is neither a
            string nor a list of strings.

    Example:
        >>> tokenize_texts(["Fire downtown!", ["No", "Fire"]], "words", lowercase=True)
        [['fire', 'downtown'], ['no', 'fire']]
    """
    if isinstance(texts, str | bytes):
        raise InputError(f"texts must be a list of texts, got the single text {texts!r:.40}; pass [text]")
    if not isinstance(texts, Iterable):
        raise InputError(f"texts must be a list of texts, got {type(texts).__name__}")
    texts = one_column(texts, "texts")
    split = get_tokenizer(tokenizer).tokenize
    tokens: list[list[str]] = []
    for row, text in enumerate(texts):
        if isinstance(text, str):
            tokens.append(split(text.lower() if lowercase else text))
        elif isinstance(text, Sequence | np.ndarray) and all(isinstance(token, str) for token in text):
            tokens.append([token.lower() for token in text] if lowercase else [str(token) for token in text])
        else:
            raise InputError(
                f"texts must be strings or lists of tokens, got {_describe(text)} at position {row}; "
                "convert numbers and missing values to text first"
            )
    return tokens


def _describe(value: Any) -> str:
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes):
        return f"a {type(value).__name__} of {type(value[0]).__name__}" if len(value) else type(value).__name__
    return f"{value!r} ({type(value).__name__})"


def count_tokens(tokens: Iterable[Sequence[str]], min_count: int) -> list[tuple[str, int]]:
    """Return the tokens that occur at least ``min_count`` times, most frequent first, ties in alphabetical order.

    Example:
        >>> count_tokens([["b", "a"], ["c", "b"]], min_count=1)
        [('b', 2), ('a', 1), ('c', 1)]
    """
    counts = Counter(token for text in tokens for token in text)
    return sorted((pair for pair in counts.items() if pair[1] >= min_count), key=lambda pair: (-pair[1], pair[0]))


def encode(tokens: Sequence[Sequence[str]], vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Return ids (N,) int32 and offsets (S + 1,) int64; an unknown word is ``len(vocabulary)``.

    A word is looked up as written, then lower-cased.

    Example:
        >>> encode([["Fire", "now"], []], Vocabulary(["fire"]))
        (array([0, 1], dtype=int32), array([0, 2, 2]))
    """
    known, unknown = vocabulary.token_to_id, len(vocabulary)
    ids = []
    for text in tokens:
        for token in text:
            token_id = known.get(token)
            if token_id is None:
                token_id = known.get(token.lower(), unknown)
            ids.append(token_id)
    offsets = np.zeros(len(tokens) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in tokens], out=offsets[1:])
    return np.array(ids, dtype=np.int32), offsets
