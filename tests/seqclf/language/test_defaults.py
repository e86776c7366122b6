"""What is chosen from the training text when a setting is left open."""

import logging

import pytest

from seqclf import LanguageModelSettings
from seqclf.language.defaults import choose_settings
from seqclf.language.train import train_language_model

CHOSEN = ("hidden_size", "tied", "dropout", "embedding_dropout", "batch_size", "learning_rate")


@pytest.mark.parametrize(
    ("tokens", "vocabulary", "expected"),
    [
        (500, 20, (128, False, 0.1, 0.0, 1, 0.005)),
        (9_000, 1_000, (128, False, 0.3, 0.1, 6, 0.005)),
        (199_999, 65, (128, False, 0.1, 0.0, 20, 0.005)),
        (200_000, 65, (256, True, 0.1, 0.0, 20, 0.003)),
        (929_589, 10_000, (256, True, 0.3, 0.1, 20, 0.003)),
    ],
)
def test_the_text_decides(tokens, vocabulary, expected):
    found = choose_settings(LanguageModelSettings(), tokens, vocabulary)
    assert tuple(getattr(found, name) for name in CHOSEN) == expected


def test_what_is_given_stays(caplog):
    given = {**dict.fromkeys(CHOSEN[2:4], 0.0), "hidden_size": 7, "tied": True, "batch_size": 3, "learning_rate": 1.0}
    with caplog.at_level(logging.INFO):
        assert vars(choose_settings(LanguageModelSettings(**given), 500, 20)) == vars(LanguageModelSettings(**given))
    assert not caplog.messages
    wide = choose_settings(LanguageModelSettings(vector_size=100, optimizer="sgd"), 500_000, 5_000)
    assert (wide.hidden_size, wide.tied, wide.learning_rate) == (256, False, 20)


def test_choices_are_logged_and_recorded(caplog):
    with caplog.at_level(logging.INFO):
        model = train_language_model(["a b c"] * 9, settings=LanguageModelSettings(epochs=1, hidden_size=8), threads=1)
    assert (
        "chosen for 36 words, 5 of them different: untied weights, dropout 0.1, 0.0 of embeddings, one stream"
        in caplog.text
    )
    assert (model.settings["tied"], model.settings["batch_size"]) == (False, 1)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["a a", "a"], "the text repeats a single word, 'a': the model can only repeat it, too"),
        (["a b c"], "the text is a single line of 4 words: give more lines, one for each sentence"),
        (["a b", "c"], ""),
    ],
)
def test_a_text_without_anything_to_learn_is_named(lines, message, caplog):
    train_language_model(lines, settings=LanguageModelSettings(epochs=1, hidden_size=4), threads=1)
    assert "".join(each.getMessage() for each in caplog.records if each.levelno == logging.WARNING) == message
