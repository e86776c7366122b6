"""Choice of tokenizer and casing by the words found in pretrained vectors."""

import logging

import numpy as np
import pytest

from seqclf import ClassifierSettings, TaggerSettings, train_classifier, train_tagger
from seqclf.data.coverage import choose_tokenization
from seqclf.training.resolved import resolved
from wordvec import WordVectors, load_vectors, save_vectors


def vectors(*words, **options):
    return WordVectors(list(words), np.ones((len(words), 2)), **options)


LOWER = ("fire", "in", "the", "town", "we", "left", "no")
TEXTS = ["Fire in the town!", "We left the town.", "No fire, no town?"]


@pytest.mark.parametrize(
    ("words", "texts", "chosen"),
    [
        (LOWER, TEXTS, ("words", True)),
        ((*LOWER, "Fire", "We", "No"), TEXTS, ("words", False)),
        ((*LOWER, "town!", "town.", "fire,", "town?"), TEXTS, ("whitespace", True)),
        (LOWER, ["fire in the town", "we left the town"], ("whitespace", False)),
        (("#fire", "in", "the", "@town", "!", ","), ["#fire in the @town!", "#fire, @town"], ("tweets", False)),
        (LOWER, [["Fire", "in", "town!"], ["We", "left"]], ("whitespace", True)),
        (LOWER, [], ("whitespace", False)),
    ],
)
def test_tokenizer_and_case_find_most_words(words, texts, chosen):
    assert choose_tokenization(texts, vectors(*words), None, None) == chosen


@pytest.mark.parametrize(
    ("form", "own", "warned"),
    [("NFKC", "NFC", True), ("NFC", "none", True), ("NFC", "NFC", False), ("none", "NFC", False)],
)
def test_another_unicode_form_than_that_of_the_vectors_is_reported(caplog, form, own, warned):
    resolved(ClassifierSettings(normalize=own), vectors(*LOWER, normalize=form), TEXTS)
    assert (f"set normalize to {form}" in caplog.text) is warned


def test_characters_are_never_chosen_for_words():
    letters = vectors(*"abcdefghilmnoprstuvwy")
    assert choose_tokenization(TEXTS, letters, None, None)[0] != "characters"


def test_choices_of_the_user_and_of_the_file_are_kept(caplog):
    caplog.set_level(logging.INFO)
    assert choose_tokenization(TEXTS, vectors(*LOWER), "whitespace", False) == ("whitespace", False)
    expected = "tokenizer whitespace finds 7 of 11 words of the texts in the vectors (words: 9 of 9)"
    assert caplog.messages == [expected]
    caplog.clear()
    assert choose_tokenization(TEXTS, vectors(*LOWER, tokenizer="tweets"), None, None)[0] == "tweets"
    assert choose_tokenization(TEXTS, vectors(*LOWER, "Fire", "We", "No", lowercase=True), None, None)[1]


def test_recorded_white_space_is_replaced_if_it_finds_far_fewer_words(caplog):
    caplog.set_level(logging.INFO)
    recorded = vectors(*LOWER, settings={"model": "cbow"})
    assert choose_tokenization(TEXTS, recorded, None, None) == ("words", True)
    expected = "tokenizer words is chosen, which finds 9 of 9 words of the texts in the vectors (whitespace: 7 of 11)"
    assert caplog.messages == [expected]
    # 7 of 8 words and 7 of 7; then 7 of 14 and 7 of 13
    assert choose_tokenization([*LOWER, "fire,"], recorded, None, None)[0] == "words"
    assert choose_tokenization([*LOWER, *"hjklmo", "fire,"], recorded, None, None)[0] == "whitespace"


def test_a_model_records_what_was_chosen_for_public_vectors(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    save_vectors(vectors(*LOWER), tmp_path / "v.txt")
    loaded = load_vectors(tmp_path / "v.txt")
    settings = ClassifierSettings(hidden_size=2, epochs=1, validation_fraction=0)
    model = train_classifier(TEXTS, ["a", "b", "a"], settings=settings, vectors=loaded)
    assert (model.tokenizer, model.lowercase) == ("words", True)
    assert "tokenizer words is chosen, which finds 9 of 9 words of the texts in the vectors" in caplog.text
    tagger = train_tagger(
        [["Fire", "We"], ["No"]], [["x", "y"], ["y"]], settings=TaggerSettings(hidden_size=2, epochs=1), vectors=loaded
    )
    assert tagger.settings["lowercase"]
