"""LanguageModel as an estimator; what all estimators promise is checked in tests/estimators."""

import math

import pytest
from sklearn.model_selection import GridSearchCV

from seqclf import LanguageModel, LanguageModelSettings, TrainedLanguageModel, load_model, train_language_model
from wordvec import InputError

LINES = ["the king rules the land", "the queen rules the sea", "rain falls on the land"]
SMALL = {"hidden_size": 16, "epochs": 2, "batch_size": 3, "window": 6, "learning_rate": 0.02}


def small(**options):
    return LanguageModel(**{**SMALL, "random_state": 1, "n_jobs": 1, **options})


def test_it_does_what_the_trained_model_does(tmp_path):
    seen = []
    estimator = small().fit((line for line in LINES * 10), validation_data=LINES, on_progress=seen.append)
    model = train_language_model(LINES * 10, settings=LanguageModelSettings(**SMALL), dev=LINES, threads=1)
    assert isinstance(estimator.model_, TrainedLanguageModel)
    assert estimator.history_ == model.history
    assert {state.unit for state in seen} == {"tokens"}
    assert seen[-1].done == seen[-1].total > 0
    assert estimator.perplexity(LINES, trained_on=LINES * 10) == model.perplexity(LINES, trained_on=LINES * 10)
    assert estimator.next_tokens("the", top=2) == model.next_tokens("the", top=2)
    assert estimator.generate("the", length=9, seed=2, top_k=3) == model.generate("the", length=9, seed=2, top_k=3)
    estimator.save(tmp_path / "estimator.safetensors")
    model.save(tmp_path / "model.safetensors")
    assert (tmp_path / "estimator.safetensors").read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    assert repr(load_model(tmp_path / "model.safetensors")).startswith("<TrainedLanguageModel: 11 words")


def test_the_score_is_the_mean_log_probability():
    estimator = small().fit(LINES * 10)
    assert estimator.score(LINES) == -math.log(estimator.perplexity(LINES).perplexity)


def test_a_grid_search_prefers_the_better_model():
    search = GridSearchCV(small(validation_fraction=0), {"epochs": [1, 8]}, cv=2).fit(LINES * 10)
    assert search.best_params_ == {"epochs": 8}


def test_parameters_are_checked_by_fit():
    with pytest.raises(InputError, match="tied weights need vectors as wide as the states"):
        small(vector_size=8, tied=True).fit(LINES)
