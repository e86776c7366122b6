"""Tokenizer and casing that find most words of the texts in pretrained vectors."""

import logging
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from corpora import TOKENIZERS
from seqclf.data.texts import Text, tokenize_texts

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

_OF_WORDS = tuple(name for name in TOKENIZERS if name != "characters")  # letters are words in most vectors
_SAMPLE = 2000
"""Texts that are looked at."""
_MARGIN = 0.01
"""Share of the words by which another tokenizer must be better than white space, if the file records none."""
_RECORDED = 0.1
"""The same if the file records white space, which often means that its corpus was tokenized before."""
_REPORTED = 0.05
"""The same for a message about a tokenizer that the user or the vectors chose."""


def choose_tokenization(
    texts: Sequence[Text],
    vectors: "WordVectors",
    tokenizer: str | None,
    lowercase: bool | None,
    normalize: str = "none",
) -> tuple[str, bool]:
    """Return the tokenizer and casing for texts whose words start from pretrained vectors.

    Files written by this package record both. For other files, and if recorded white space finds far fewer words than
    another tokenizer, they are chosen: the tokenizer that finds the largest share of the distinct words of a sample of
    the texts, and lower case unless the vectors contain capitalized words of the texts as they are written. A message
    states the shares.

    Args:
        texts: strings or lists of tokens. vectors: pretrained.
        tokenizer, lowercase: what the user chose; None if nothing.
        normalize: Unicode form of the texts.

    Example:
        >>> from wordvec import WordVectors
        >>> vectors = WordVectors(["fire", "in", "town"], [[1.0], [2.0], [3.0]])
        >>> choose_tokenization(["Fire, fire!", "In town."], vectors, None, None)
        ('words', True)
    """
    recorded = bool(vectors.settings) or vectors.tokenizer != "whitespace" or vectors.lowercase
    margin = _RECORDED if recorded else _MARGIN
    sample = [text for text in texts[:: max(1, len(texts) // _SAMPLE)] if _is_text(text)]
    found: dict[str, tuple[int, int]] = {}
    words: dict[str, set[str]] = {}
    for name in dict.fromkeys((tokenizer or vectors.tokenizer, *_OF_WORDS)):
        tokens = tokenize_texts(sample, name, bool(vectors.lowercase), normalize)
        words[name] = set(chain.from_iterable(tokens))
        found[name] = sum(vectors.lookup(word) >= 0 for word in words[name]), len(words[name])

    def share(name: str) -> float:
        hits, size = found[name]
        return hits / size if size else 0.0

    best = max(found, key=share)
    own = tokenizer or vectors.tokenizer
    if tokenizer is None and own == "whitespace" and share(best) > share(own) + margin:
        logger.info("tokenizer %s is chosen, which finds %s", best, _shares(found, best, own))
        own, recorded = best, False
    elif share(best) > share(own) + _REPORTED:
        logger.warning("tokenizer %s finds %s", own, _shares(found, own, best))
    if lowercase is None:
        lowercase = vectors.lowercase or (not recorded and _is_lower_case(words[own], vectors))
    return own, bool(lowercase)


def _is_text(text: Text) -> bool:
    return isinstance(text, str) or (isinstance(text, list | tuple) and all(isinstance(token, str) for token in text))


def _shares(found: dict[str, tuple[int, int]], name: str, other: str) -> str:
    (hits, size), (other_hits, other_size) = found[name], found[other]
    return f"{hits:,} of {size:,} words of the texts in the vectors ({other}: {other_hits:,} of {other_size:,})"


def _is_lower_case(words: set[str], vectors: "WordVectors") -> bool:
    """Return whether the vectors contain hardly any capitalized word as it is written."""
    capitalized = [word for word in words if word != word.lower() and vectors.vocabulary.lookup(word) >= 0]
    written = sum(word in vectors.vocabulary.token_to_id for word in capitalized)
    return 10 * written < len(capitalized)
