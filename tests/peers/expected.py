"""Cases of other libraries' tests that are known to fail on our classes."""

from collections.abc import Mapping
from pathlib import Path

import pytest


def expect_failures(items: list[pytest.Item], folder: Path, gaps: Mapping[str, str]) -> None:
    """Mark the cases below a folder that are in ``gaps``, with their reasons; one that passes is then a failure."""
    for item in items:
        case = item.nodeid.partition("::")[2]
        if item.path.parent == folder and case in gaps:
            item.add_marker(pytest.mark.xfail(reason=gaps[case], strict=True))
