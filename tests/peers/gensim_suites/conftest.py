"""Expects the listed cases of gensim's tests to fail, and runs each case in a folder of its own."""

from pathlib import Path

import pytest

from tests.peers.expected import expect_failures
from tests.peers.gensim_suites.gaps import GAPS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    expect_failures(items, Path(__file__).parent, GAPS)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
