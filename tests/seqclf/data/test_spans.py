"""Span tags: spans as seqeval defines them, and valid transitions."""

import random

import numpy as np
import pytest

from seqclf.data.spans import Span, all_valid, marks_spans, spans_of, valid_transitions


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-A I-A O B-B", [("A", 0, 1), ("B", 3, 3)]),
        ("I-A I-A B-A I-B", [("A", 0, 1), ("A", 2, 2), ("B", 3, 3)]),
        ("S-A B-A I-A E-A S-A", [("A", 0, 0), ("A", 1, 3), ("A", 4, 4)]),
        ("U-A B-A L-A O", [("A", 0, 0), ("A", 1, 2)]),
        ("E-A E-A I-A", [("A", 0, 0), ("A", 1, 1), ("A", 2, 2)]),
        ("B-x-y I-x-y I-x", [("x-y", 0, 1), ("x", 2, 2)]),
    ],
)
def test_spans(tags, spans):
    assert spans_of(tags.split()) == [Span(*span) for span in spans]


def test_spans_equal_those_of_seqeval():
    seqeval = pytest.importorskip("seqeval.metrics.sequence_labeling")
    draw = random.Random(1)
    labels = ["O", *(f"{mark}-{kind}" for mark in "BIES" for kind in ("A", "B"))]
    for _ in range(2000):
        tags = draw.choices(labels, k=draw.randrange(9))
        assert spans_of(tags) == [Span(*span) for span in seqeval.get_entities(tags)]


def test_which_labels_mark_spans():
    assert marks_spans(["B-A", "I-A", "O"])
    assert marks_spans(["U-A", "O"])
    for labels in (["DET", "NOUN"], ["O"], ["B-A", "X"], [1, 2], ["B-", "O"], ["-LRB-", "I-"], []):
        assert not marks_spans(labels)


@pytest.mark.parametrize(
    ("tags", "valid"),
    [
        ("B-A I-A I-A O B-A B-A", True),
        ("O I-A", False),
        ("I-A O", False),
        ("B-A I-B", False),
        ("B-A O", True),
        ("", True),
    ],
)
def test_valid_bio_sequences(tags, valid):
    assert all_valid([tags.split()], ["B-A", "B-B", "I-A", "I-B", "O"]) == valid


@pytest.mark.parametrize(
    ("tags", "valid"),
    [
        ("S-A B-A E-A O B-B", True),
        ("B-A I-A", False),
        ("B-A O", False),
        ("B-A B-A E-A", False),
        ("S-A E-A", False),
        ("E-A", False),
        ("B-A I-A E-A E-A", False),
    ],
)
def test_valid_bioes_sequences(tags, valid):
    # No label ends B: B-B may end anywhere.
    assert all_valid([tags.split()], ["B-A", "B-B", "E-A", "I-A", "O", "S-A"]) == valid


def test_o_can_be_reached_from_everywhere_in_bio():
    between = valid_transitions(["B-A", "I-A", "O"]).between
    np.testing.assert_array_equal(between[:, 2], True)
