"""Regressors of texts and of numeric sequences: learning, comparison with the mean, model files, estimator."""

from dataclasses import replace

import numpy as np
import pytest

from seqclf import ClassifierSettings, RegressorSettings, SequenceRegressor, load_model, train_regressor
from seqclf.model_file import read_model, write_model
from wordvec import FormatError, InputError, WordVectors

SMALL = RegressorSettings(hidden_size=8, vector_size=8, epochs=12, learning_rate=0.02, dropout=0.0)
WORDS = {"good": 2.0, "bad": -2.0, "very": 0.0, "film": 0.0, "plot": 0.5}


def texts(count=150):
    random = np.random.default_rng(2)
    found = [list(random.choice(list(WORDS), random.integers(1, 6))) for _ in range(count)]
    found[0] = []
    return found, np.array([sum(WORDS[word] for word in text) for text in found])


def walks(count=120):
    """Two columns of different scales; targets are the first column's mean and the second's last value."""
    random = np.random.default_rng(3)
    found = [random.normal([5, -300], [1, 100], (length, 2)) for length in random.integers(1, 7, count)]
    return found, np.array([[walk[:, 0].mean(), walk[-1, 1]] for walk in found])


@pytest.fixture(scope="module")
def of_texts():
    return train_regressor(*texts(), settings=SMALL, threads=1)


@pytest.fixture(scope="module")
def of_numbers():
    settings = replace(SMALL, cell="gru", bidirectional=False, pooling="attention", hidden_size=16, epochs=25)
    return train_regressor(*walks(), settings=settings, threads=1)


def test_texts_are_learned_and_scores_include_the_mean(of_texts):
    given, values = texts()
    score = of_texts.score(given, values)
    predicted = of_texts.predict(given)[:, 0]
    assert score.rmse == pytest.approx(np.sqrt(np.mean((predicted - values) ** 2)))
    assert score.mae == pytest.approx(np.abs(predicted - values).mean())
    assert score.baseline_rmse == pytest.approx(np.sqrt(np.mean((values - of_texts.mean) ** 2)))
    assert score.r2 == pytest.approx(1 - score.rmse**2 / score.baseline_rmse**2)
    assert score.rmse < 0.4 * score.baseline_rmse
    assert of_texts.metrics["dev_sequences"] == 15
    assert of_texts.metrics["dev_rmse"] < 0.7 * of_texts.metrics["dev_baseline_rmse"]
    assert of_texts.metrics["dev_rmse"] == min(row["dev_rmse"] for row in of_texts.history)


def test_numeric_sequences_are_learned_at_any_scale(of_numbers):
    given, values = walks()
    error = of_numbers.predict(given) - values
    assert (np.square(error).mean(axis=0) < 0.5 * values.var(axis=0)).all()
    assert of_numbers.score(given, values).baseline_rmse > 60


