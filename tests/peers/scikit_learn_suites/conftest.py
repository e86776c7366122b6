"""Expects the listed cases of scikit-learn's tests to fail, and warns where our classes log."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.expected import expect_failures
from tests.peers.scikit_learn_suites.adapters import Warns
from tests.peers.scikit_learn_suites.gaps import GAPS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    expect_failures(items, Path(__file__).parent, GAPS)


@pytest.fixture(autouse=True)
def _warned() -> Iterator[None]:
    logger, handler = logging.getLogger("wordvec.document_vectors"), Warns()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
