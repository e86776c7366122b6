"""Explanations: complete, exact where they can be, and right where the reason is planted."""

import numpy as np
import pytest

from seqclf import ClassifierSettings, train_classifier, train_multi_label
from seqclf.explanation.explain import explain, token_words
from seqclf.explanation.page import html_page
from wordvec import InputError

FILLERS = ["the", "of", "river", "street", "evening", "a", "green", "house"]
PLANTED = {"praise": ["superb", "lovely"], "blame": ["awful", "dreary"], "doubt": ["perhaps", "maybe"]}


def planted(count=240):
    random = np.random.default_rng(1)
    texts, labels = [], []
    for row in range(count):
        label = list(PLANTED)[row % 3]
        words = [*random.choice(FILLERS, 6), random.choice(PLANTED[label])]
        texts.append(" ".join(random.permutation(words)))
        labels.append(label)
    return texts, labels


@pytest.fixture(scope="module", params=["network", "linear", "blend"])
def model(request):
    shape = {"hidden_size": 8, "vector_size": 8, "epochs": 6, "learning_rate": 0.02, "dropout": 0.2}
    shape["character_size"] = 4 if request.param == "blend" else 0
    settings = ClassifierSettings(model=request.param, **({} if request.param == "linear" else shape))
    return train_classifier(*planted(), settings=settings, threads=1)


def test_contributions_add_up_to_the_log_odds(model):
    found = explain(model, "The superb house, maybe a street", steps=200)
    probabilities = model.predict_proba(["The superb house, maybe a street"])[0].astype(float)
    pair = [probabilities[model.labels.index(label)] for label in (found.label, found.against)]
    assert found.log_odds == pytest.approx(np.log(pair[0] / pair[1]), abs=1e-4)
    assert found.bias + sum(found.contributions) + found.error == pytest.approx(found.log_odds, abs=1e-6)
    assert abs(found.error) < 0.02 * max(1, abs(found.log_odds))
    assert (found.error == 0) == (model.parts == "linear")
    assert np.allclose(np.add(found.network, found.linear), found.contributions)
    assert any(found.network) == (model.parts != "linear")
    assert any(found.linear) == (model.parts != "network")
    assert found.words == ["The", "superb", "house,", "maybe", "a", "street"]


def test_planted_words_come_first_and_occlusion_agrees(model):
    for label, other in (("praise", "blame"), ("doubt", "praise"), ("blame", "doubt")):
        words = ["the", "green", PLANTED[label][0], "of", "house", PLANTED[other][1], "river"]
        found = explain(model, " ".join(words), label=label, against=other, occlusion=True)
        order = np.argsort(found.contributions)
        assert (words[order[-1]], words[order[0]]) == (PLANTED[label][0], PLANTED[other][1])
        order = np.argsort(found.occlusion)
        assert (words[order[-1]], words[order[0]]) == (PLANTED[label][0], PLANTED[other][1])
        assert found.agreement > 0.3
        opposite = explain(model, " ".join(words), label=other, against=label)
        np.testing.assert_allclose(opposite.contributions, np.negative(found.contributions), atol=1e-5)


def test_repeated_words_and_texts_without_words(model):
    found = explain(model, ["superb", "superb"])
    assert len(found.contributions) == 2
    for empty in ("", "  ", "qqq"):
        nothing = explain(model, empty)
        assert nothing.bias + sum(nothing.contributions) == pytest.approx(nothing.log_odds, abs=0.02)
    assert explain(model, "", occlusion=True).agreement is None


def test_long_texts_are_integrated_in_parts(model, monkeypatch):
    text = " ".join(planted(3)[0])
    whole = explain(model, text)
    monkeypatch.setattr("seqclf.explanation.explain._ROWS", 50)
    np.testing.assert_allclose(explain(model, text).contributions, whole.contributions, atol=1e-5)


def test_tokens_are_assigned_to_the_words_that_contain_them():
    assert token_words(["a", "b", "c"], "a-b  (c)").tolist() == [0, 0, 1]
    assert token_words(["a", "changed", "c"], "a x c").tolist() == [0, 1, 2]
    assert token_words(["end", "changed"], "end").tolist() == [0, 0]
    assert token_words([], "").tolist() == []


def test_errors(model):
    with pytest.raises(InputError, match="label 'joy' is not one of the model's: blame, doubt, praise"):
        explain(model, "a", label="joy")
    with pytest.raises(InputError, match="label and against must be different, got 'doubt' twice"):
        explain(model, "a", label="doubt", against="doubt")
    with pytest.raises(InputError, match="steps must be at least 1, got 0"):
        explain(model, "a", steps=0)


@pytest.mark.parametrize("class_weight", [None, {"praise": 3, "blame": 0.5}])
def test_labels_of_multi_label_models_against_their_absence(class_weight):
    texts, labels = planted()
    texts = [f"{one} {other}" for one, other in zip(texts, texts[1:] + texts[:1], strict=True)]
    sets = [sorted({one, other}) for one, other in zip(labels, labels[1:] + labels[:1], strict=True)]
    settings = ClassifierSettings(
        hidden_size=8, vector_size=8, epochs=6, learning_rate=0.02, class_weight=class_weight, validation_fraction=0
    )
    several = train_multi_label(texts, sets, settings=settings, threads=1)
    words = ["the", "superb", "house", "is", "awful", "of", "river"]
    for label, word in (("praise", "superb"), ("blame", "awful")):
        found = explain(several, " ".join(words), label=label, steps=200, occlusion=True)
        assert words[int(np.argmax(found.contributions))] == words[int(np.argmax(found.occlusion))] == word
        probability = float(several.predict_proba([" ".join(words)])[0][several.labels.index(label)])
        assert (found.label, found.against, found.probability) == (label, f"not {label}", probability)
        assert found.log_odds == pytest.approx(np.log(probability / (1 - probability)), abs=1e-3)
        assert abs(found.error) < 0.02 * max(1, abs(found.log_odds))
    with pytest.raises(InputError, match="a label against its absence; leave out against"):
        explain(several, "a", against="praise")


def test_page_is_self_contained_and_escaped(model):
    page = html_page(explain(model, "superb <b>& house", occlusion=True))
    assert "&lt;b&gt;&amp;" in page
    assert "<b>" not in page
    assert "http" not in page
    assert "without the word" in page
