"""Estimators' parameters and defaults match their settings."""

import dataclasses
import inspect

import pytest

from wordvec import Cooccurrence, Glove, Ppmi, Svd, Word2Vec, Word2VecSettings
from wordvec.count_based.models import count_based_options, count_based_settings

CORPUS = {"min_count": 5, "max_vocabulary": None, "tokenizer": "whitespace", "lowercase": False}
OWN = {"random_state": None, "n_jobs": None}


def parameters(estimator):
    """Name to default, of ``__init__``."""
    return {name: found.default for name, found in inspect.signature(estimator).parameters.items()}


def defaults(kind):
    """Name to default, of a settings class; scikit-learn calls the seed ``random_state``."""
    return {field.name: field.default for field in dataclasses.fields(kind) if field.name != "seed"}


def test_parameters_of_word2vec():
    assert parameters(Word2Vec) == defaults(Word2VecSettings) | CORPUS | OWN


@pytest.mark.parametrize(
    ("estimator", "model"), [(Cooccurrence, "cooccurrence"), (Ppmi, "ppmi"), (Svd, "svd"), (Glove, "glove")]
)
def test_parameters_of_the_count_based_models(estimator, model):
    settings = count_based_settings(model)
    expected = settings.counting.record() | (settings.training.record() if settings.training else {})
    found = parameters(estimator)
    assert {name: found[name] for name in expected if name != "seed"} == {
        name: value for name, value in expected.items() if name != "seed"
    }
    missing = count_based_options(model) - {"seed"} - found.keys()
    assert missing == ({"weighting"} if model == "ppmi" else set())
    assert found.keys() == (count_based_options(model) - {"seed"} - missing) | CORPUS.keys() | OWN.keys()
