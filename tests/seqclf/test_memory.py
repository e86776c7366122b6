"""Networks that do not fit in memory are refused before their arrays are allocated."""

import numpy as np
import pytest

from seqclf import (
    ClassifierSettings,
    ForecasterSettings,
    LanguageModelSettings,
    TaggerSettings,
    train_classifier,
    train_forecaster,
    train_language_model,
    train_tagger,
)
from seqclf.regression.settings import RegressorSettings
from seqclf.regression.train import train_regressor
from seqclf.translation.settings import TransducerSettings
from seqclf.translation.train import train_transducer
from wordvec import TrainingError

TEXTS = ["good tea", "bad storm", "good cake", "bad rain"] * 5
TOKENS = [text.split() for text in TEXTS]


def classify(**sizes):
    train_classifier(TEXTS, [1, 0] * 10, settings=ClassifierSettings(model="network", **sizes))


def regress(**sizes):
    train_regressor(TEXTS, np.arange(20.0), settings=RegressorSettings(**sizes))


def tag(**sizes):
    train_tagger(TOKENS, [["A", "B"]] * 20, settings=TaggerSettings(**sizes))


def model_language(**sizes):
    train_language_model(TEXTS, settings=LanguageModelSettings(**sizes))


def forecast(**sizes):
    train_forecaster(np.arange(200.0), settings=ForecasterSettings(**sizes))


def transduce(**sizes):
    train_transducer(TEXTS, TEXTS, settings=TransducerSettings(**sizes))


@pytest.mark.parametrize(
    ("train", "size"),
    [(train, "hidden_size") for train in (classify, regress, tag, model_language, forecast, transduce)]
    + [(train, "vector_size") for train in (classify, regress, tag, model_language, transduce)]
    + [(classify, "character_size"), (tag, "feature_size"), (transduce, "target_vector_size")],
)
@pytest.mark.parametrize("value", [10**9, 10**18])
def test_networks_beyond_the_memory_are_refused(train, size, value):
    with pytest.raises(TrainingError, match=r"needs at least .* GB of memory, but only .* GB are free; (use|lower)"):
        train(**{size: value})


def test_the_largest_part_is_named():
    with pytest.raises(TrainingError, match=r"most of them in layers\.0\.forward\.w_hidden \(4000000000, 1000000000\)"):
        forecast(hidden_size=10**9)
    with pytest.raises(TrainingError, match=r"a table of 6 words x 1,000,000,000 needs at least 48\.0 GB"):
        classify(vector_size=10**9)
