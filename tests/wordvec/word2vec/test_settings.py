"""Settings: resolved defaults, presets, and errors that state the limit and the value."""

import dataclasses
import json
import re

import numpy as np
import pytest

from wordvec import Word2VecSettings
from wordvec.errors import InputError


def test_defaults_of_each_model():
    for options, rate, shared, fresh in (
        ({}, 0.04, 16, 8),
        ({"cbow_gradient": "mean"}, 0.04, 16, 8),  # no effect on skip-gram, which has no mean
        ({"loss": "hierarchical"}, 0.025, 16, 8),
        ({"subwords": "3-6"}, 0.03, 16, 16),
        ({"subwords": "3-6", "loss": "hierarchical"}, 0.05, 16, 16),
        ({"model": "cbow"}, 0.06, 12, 12),
        ({"model": "cbow", "cbow_gradient": "mean"}, 0.075, 12, 12),
    ):
        settings = Word2VecSettings(**options)
        assert settings.learning_rate is settings.shared_negatives is settings.block_size is None
        assert settings.min_learning_rate is settings.fresh_negatives is None
        resolved = settings.resolved()
        assert (resolved.min_learning_rate, resolved.fresh_negatives, resolved.saturation) == (1e-4, False, "exact")
        assert (resolved.sentence_limit, resolved.first_range, resolved.context_predicts_center) == (None, 0.5, False)
        assert (resolved.learning_rate, resolved.shared_negatives, resolved.negatives_per_tile) == (rate, shared, fresh)
        assert resolved.resolved() == resolved


@pytest.mark.parametrize(
    ("preset", "model", "rate", "least", "limit", "first_range", "saturation"),
    [
        ("gensim", "skipgram", 0.025, 1e-4, 10_000, 1.0, "skip"),
        ("gensim", "cbow", 0.025, 1e-4, 10_000, 1.0, "skip"),
        ("word2vec.c", "skipgram", 0.025, 2.5e-6, 1000, 0.5, "clip"),
        ("word2vec.c", "cbow", 0.05, 5e-6, 1000, 0.5, "clip"),
    ],
)
def test_presets_match_the_programs_they_name(
    preset, model, rate, least, limit, first_range, saturation
):  # fmt: skip
    resolved = Word2VecSettings(preset=preset, model=model).resolved()
    assert (resolved.learning_rate, resolved.fresh_negatives, resolved.cbow_gradient) == (rate, True, "sum")
    assert resolved.min_learning_rate == pytest.approx(least)
    assert (resolved.sentence_limit, resolved.first_range, resolved.saturation) == (limit, first_range, saturation)
    assert resolved.context_predicts_center
    assert resolved.resolved() == resolved
    # In hierarchical softmax, both skip scores beyond 6.
    down_a_tree = Word2VecSettings(preset=preset, model=model, loss="hierarchical").resolved()
    assert (down_a_tree.fresh_negatives, down_a_tree.saturation) == (False, "skip")


def test_explicit_settings_override_a_preset():
    given = {"learning_rate": 0.5, "min_learning_rate": 0.25, "fresh_negatives": False, "window": 3, "negatives": 9}
    resolved = Word2VecSettings(preset="word2vec.c", **given).resolved()
    assert {name: getattr(resolved, name) for name in given} == given
    assert resolved.preset == "word2vec.c"
    # The final learning rate follows the initial one, as in word2vec.c.
    assert Word2VecSettings(preset="word2vec.c", learning_rate=0.5).resolved().min_learning_rate == 0.5e-4


