"""The exceptions users can catch. All are ``InputError``, and so ``ValueError``."""

from corpora.errors import InputError

__all__ = ["FormatError", "InputError", "TrainingError", "UnknownTokenError", "VocabularyError"]


class FormatError(InputError):
    """A file is not what its name or header says: cut short, of another kind, or with numbers that do not add up."""


class VocabularyError(InputError):
    """A vocabulary that cannot be trained on, such as one emptied by ``min_count``."""


class TrainingError(InputError):
    """Training cannot go on, such as when the loss is no longer a number."""


class UnknownTokenError(InputError, KeyError):
    """A token that is not in the vocabulary. Also a ``KeyError``, as a mapping's user expects."""

    # KeyError prints the repr of its argument; the message is meant for people.
    __str__ = InputError.__str__
