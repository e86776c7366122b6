"""Baselines: accuracy on data with indicative words, agreement with a scikit-learn pipeline."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from seqclf import ClassifierSettings, compare_baselines, train_classifier
from seqclf.classification import baselines
from seqclf.classification.baselines import STRENGTHS, _log_count_ratio, compare_multi_label_baselines
from seqclf.classification.cross_validation import learning_curve
from seqclf.metrics import macro_f1
from wordvec import InputError


def make_data(count, classes, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    words = [[f"w{random.integers(0, 40)}" for _ in range(6)] for _ in range(count)]
    for text, label in zip(words, labels, strict=True):
        if random.random() < 0.8:
            text[2] = f"sign{label}"
    return [" ".join(text) for text in words], labels.tolist()


@pytest.mark.parametrize("classes", [2, 4])
def test_indicative_words_are_learned(classes):
    train, dev, test = (make_data(count, classes, seed) for seed, count in enumerate((300, 100, 200)))
    majority, tfidf, nbsvm = compare_baselines(*train, *test, dev=dev)
    common = max(set(train[1]), key=train[1].count)
    assert majority.score.accuracy == pytest.approx(test[1].count(common) / 200)
    assert tfidf.score.accuracy > 0.8
    assert nbsvm.score.accuracy > 0.8
    assert tfidf.chosen in {f"C = {strength:g}" for strength in STRENGTHS}
    assert tfidf.score.labels == list(range(classes))


def pipelines(train):
    """Return scikit-learn's pipelines that the TF-IDF baseline equals, one for each C."""
    return [
        make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+"),
            LogisticRegression(C=strength, max_iter=1000),
        ).fit(*train)
        for strength in STRENGTHS
    ]


def test_tfidf_matches_a_scikit_learn_pipeline_with_c_chosen_on_dev():
    train, dev, test = (make_data(count, 3, seed) for seed, count in ((1, 150), (2, 80), (3, 90)))
    scores = []
    for pipeline in pipelines(train):
        scores.append((pipeline.score(*dev), pipeline.score(*test)))
    best = int(np.argmax([score[0] for score in scores]))
    result = compare_baselines(*train, *test, dev=dev, tokenizer="whitespace")[1]
    assert result.chosen == f"C = {STRENGTHS[best]:g}"
    assert result.score.accuracy == pytest.approx(scores[best][1])


def test_macro_f1_chooses_c_of_skewed_labels():
    random = np.random.default_rng(7)

    def skewed(count):
        labels = [int(random.random() < 0.07) for _ in range(count)]
        words = [[f"w{random.integers(0, 40)}" for _ in range(6)] for _ in range(count)]
        for text, label in zip(words, labels, strict=True):
            text[2] = "sign" if random.random() < (0.6 if label else 0.08) else text[2]
        return [" ".join(text) for text in words], labels

    train, dev, test = skewed(400), skewed(200), skewed(200)
    scores = []
    for pipeline in pipelines(train):
        predicted = pipeline.predict(dev[0]).tolist()
        scores.append((macro_f1(dev[1], predicted), pipeline.score(*dev)))
    best = scores.index(max(scores))
    assert [best, int(np.argmax([accuracy for _, accuracy in scores]))] == [5, 0]
    result = compare_baselines(*train, *test, dev=dev, tokenizer="whitespace")[1]
    assert result.chosen == f"C = {STRENGTHS[best]:g}"


def test_log_count_ratios_by_hand():
    counts = np.array([[1, 0], [1, 1], [0, 1]])
    # Smoothed: mine (2 + 1, 1 + 1) / 5, the rest (0 + 1, 1 + 1) / 3.
    got = _log_count_ratio(counts, np.array([True, True, False]))
    np.testing.assert_allclose(got, [[np.log((3 / 5) / (1 / 3)), np.log((2 / 5) / (2 / 3))]])


def test_stratified_split_without_dev_and_unknown_test_labels():
    texts, labels = make_data(200, 2, 5)
    results = compare_baselines(texts, labels, ["sign0", "sign1"], [0, 9])
    assert [result.score.accuracy for result in results[1:]] == [0.5, 0.5]
    assert results[1].score.labels == [0, 1, 9]


def training_texts(monkeypatch):
    """Return the lists of training texts of the TF-IDF baselines, in which later ones are recorded."""
    found, features = [], baselines._tfidf_features

    def recorded(data):
        found.append(sorted(ngrams[0] for ngrams in data.train))
        return features(data)

    monkeypatch.setattr(baselines, "_tfidf_features", recorded)
    return found


def test_baselines_train_on_the_same_texts_as_the_model(monkeypatch):
    texts, labels = [f"t{row:02}" for row in range(20)], ["a", "b"] * 10
    settings = ClassifierSettings(hidden_size=4, vector_size=4, epochs=1, validation_fraction=0.4)
    model = train_classifier(texts, labels, settings=settings)
    found = training_texts(monkeypatch)
    learning_curve(texts, labels, texts, labels, shares=(1,), whole=model, settings=settings)
    assert len(found[0]) == model.metrics["texts"] == 12
    assert [text for text in texts if text in model.vocabulary] == found[0]


@pytest.mark.parametrize("several", [False, True])
def test_without_validation_texts_c_is_chosen_on_a_tenth_and_all_texts_are_trained_on(several, monkeypatch):
    texts, labels = make_data(200, 2, 6)
    found = training_texts(monkeypatch)
    if several:
        sets = [[label, 2] if row % 3 else [label] for row, label in enumerate(labels)]
        *_, last = compare_multi_label_baselines(texts, sets, texts, sets, validation_fraction=0)
    else:
        _, last, _ = compare_baselines(texts, labels, texts, labels, validation_fraction=0)
    assert [len(each) for each in found] == [180, 200]
    assert last.chosen.startswith("C = ")
    if several:
        with pytest.raises(InputError, match="tune_thresholds needs validation texts, got none"):
            compare_multi_label_baselines(texts, sets, texts, sets, validation_fraction=0, tune_thresholds=True)


def test_few_texts_have_the_default_c():
    found = compare_baselines(["good tea", "bad storm"], [1, 0], ["good", "bad"], [1, 0])
    assert [(each.chosen, each.score.accuracy) for each in found[1:]] == [("C = 1", 1.0)] * 2


def test_invalid_input_is_rejected():
    with pytest.raises(InputError, match="1 labels for 2 texts"):
        compare_baselines(["a", "b"], [1], ["a"], [1])
    with pytest.raises(InputError, match="no test texts given"):
        compare_baselines(["a", "b"], [1, 2], [], [])
    with pytest.raises(InputError, match="only one class"):
        compare_baselines(["a", "b"], [1, 1], ["a"], [1])
