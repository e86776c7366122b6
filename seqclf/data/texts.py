"""Texts as tokens and token ids."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from corpora import get_tokenizer
from corpora.normalization import normalized
from seqclf.data.columns import one_column
from seqclf.data.subwords import Subwords
from wordvec import InputError, Vocabulary
from wordvec.system.validation import shown

Text: TypeAlias = str | Sequence[str]
"""A text as a string, or as a list of its tokens."""


def tokenize_texts(texts: Iterable[Text], tokenizer: str, lowercase: bool, normalize: str = "none") -> list[list[str]]:
    """Tokenize texts: strings go through the named tokenizer, lists of tokens are only normalized and lower-cased.

    An array (N, 1) or a DataFrame of one column is a list of N texts.

    Raises:
        InputError: ``texts`` is a single string, a dict or a table of several columns, or an element is neither a
            string nor a list of strings.

    Example:
        >>> tokenize_texts(["Fire downtown!", ["No", "Fire"]], "words", lowercase=True)
        [['fire', 'downtown'], ['no', 'fire']]
    """
    split = get_tokenizer(tokenizer).tokenize
    tokens: list[list[str]] = []
    for row, text in enumerate(as_texts(texts)):
        if isinstance(text, str):
            text = normalized(text, normalize)
            tokens.append(split(text.lower() if lowercase else text))
        elif isinstance(text, Sequence | np.ndarray) and all(isinstance(token, str) for token in text):
            forms = [normalized(str(token), normalize) for token in text]
            tokens.append([form.lower() for form in forms] if lowercase else forms)
        else:
            raise InputError(
                f"texts must be strings or lists of tokens, got {_describe(text)} at position {row}; "
                "convert numbers and missing values to text first"
            )
    return tokens


def as_texts(texts: Iterable[Text]) -> list[Text]:
    """Return texts as a list, whose elements are not checked.

    Raises:
        InputError: see ``tokenize_texts``.
    """
    if isinstance(texts, str | bytes):
        raise InputError(f"texts must be a list of texts, got the single text {texts[:40]!r}; pass [text]")
    if not isinstance(texts, Iterable):
        raise InputError(f"texts must be a list of texts, got {type(texts).__name__}")
    return list(one_column(texts, "texts"))


def _describe(value: Any) -> str:
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, bytes):
        return f"a {type(value).__name__} of {type(value[0]).__name__}" if len(value) else type(value).__name__
    return f"{shown(value)} ({type(value).__name__})"


def count_tokens(tokens: Iterable[Sequence[str]]) -> list[tuple[str, int]]:
    """Return the distinct tokens and their counts, most frequent first, ties in alphabetical order.

    Example:
        >>> count_tokens([["b", "a"], ["c", "b"]])
        [('b', 2), ('a', 1), ('c', 1)]
    """
    counts = Counter(token for text in tokens for token in text)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def encode(
    tokens: Sequence[Sequence[str]], vocabulary: Vocabulary, subwords: Subwords | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Return ids (N,) int32, offsets (S + 1,) int64, and vectors (K, E) that the embedding table lacks.

    A word is looked up as written, then lower-cased. An unknown word is ``len(vocabulary)``; with ``subwords``, those
    that can be composed have higher ids, and their vectors are returned.

    Example:
        >>> encode([["Fire", "now"], []], Vocabulary(["fire"]))
        (array([0, 1], dtype=int32), array([0, 2, 2]), None)
    """
    known, unknown = vocabulary.token_to_id, len(vocabulary)
    words = list(chain.from_iterable(tokens))
    ids = list(map(known.get, words))
    if None in ids:
        others = {word: known.get(word.lower(), unknown) for word in set(words).difference(known)}
        ids = list(map(others.get, words, ids))
    offsets = np.zeros(len(tokens) + 1, dtype=np.int64)
    np.cumsum([len(text) for text in tokens], out=offsets[1:])
    found = np.array(ids, dtype=np.int32)
    vectors = None
    if subwords is not None:
        vectors = subwords.extend(found, words, unknown)
    return found, offsets, vectors
