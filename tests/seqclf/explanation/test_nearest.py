"""The most similar texts, against cosines computed row by row."""

import numpy as np
import pytest

from seqclf import ClassifierSettings, train_classifier
from seqclf.classification.ngrams import surface_forms
from seqclf.explanation.nearest import nearest_texts
from wordvec import InputError

TEXTS = ["fire in the hills", "lovely warm evening", "the fire spreads", "tea time", "", "warm tea in the evening"]
LABELS = [1, 0, 1, 0, 0, 0]
SMALL = {"hidden_size": 5, "vector_size": 4, "epochs": 3, "learning_rate": 0.05, "warmup_steps": 0}


@pytest.fixture(scope="module", params=["network", "linear", "blend", "characters"])
def model(request):
    kind = "network" if request.param == "characters" else request.param
    settings = ClassifierSettings(model=kind, character_size=3 * (request.param == "characters"), **SMALL)
    return train_classifier(TEXTS * 3, LABELS * 3, settings=settings, dev=(TEXTS, LABELS), threads=1)


def cosine(a, b):
    lengths = np.sqrt((a @ a) * (b @ b))
    return a @ b / lengths if lengths else 0.0


def expected(model, text):
    """Pooled states by the state of each word, and rows of n-grams as dense vectors."""
    found = []
    if model.parts != "linear":
        from seqclf.inspection.tracing import trace

        states = []
        for each in [text, *TEXTS]:
            both = (
                np.concatenate([layer.h for layer in trace(model, each).layers], axis=1) if each else np.zeros((1, 10))
            )
            states.append(both.max(axis=0))
        states = np.array(states, np.float64) - np.mean(states[1:], axis=0)
        found.append([cosine(states[0], each) for each in states[1:]])
    if model.linear is not None:
        tokens = [each.split() for each in [text, *TEXTS]]
        rows = model.linear.features.rows(tokens, surface_forms([text, *TEXTS], True, "NFC"))
        dense = np.zeros((len(tokens), len(model.linear.features)))
        for row in range(len(tokens)):
            own = slice(rows.indptr[row], rows.indptr[row + 1])
            dense[row, rows.indices[own]] = rows.data[own]
        found.append([cosine(dense[0], each) for each in dense[1:]])
    return np.mean(found, axis=0)


@pytest.mark.parametrize("text", ["the fire in the town", "warm evening"])
def test_similarities_are_cosines(model, text):
    found = nearest_texts(model, text, TEXTS, count=len(TEXTS))
    by_row = np.array([each.similarity for each in sorted(found)])
    np.testing.assert_allclose(by_row, expected(model, text), atol=1e-5)
    assert [each.similarity for each in found] == sorted(by_row, reverse=True)
    assert nearest_texts(model, text, TEXTS, count=2) == found[:2]


def test_a_text_is_most_similar_to_itself(model):
    best = nearest_texts(model, TEXTS[2], TEXTS, count=1)[0]
    assert (best.row, best.similarity) == (2, pytest.approx(1, abs=1e-6))
    with pytest.raises(InputError, match="no texts to search"):
        nearest_texts(model, "fire", [])