def test_predictions_do_not_depend_on_the_batch_or_threads(of_texts, of_numbers, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    for model, given in ((of_texts, texts()[0]), (of_numbers, walks()[0])):
        together = model.predict(given, threads=4)
        np.testing.assert_array_equal(together, model.predict(given, threads=1))
        np.testing.assert_array_equal(together[7:8], model.predict(given[7:8]))


def test_number_of_threads_does_not_change_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    for threads in (1, 2):
        settings = replace(SMALL, epochs=2, dropout=0.3)
        train_regressor(*texts(60), settings=settings, threads=threads).save(tmp_path / f"{threads}.safetensors")
    assert (tmp_path / "1.safetensors").read_bytes() == (tmp_path / "2.safetensors").read_bytes()


@pytest.mark.parametrize("kind", ["of_texts", "of_numbers"])
def test_save_and_load_round_trip(kind, tmp_path, request):
    model, given = request.getfixturevalue(kind), (texts if kind == "of_texts" else walks)()[0]
    path, again = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(path)
    loaded = load_model(path, "regressor")
    loaded.save(again)
    assert path.read_bytes() == again.read_bytes()
    np.testing.assert_array_equal(loaded.predict(given), model.predict(given))
    tensors, header = read_model(path, ["regressor"])
    size = header["settings"] | {"hidden_size": 10**12}
    damaged = [
        ({**tensors, "mean": np.empty(0)}, header),
        ({**tensors, "deviation": np.zeros(9)}, header),
        ({key: value for key, value in tensors.items() if key not in ("embedding", "input_mean")}, header),
        (tensors, header | {"settings": size}),
        (tensors, header | {"settings": {}}),
        (tensors, header | {"history": 1}),
        (tensors, header | {"settings": header["settings"] | {"temperature": 1}}),
    ]
    for bad_tensors, bad_header in damaged:
        write_model(path, bad_tensors, bad_header)
        with pytest.raises(FormatError, match="damaged"):
            load_model(path, "regressor")


def test_missing_settings_take_their_defaults(of_texts, tmp_path):
    path = tmp_path / "a.safetensors"
    of_texts.save(path)
    tensors, header = read_model(path, ["regressor"])
    assert header["settings"].keys() == {*vars(of_texts.settings), "class_weight"} - {
        "freeze",
        "keep_ngrams",
        "optimizer",
        "schedule",
    }
    settings = {key: header["settings"][key] for key in header["settings"] if key not in ("class_weight", "zoneout")}
    write_model(path, tensors, header | {"settings": settings}, kind="regressor")
    assert load_model(path, "regressor").settings == of_texts.settings


@pytest.mark.parametrize(
    ("sequences", "values", "message"),
    [
        (["a", "b"], [1], "1 values for 2 sequences"),
        (["a", "b"], ["x", "y"], "the values must hold real numbers"),
        (["a", "b"], [1, np.nan], "the values must be finite, got nan at position 1"),
        ([[1.0, 2], "b"], [1, 2], "numeric sequences must be nonempty arrays"),
        ([[1.0, 2], []], [1, 2], "numeric sequences must be nonempty arrays"),
        ([[1.0, 2], [[1.0, 2]]], [1, 2], "every step must have 1 values, like the first one, got 2"),
        ([], [], "must be a nonempty array"),
    ],
)
def test_invalid_training_data_are_rejected(sequences, values, message):
    with pytest.raises(InputError, match=message):
        train_regressor(sequences, values, settings=replace(SMALL, validation_fraction=0))


def test_input_of_another_kind_is_rejected(of_numbers):
    with pytest.raises(InputError, match="every step must have 2 values, like the first one, got 1"):
        of_numbers.predict([[1.0, 2.0]])
    with pytest.raises(InputError, match=r"values must have shape \(1, 2\), one row per sequence, got \(2, 1\)"):
        of_numbers.score([[[1.0, 2.0]]], [1, 2])
    with pytest.raises(InputError, match="must be RegressorSettings, got ClassifierSettings"):
        train_regressor(["a"], [1], settings=ClassifierSettings())


def test_estimator_equals_train_regressor():
    given, values = texts(80)
    options = {"hidden_size": 8, "vector_size": 8, "epochs": 2, "random_state": 5, "n_jobs": 1}
    regressor = SequenceRegressor(**options)
    fitted = regressor.fit(given, values, validation_data=texts(20))
    assert fitted.predict(given).shape == (80,)
    direct = train_regressor(
        given, values, settings=RegressorSettings(hidden_size=8, vector_size=8, epochs=2, seed=5), dev=texts(20)
    )
    np.testing.assert_array_equal(direct.predict(given)[:, 0], fitted.predict(given))
    assert fitted.score(given, values) == pytest.approx(fitted.report(given, values).r2, abs=0.2)
    assert fitted.fit(given, np.stack([values, -values], axis=1)).predict(given).shape == (80, 2)
    with pytest.raises(InputError, match="y to be passed"):
        regressor.fit(given, None)


def test_vectors_for_sequences_of_numbers_are_rejected():
    vectors = WordVectors(["a"], np.ones((1, 4), np.float32))
    rule = "vectors are for texts, but the sequences hold numbers; leave vectors out"
    with pytest.raises(InputError, match=rule):
        train_regressor([[1.0, 2.0], [3.0]], [1, 2], vectors=vectors)
    with pytest.raises(InputError, match=rule):
        SequenceRegressor(vectors=vectors).fit([[1.0, 2.0], [3.0]], [1, 2])


def test_validation_error_is_logged_with_that_of_the_mean(caplog):
    caplog.set_level("INFO", logger="seqclf")
    model = train_regressor(*texts(40), settings=replace(SMALL, epochs=1), threads=1)
    own, mean = (f"{model.metrics[name]:.4g}" for name in ("dev_rmse", "dev_baseline_rmse"))
    assert f"error on 4 validation sequences: {own}; of always predicting the mean: {mean}" in caplog.text
