"""The exceptions of this package, defined in ``corpora.errors``."""

try:
    from corpora.errors import FormatError, InputError, TrainingError, UnknownTokenError, WordvecError
except ModuleNotFoundError as error:
    import corpora

    raise ImportError(f"{corpora.__file__} hides the package corpora of wordvec-seqclf; rename it") from error

__all__ = ["FormatError", "InputError", "TrainingError", "UnknownTokenError", "WordvecError"]
