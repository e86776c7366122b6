"""What this process compiled."""

from pathlib import Path


def compiled_kernels() -> dict[Path | None, int]:
    """Return how many kernels this process has compiled, by the folder that stores them; None for those in none."""
    from wordvec.kernels.code_cache import compiled

    return dict(compiled)
