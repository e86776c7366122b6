"""Base class of every error caused by user input."""


class InputError(ValueError):
    """Invalid input; the message states the rule, the offending value and the remedy.

    Every error a user can cause is an ``InputError``; the command line prints it as one ``Error:`` line and exits
    with 1. Any other exception that escapes is a bug.
    """
