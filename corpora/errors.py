"""Exceptions: everything a user can cause is a ``WordvecError``; anything else that escapes is a bug."""


class WordvecError(Exception):
    """Base of all exceptions of these packages; the command line prints it as one ``Error:`` line and exits with 1."""


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
