"""Multi-label classifiers: learning, label sets, thresholds, scores, baselines, model files, estimator."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix
from sklearn import metrics as reference
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags

from seqclf import (
    ClassifierSettings,
    MultiLabelClassifier,
    MultiLabelModel,
    load_model,
    score_label_sets,
    trace,
    train_multi_label,
)
from seqclf.classification.baselines import compare_multi_label_baselines
from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.data.label_sets import best_thresholds, label_matrix
from seqclf.layers.batches import pack
from seqclf.layers.heads import MultiLabelHead
from seqclf.layers.workers import Workers
from seqclf.model_file import read_model, write_model
from tests.oracles.gradients import directional_derivative
from wordvec import FormatError, InputError

SMALL = ClassifierSettings(hidden_size=8, vector_size=8, epochs=20, learning_rate=0.03, dropout=0.1)
SIGNS = {"smoke": "fire", "river": "flood", "wind": "storm"}


def make_data(count=120, seed=1):
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        signs = random.choice(list(SIGNS), random.integers(0, 4), replace=False)
        words = [*signs, *random.choice(["a", "calm", "tea", "house"], 3)]
        texts.append(" ".join(random.permutation(words)))
        labels.append({SIGNS[sign] for sign in signs})
    texts[0], labels[0] = "", set()
    return texts, labels


@pytest.fixture(scope="module")
def model():
    return train_multi_label(*make_data(), settings=SMALL, tune_thresholds=True, separator="|", threads=1)


# -- learning ---------------------------------------------------------------------------------------------------------


def test_labels_are_learned_independently(model):
    texts, labels = make_data(seed=2)
    assert model.labels == ["fire", "flood", "storm"]
    score = score_label_sets(labels, model.predict_labels(texts))
    assert score.micro_f1 > 0.95
    np.testing.assert_array_equal(label_matrix(model.predict_labels(texts), model.labels)[1], model.predict(texts))
    probabilities = model.predict_proba(texts)
    assert probabilities.sum(axis=1).max() > 1.5
    np.testing.assert_array_equal(model.predict(texts), probabilities >= model.thresholds)
    assert model.metrics["dev_texts"] == 12
    assert model.metrics["dev_micro_f1"] == max(row["dev_micro_f1"] for row in model.history)
    assert trace(model, texts[1]).probabilities.tolist() == probabilities[1].tolist()


def test_gradients_are_numerically_correct():
    shape = NetworkShape(8, 5, 3, 4, multi_label=True, pooling="attention")
    random = np.random.default_rng(0)
    parameters = {name: random.standard_normal(size) * 0.7 for name, size in parameter_shapes(shape).items()}
    batch = pack(np.array([3, 1, 3, 5, 0, 2], np.int32), np.array([0, 3, 3, 4, 6]), np.arange(4))
    targets = random.integers(0, 2, (4, 4)).astype(float)
    with Workers(1) as workers:

        def run():
            network = Network(shape, parameters, np.float64)
            loss, d_rows = network.loss_and_backward(
                network.forward(batch, workers), targets, workers, tune_vectors=True
            )
            table = np.zeros((8, 5))
            table[batch.token_ids] = d_rows[:, :5]
            return loss, network.gradients() | {"embedding": table}

        _, gradients = run()
        assert gradients.keys() == parameters.keys()
        for name, array in parameters.items():
            direction = random.standard_normal(array.shape)
            slope = directional_derivative(lambda: run()[0], array, direction)
            np.testing.assert_allclose((gradients[name] * direction).sum(), slope, atol=1e-8, err_msg=name)


def test_number_of_threads_does_not_change_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 8)
    for threads in (1, 2, 4):
        found = train_multi_label(
            *make_data(60), settings=replace(SMALL, epochs=2), tune_thresholds=True, threads=threads
        )
        found.save(tmp_path / f"{threads}")
    assert len({(tmp_path / f"{threads}").read_bytes() for threads in (1, 2, 4)}) == 1


def test_predictions_do_not_depend_on_other_texts_or_threads(model, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    texts, _ = make_data(70, seed=3)
    together = model.predict_proba(texts, threads=4)
    np.testing.assert_array_equal(model.predict_proba(texts, threads=1), together)
    np.testing.assert_array_equal(np.concatenate([model.predict_proba([text]) for text in texts]), together)


# -- labels -----------------------------------------------------------------------------------------------------------


def test_label_sets_may_have_many_types():
    expected = ["a", "b"], [[True, False], [False, False], [True, True]]
    for sets in (
        [["a"], [], ["b", "a"]],
        [{"a"}, set(), {"b", "a"}],
        (("a",), (), ("a", "b", "a")),
        np.array([["a"], [], ["b", "a"]], dtype=object),
        iter([np.array(["a"]), [], ["b", "a"]]),
    ):
        classes, matrix = label_matrix(sets)
        assert (classes, matrix.tolist()) == expected
    for array in (np.array(expected[1]), np.array(expected[1], int), csr_matrix(np.array(expected[1], float))):
        classes, matrix = label_matrix(array)
        assert (classes, matrix.tolist()) == ([0, 1], expected[1])
    classes, matrix = label_matrix([["b"]], ["b", "a", "c"])
    assert (classes, matrix.tolist()) == (["b", "a", "c"], [[True, False, False]])


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (
            ["a", "b", "a"],
            {},
            "each text needs a list of labels, got 'a' at position 0; pass \\['a'\\] for a single",
        ),
        ([["a"], 3, ["b"]], {}, "got 3 at position 1"),
        ([["a"], [["b"]], []], {}, "labels must be strings or finite numbers, got list \\['b'\\] at position 1"),
        ([["a"], ["b"]], {}, "2 labels for 3 texts"),
        ([["a", 1], [], []], {}, "labels must have the same type, got int and str"),
        ([[], [], []], {}, "at least two labels, got \\[\\]; for a single label, train a classifier with two classes"),
        ([["a"], [], ["a"]], {}, "at least two labels, got \\['a'\\]"),
        ([["a", "b"]] * 3, {}, "nothing to learn: every text has the same labels; add texts with others"),
        (np.array([[0, 1], [1, 2], [0, 0]]), {}, "an indicator matrix must hold only 0 and 1, got .*2"),
        ([["a"], [], ["b"]], {"dev": (["x"], [["c"]])}, "label 'c' of the validation texts is not among the training"),
        (np.eye(3), {"dev": (["x"], np.eye(2))}, "2 columns for 3 labels"),
        ([["a"], [], ["b"]], {"dev": (["x"], [])}, "0 labels for 1 validation texts"),
        (
            [["a"], [], ["b"]],
            {"tune_thresholds": True},
            "tune_thresholds needs validation texts, got none; pass some, or raise validation_fraction, which is",
        ),
        ([["a"], [], ["b"]], {"settings": {"epochs": 0}}, "epochs must be at least 1, got 0"),
    ],
)
def test_invalid_training_data_are_rejected(labels, options, message):
    with pytest.raises(InputError, match=message):
        train_multi_label(
            ["x", "y", "z"], labels, **(options | {"settings": replace(SMALL, **options.get("settings", {}))})
        )


def test_warning_about_constant_labels(caplog):
    settings = replace(SMALL, epochs=1, validation_fraction=0)
    found = train_multi_label(["x", "y"], np.array([[1, 0, 1], [1, 0, 0]]), settings=settings)
    assert "labels that all texts have, or none, cannot be learned: 0, 1" in caplog.text
    assert found.labels == [0, 1, 2]
    assert found.thresholds.tolist() == [0.5] * 3


def test_thresholds_maximize_f1():
    random = np.random.default_rng(5)
    truth = random.random((40, 4)) < [0.5, 0.1, 0.3, 0]
    probabilities = np.round(np.clip(0.3 * truth + random.random((40, 4)), 0, 1), 1).astype(np.float32)
    found = best_thresholds(probabilities, truth)
    assert found[3] == 0.5
    for label in range(3):
        borders = [reference.f1_score(truth[:, label], probabilities[:, label] >= t) for t in np.unique(probabilities)]
        assert reference.f1_score(truth[:, label], probabilities[:, label] >= found[label]) == max(borders)


# -- scores and baselines ---------------------------------------------------------------------------------------------


def test_scores_match_scikit_learn():
    random = np.random.default_rng(4)
    truth = random.random((50, 4)) < 0.4
    predicted = np.where(random.random((50, 4)) < 0.7, truth, ~truth)
    score = score_label_sets(truth, predicted, list("abcd"))
    assert score.micro_f1 == pytest.approx(reference.f1_score(truth, predicted, average="micro"))
    assert score.macro_f1 == pytest.approx(reference.f1_score(truth, predicted, average="macro"))
    assert score.subset_accuracy == pytest.approx(reference.accuracy_score(truth, predicted))
    assert score.hamming_loss == pytest.approx(reference.hamming_loss(truth, predicted))
    columns = reference.precision_recall_fscore_support(truth, predicted)
    np.testing.assert_allclose([[c.precision, c.recall, c.f1, c.support] for c in score.classes], np.transpose(columns))
    assert json.loads(json.dumps(score.as_dict()))["classes"][3]["label"] == "d"


def test_unknown_labels_count_as_missed_and_invalid_input_is_rejected():
    score = score_label_sets([["a", "x"], ["b"]], np.array([[1, 0], [0, 1]]), ["a", "b"])
    assert [(row.label, row.recall) for row in score.classes] == [("a", 1), ("b", 1), ("x", 0)]
    assert score.subset_accuracy == 0.5
    assert score.hamming_loss == pytest.approx(1 / 6)
    with pytest.raises(InputError, match="1 predictions for 2 label sets"):
        score_label_sets([["a"], []], [["a"]])
    for nothing in ([], [[], []]):
        with pytest.raises(InputError, match="nothing to score"):
            score_label_sets(nothing, nothing)


@pytest.mark.parametrize("tune_thresholds", [False, True])
def test_baselines(tune_thresholds):
    train, test = make_data(200), make_data(100, seed=2)
    train[1][3].add("rare")
    constant, regressions = compare_multi_label_baselines(*train, *test, tune_thresholds=tune_thresholds)
    assert constant.score.subset_accuracy == pytest.approx(np.mean([not each for each in test[1]]), abs=0.15)
    assert regressions.score.micro_f1 > 0.95
    assert regressions.chosen.startswith("C = ")
    assert [row.label for row in regressions.score.classes] == ["fire", "flood", "rare", "storm"]
    with_dev = compare_multi_label_baselines(*train, *test, dev=test)
    assert with_dev[1].score.micro_f1 >= 0.95


# -- the file ---------------------------------------------------------------------------------------------------------


def test_save_and_load_round_trip(model, tmp_path):
    path, again = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(path)
    loaded = load_model(path)
    assert isinstance(loaded, MultiLabelModel)
    loaded.save(again)
    assert path.read_bytes() == again.read_bytes()
    assert (loaded.separator, loaded.thresholds.tolist()) == ("|", model.thresholds.tolist())
    texts, _ = make_data()
    np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
    assert "MultiLabelModel" in repr(load_model(path, "multi-label model"))
    with pytest.raises(FormatError, match="one label per text; pass a model trained without --multi-label"):
        load_model(path, "model")
    tensors, header = read_model(path, ["multi-label model"])
    assert load_file(path).keys() == tensors.keys()
    for bad_tensors, bad_header in [
        ({**tensors, "thresholds": np.zeros(2)}, header),
        ({**tensors, "thresholds": np.array([0.5, np.nan, 0.5])}, header),
        ({key: value for key, value in tensors.items() if key != "thresholds"}, header),
        (tensors, header | {"separator": ""}),
        (tensors, header | {"separator": 1}),
    ]:
        write_model(path, bad_tensors, bad_header, kind="multi-label model")
        with pytest.raises(FormatError, match="damaged"):
            load_model(path)


# -- the estimator ----------------------------------------------------------------------------------------------------


def small(**options):
    given = {
        "hidden_size": 8,
        "vector_size": 8,
        "epochs": 15,
        "learning_rate": 0.03,
        "dropout": 0.1,
        "random_state": 1,
        "n_jobs": 1,
    }
    return MultiLabelClassifier(**{**given, **options})


def test_fit_predict_score():
    texts, labels = make_data()
    by_name = small().fit(texts, labels, tune_thresholds=True)
    _, array = label_matrix(labels)
    by_column = small().fit(texts, array.astype(int), tune_thresholds=True)
    assert by_name.classes_.tolist() == ["fire", "flood", "storm"]
    assert by_column.classes_.tolist() == [0, 1, 2]
    assert by_name.predict(texts).dtype.kind == "i"
    np.testing.assert_array_equal(by_name.predict(texts), by_column.predict(texts))
    assert by_name.score(texts, labels) == by_column.score(texts, array) > 0.9
    assert by_column.score(texts, array) == reference.accuracy_score(array, by_column.predict(texts))
    assert by_name.report(texts, labels).micro_f1 > 0.95
    assert by_name.predict_proba(texts).shape == (len(texts), 3)


def test_scikit_learn_tags_parameters_and_cross_validation():
    texts, labels = make_data(60)
    tags = get_tags(small())
    assert tags.classifier_tags.multi_label
    assert small().get_params().keys() == MultiLabelClassifier().get_params().keys()
    array = label_matrix(labels)[1].astype(int)
    assert cross_val_score(small(epochs=1), texts, array, cv=2).shape == (2,)
    given = small(epochs=1).fit(texts, labels, validation_data=(texts[:9], labels[:9]))
    assert given.model_.metrics["dev_texts"] == 9
    with pytest.raises(InputError, match="requires y to be passed"):
        small().fit(texts, None)


def test_rows_of_an_indicator_matrix_in_lists_are_rejected():
    with pytest.raises(InputError, match=r"got lists of 0 and 1 of equal length; pass numpy.array\(y\)"):
        label_matrix([[0, 1, 0], [1, 1, 0]])
    assert label_matrix([[0, 1], [0, 1]])[0] == [0, 1]
    assert label_matrix([[0], [1]])[0] == [0, 1]
    assert label_matrix([[0, 1], [2]])[0] == [0, 1, 2]


def test_weights_of_labels_and_texts():
    texts = ["same words"] * 20
    labels = [["rare", "often"]] * 4 + [["often"]] * 12 + [[]] * 4
    settings = replace(SMALL, epochs=8, learning_rate=0.05, validation_fraction=0)

    def rare_and_often(class_weight=None, **options):
        model = train_multi_label(texts, labels, settings=replace(settings, class_weight=class_weight), **options)
        return model.predict_proba(texts[:1])[0, ::-1].tolist()  # the labels are sorted

    assert rare_and_often() == pytest.approx([0.2, 0.8], abs=0.1)
    assert rare_and_often("balanced") == pytest.approx([0.5, 0.5], abs=0.1)
    assert rare_and_often({"rare": 4.0}) == pytest.approx([0.5, 0.8], abs=0.1)
    assert rare_and_often(sample_weight=[0.0] * 16 + [1.0] * 4) == pytest.approx([0.0, 0.0], abs=0.2)


def test_gradients_with_label_weights_are_numerically_correct():
    head = MultiLabelHead(3, 2, dtype=np.float64, random=np.random.default_rng(1))
    head.label_weights = np.array([[1.0, 0.5, 2.0], [3.0, 1.0, 0.25]])
    random = np.random.default_rng(0)
    scores, targets, weights = random.normal(size=(4, 3)), random.integers(0, 2, (4, 3)).astype(float), np.arange(4.0)
    slopes = np.empty((4, 3))
    loss = head._loss(scores, targets, weights, slopes)
    probabilities = 1 / (1 + np.exp(-scores))
    own = -np.log(np.where(targets > 0, probabilities, 1 - probabilities))
    assert loss == pytest.approx((own * np.where(targets > 0, *head.label_weights[::-1]) * weights[:, None]).mean())
    direction = random.normal(size=(4, 3))
    slope = directional_derivative(lambda: head._loss(scores, targets, weights, np.empty((4, 3))), scores, direction)
    np.testing.assert_allclose((slopes * direction).sum(), slope, atol=1e-8)
