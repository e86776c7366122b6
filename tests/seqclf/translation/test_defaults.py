"""What is chosen by the number of pairs when a setting is left open."""

import logging

import pytest

from seqclf.translation.defaults import chosen
from seqclf.translation.settings import TransducerSettings, VectorTransducerSettings
from seqclf.translation.train import train_transducer
from seqclf.translation.train_vectors import train_vector_transducer

SMALL = {"hidden_size": 4, "target_vector_size": 3, "validation_fraction": 0}


@pytest.mark.parametrize(
    ("pairs", "batch_size", "epochs"), [(1, 8, 60), (1_999, 8, 60), (2_000, 16, 30), (19_999, 16, 30), (20_000, 32, 12)]
)
def test_the_number_of_pairs_decides(pairs, batch_size, epochs):
    found = chosen(TransducerSettings(), pairs)
    assert (found["batch_size"], found["epochs"]) == (batch_size, epochs)


def test_what_is_given_stays(caplog):
    settings = VectorTransducerSettings(batch_size=3, epochs=4)
    with caplog.at_level(logging.INFO, "seqclf"):
        assert chosen(settings, 30_000) == vars(settings)
    assert not caplog.records


def test_a_model_records_what_was_chosen(caplog):
    settings = TransducerSettings(vector_size=3, epochs=1, **SMALL)
    with caplog.at_level(logging.INFO, "seqclf"):
        model = train_transducer(["a", "b"], ["b", "a"], settings=settings, threads=1)
    assert "chosen for 2 pairs: batch_size 8" in caplog.messages
    assert (model.settings.batch_size, model.settings.epochs) == (8, 1)
    settings = VectorTransducerSettings(batch_size=2, **SMALL)
    vectors = train_vector_transducer([[0, 1], [1, 0]], ["a", "b"], settings=settings, threads=1)
    assert (vectors.settings.batch_size, len(vectors.history)) == (2, 60)
