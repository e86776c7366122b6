"""The error every package here raises for something the user can mend."""


class InputError(ValueError):
    """Input that cannot be used: the message says the rule, the value and the way out.

    Every error a user can cause on purpose or by accident is one of these; the command line prints it as one
    ``Error:`` line and exits with 1. Anything else that escapes is a bug.
    """
