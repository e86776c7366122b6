"""The exceptions of this package, defined in ``corpora.errors``."""

from corpora.errors import FormatError, InputError, TrainingError, UnknownTokenError, WordvecError

__all__ = ["FormatError", "InputError", "TrainingError", "UnknownTokenError", "WordvecError"]
