"""Entry point of the console scripts and ``python -m wordvec``: names a user's file that hides a package, and lets
Ctrl-C end the imports without a trace."""

import os
import signal
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import Any


def hiding_file() -> str | None:
    """Return an error that names the first file, such as a user's own ``cli.py``, found in place of a package."""
    here = os.path.dirname(os.path.abspath(__file__))
    for package in ("corpora", "wordvec", "seqclf", "cli"):
        spec = find_spec(package)
        ours = os.path.join(here, package, "__init__.py")
        if spec is not None and spec.origin is not None and os.path.realpath(spec.origin) != os.path.realpath(ours):
            return (
                f"Error: {spec.origin} hides the package {package} of wordvec-seqclf; rename it, or take its folder "
                "off PYTHONPATH (python -m searches the current folder as well)"
            )
    return None


def __getattr__(name: str) -> Any:
    """Return the function of a console script, such as ``train_embeddings``."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    error = hiding_file()
    if error is not None:
        sys.exit(error)
    return lambda **given: _run(name, given)


def _run(name: str, given: dict[str, Any]) -> Any:
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # it may be ignored, as in a background job
        signal.signal(signal.SIGINT, _leave)
    return getattr(import_module("cli.main"), name)(**given)


def _leave(*_: object) -> None:
    """End the process at once, while modules are imported; ``interrupts_raised`` replaces this when the work begins."""
    os._exit(130)
