"""Tables, arrays of one column and missing labels, given where lists are expected."""

import numpy as np
import pytest

from seqclf import (
    ClassifierSettings,
    SequenceClassifier,
    SequenceTagger,
    TaggerSettings,
    score,
    train_classifier,
    train_multi_label,
    train_regressor,
    train_tagger,
)
from seqclf.data.columns import column_of_table, one_column
from seqclf.data.label_sets import label_matrix
from seqclf.data.labels import as_labels
from seqclf.data.texts import tokenize_texts
from seqclf.language.text import tokens_of
from seqclf.tagging.model import as_sentences
from wordvec import InputError


class DataFrame:
    """What the packages ask of a DataFrame; iterating over it yields column names, as in pandas."""

    def __init__(self, **columns):
        self.columns = list(columns)
        self._values = np.array(list(columns.values()), dtype=object).T
        self.shape = self._values.shape

    def __iter__(self):
        return iter(self.columns)

    def to_numpy(self):
        return self._values

    def __array__(self, dtype=None, copy=None):
        return self._values.astype(dtype or object)


TEXTS = ["a fire", "no fire", "flood"]
SETTINGS = ClassifierSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0)


@pytest.mark.parametrize("texts", [np.array(TEXTS)[:, None], np.array(TEXTS, object)[:, None], DataFrame(text=TEXTS)])
def test_one_column_is_a_list_of_texts(texts):
    expected = tokenize_texts(TEXTS, "words", lowercase=True)
    assert tokenize_texts(texts, "words", lowercase=True) == expected
    assert list(tokens_of(texts, "word", "words", lowercase=True)) == [
        token for text in expected for token in [*text, "<eos>"]
    ]
    labels = np.array(["x", "y", "x"])
    model = train_classifier(texts, labels, settings=SETTINGS, threads=1)
    same = train_classifier(TEXTS, labels.tolist(), settings=SETTINGS, threads=1)
    assert (model.predict_proba(texts) == same.predict_proba(TEXTS)).all()
    assert train_regressor(texts, [1.0, 2.0, 3.0]).predict(texts).shape == (3, 1)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (DataFrame(id=[1, 2], text=["a", "b"]), r"one-dimensional, got a DataFrame of shape \(2, 2\); .* df\['text'\]"),
        ({"a": "fire", "b": "flood"}, r"must be a list, got a dict with 2 keys; pass list\(X.values\(\)\)"),
    ],
)
def test_tables_and_dicts_are_not_lists(texts, message):
    for use in (
        lambda: tokenize_texts(texts, "words", lowercase=True),
        lambda: list(tokens_of(texts, "word", "words", lowercase=True)),
        lambda: train_classifier(texts, ["x", "y"]),
        lambda: train_classifier(TEXTS[:2], texts),
        lambda: train_regressor(texts, [1.0, 2.0]),
        lambda: train_tagger(texts, [["A"], ["B"]]),
        lambda: column_of_table(texts, "texts"),
        lambda: score(texts, texts),
    ):
        with pytest.raises(InputError, match=message):
            use()


def test_labels_may_be_one_column():
    expected = ["x", "y", "x"]
    for labels in (np.array(expected)[:, None], DataFrame(label=expected), tuple(expected), np.array(expected)):
        assert as_labels(labels) == expected
    assert one_column(np.array([[1], [2]]), "labels").tolist() == [1, 2]
    assert one_column(np.ones((2, 2)), "labels").shape == (2, 2)


NA = type("NAType", (), {"__repr__": lambda _: "<NA>"})()
MISSING = [float("nan"), None, np.float64("nan"), np.datetime64("NaT"), NA]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("container", [list, lambda labels: np.array(labels, object), iter])
def test_a_missing_label_is_refused_before_training(missing, container):
    labels = ["x", missing, "y"]
    message = r"labels must not be missing, got .* at position 1; leave those texts out"
    for use in (
        lambda: train_classifier(TEXTS, container(labels)),
        lambda: SequenceClassifier().fit(TEXTS, container(labels)),
        lambda: train_classifier(TEXTS, ["x", "y", "x"], dev=(TEXTS, container(labels))),
    ):
        with pytest.raises(InputError, match=message):
            use()


