"""Exceptions: everything a user can cause is a ``WordvecError``; anything else that escapes is a bug."""

_LONGEST = 600
_END = 200


class WordvecError(Exception):
    """Base of all exceptions of these packages; the command line prints it as one ``Error:`` line and exits with 1.

    A message that quotes a whole text is cut in the middle: its rule is at the beginning and its remedy at the end.

    Example:
        >>> len(str(WordvecError("x must be a number, got " + 1_000_000 * "y" + "; pass a number")))
        600
    """

    def __init__(self, message: str = "") -> None:
        if len(message) > _LONGEST:
            message = f"{message[: _LONGEST - _END - 5]} ... {message[-_END:]}"
        super().__init__(message)


class InputError(WordvecError, ValueError):
    """Invalid input; the message states the rule, the offending value and the remedy."""


class FormatError(InputError):
    """A file is not what its name or header says: cut short, of another kind, or inconsistent."""


class UnknownTokenError(InputError, KeyError):
    """A token is not in the vocabulary. Also a ``KeyError``, as users of a mapping expect."""

    # KeyError prints the repr of its argument; the message is meant for people.
    __str__ = Exception.__str__


class TrainingError(WordvecError, RuntimeError):
    """Training cannot continue: it diverged, or memory does not suffice."""
