"""The settings of a regressor."""

from dataclasses import dataclass

from seqclf.training.settings import PooledSettings


@dataclass(frozen=True)
class RegressorSettings(PooledSettings):
    """How a regressor is built and trained: as ``PooledSettings``, whose texts may be sequences of numbers.

    Example:
        >>> RegressorSettings(pooling="median").validate()
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: pooling must be one of max, mean, last, attention, got 'median'
    """
