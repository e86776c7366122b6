"""Random and stratified splits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.splits import stratified_split


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 5))
def test_a_split_takes_every_row_once_and_every_class_its_share(labels, fraction, seed):
    _, targets = np.unique(labels, return_inverse=True)
    train, held = stratified_split(targets, fraction, seed)
    assert sorted([*train, *held]) == list(range(len(labels)))
    for count, taken in zip(np.bincount(targets), np.bincount(targets[held], minlength=targets.max() + 1), strict=True):
        assert taken < count
        assert abs(taken - fraction * count) < 1 or taken == count - 1
    np.testing.assert_array_equal(held, stratified_split(targets, fraction, seed)[1])


def test_another_seed_splits_otherwise():
    targets = np.arange(200) % 2
    assert not np.array_equal(stratified_split(targets, 0.2, 1)[1], stratified_split(targets, 0.2, 2)[1])
