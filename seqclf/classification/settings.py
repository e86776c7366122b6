"""The settings of a text classifier."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from seqclf.training.settings import PooledSettings, plain_value
from wordvec import check_choice, check_number


@dataclass(frozen=True)
class ClassifierSettings(PooledSettings):
    """How a text classifier is built and trained.

    Attributes:
        class_weight: None; ``balanced`` (inverse to a label's frequency); or a number for each label (1 if not named).

    All others: see ``PooledSettings`` and ``NetworkSettings``.

    Example:
        >>> ClassifierSettings(epochs=0).validate()
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: epochs must be at least 1, got 0
    """

    class_weight: str | Mapping[Any, float] | None = None

    def validate(self) -> Self:
        super().validate()
        if isinstance(self.class_weight, str):
            check_choice("class_weight", self.class_weight, ["balanced"])
        elif self.class_weight is not None:
            for label, weight in self.class_weight.items():
                check_number(f"the class weight of {label!r}", weight, above=0)
        return self

    def as_dict(self) -> dict[str, Any]:
        """What JSON can write: class weights by label become ``[label, weight]`` pairs."""
        values = super().as_dict()
        if isinstance(self.class_weight, Mapping):
            values["class_weight"] = [
                [plain_value(label), float(weight)] for label, weight in self.class_weight.items()
            ]
        return values


SETTING_NAMES = tuple(field.name for field in fields(ClassifierSettings))
