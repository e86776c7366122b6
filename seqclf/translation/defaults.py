"""Defaults of a sequence-to-sequence model that depend on the number of its training pairs: batch size and epochs."""

import logging
from typing import TYPE_CHECKING, Any

from seqclf.translation.settings import TransducerSettings, VectorTransducerSettings
from wordvec.system.wording import counted

logger = logging.getLogger(__name__)

MANY_PAIRS, FEW_PAIRS = 20_000, 2_000


class ChosenSettings(VectorTransducerSettings):
    """Settings without a value that is still to be chosen."""

    if TYPE_CHECKING:
        batch_size: int
        epochs: int


class ChosenTransducerSettings(ChosenSettings, TransducerSettings):
    """The same of a model with an encoder."""


def chosen(settings: VectorTransducerSettings, pairs: int) -> dict[str, Any]:
    """Return the settings by name, with the values that the user left open chosen by the number of training pairs.

    Few pairs need small steps and many passes: 8 pairs per step and 60 epochs below 2,000 pairs, 32 and 12 from 20,000
    pairs on, 16 and 30 in between.

    Example:
        >>> found = chosen(TransducerSettings(epochs=5), pairs=900)
        >>> found["batch_size"], found["epochs"]
        (8, 5)
    """
    sizes = (8, 60) if pairs < FEW_PAIRS else (16, 30) if pairs < MANY_PAIRS else (32, 12)
    rule = dict(zip(("batch_size", "epochs"), sizes, strict=True))
    found = {name: value for name, value in rule.items() if getattr(settings, name) is None}
    if found:
        shown = ", ".join(f"{name} {value}" for name, value in found.items())
        logger.info("chosen for %s: %s", counted(pairs, "pair"), shown)
    return vars(settings) | found
