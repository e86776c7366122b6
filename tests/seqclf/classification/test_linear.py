"""The linear model: features and probabilities equal to scikit-learn's, the same bits at any number of threads."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from corpora import read_labelled
from seqclf import ClassifierSettings, train_classifier
from seqclf.classification.linear import STRENGTHS, LogisticLoss, log_probabilities
from seqclf.classification.ngrams import NgramFeatures, surface_forms
from seqclf.classification.train_linear import LinearTexts, train_linear
from seqclf.data.texts import tokenize_texts
from seqclf.layers.workers import Workers
from tests.oracles.gradients import numerical_gradient
from wordvec import InputError


def prepared(texts):
    return LinearTexts(tokenize_texts(texts, "words", True, "NFC"), surface_forms(texts, True, "NFC"))


@pytest.fixture(scope="module")
def disasters():
    texts, labels = read_labelled("sample:disasters")
    return prepared(texts), np.array([label == "disaster" for label in labels], np.int32)


def dense(rows, features):
    found = np.zeros((len(rows.indptr) - 1, features))
    for row in range(len(found)):
        place = slice(*rows.indptr[row : row + 2])
        found[row, rows.indices[place]] = rows.data[place]
    return found


@pytest.mark.parametrize("second", [None, np.array([False, True, False, True])], ids=["many classes", "two classes"])
def test_features_are_those_of_scikit_learn_times_log_count_ratios_of_two_classes(second):
    texts = ["the rose is a rose is red", "the sky", "", "red sky red"]
    given = prepared(texts)
    features, rows = NgramFeatures.learn(*given, second=second, characters=False)
    found = dense(rows, len(features))
    vectorizer = TfidfVectorizer(
        analyzer=lambda text: [*text.split(), *map(" ".join, zip(text.split(), text.split()[1:], strict=False))],
        sublinear_tf=True, norm=None,
    )  # fmt: skip
    expected = vectorizer.fit_transform(texts).toarray()
    if second is not None:
        p, q = (1 + (expected[rows] > 0).sum(axis=0) for rows in (second, ~second))
        expected *= 1 + np.abs(np.log((p / p.sum()) / (q / q.sum())))
    expected /= np.maximum(np.linalg.norm(expected, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)
    both, rows = NgramFeatures.learn(*given, second=second)
    lengths = (dense(rows, len(both)) ** 2).sum(axis=1)
    np.testing.assert_allclose(lengths, [2, 2, 0, 2], atol=1e-6)


def test_character_ngrams_are_in_two_texts_and_unknown_ones_are_skipped():
    given = prepared(["abc", "xbc"])
    features, _ = NgramFeatures.learn(*given)
    # Two words; of their characters, "bc", "c ", "bc ".
    assert len(features) == 2 + 3
    assert len(features.rows(*prepared(["qqq", "b"])).data) == 0
    columns, of_characters, places, sizes = features.places(["q", "abc"], "q abc")
    assert sizes.tolist() == [1] * 4
    assert of_characters.tolist() == [False, True, True, True]
    assert places.tolist() == [1] * 4
    assert sorted(columns.tolist()) == sorted(set(columns.tolist()))
    with pytest.raises(InputError, match="no text has a word"):
        NgramFeatures.learn(*prepared(["", "!"]), characters=False)


def test_a_row_does_not_depend_on_the_others(disasters):
    given, targets = disasters
    features, together = NgramFeatures.learn(*given, second=targets == 1)
    for own, again in zip(together, features.rows(*given), strict=True):
        np.testing.assert_array_equal(own, again)
    for row in (0, 17, 799):
        alone = features.rows(*given.take(np.array([row])))
        place = slice(*together.indptr[row : row + 2])
        np.testing.assert_array_equal(alone.indices, together.indices[place])
        np.testing.assert_array_equal(alone.data, together.data[place])


@pytest.mark.parametrize("classes", [2, 3])
def test_gradient_of_the_loss(classes):
    given = prepared(["red rose", "blue sky", "red sky", "green tea"])
    features, rows = NgramFeatures.learn(*given, characters=False)
    random = np.random.default_rng(1)
    with Workers(1) as workers:
        targets = np.array([0, 1, classes - 1, 1], np.int32)
        loss = LogisticLoss(rows, len(features), targets, classes, random.random(4), workers)
        features_of = dense(rows, len(features))
        columns = loss.shape[1]
        theta = random.standard_normal(5 * columns)  # of the four texts, and the bias

        def vector():
            own = theta[: 4 * columns].reshape(4, columns)
            return np.concatenate([own.ravel(), (features_of @ features_of.T @ own).ravel(), theta[4 * columns :]])

        def weights_of(x):
            return np.concatenate([each.ravel() for each in loss.coefficients(x)])

        gradient, largest = loss.at(vector(), 3.0)[1], loss.largest
        own, image, bias = np.split(gradient, [4 * columns, 8 * columns])
        expected = numerical_gradient(lambda: loss.at(vector(), 3.0)[0], theta)
        np.testing.assert_allclose(np.append(image, bias), expected, atol=1e-8)
        np.testing.assert_allclose(image, (features_of @ features_of.T @ own.reshape(4, columns)).ravel())
        assert largest == pytest.approx(np.abs(weights_of(gradient)).max())
        assert loss.inner(vector(), gradient) == pytest.approx(weights_of(vector()) @ weights_of(gradient))


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_those_of_scikit_learn(disasters, classes):
    given, targets = disasters
    given, targets = given.take(np.arange(300)), targets[:300].copy()
    targets[::7] = classes - 1
    features, rows = NgramFeatures.learn(*given, characters=False)
    weights = np.array([0.5, 2.0, 1.0])[targets]
    with Workers(1) as workers:
        loss = LogisticLoss(rows, len(features), targets, classes, weights, workers)
        x = loss.fit(10.0)
        found = np.exp(log_probabilities(rows, *loss.coefficients(x), classes, workers))
    model = LogisticRegression(C=10.0, tol=1e-8, max_iter=5000)
    expected = model.fit(dense(rows, len(features)), targets, weights).predict_proba(dense(rows, len(features)))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_number_of_threads_does_not_change_a_bit(disasters, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 3)
    monkeypatch.setattr("seqclf.classification.linear._PART", 100)
    given, targets = disasters
    dev = given.take(np.arange(100)), targets[:100]
    models = []
    for threads in (1, 3):
        with Workers(threads) as workers:
            models.append(
                train_linear(
                    given, targets, 2, np.ones(2), shares=np.ones(len(targets)), dev=dev, seed=1, workers=workers
                )
            )
    (one, chosen), (other, again) = models
    assert chosen == again
    assert one.weight.tobytes() == other.weight.tobytes()
    assert one.bias.tobytes() == other.bias.tobytes()


def test_larger_c_is_not_tried_after_two_that_are_no_better(disasters, monkeypatch):
    tried, fit = [], LogisticLoss.fit

    def recorded(self, strength, *arguments, coarse=False, **options):
        tried.append((strength, coarse))
        return fit(self, strength, *arguments, coarse=coarse, **options)

    monkeypatch.setattr(LogisticLoss, "fit", recorded)
    monkeypatch.setattr("seqclf.classification.train_linear.fit_weights", lambda *_: np.ones(1))
    given, _ = disasters
    noise = np.random.default_rng(1).integers(0, 2, 200).astype(np.int32)  # uncalibrated, the strongest penalty is best
    dev = given.take(np.arange(100)), noise[:100]
    with Workers(1) as workers:
        train_linear(
            given.take(np.arange(100, 200)), noise[100:], 2, np.ones(2), shares=np.ones(100), dev=dev, seed=1,
            workers=workers,
        )  # fmt: skip
    assert tried == [*((strength, True) for strength in STRENGTHS[:3]), (STRENGTHS[0], False)]


def test_a_part_of_many_texts_chooses_c_and_progress_is_logged(disasters, monkeypatch, caplog):
    given, targets = disasters
    sizes, fit = [], LogisticLoss.fit

    def recorded(self, *arguments, coarse=False, **options):
        sizes.append((self._rows.indptr.size - 1, coarse))
        return fit(self, *arguments, coarse=coarse, **options)

    monkeypatch.setattr(LogisticLoss, "fit", recorded)
    monkeypatch.setattr("seqclf.classification.train_linear._ENOUGH", 150)
    monkeypatch.setattr("seqclf.classification.train_linear._LINE_SECONDS", 0.0)
    train, dev = given.take(np.arange(300)), (given.take(np.arange(300, 400)), targets[300:400])
    with Workers(1) as workers, caplog.at_level("INFO", "seqclf"):
        found, strength = train_linear(
            train, targets[:300], 2, np.ones(2), shares=np.ones(300), dev=dev, seed=1, workers=workers
        )
        logs = found.log_probabilities(*dev[0], workers)
    assert set(sizes[:-1]) == {(150, True)}
    assert sizes[-1] == (300, False)
    assert strength in STRENGTHS
    assert (logs.argmax(axis=1) == dev[1]).mean() > 0.65
    assert "linear model, C = 0.3: step 1" in caplog.text


@pytest.mark.parametrize("model", ["linear", "auto"])
def test_a_linear_model_records_its_own_settings(model, monkeypatch):
    monkeypatch.setattr("seqclf.classification.train.CANDIDATES", {"linear": (False, True)})
    settings = ClassifierSettings(model=model, hidden_size=4, vector_size=4, epochs=1)
    texts = ["fire", "tea", "a fire", "some tea"] * 5
    found = train_classifier(texts, [1, 0, 1, 0] * 5, settings=settings, threads=1)
    assert found.parts == "linear"
    assert set(found.settings) == {
        "class_weight", "lowercase", "model", "normalize", "seed", "tokenizer", "validation_fraction",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "least"), [("sst2", 0.8), ("trec6", 0.86)])
def test_accuracy_on_public_data(public_data, name, least):
    settings = ClassifierSettings(model="linear")
    texts, labels = read_labelled(public_data / f"classify/{name}.train.tsv")
    model = train_classifier(texts, labels, settings=settings)
    assert model.evaluate(*read_labelled(public_data / f"classify/{name}.test.tsv")).score.accuracy >= least
