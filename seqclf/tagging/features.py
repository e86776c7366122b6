"""Token features of a tagger: prefixes, suffixes and word shape, each with a learned embedding.

They help to tag out-of-vocabulary words: ``-ing``, ``un-``, capital letters, digits. Each distinct token of some
sentences is a *form*; a batch looks up each of its forms once.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from seqclf.data.characters import Characters
from seqclf.data.subwords import Subwords
from seqclf.layers.batches import Spelling
from wordvec import Vocabulary

PREFIXES, SUFFIXES = 3, 4
"""The longest prefix and suffix, in characters."""
SLOTS = PREFIXES + SUFFIXES + 1
"""Features per form; if a word is shorter than an affix, that feature is the whole word."""

_KINDS = (("X", str.isupper), ("x", str.isalpha), ("9", str.isnumeric))
_RUN = re.compile(r"(.)\1+", re.DOTALL)


def features_of(token: str) -> list[str]:
    """Return the ``SLOTS`` features of a token: prefixes, suffixes (lower-cased; ``^`` and ``$`` mark the ends), shape.

    In the shape, a run of capitals is X, of other letters x, of digits 9; other characters are kept.

    Example:
        >>> features_of("Re-read")
        ['^r', '^re', '^re-', 'd$', 'ad$', 'ead$', 'read$', '=Xx-x']
        >>> features_of("a")
        ['^a$', '^a$', '^a$', '^a$', '^a$', '^a$', '^a$', '=x']
    """
    marked = f"^{token.lower()}$"
    prefixes = [marked[: length + 1] if len(marked) > length + 2 else marked for length in range(1, PREFIXES + 1)]
    suffixes = [marked[-length - 1 :] if len(marked) > length + 2 else marked for length in range(1, SUFFIXES + 1)]
    return [*prefixes, *suffixes, "=" + shape_of(token)]


def shape_of(token: str) -> str:
    """Return a token's character classes, with runs collapsed.

    Example:
        >>> [shape_of(token) for token in ("Paris", "NASA", "3,000", "it's", "...")]
        ['Xx', 'X', '9,9', "x'x", '.']
    """
    kinds = (next((kind for kind, holds in _KINDS if holds(letter)), letter) for letter in token)
    return _RUN.sub(r"\1", "".join(kinds))


def count_features(sentences: Iterable[Sequence[str]], min_count: int) -> Vocabulary:
    """Return the features of at least ``min_count`` distinct tokens, by descending count, ties in alphabetical order.

    Example:
        >>> count_features([["going", "being"], ["going"]], min_count=2).tokens
        ['=x', 'g$', 'ing$', 'ng$']
    """
    forms = {token for sentence in sentences for token in sentence}
    counts = Counter(feature for form in forms for feature in set(features_of(form)))
    kept = sorted((pair for pair in counts.items() if pair[1] >= min_count), key=lambda pair: (-pair[1], pair[0]))
    return Vocabulary([feature for feature, _ in kept])


class Forms(NamedTuple):
    """Sentences as ids of their distinct tokens (forms), and the table rows of each form."""

    ids: np.ndarray
    """(N,) int32: token n is form ``ids[n]``; numbered in order of first occurrence."""
    offsets: np.ndarray
    """(S + 1,) int64: sentence s is ``ids[offsets[s]:offsets[s + 1]]``."""
    words: np.ndarray
    """(T,) int32: each form's row in the word table; V is the unknown word."""
    features: np.ndarray
    """(T, SLOTS) int32: each form's rows in the feature table; the last row is the unknown feature."""
    composed: np.ndarray | None = None
    """(K, E) float32: vectors of words that the word table lacks, in the rows after its last; None if none."""
    spelling: Spelling | None = None
    """Each form's characters; None if the network reads none."""

    def arrays(self) -> list[np.ndarray | None]:
        """Return the arrays that determine them."""
        return [self.ids, self.offsets, self.words, self.features, self.composed, *(self.spelling or ())]


def encode_forms(
    sentences: Sequence[Sequence[str]],
    vocabulary: Vocabulary,
    features: Vocabulary,
    lowercase: bool,
    subwords: Subwords | None = None,
    characters: Characters | None = None,
) -> Forms:
    """Number the distinct tokens of ``sentences`` and look up their words and features.

    Args:
        sentences: S lists of tokens.
        vocabulary: V words. features: the known features.
        lowercase: look up words lower-cased, as in training.
        subwords: compose unknown words.
        characters: those that the network reads of a form as written.

    Example:
        >>> forms = encode_forms([["Fire", "!"], ["fire"]], Vocabulary(["fire"]), Vocabulary(["=x"]), lowercase=True)
        >>> forms.ids, forms.words, forms.features[:, -1]
        (array([0, 1, 2], dtype=int32), array([0, 1, 0], dtype=int32), array([1, 1, 0], dtype=int32))
    """
    number: dict[str, int] = {}
    ids = [number.setdefault(token, len(number)) for sentence in sentences for token in sentence]
    offsets = np.zeros(len(sentences) + 1, np.int64)
    np.cumsum([len(sentence) for sentence in sentences], out=offsets[1:])
    written = [form.lower() if lowercase else form for form in number]
    rows = [vocabulary.lookup(word) for word in written]
    words = np.array([row if row >= 0 else len(vocabulary) for row in rows], np.int32)
    known, unknown = features.token_to_id, len(features)
    found = [[known.get(feature, unknown) for feature in features_of(form)] for form in number]
    composed = None if subwords is None else subwords.extend(words, written, len(vocabulary))
    spelling = None if characters is None else Spelling(*characters.spell(list(number)))
    table = np.array(found, np.int32).reshape(-1, SLOTS)
    return Forms(np.array(ids, np.int32), offsets, words, table, composed, spelling)
