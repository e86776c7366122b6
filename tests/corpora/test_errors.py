"""Length of messages."""

import pickle

import pytest

from corpora import InputError, read_labelled
from seqclf import load_model, train_classifier, train_multi_label
from wordvec import TrainingError, UnknownTokenError, WordVectors

TEXT = "word " * 100_000


@pytest.mark.parametrize("kind", [InputError, UnknownTokenError, TrainingError])
def test_messages_are_short_and_survive_pickling(kind):
    error = kind(f"labels must be short, got {TEXT!r} at position 7; shorten them")
    assert len(str(error)) == 600
    assert str(error).startswith("labels must be short, got 'word word")
    assert str(error).endswith("at position 7; shorten them")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert str(kind("token 'x' is unknown")) == "token 'x' is unknown"


def test_no_message_quotes_a_whole_text(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text(f"id,{TEXT}\n1,x\n")
    for use in (
        lambda: train_classifier([TEXT] * 2, [TEXT] * 2),
        lambda: train_multi_label([TEXT] * 2, [TEXT] * 2),
        lambda: train_classifier([{TEXT: 1}, "x"], ["a", "b"]),
        lambda: WordVectors(["a"], [[1.0]])[TEXT],
        lambda: read_labelled(table),
        lambda: load_model(TEXT),
    ):
        with pytest.raises(InputError) as caught:
            use()
        assert len(str(caught.value)) <= 600
