"""The console scripts: Ctrl-C while the modules of a command are imported, or at its very end, leaves no trace."""

import os
import signal
from typing import Any


def __getattr__(name: str) -> Any:
    """Return the function of a console script, such as ``train_embeddings``."""
    if name.startswith("_"):
        raise AttributeError(f"module 'cli.scripts' has no attribute {name!r}")
    return lambda: _run(name)


def _run(name: str) -> Any:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it may be ignored, as in a background job
        signal.signal(signal.SIGINT, _leave)

    from cli import main

    return getattr(main, name)()


def _leave(*_: object) -> None:
    """End the process at once; ``interrupts_raised`` replaces this handler when the work begins."""
    os._exit(130)
