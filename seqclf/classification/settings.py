"""Settings of a text classifier."""

import logging
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, ClassVar

from seqclf.training.settings import PooledSettings, character_setting
from wordvec import InputError
from wordvec.system.settings import setting, settings_class
from wordvec.system.validation import check_choice, check_number

logger = logging.getLogger(__name__)

EPOCHS = 10
"""The default, unless there is more text."""
MOST_TOKENS = 20_000_000
"""Tokens that the network reads in all epochs, by default: about five minutes of one core."""

_OF_LINEAR = frozenset(
    ["class_weight", "model", "calibration", "validation_fraction", "seed", "tokenizer", "lowercase", "normalize"]
)
"""Settings of a linear model."""


def _check_class_weight(value: Any) -> None:
    if isinstance(value, Mapping):
        for label, weight in value.items():
            check_number(f"the class weight of {label!r}", weight, above=0)
    elif value is not None:
        check_choice("class_weight", value, ["balanced"])


def _plain(label: Any) -> Any:
    """Return a NumPy scalar as Python's own value."""
    return label.item() if hasattr(label, "item") else label


@settings_class
class ClassifierSettings(PooledSettings):
    """Settings of a text classifier and of its training.

    Example:
        >>> ClassifierSettings(epochs=0)
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: epochs must be at least 1, got 0
    """

    KEPT: ClassVar[tuple[str, ...]] = (
        "cell", "reset", "bidirectional", "merge", "layers", "hidden_size", "zoneout", "zoneout_cell", "pooling",
        "vector_size", "character_size", "tokenizer", "lowercase", "normalize",
    )  # fmt: skip
    """Settings that a network keeps when its training continues."""

    epochs: int | None = setting(  # type: ignore[assignment]  # None until the texts are known
        "Passes over the training data; the best epoch on the validation data is kept.",
        default=None,
        least=1,
        none=f"{EPOCHS}; fewer if they would read more than {MOST_TOKENS // 1_000_000} million words or steps",
        metavar="N",
    )
    class_weight: str | Mapping[Any, float] | None = setting(
        "Weight of each label in the loss: balanced, inverse to its frequency.",
        default=None,
        detail="Or a number for each label (1 if not named).",
        check=_check_class_weight,
        none="all labels alike",
    )
    character_size: int = character_setting(0)
    model: str = setting(
        "The recurrent network, a linear model on n-grams, their blend, or the best of these on validation data.",
        default="network",
        choices=("network", "linear", "blend", "auto"),
        added="0.3",
    )
    calibration: str | None = setting(
        "Calibrate the probabilities on validation data: by one temperature, by a scale and bias for each label, or by "
        "isotonic regression.",
        default=None,
        detail="Vector scaling (Guo et al. 2017) needs 20 texts for each label, isotonic regression 1,000 in all.",
        choices=("none", "temperature", "vector", "isotonic"),
        none="temperature; with model network, none",
        added="0.3",
    )

    def _check(self) -> None:
        super()._check()
        if self.calibration == "none" and self.model != "network":
            raise InputError(
                f"calibration none needs model network, got {self.model}, whose weights have a temperature"
            )

    @property
    def calibrated_by(self) -> str:
        """The method of calibration."""
        return self.calibration or ("none" if self.model == "network" else "temperature")

    @property
    def unused(self) -> tuple[str, ...]:
        """The settings that have no effect on this kind of model: those of the network, if it is linear.

        Example:
            >>> ClassifierSettings(model="linear").unused[:3], ClassifierSettings().unused
            (('cell', 'reset', 'bidirectional'), ())
        """
        if self.model != "linear":
            return ()
        return tuple(field.name for field in fields(self) if field.name not in _OF_LINEAR)

    def with_epochs(self, tokens: int) -> "ClassifierSettings":
        """Return the settings with the number of epochs, given the tokens of the training texts.

        Example:
            >>> [ClassifierSettings().with_epochs(tokens).epochs for tokens in (1_000, 5_000_000, 90_000_000)]
            [10, 4, 1]
        """
        if self.epochs is not None:
            return self
        epochs = max(1, min(EPOCHS, MOST_TOKENS // max(tokens, 1)))
        if epochs < EPOCHS:
            logger.info(
                "epochs: %d instead of %d, as the training texts have %s words or steps; set epochs to train longer",
                epochs, EPOCHS, f"{tokens:,}",
            )  # fmt: skip
        return replace(self, epochs=epochs)

    def record(self, *, linear: bool = False) -> dict[str, Any]:
        """Return the settings as JSON can hold them: class weights by label become ``[label, weight]`` pairs.

        Args:
            linear: only those of a linear model.

        Example:
            >>> "hidden_size" in ClassifierSettings(model="linear").record(linear=True)
            False
        """
        values = super().record()
        if linear:
            values = {name: value for name, value in values.items() if name in _OF_LINEAR}
        if isinstance(self.class_weight, Mapping):
            values["class_weight"] = [[_plain(label), float(weight)] for label, weight in self.class_weight.items()]
        return values
