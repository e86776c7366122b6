"""LIME and SHAP explain a classifier by its ``predict_proba`` as it is; skipped without them."""

import numpy as np
import pytest

from seqclf import SequenceClassifier

TEXTS = ["Fire in the hills", "a calm evening", "the fire spreads", "tea and cake"] * 6
LABELS = ["alarm", "calm", "alarm", "calm"] * 6


@pytest.fixture(scope="module")
def classifier():
    return SequenceClassifier(model="linear", validation_fraction=0, random_state=1, n_jobs=1).fit(TEXTS, LABELS)


def test_lime_finds_the_word_that_decides(classifier):
    lime = pytest.importorskip("lime.lime_text", reason="lime is not installed")
    explainer = lime.LimeTextExplainer(class_names=classifier.classes_.tolist(), random_state=1)
    found = explainer.explain_instance("a fire and tea", classifier.predict_proba, labels=[0], num_samples=200)
    weights = dict(found.as_list(label=0))
    assert max(weights, key=weights.get) == "fire"
    assert weights["tea"] < 0


def test_shap_values_add_up_to_the_probability(classifier):
    shap = pytest.importorskip("shap", reason="shap is not installed")
    explainer = shap.Explainer(classifier.predict_proba, shap.maskers.Text(r"\W+"), seed=1)
    text = "a fire and tea"
    found = explainer([text])
    words = [word.strip() for word in found.data[0]]
    total = found.base_values[0] + found.values[0].sum(axis=0)
    np.testing.assert_allclose(total, classifier.predict_proba([text])[0], atol=1e-3)
    assert words[int(found.values[0][:, 0].argmax())] == "fire"
