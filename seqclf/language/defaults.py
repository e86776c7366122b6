"""Defaults of a language model that depend on its training text: size, tying, dropout, batch and learning rate."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from seqclf.language.settings import LanguageModelSettings

logger = logging.getLogger(__name__)

LARGE_TEXT = 200_000
"""Tokens from which on a text can train 256 tied units."""
LARGE_VOCABULARY = 1_000
"""Tokens from which on a vocabulary is that of natural text, not of characters or a few templates."""
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
    rule: dict[str, Any] = {
        "hidden_size": hidden_size,
        "tied": large and settings.vector_size in (None, hidden_size),
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


_SHOWN: dict[str, Callable[[Any], str]] = {
    "hidden_size": "{} units".format,
    "tied": lambda tied: "tied weights" if tied else "untied weights",
    "dropout": "dropout {}".format,
    "embedding_dropout": "{} of embeddings".format,
    "batch_size": lambda streams: f"{streams} streams" if streams > 1 else "one stream",
    "learning_rate": "learning rate {}".format,
}
