"""Class weights."""

import numpy as np
import pytest

from seqclf.data.labels import class_weights


def test_class_weights():
    targets = np.array([0, 0, 1])
    assert class_weights(targets, ["a", "b"], None).tolist() == [1, 1]
    assert class_weights(targets, ["a", "b"], {"b": 3}).tolist() == [1, 3]
    balanced = class_weights(targets, ["a", "b"], "balanced")
    assert balanced[targets].mean() == pytest.approx(1)
    assert balanced[1] == 2 * balanced[0]
