"""Ids that are renumbered in their file, piece by piece, against lists."""

import io
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.word2vec import fewer_without_jit
from wordvec.encoding import provisional_ids
from wordvec.encoding.provisional_ids import ProvisionalIds

BLOCKS = st.lists(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=5), max_size=5)


@settings(max_examples=60 // fewer_without_jit, deadline=None)
@given(blocks=BLOCKS, piece=st.integers(1, 9), ends_read=st.integers(1, 5))
def test_ids_are_replaced_or_dropped_in_every_sentence(blocks, piece, ends_read):
    numbers = np.array([3, -1, 0, 2, -1, 1], np.int32)
    ids, offsets = io.BytesIO(), io.BytesIO()
    provisional = ProvisionalIds(ids, offsets)
    for block in blocks:
        provisional.write(np.array([*chain(*block)], np.int32), np.cumsum([*map(len, block)], dtype=np.int32))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(provisional_ids, "_PIECE", piece)
        monkeypatch.setattr(provisional_ids, "_ENDS", ends_read)
        provisional.renumber(numbers)
    kept = [[numbers[k] for k in sentence if numbers[k] >= 0] for block in blocks for sentence in block]
    assert np.frombuffer(ids.getvalue(), np.int32).tolist() == [*chain(*kept)]
    assert np.frombuffer(offsets.getvalue(), np.int64).tolist() == [0, *np.cumsum([*map(len, kept)], dtype=int)]
    assert ids.tell() == 4 * sum(map(len, kept))


def test_discarded_ids_leave_empty_files():
    files = io.BytesIO(), io.BytesIO()
    provisional = ProvisionalIds(*files)
    provisional.write(np.array([1, 2], np.int32), np.array([2], np.int32))
    provisional.discard()
    assert [(file.getvalue(), file.tell()) for file in files] == [(b"", 0), (b"", 0)]
