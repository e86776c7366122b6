"""Supervised models of fastText: prediction compared with a slow version, ties, texts, damaged files."""

import numpy as np
import pytest

from seqclf import load_model
from seqclf.classification.fasttext import FastTextClassifier
from tests.cases.fasttext import HIERARCHICAL, NEGATIVE, ONE_VS_ALL, SOFTMAX, Supervised
from tests.oracles import naive_fasttext
from wordvec import FormatError, InputError, WordVectors, save_vectors

TEXTS = [
    "the fire burn",
    "",
    "  the\thills\vunseen\fwords \r über\0fire ",
    "__label__fire __label__none odd the ##odd burn burn",
    "fire </s> the hills",
    "überall brennt 東京 🔥",
]
KEPT = {7: 0, 4: 2, 11: 1, 28: 3, 16: 4, 2: 5, 23: 6, 9: 7}
MODELS = {
    "words": {},
    "words, n-grams": {"word_ngrams": 3, "buckets": 30},
    "characters": {"min_n": 2, "max_n": 4, "buckets": 30},
    "both": {"word_ngrams": 2, "min_n": 1, "max_n": 3, "buckets": 31},
    "pruned": {"word_ngrams": 2, "min_n": 2, "max_n": 3, "buckets": 30, "pruned": KEPT, "quantized": True},
    "all pruned": {"word_ngrams": 2, "min_n": 2, "max_n": 3, "buckets": 30, "pruned": {}, "quantized": True},
}


@pytest.fixture
def write(tmp_path):
    def write(**changes):
        model = Supervised(**changes)
        (tmp_path / "model.bin").write_bytes(model.content())
        return model, tmp_path / "model.bin"

    return write


@pytest.mark.parametrize("loss", [HIERARCHICAL, NEGATIVE, SOFTMAX, ONE_VS_ALL])
@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS.keys())
def test_probabilities_are_those_of_the_slow_version(write, loss, options):
    model, path = write(loss=loss, **options)
    loaded = load_model(path)
    expected = [naive_fasttext.predict(model, text) for text in TEXTS]
    np.testing.assert_allclose(loaded.predict_proba(TEXTS), expected, atol=1e-6)
    chosen = [loaded.labels.index(label) for label in loaded.predict(TEXTS, threads=2)]
    assert [row[label] for row, label in zip(expected, chosen, strict=True)] == [max(row) for row in expected]


def test_models_are_known_by_content_not_by_name(write, tmp_path):
    _, path = write()
    named = tmp_path / "model.safetensors"
    named.write_bytes(path.read_bytes())
    np.testing.assert_array_equal(load_model(named).predict_proba(TEXTS), load_model(path).predict_proba(TEXTS))
    with pytest.raises(FormatError, match="fastText"):
        load_model(named, "tagger")


def test_labels_are_without_their_prefix(write):
    _, path = write(loss=ONE_VS_ALL)
    loaded = load_model(path, "fastText classifier")
    assert isinstance(loaded, FastTextClassifier)
    assert loaded.labels == ["calm", "fire", "flood", "odd"]
    assert (loaded.settings["loss"], loaded.settings["word_ngrams"]) == ("one-vs-all", 1)
    assert repr(loaded) == "<FastTextClassifier: one-vs-all, 7 words, 4 labels>"


# Output of fasttext 0.9.3 with k = 1: the label that comes last, in a tree from left to right.
@pytest.mark.parametrize(("loss", "best"), [(SOFTMAX, "odd"), (NEGATIVE, "odd"), (HIERARCHICAL, "calm")])
def test_the_last_of_equal_labels_is_predicted(tmp_path, loss, best):
    model = Supervised(loss=loss, label_counts=(9, 9, 9, 9))
    model.outputs[:] = 0
    (tmp_path / "model.bin").write_bytes(model.content())
    loaded = load_model(tmp_path / "model.bin")
    assert loaded.predict(["the fire"]).tolist() == [best]