def test_settings_are_immutable():
    given = Word2VecSettings(learning_rate=0.5, shared_negatives=32, block_size=128, seed=0, subsample=0)
    resolved = given.resolved()
    assert (resolved.learning_rate, resolved.shared_negatives, resolved.block_size) == (0.5, 32, 128)
    assert (resolved.seed, resolved.subsample, resolved.negatives_per_tile) == (0, 0, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        given.seed = 2


def test_numpy_values_become_python_types():
    # Parameter grids make such values, but JSON and compiled kernels need Python types.
    settings = Word2VecSettings(vector_size=np.int32(8), learning_rate=np.float32(0.5), subsample=0).resolved()
    assert json.loads(json.dumps(dataclasses.asdict(settings)))["vector_size"] == 8
    assert {type(getattr(settings, name)) for name in ("learning_rate", "subsample")} == {float}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of negative, hierarchical, softmax, got 'hinge'"),
        ({"preset": "fasttext"}, "preset must be one of gensim, word2vec.c, got 'fasttext'"),
        ({"fresh_negatives": "yes"}, "fresh_negatives must be true or false, got 'yes'"),
        (
            {"fresh_negatives": True, "loss": "softmax"},
            "fresh_negatives need loss = negative, got softmax, which draws none",
        ),
        ({"model": "glove"}, "model must be one of skipgram, cbow, got 'glove'"),
        ({"window_weights": "drawn"}, "window_weights must be one of expected, sampled, flat, got 'drawn'"),
        ({"cbow_gradient": "max"}, "cbow_gradient must be one of sum, mean, got 'max'"),
        ({"mode": "fast"}, "mode must be one of reproducible, hogwild, got 'fast'"),
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"vector_size": 10.5}, "vector_size must be a whole number, got 10.5"),
        ({"vector_size": None}, "vector_size must be a whole number, got None"),
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"window": True}, "window must be a whole number, got True"),
        ({"negatives": 0}, "negatives must be at least 1, got 0"),
        ({"epochs": -3}, "epochs must be at least 1, got -3"),
        ({"epochs": "5"}, "epochs must be a whole number, got '5'"),
        ({"lanes": 0}, "lanes must be at least 1, got 0"),
        ({"lanes": 256}, "lanes must be at most 255, got 256"),
        ({"lane_tokens": 63}, "lane_tokens must be at least 64, got 63"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"seed": 1.0}, "seed must be a whole number, got 1.0"),
        ({"subsample": -1e-3}, "subsample must be at least 0, got -0.001"),
        ({"subsample": float("nan")}, "subsample must be a finite number, got nan"),
        ({"noise_exponent": float("inf")}, "noise_exponent must be a finite number, got inf"),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": -0.5}, "learning_rate must be above 0, got -0.5"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite number, got nan"),
        ({"learning_rate": "0.1"}, "learning_rate must be a finite number, got '0.1'"),
        ({"min_learning_rate": -1}, "min_learning_rate must lie between 0 and learning_rate = 0.04, got -1"),
        (
            {"learning_rate": 0.01, "min_learning_rate": 0.02},
            "min_learning_rate must lie between 0 and learning_rate = 0.01, got 0.02",
        ),
        ({"shared_negatives": 2}, "shared_negatives must be a multiple of 4, got 2"),
        ({"shared_negatives": 30}, "shared_negatives must be a multiple of 4, got 30"),
        (
            {"shared_negatives": 8, "block_size": 2},
            "block_size must be at least 4 and divide 4 x shared_negatives = 32, got 2",
        ),
        (
            {"shared_negatives": 8, "block_size": 5},
            "block_size must be at least 4 and divide 4 x shared_negatives = 32, got 5",
        ),
    ],
)
def test_errors_state_the_limit_and_the_value(options, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        Word2VecSettings(**options).resolved()


@pytest.mark.parametrize(
    "options",
    [
        {"vector_size": 1, "window": 1, "negatives": 1, "epochs": 1, "lanes": 1, "lane_tokens": 64},
        {"learning_rate": 0.5, "min_learning_rate": 0.5},
        {"min_learning_rate": 0},
        {"lanes": 255},
        {"window_weights": "sampled"},
        {"shared_negatives": 4, "block_size": 4},
        {"shared_negatives": 4, "block_size": 16},
    ],
)
def test_the_limits_themselves_are_allowed(options):
    resolved = Word2VecSettings(**options).resolved()
    assert {name: getattr(resolved, name) for name in options} == options


@pytest.mark.parametrize(
    ("options", "tokens", "epochs"),
    [
        ({}, None, 5),
        ({}, 17_000_000, 5),
        ({}, 5_000_000, 5),
        ({}, 3_000_000, 5),
        ({}, 1_000_000, 15),
        ({}, 500_000, 20),
        ({"model": "cbow"}, 60_430, 20),
        ({"subwords": "3-6"}, 0, 20),
        ({"epochs": 5}, 60_430, 5),
        ({"epochs": 30}, 17_000_000, 30),
        ({"preset": "gensim"}, 60_430, 5),
        ({"preset": "word2vec.c"}, 60_430, 5),
    ],
)
def test_small_texts_are_read_more_often(options, tokens, epochs):
    resolved = Word2VecSettings(**options).resolved(tokens, 5000)
    assert resolved.epochs == resolved.passes == epochs
    assert resolved.resolved().epochs == epochs


@pytest.mark.parametrize(
    ("options", "tokens", "rate"),
    [
        ({}, None, 0.03),
        ({}, 17_000_000, 0.03),
        ({}, 10**12, 0.03),
        ({"epochs": 5}, 1_000_000, 0.052),
        ({"epochs": 1}, 5_000_000, 0.052),
        ({"subword_hashes": 2, "epochs": 5}, 1_000_000, 0.052),
        ({}, 1_000_000, 0.03),
        ({}, 200_000, 0.03),
        ({}, 50_000, 0.058),
        ({"epochs": 10}, 500_000, 0.037),
        ({}, 1000, 0.08),
        ({}, 0, 0.08),
        ({"learning_rate": 0.02}, 1000, 0.02),
        ({"model": "cbow"}, 1000, 0.06),
        ({"loss": "hierarchical"}, 1000, 0.05),
        ({"preset": "gensim"}, 1000, 0.025),
    ],
)
def test_skipgram_with_subwords_takes_larger_steps_on_small_texts(options, tokens, rate):
    settings = Word2VecSettings(subwords="3-6", **options)
    assert settings.resolved(tokens, 2000).learning_rate == rate
    assert settings.resolved(tokens, 1999).learning_rate == settings.resolved().learning_rate
    assert Word2VecSettings().resolved(tokens, 2000).learning_rate == 0.04
