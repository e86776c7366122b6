"""Random and stratified splits."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclf.data.splits import stratified_split


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=60), st.sampled_from([0.1, 0.2, 0.5]), st.integers(0, 5))
def test_stratified_split_partitions_the_rows_in_proportion_to_the_classes(labels, fraction, seed):
    _, targets = np.unique(labels, return_inverse=True)
    train, validation = stratified_split(targets, fraction, seed)
    assert sorted([*train, *validation]) == list(range(len(labels)))
    drawn = np.bincount(targets[validation], minlength=targets.max() + 1)
    for count, taken in zip(np.bincount(targets), drawn, strict=True):
        assert taken < count
        assert abs(taken - fraction * count) < 1 or taken == count - 1
    np.testing.assert_array_equal(validation, stratified_split(targets, fraction, seed)[1])


def test_split_depends_on_the_seed():
    targets = np.arange(200) % 2
    assert not np.array_equal(stratified_split(targets, 0.2, 1)[1], stratified_split(targets, 0.2, 2)[1])
