"""The parameters of every estimator are its settings, with the same defaults, and documented."""

import dataclasses
import inspect
import re

import pytest

from seqclf import (
    ClassifierSettings,
    Forecaster,
    ForecasterSettings,
    LanguageModel,
    LanguageModelSettings,
    MultiLabelClassifier,
    RegressorSettings,
    SequenceClassifier,
    SequenceFromVector,
    SequenceRegressor,
    SequenceTagger,
    SequenceToSequence,
    TaggerSettings,
)
from seqclf.translation.settings import TransducerSettings, VectorTransducerSettings
from tests.estimators.cases import SEQUENCES, SERIES, TEXTS
from wordvec import Cooccurrence, FastText, Glove, Phrases, Ppmi, Svd, Word2Vec, Word2VecSettings
from wordvec.count_based.models import count_based_options, count_based_settings
from wordvec.phrases.settings import PhraseSettings

CORPUS = {"min_count": 5, "max_vocabulary": None, "tokenizer": "whitespace", "lowercase": False, "normalize": "NFC"}
SEARCH = {"beam": 5, "length_penalty": 1.0}
OWN = {"random_state": None, "n_jobs": None}


def parameters(estimator):
    """Name to default, of ``__init__``."""
    return {name: found.default for name, found in inspect.signature(estimator).parameters.items()}


def defaults(kind):
    """Name to default, of a settings class; scikit-learn calls the seed ``random_state``."""
    return {field.name: field.default for field in dataclasses.fields(kind) if field.name != "seed"}


def test_parameters_of_word2vec():
    assert parameters(Word2Vec) == defaults(Word2VecSettings) | CORPUS | OWN
    assert parameters(FastText) == parameters(Word2Vec) | {"subwords": "3-6"}


def test_parameters_of_phrases():
    own = {"tokenizer": "whitespace", "lowercase": False, "normalize": "NFC", "n_jobs": None}
    assert parameters(Phrases) == defaults(PhraseSettings) | own


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


@pytest.mark.parametrize(
    ("estimator", "settings", "others"),
    [
        (SequenceClassifier, ClassifierSettings, {"vectors": None, "warm_start": False}),
        (MultiLabelClassifier, ClassifierSettings, {"vectors": None, "warm_start": False}),
        (SequenceRegressor, RegressorSettings, {"vectors": None}),
        (SequenceTagger, TaggerSettings, {"vectors": None}),
        (SequenceToSequence, TransducerSettings, {"vectors": None, **SEARCH}),
        (SequenceFromVector, VectorTransducerSettings, SEARCH),
        (Forecaster, ForecasterSettings, {}),
        (LanguageModel, LanguageModelSettings, {}),
    ],
)
def test_parameters_of_the_networks(estimator, settings, others):
    assert parameters(estimator) == defaults(settings) | others | OWN
    kinds = [kind for kind in estimator.__mro__ if kind.__module__.startswith("seqclf")]
    documented = "\n".join(inspect.cleandoc(kind.__doc__ or "") for kind in kinds)
    arguments = re.findall(r"\w+", " ".join(re.findall(r"^ {4}(\w[\w, ]*):", documented, re.MULTILINE)))
    assert parameters(estimator).keys() <= set(arguments)


@pytest.mark.parametrize(
    ("estimator", "data", "changes"),
    [
        (SequenceRegressor, (SEQUENCES, range(18)), {"zoneout": 0.2, "clip_norm": 2.0, "warmup_steps": 3}),
        (SequenceRegressor, (TEXTS, range(18)), {"vector_scale": 0.2, "keep_vectors": 5, "weight_drop": 0.1}),
        (Forecaster, (SERIES,), {"huber": 1.5, "clip_norm": 2.0, "relative": True}),
    ],
)
def test_parameters_reach_the_model(estimator, data, changes):
    fitted = estimator(hidden_size=4, epochs=1, n_jobs=1, random_state=3, **changes).fit(*data)
    settings = vars(fitted.model_.settings)
    assert {name: settings[name] for name in changes} == changes
    assert settings["seed"] == 3
