"""Classifiers of sequences of vectors: ragged lengths, exact rows, files, and what is rejected."""

import numpy as np
import pytest

from seqclf import ClassifierSettings, SequenceClassifier, load_model
from seqclf.classification.train_vectors import train_vector_classifier
from seqclf.model_file import read_model, write_model
from wordvec import FormatError, InputError

SMALL = ClassifierSettings(hidden_size=8, epochs=6, learning_rate=0.02, pooling="last", dropout=0.1)


def walks(count=80, seed=1):
    """Random walks of 3 to 11 steps in two dimensions, at very different scales; the label is where the first ends."""
    random = np.random.default_rng(seed)
    found = [random.normal(0, 1, (length, 2)).cumsum(axis=0) for length in random.integers(3, 12, count)]
    labels = ["up" if walk[-1, 0] > 0 else "down" for walk in found]
    return [walk * [100.0, 0.01] + [5, 7] for walk in found], labels


@pytest.fixture(scope="module")
def trained():
    return train_vector_classifier(*walks(), settings=SMALL, threads=1)


def test_it_learns_from_the_end_of_ragged_sequences(trained):
    sequences, labels = walks(seed=2)
    assert trained.evaluate(sequences, labels).score.accuracy > 0.85
    assert trained.metrics["sequences"] + trained.metrics["dev_sequences"] == 80


@pytest.mark.parametrize("pooling", ["max", "mean", "attention"])
def test_a_row_depends_on_no_other_sequence(pooling):
    settings = ClassifierSettings(hidden_size=8, epochs=1, pooling=pooling, cell="gru")
    model = train_vector_classifier(*walks(40), settings=settings, threads=1)
    sequences, _ = walks(70, seed=3)
    together = model.predict_proba(sequences)
    for row in (0, 1, 37):
        np.testing.assert_array_equal(model.predict_proba(sequences[row : row + 1])[0], together[row])
        np.testing.assert_array_equal(model.predict_proba(sequences[row : row + 2], threads=1)[0], together[row])
    np.testing.assert_array_equal(model.predict_proba(sequences[::-1], threads=2), together[::-1])


def test_padding_is_read_as_steps_and_not_as_a_mask(trained):
    sequence = walks(1)[0][0]
    padded = np.concatenate([sequence, np.zeros((3, 2))])
    assert (trained.predict_proba([sequence]) != trained.predict_proba([padded])).all()


def test_a_file_gives_the_same_classifier_at_any_number_of_threads(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    for threads in (1, 4):
        model = train_vector_classifier(*walks(40), settings=SMALL, threads=threads)
        model.save(tmp_path / f"{threads}.safetensors")
    assert len({(tmp_path / f"{threads}.safetensors").read_bytes() for threads in (1, 4)}) == 1
    loaded = load_model(tmp_path / "1.safetensors", "vector classifier")
    np.testing.assert_array_equal(loaded.predict(walks()[0]), model.predict(walks()[0]))
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == (tmp_path / "1.safetensors").read_bytes()
    assert repr(loaded) == "<VectorClassifierModel: bidirectional lstm of 8, vectors of 2, 2 labels>"
    with pytest.raises(FormatError, match=r"holds a classifier of vectors, not a text classifier; pass a file"):
        load_model(tmp_path / "1.safetensors", "model")


@pytest.mark.parametrize(
    ("tensor", "value"), [("mean", None), ("mean", np.zeros(3)), ("deviation", np.zeros(2)), ("head.bias", np.zeros(2))]
)
def test_a_damaged_file_is_rejected(trained, tmp_path, tensor, value):
    trained.save(tmp_path / "m.safetensors")
    tensors, header = read_model(tmp_path / "m.safetensors")
    tensors = {key: array for key, array in (tensors | {tensor: value}).items() if array is not None}
    write_model(tmp_path / "m.safetensors", tensors, header, kind="vector classifier")
    with pytest.raises(FormatError, match="damaged"):
        load_model(tmp_path / "m.safetensors")


def test_the_estimator_takes_texts_and_vectors(trained, tmp_path):
    sequences, labels = walks()
    options = {"hidden_size": 8, "epochs": 6, "learning_rate": 0.02, "pooling": "last", "dropout": 0.1, "n_jobs": 1}
    classifier = SequenceClassifier(**options, random_state=1).fit(iter(sequences), labels)
    np.testing.assert_array_equal(classifier.predict_proba(sequences), trained.predict_proba(sequences))
    assert classifier.score(sequences, labels) > 0.9
    equal = np.stack([walk[:3] for walk in sequences])
    assert classifier.fit(equal, labels).predict(equal).shape == (80,)
    numbers = [walk[:, 0] for walk in sequences]
    assert classifier.fit(numbers, labels).score(numbers, labels) > 0.9
    assert classifier.fit(["fire", "flood"] * 10, [1, 2] * 10).predict(["fire"]).shape == (1,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:-1], y), "80 labels for 79 sequences"),
        (lambda x, y: ([*x[:-1], x[0][:0]], y), r"must be a nonempty array .* got \(0, 2\)"),
        (lambda x, y: ([x[0][:0], *x[1:]], y), r"must be a nonempty array .* got \(0, 2\)"),
        (lambda x, y: ([np.ones((2, 2, 2)), *x[1:]], y), r"must be a nonempty array .* got \(2, 2, 2\)"),
        (lambda x, y: ([*x[:-1], np.ones((4, 3))], y), "every step must have 2 values, like the first one, got 3"),
        (lambda x, y: ([*x[:-1], np.full((4, 2), np.nan)], y), "must be finite, got nan at position 0"),
        (lambda x, y: ([*x[:-1], "fire"], y), "numeric sequences must be nonempty arrays"),
        (lambda x, y: (x, ["up"] * 80), "two"),
    ],
)
def test_bad_input_is_rejected(change, message):
    with pytest.raises(InputError, match=message):
        SequenceClassifier(hidden_size=4, epochs=1).fit(*change(*walks()))


def test_settings_of_texts_are_rejected(trained):
    with pytest.raises(InputError, match="model blend is for texts, but the sequences hold numbers"):
        SequenceClassifier(model="blend").fit(*walks())
    with pytest.raises(InputError, match="calibration isotonic is for texts"):
        SequenceClassifier(calibration="isotonic").fit(*walks())
    with pytest.raises(InputError, match="every step must have 2 values"):
        trained.predict([np.ones((3, 5))])
