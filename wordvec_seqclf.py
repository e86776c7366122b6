"""Entry point of the console scripts and ``python -m wordvec``; it names a user's file that hides a package."""

import os
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
    """Return the command of a console script, such as ``train_embeddings``."""
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    error = hiding_file()
    if error is not None:
        sys.exit(error)
    try:
        return getattr(import_module("cli.main"), name)
    except KeyboardInterrupt:
        line_of_the_echo = "\n" if sys.stderr.isatty() else ""  # the terminal shows ^C
        print(f"{line_of_the_echo}Interrupted; no output was written.", file=sys.stderr)
        sys.exit(130)
