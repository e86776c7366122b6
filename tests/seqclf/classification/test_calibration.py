"""Vector scaling and isotonic regression: fits, files, and what they need."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from seqclf import ClassifierSettings, load_model, train_classifier
from seqclf.classification import calibration
from seqclf.classification.calibration import Isotonic, VectorScaling, fit_calibration, increasing
from wordvec import FormatError, InputError

SETTINGS = ClassifierSettings(model="linear")


def skewed(classes, count=600, seed=1):
    """Probabilities of a model that is too sure and prefers the last label, and the true classes."""
    random = np.random.default_rng(seed)
    targets = random.integers(0, classes, count)
    scores = 3 * (np.eye(classes)[targets] + 0.8 * random.standard_normal((count, classes)))
    scores[:, -1] += 1.5
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return probabilities.astype(np.float32).round(3), targets, np.array([0.5, 1.0, 2.0])[targets]


class Fixed(ClassifierMixin, BaseEstimator):
    """A classifier whose inputs are its probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return self.classes_[X.argmax(axis=1)]


@pytest.mark.parametrize("classes", [2, 3])
def test_isotonic_regression_is_that_of_scikit_learn(classes):
    probabilities, targets, _ = skewed(classes)
    fixed = FrozenEstimator(Fixed().fit(probabilities, targets))
    expected = CalibratedClassifierCV(fixed, method="isotonic").fit(probabilities, targets)
    new, fitted = skewed(classes, seed=2)[0], Isotonic.fit(probabilities, targets, np.ones(len(targets)))
    found = fitted.apply(new)
    np.testing.assert_allclose(found, expected.predict_proba(new), atol=1e-6)
    np.testing.assert_array_equal(fitted.apply(new[7:8])[0], found[7])


def test_points_of_the_increasing_function_are_those_of_scikit_learn():
    random = np.random.default_rng(3)
    x, y, weights = random.integers(0, 40, 200) / 40, random.integers(0, 2, 200), random.random(200) + 0.1
    expected = IsotonicRegression().fit(x, y, weights)
    points, values = increasing(x, y, weights)
    np.testing.assert_allclose(points, expected.X_thresholds_)
    np.testing.assert_allclose(values, expected.y_thresholds_)


def test_labels_without_probability_are_equal():
    found = Isotonic.fit(np.array([[0.0, 1.0], [1.0, 0.0]], np.float32), np.array([0, 1]), np.ones(2))
    assert found.apply(np.array([[0.5, 0.5]], np.float32)).tolist() == [[0.5, 0.5]]
    nothing = found._replace(values=np.zeros(found.values.size))
    assert nothing.apply(np.array([[0.5, 0.5]], np.float32)).tolist() == [[0.5, 0.5]]


def test_vector_scaling_has_the_least_loss():
    probabilities, targets, weights = skewed(3)
    found = VectorScaling.fit(probabilities, targets, weights)
    logs = np.log(probabilities.astype(float).clip(1.2e-38))

    def loss(x):
        scores = x[0] * logs + x[1]
        own = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -(weights * own[np.arange(600), targets]).sum() + ((x[0] - 1) ** 2).sum() + (x[1] ** 2).sum()

    best = np.stack(found)
    for place in np.ndindex(2, 3):
        for change in (-0.02, 0.02):
            other = best.copy()
            other[place] += change
            assert loss(other) > loss(best)
    scores = np.exp(found.scale * logs + found.bias)
    np.testing.assert_allclose(found.apply(probabilities), scores / scores.sum(axis=1, keepdims=True), atol=1e-6)


@pytest.mark.parametrize("method", ["vector", "isotonic"])
def test_calibration_lowers_the_error_on_other_texts(method):
    found, before, after = fit_calibration(method, *skewed(3, count=1200), seed=1)
    assert found.kind == method
    assert after < 0.6 * before


def test_enough_validation_texts():
    texts, labels = ["fire in the hills", "warm evening", "the fire spreads", "tea time"] * 5, [1, 0, 1, 0] * 5
    for method, message in (
        (
            "vector",
            "calibration vector needs at least 40 validation texts, got 20; pass more, raise",
        ),
        ("isotonic", "calibration isotonic needs at least 1,000 validation texts, got 20"),
    ):
        with pytest.raises(InputError, match=message):
            train_classifier(texts, labels, settings=replace(SETTINGS, calibration=method), dev=(texts, labels))
    with pytest.raises(InputError, match="needs texts of all labels, got none of 1"):
        calibration.check_enough("isotonic", np.zeros(1000, int), [0, 1])
    with pytest.raises(InputError, match="calibration none needs model network, got linear"):
        replace(SETTINGS, calibration="none")


@pytest.fixture(scope="module", params=["vector", "isotonic"])
def calibrated(request):
    """A model whose validation texts contradict its training texts now and then."""
    texts = ["fire in the hills", "warm evening", "the fire spreads", "tea time", "fire at tea time"]
    labels, random = ["alarm", "calm", "alarm", "calm", "odd"], np.random.default_rng(1)
    dev = [(texts[row], labels[row] if random.random() < 0.7 else labels[row - 1]) for row in list(range(5)) * 200]
    settings = replace(SETTINGS, calibration=request.param)
    return train_classifier(texts * 4, labels * 4, settings=settings, dev=tuple(zip(*dev, strict=True)), threads=1)


def test_files_of_calibrated_models(calibrated, tmp_path):
    path, new = tmp_path / "m.safetensors", ["fire and tea", "", "a warm evening", "fire in the hills"]
    calibrated.save(path)
    back = load_model(path)
    assert back.calibration.kind == back.settings["calibration"] == calibrated.calibration.kind
    assert 0 <= back.metrics["dev_calibration_error"] < 1
    found = back.predict_proba(new)
    np.testing.assert_array_equal(found, calibrated.predict_proba(new))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    calibrated_by, back.calibration = back.calibration, None
    assert np.abs(found - back.predict_proba(new)).max() > 0.01
    np.testing.assert_array_equal(found, calibrated_by.apply(back.predict_proba(new)))
    back.calibration = calibrated_by
    back.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_damaged_calibrations(calibrated, tmp_path):
    path = tmp_path / "m.safetensors"
    calibrated.save(path)
    arrays = load_file(path)
    with safe_open(path, "np") as file:
        header = json.loads(file.metadata()["seqclf"])
    of_kind = {
        "vector": [("scale", lambda a: a[1:]), ("bias", lambda a: a * np.nan), ("bias", lambda a: a.astype("f4"))],
        "isotonic": [
            ("points", lambda a: a[::-1].copy()), ("values", lambda a: a + 1), ("values", lambda a: a[1:]),
            ("offsets", lambda a: a[::-1].copy()), ("offsets", lambda a: a[1:]), ("points", lambda a: a * np.inf),
        ],
    }  # fmt: skip
    changes = [({f"calibration_{name}": change}, {}) for name, change in of_kind[calibrated.calibration.kind]]
    for tensors, changed in [*changes, ({}, {"calibration": "platt"}), ({}, {"calibration": ["vector"]})]:
        new = {name: tensors.get(name, lambda a: a)(each) for name, each in arrays.items()}
        save_file(new, path, metadata={"seqclf": json.dumps(header | changed)})
        with pytest.raises(FormatError, match="calibration"):
            load_model(path)
    save_file(arrays, path, metadata={"seqclf": json.dumps(header | {"calibration": None})})
    with pytest.raises(FormatError, match="unexpected"):
        load_model(path)
