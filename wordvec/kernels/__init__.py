"""Numba kernels on arrays and scalars: the only modules of ``wordvec`` that import numba."""

import os
import sys
from types import ModuleType
from typing import cast


def _import_numba() -> None:
    """Import numba without two packages that it loads wherever they are installed, in .1 s.

    It reads its own settings by yaml, if there is a file of them, and extends coverage, if that is running.
    """
    unused = [] if os.path.exists(".numba_config.yaml") else ["yaml"]
    unused += [] if "NUMBA_JIT_COVERAGE" in os.environ else ["coverage"]
    unused = [name for name in unused if name not in sys.modules]
    sys.modules.update(dict.fromkeys(unused, cast(ModuleType, None)))  # their import now fails
    try:
        import numba  # noqa: F401
    finally:
        for name in unused:
            del sys.modules[name]


_import_numba()