@pytest.mark.parametrize("missing", MISSING)
def test_missing_labels_in_sets_tags_and_scores_are_refused(missing):
    with pytest.raises(InputError, match=r"labels must not be missing, got .* at position 0"):
        train_multi_label(TEXTS, [["x", missing], [], ["x"]])
    for fit in (train_tagger, SequenceTagger().fit):
        with pytest.raises(InputError, match=r"tags must not be missing, got .* in sentence 1"):
            fit([["a"], ["b", "c"]], [["A"], ["B", missing]])
    if not isinstance(missing, np.datetime64):
        with pytest.raises(InputError, match=r"labels must not be missing, got .* at position 1"):
            score(["x", missing], ["x", "x"])


@pytest.mark.parametrize("label", [b"x", ("x", "y"), 1j, float("inf"), {"a": 1}, np.datetime64("2020-01-01"), ["x"]])
def test_labels_that_a_model_file_cannot_hold_are_refused_before_training(label):
    message = r"must be strings or finite numbers, got .* (at position 1|in sentence 0); use str"
    with pytest.raises(InputError, match=message):
        train_classifier(TEXTS, ["x", label, "y"])
    with pytest.raises(InputError, match=message):
        train_tagger([["a", "b"]], [["x", label]], settings=TaggerSettings())


def test_mixed_labels_are_refused_by_the_estimator():
    with pytest.raises(InputError, match=r"labels must have the same type, got int and str"):
        SequenceClassifier().fit(TEXTS, [1, "a", 1])
    with pytest.raises(InputError, match=r"labels must have the same type, got int and str"):
        score([1, "a"], [1, 1])


def test_indicator_tables_keep_their_names():
    table = DataFrame(storm=[1, 0, 1], flood=[1, 0, 0])
    classes, matrix = label_matrix(table)
    assert (classes, matrix.tolist()) == (["storm", "flood"], [[True, True], [False, False], [True, False]])
    classes, matrix = label_matrix(table, ["flood", "storm"])
    assert (classes, matrix.tolist()) == (["flood", "storm"], [[True, True], [False, False], [False, True]])
    with pytest.raises(InputError, match=r"must be the labels 'fire', 'storm', got 'storm', 'flood'; rename them"):
        label_matrix(table, ["fire", "storm"])
    for names in (("0", "1"), ("column_0", "column_1")):  # of a table without names
        plain = DataFrame(**dict(zip(names, ([1, 0], [1, 1]), strict=True)))
        assert label_matrix(plain, ["fire", "storm"])[1].tolist() == [[True, True], [False, True]]
    assert train_multi_label(TEXTS, table, settings=SETTINGS, threads=1).labels == ["storm", "flood"]
    with pytest.raises(InputError, match=r"only 0 and 1, got nan"):
        label_matrix(DataFrame(storm=[1, float("nan")], flood=[0, 1]))
    with pytest.raises(InputError, match=r"a list of lists, got a dict"):
        label_matrix({"storm": [1, 0]})


def test_real_data_frames():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"text": TEXTS, "label": ["x", None, "y"]}, index=[7, 8, 9])
    assert tokenize_texts(frame[["text"]], "words", True) == tokenize_texts(frame["text"], "words", True)
    with pytest.raises(InputError, match=r"shape \(3, 2\)"):
        tokenize_texts(frame, "words", True)
    for labels in (frame["label"], frame[["label"]], frame["label"].astype("string"), frame["label"].tolist()):
        with pytest.raises(InputError, match=r"missing, got .* at position 1"):
            SequenceClassifier().fit(TEXTS, labels)


def test_polars_data_frames():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"text": TEXTS, "label": ["x", None, "y"]})
    assert tokenize_texts(frame.select("text"), "words", True) == tokenize_texts(frame["text"], "words", True)
    for labels in (frame["label"], frame.select("label")):
        with pytest.raises(InputError, match=r"missing, got None at position 1"):
            SequenceClassifier().fit(TEXTS, labels)
    assert label_matrix(polars.DataFrame({"storm": [1, 0], "flood": [0, 0]}))[0] == ["storm", "flood"]
    lists = polars.Series([["the", "cat"], ["a"]])
    assert tokenize_texts(lists, "words", True) == as_sentences(lists) == [["the", "cat"], ["a"]]


def test_the_lists_of_a_series_are_lists():
    class Series:
        """What matters of Polars: iterating over it yields its lists as Series."""

        dtype = "List"

        def to_list(self):
            return [["the", "cat"], ["a"]]

        def __iter__(self):
            raise AssertionError

    assert tokenize_texts(Series(), "words", True) == as_sentences(Series()) == [["the", "cat"], ["a"]]
