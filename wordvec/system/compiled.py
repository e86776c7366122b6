"""What this process compiled, and the division of this work with a helper process."""

from collections.abc import Callable
from typing import Any


def compiled_kernels() -> dict[str, int]:
    """Return how many kernels this process has compiled, by the folder that stores them; "" for those in none."""
    from wordvec.kernels.code_cache import compiled

    return {str(place or ""): count for place, count in compiled.items()}


def ask_for_help(start: Callable[[], tuple[str, Callable[[], bool]] | None] | None) -> None:
    """Call ``start`` once this process has to compile a kernel; see ``kernels.dividing``.

    Args:
        start: starts a helper, and returns a folder for the two and whether the helper is running; None if it cannot.
    """
    from wordvec.kernels import dividing

    def started() -> dividing.Helper | None:
        helper = start() if start else None
        return helper and dividing.Helper(*helper)

    dividing.ask_for_help(start and started)


def share_kernels(folder: str) -> None:
    """Compile kernels together with other processes that call this with the same folder; see ``kernels.dividing``."""
    from wordvec.kernels import dividing

    dividing.ask_for_help(lambda: dividing.Helper(folder, lambda: True))


def compile_last_first(run: Callable[[], Any], folder: str) -> None:
    """Compile the kernels that ``run`` calls, as the helper of another process; see ``kernels.dividing``."""
    from wordvec.kernels import dividing

    dividing.compile_last_first(lambda: with_zeros(run), folder)


def with_zeros(run: Callable[[], Any]) -> None:
    """Call ``run`` with zeros in place of arrays without values.

    Kernels that do nothing leave arrays as they are, and NaN in the memory of one would end a training.
    """
    import numpy as np

    empty, empty_like = np.empty, np.empty_like
    np.empty, np.empty_like = np.zeros, np.zeros_like  # type: ignore[misc,assignment]
    try:
        run()
    finally:
        np.empty, np.empty_like = empty, empty_like  # type: ignore[misc]
