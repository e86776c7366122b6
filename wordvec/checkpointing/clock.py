"""A timer for periodic checkpoints and evaluations."""

import time

from wordvec.system.validation import check_number


class Clock:
    """A timer that is due once ``seconds`` have passed since its last reset; never due if None."""

    def __init__(self, name: str, seconds: float | None) -> None:
        self._seconds = None if seconds is None else check_number(name, seconds, above=0)
        self.reset()

    def reset(self) -> None:
        self._since = time.monotonic()

    def is_due(self) -> bool:
        return self._seconds is not None and time.monotonic() - self._since >= self._seconds