def test_one_label(tmp_path):
    for loss in (HIERARCHICAL, SOFTMAX):
        model = Supervised(loss=loss, labels=("__label__x",), label_counts=(3,))
        (tmp_path / "model.bin").write_bytes(model.content())
        assert load_model(tmp_path / "model.bin").predict_proba(["the"])[0, 0] == pytest.approx(1, abs=2e-5)


def test_texts_without_a_known_word_have_no_label(write):
    model, path = write(words=("the", "fire", "über", "hills", "burn", "wood", "wind"))
    loaded = load_model(path)
    found = loaded.predict_proba(["nothing known", "the fire"])
    assert naive_fasttext.predict(model, "nothing known") is None
    assert (found[0].any(), found[1].all()) == (False, True)
    assert loaded.predict(["nothing known", ""]).tolist() == ["", ""]


def test_the_other_texts_and_the_form_of_a_text_change_nothing(write):
    _, path = write(**MODELS["both"])
    loaded = load_model(path)
    together = loaded.predict_proba(TEXTS)
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_array_equal(loaded.predict_proba([text])[0], row)
    np.testing.assert_array_equal(loaded.predict_proba([["the", "fire", "burn"]])[0], together[0])
    np.testing.assert_array_equal(loaded.predict_proba(["the\nfire\r\nburn"])[0], together[0])
    assert loaded.predict_proba([]).shape == (0, 4)
    with pytest.raises(InputError, match="got the single text"):
        loaded.predict_proba("the fire")


def test_many_texts_are_predicted_in_blocks(write, monkeypatch):
    _, path = write(**MODELS["both"])
    whole = load_model(path).predict_proba(TEXTS)
    monkeypatch.setattr("seqclf.classification.fasttext._SCORES", 8)
    np.testing.assert_array_equal(load_model(path).predict_proba(TEXTS), whole)


def test_version_11_has_no_character_ngrams(write):
    _, path = write(min_n=2, max_n=3, buckets=30, version=11)
    assert load_model(path).settings["max_n"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 0}, "layout of fastText before version 11"),
        ({"word_ngrams": 101, "buckets": 9}, "n-grams must have at most 100 words, got 101"),
        ({"word_ngrams": 2}, "0 buckets of n-grams; the fastText model is damaged"),
        ({"labels": (), "label_counts": ()}, "0 output rows for 0 labels"),
        ({"loss": 9}, "its arguments are invalid"),
    ],
)
def test_models_that_cannot_predict_are_rejected(write, changes, message):
    _, path = write(**changes)
    with pytest.raises(FormatError, match=message):
        load_model(path)


def test_numbers_that_are_not_finite_are_rejected(tmp_path):
    for side, error in (("outputs", FormatError), ("inputs", InputError)):
        model = Supervised()
        getattr(model, side)[1] = np.nan
        (tmp_path / "model.bin").write_bytes(model.content())
        with pytest.raises(error, match="rows have NaN or infinity; the fastText model is damaged"):
            load_model(tmp_path / "model.bin").predict(["the"])


def test_missing_output_rows_are_rejected(tmp_path):
    model = Supervised()
    model.outputs = model.outputs[:3]
    (tmp_path / "model.bin").write_bytes(model.content())
    with pytest.raises(FormatError, match="3 output rows for 4 labels"):
        load_model(tmp_path / "model.bin")


def test_word_vectors_of_fasttext_are_no_classifier(write, tmp_path):
    save_vectors(WordVectors(["a", "b"], [[1.0], [2.0]]), tmp_path / "v.bin", format="fasttext")
    with pytest.raises(FormatError, match=r"holds word vectors of fastText \(skipgram\), not a classifier"):
        load_model(tmp_path / "v.bin")
    _, path = write()
    with pytest.raises(FormatError, match="holds a model of fastText, not a tagger; pass a file that tag-text train"):
        load_model(path, "tagger")
    with pytest.raises(InputError, match=r"kinds must be among .*fastText classifier.*, got 'classifier'"):
        load_model(path, "classifier")
    (tmp_path / "other").write_bytes(b"")
    with pytest.raises(FormatError, match=r"pass a file that fasttext\.train_supervised wrote"):
        load_model(tmp_path / "other", "fastText classifier")
