"""Settings of a regressor."""

from collections.abc import Mapping
from typing import Any, Self

from seqclf.training.settings import PooledSettings
from wordvec.system.settings import settings_class


@settings_class
class RegressorSettings(PooledSettings):
    """Settings of a regressor, of texts or of numeric sequences, and of its training.

    Example:
        >>> RegressorSettings(pooling="median")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: pooling must be one of max, mean, last, attention, got 'median'
    """

    # Files of 0.1 have a class_weight, always null; kept, so that the same model still gives the same bytes.
    def record(self) -> dict[str, Any]:
        return {**super().record(), "class_weight": None}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return super().from_record({name: value for name, value in record.items() if name != "class_weight"})
