"""Settings that depend on the pretrained vectors and the training texts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from seqclf.data.coverage import choose_tokenization
from seqclf.data.texts import Text
from seqclf.training.settings import DEFAULT_TOKENIZER, NetworkSettings, PooledSettings
from wordvec.system.validation import check_kind

if TYPE_CHECKING:
    from wordvec import WordVectors

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
        tokenizer, lowercase = choose_tokenization(texts, vectors, tokenizer, lowercase)
    if isinstance(settings, PooledSettings):
        changes["tokenizer"] = tokenizer or DEFAULT_TOKENIZER
    return replace(settings, lowercase=lowercase is None or lowercase, **changes)
