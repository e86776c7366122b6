"""Files written by earlier releases still load with the same content."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.compatibility.readings import READERS

HERE = Path(__file__).resolve().parent
FILES = sorted(path for path in HERE.glob("files-*/*") if path.name != "expected.json")
EXPECTED = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in HERE.glob("files-*/*.json")}


def assert_close(found, expected, tolerance, where):
    """Compare nested dicts and lists: numbers within ``tolerance``, relative and absolute, all else exactly."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            assert_close(found[key], value, tolerance, f"{where}: {key}")
    elif isinstance(expected, list) and not _is_numeric(expected):
        assert len(found) == len(expected), where
        for place, value in enumerate(expected):
            assert_close(found[place], value, tolerance, f"{where}[{place}]")
    elif isinstance(expected, float | list):
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance, err_msg=where)
    else:
        assert found == expected, where


def _is_numeric(values):
    try:
        return np.asarray(values).dtype.kind == "f"
    except ValueError:  # ragged
        return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_old_file_has_the_same_content(path):
    # Bit-identity is guaranteed on the same kind of processor only, and training amplifies differences.
    tolerance = 1e-4 if path.suffix == ".checkpoint" else 1e-6
    found = READERS[path.name](path)
    assert_close(json.loads(json.dumps(found)), EXPECTED[path.parent.name][path.name], tolerance, path.name)


@pytest.mark.parametrize("release", sorted(EXPECTED))
def test_every_kind_of_file_is_kept(release):
    assert {path.name for path in FILES if path.parent.name == release} == set(EXPECTED[release])
    if release == "files-0.1":
        assert set(EXPECTED[release]) == set(READERS)


def test_old_files_are_small():
    sizes = {path.name: path.stat().st_size for path in FILES}
    assert max(sizes.values()) < 32_000, sizes
    assert sum(sizes.values()) < 120_000, sizes
