"""Settings that depend on the pretrained vectors and the training texts."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from seqclf.data.coverage import choose_tokenization
from seqclf.data.texts import Text, tokenize_texts
from seqclf.training.settings import DEFAULT_TOKENIZER, NetworkSettings, PooledSettings
from wordvec.system.validation import check_kind

if TYPE_CHECKING:
    from wordvec import WordVectors

logger = logging.getLogger(__name__)

S = TypeVar("S", bound=NetworkSettings)


def resolved(settings: S, vectors: "WordVectors | None", texts: Sequence[Text]) -> S:
    """Return the settings with tokenizer, casing and width that suit the vectors where the user gave none.

    Args:
        texts: of the training data.

    Example:
        >>> resolved(PooledSettings(), None, ["Fire downtown!"]).tokenizer
        'words'
    """
    from wordvec import WordVectors

    changes: dict[str, Any] = {}
    tokenizer = settings.tokenizer if isinstance(settings, PooledSettings) else None
    lowercase = settings.lowercase
    if vectors is not None:
        check_kind("vectors", vectors, WordVectors)
        changes["vector_size"] = int(vectors.vectors.shape[1])
        if vectors.normalize not in ("none", settings.normalize):
            logger.warning(
                "the vectors are of text in Unicode form %s, texts are read in form %s: words that differ in them may "
                "have no vector; set normalize to %s", vectors.normalize, settings.normalize, vectors.normalize,
            )  # fmt: skip
        tokenizer, lowercase = choose_tokenization(texts, vectors, tokenizer, lowercase, settings.normalize)
    if isinstance(settings, PooledSettings):
        changes["tokenizer"] = tokenizer or DEFAULT_TOKENIZER
    return replace(settings, lowercase=lowercase is None or lowercase, **changes)


def vector_coverage(parts: Mapping[str, Sequence[Text]], vectors: "WordVectors") -> dict[str, dict[str, float]]:
    """Return the shares of the ``words``, and of the distinct words (``types``), of some texts that have a vector.

    Args:
        parts: lists of texts by name, those of the training data first, for which the tokenizer is chosen.
        vectors: pretrained.

    Example:
        >>> from wordvec import WordVectors
        >>> vector_coverage({"a": ["Fire, fire!", "No!"]}, WordVectors(["fire"], [[1.0]]))
        {'a': {'words': 0.6666666666666666, 'types': 0.5}}
    """
    settings = resolved(PooledSettings(), vectors, next(iter(parts.values())))
    found = {}
    for name, texts in parts.items():
        tokens = tokenize_texts(texts, str(settings.tokenizer), bool(settings.lowercase), settings.normalize)
        counts = Counter(chain.from_iterable(tokens))
        known = [word for word in counts if vectors.lookup(word) >= 0]
        found[name] = {
            "words": sum(counts[word] for word in known) / counts.total() if counts else 0.0,
            "types": len(known) / len(counts) if counts else 0.0,
        }
    return found
