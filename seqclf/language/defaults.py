"""Defaults of a language model that depend on its training text: size, tying, dropout, batch and learning rate."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seqclf.language.settings import LanguageModelSettings
from wordvec import InputError

logger = logging.getLogger(__name__)

LARGE_TEXT = 200_000
"""Tokens from which on a text can train 256 tied units."""
LARGE_VOCABULARY = 1_000
"""Tokens from which on a vocabulary is that of natural text, not of characters or a few templates."""
ADAPTIVE_VOCABULARY = 30_000
"""Words above which an adaptive softmax is chosen."""
_FEWEST_WORDS = 16
"""Words that an adaptive softmax needs."""
TOKENS_PER_STREAM, MOST_STREAMS = 1_500, 20


class ChosenSettings(LanguageModelSettings):
    """Settings without a value that is still to be chosen."""

    if TYPE_CHECKING:
        hidden_size: int
        tied: bool
        dropout: float
        embedding_dropout: float
        batch_size: int
        learning_rate: float


def choose_settings(settings: LanguageModelSettings, tokens: int, vocabulary: int) -> ChosenSettings:
    """Return the settings with the values that the user left open, chosen by the size of the training text.

    - A text of at least 200,000 tokens: 256 units with tied weights, Adam's rate 0.003; a shorter one: 128 units,
      untied, which learn few words faster, 0.005.
    - A vocabulary of at least 1,000 tokens: dropout 0.3 and, of embeddings, 0.1; a smaller one: 0.1 and 0.
    - A vocabulary above 30,000 words: an adaptive softmax with untied weights, if neither tied weights nor samples are
      given.
    - A stream for each 1,500 tokens, at most 20: a short text needs many small steps.

    Args:
        settings: as given; a value of None is chosen.
        tokens: of the training text. vocabulary: V.

    Example:
        >>> found = choose_settings(LanguageModelSettings(dropout=0.5), tokens=6_000, vocabulary=44)
        >>> found.hidden_size, found.tied, found.dropout, found.embedding_dropout, found.batch_size
        (128, False, 0.5, 0.0, 4)
    """
    large, natural = tokens >= LARGE_TEXT, vocabulary >= LARGE_VOCABULARY
    hidden_size = settings.hidden_size or (256 if large else 128)
    rate = 20.0 if settings.optimizer == "sgd" else 0.003 if large else 0.005
    free = settings.softmax is None and not settings.tied and settings.samples is None
    adaptive = settings.softmax == "adaptive" or (free and vocabulary > ADAPTIVE_VOCABULARY)
    rule: dict[str, Any] = {
        **({"softmax": "adaptive"} if adaptive else {}),
        "hidden_size": hidden_size,
        "tied": not adaptive and large and settings.vector_size in (None, hidden_size),
        "dropout": 0.3 if natural else 0.1,
        "embedding_dropout": 0.1 if natural else 0.0,
        "batch_size": min(max(round(tokens / TOKENS_PER_STREAM), 1), MOST_STREAMS),
        "learning_rate": rate,
    }
    chosen = {name: value for name, value in rule.items() if getattr(settings, name) is None}
    if chosen:
        logger.info(
            "chosen for %s %ss, %s of them different: %s",
            f"{tokens:,}", settings.unit, f"{vocabulary:,}", ", ".join(_SHOWN[name](chosen[name]) for name in chosen),
        )  # fmt: skip
    return ChosenSettings(**vars(settings) | chosen)


def cutoffs_of(settings: LanguageModelSettings, vocabulary: int) -> tuple[int, ...]:
    """Return the first word of each cluster of an adaptive softmax: a 15th and a fifth of all words, none without one.

    Raises:
        InputError: an adaptive softmax for fewer than 16 words.

    Example:
        >>> cutoffs_of(LanguageModelSettings(softmax="adaptive"), 40_000)
        (2666, 8000)
    """
    if settings.softmax != "adaptive":
        return ()
    if vocabulary < _FEWEST_WORDS:
        raise InputError(
            f"an adaptive softmax needs at least {_FEWEST_WORDS} different {settings.unit}s, got {vocabulary}; "
            "leave softmax out"
        )
    return vocabulary // 15, vocabulary // 5


_SHOWN: dict[str, Callable[[Any], str]] = {
    "softmax": "{} softmax".format,
    "hidden_size": "{} units".format,
    "tied": lambda tied: "tied weights" if tied else "untied weights",
    "dropout": "dropout {}".format,
    "embedding_dropout": "{} of embeddings".format,
    "batch_size": lambda streams: f"{streams} streams" if streams > 1 else "one stream",
    "learning_rate": "learning rate {}".format,
}
