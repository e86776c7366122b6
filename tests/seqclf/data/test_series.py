"""Numeric sequences as arrays."""

import numpy as np
import pytest

from corpora import InputError
from seqclf.data.series import as_series


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "must be a nonempty array"),
        (np.zeros((2, 2, 2)), "must be a nonempty array"),
        (["a", "b"], "must hold real numbers, got <U1"),
        ([1.0, np.nan, 3.0], "must be finite, got nan at position 1; fill gaps first"),
        ([[1.0, 2.0], [3.0, np.inf]], "must be finite, got inf at position 1"),
    ],
)
def test_invalid_series_are_rejected(bad, message):
    with pytest.raises(InputError, match=message):
        as_series(bad)


def test_one_column_may_be_one_dimensional():
    assert as_series([1, 2, 3]).tolist() == [[1.0], [2.0], [3.0]]
