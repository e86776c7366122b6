"""Count-based models: settings, and agreement with their components."""

import numpy as np
import pytest

from tests.cases.word2vec import random_corpus
from wordvec import (
    CooccurrenceSettings,
    GloveSettings,
    InputError,
    SvdSettings,
    association_matrix,
    count_cooccurrences,
    load_vectors,
    save_vectors,
    train_count_based,
    train_glove,
)
from wordvec.checkpointing.finished import finished_training
from wordvec.count_based.models import COUNT_BASED_MODELS, count_based_options, count_based_settings
from wordvec.count_based.svd import train_svd

SMALL = {"svd": {"vector_size": 6}, "glove": {"vector_size": 6, "epochs": 2}}


@pytest.fixture(scope="module")
def corpus():
    return random_corpus([200, 0, 310, 1, 90], types=40)


def settings_of(model, **more):
    return count_based_settings(model, **SMALL.get(model, {}), **more)


def numbers_of(vectors):
    return vectors.matrix.toarray() if hasattr(vectors, "matrix") else vectors.vectors


def test_a_model_matches_its_components(corpus):
    five = count_cooccurrences(corpus, CooccurrenceSettings(window=5, window_weights="dynamic"))
    expected = {
        "cooccurrence": five.counts.toarray(),
        "ppmi": association_matrix(five, "ppmi", smoothing=0.75).toarray(),
        "svd": train_svd(five, SvdSettings(vector_size=6)).vectors.vectors,
        "glove": train_glove(
            count_cooccurrences(corpus, CooccurrenceSettings(window=15, window_weights="harmonic")),
            GloveSettings(vector_size=6, epochs=2),
        ).vectors.vectors,
    }
    assert set(expected) == set(COUNT_BASED_MODELS)
    for model, numbers in expected.items():
        found = train_count_based(corpus, settings_of(model))
        np.testing.assert_array_equal(numbers_of(found.vectors), numbers)
        assert found.vectors.settings["model"] == found.summary()["settings"]["model"] == model
        assert found.vectors.tokens == corpus.vocabulary.tokens


@pytest.mark.parametrize("model", COUNT_BASED_MODELS)
def test_every_setting_takes_effect(corpus, model):
    others = {
        "window": 3, "contexts": "left", "window_weights": "flat", "subsample": 0.1, "subsample_mode": "clean",
        "seed": 7, "vector_size": 5, "smoothing": 0.5, "shift": 2.0, "weighting": "ppmi", "exponent": 0.0,
        "add_contexts": model == "svd", "iterations": 1, "oversampling": 3, "epochs": 3, "learning_rate": 0.01,
        "x_max": 7.0, "alpha": 0.5,
    }  # fmt: skip
    known = count_based_options(model)
    assert known <= set(others)
    settings = count_based_settings(model, **{name: others[name] for name in known})
    record = settings.file_record()
    record |= record.pop("cooccurrence")
    assert {name: record[name] for name in known} == {name: others[name] for name in known}
    for name in set(others) - known:
        with pytest.raises(InputError, match=f"{name} is not a valid setting for {model}"):
            count_based_settings(model, **{name: others[name]})


def test_unknown_models_are_rejected():
    with pytest.raises(InputError, match="model must be one of cooccurrence, ppmi, svd, glove, got 'lsa'"):
        count_based_settings("lsa")


@pytest.mark.parametrize("model", COUNT_BASED_MODELS)
def test_results_are_bit_identical_at_any_number_of_threads(corpus, model, tmp_path):
    found = set()
    for threads in (1, 2, 3):
        path = tmp_path / f"{threads}.safetensors"
        save_vectors(train_count_based(corpus, settings_of(model), threads=threads).vectors, path)
        found.add(path.read_bytes())
    assert len(found) == 1


def test_finished_vectors_are_recognized(corpus, tmp_path):
    path = tmp_path / "v.safetensors"
    settings = settings_of("glove")
    assert not finished_training(path, corpus, settings)
    save_vectors(train_count_based(corpus, settings).vectors, path)
    assert finished_training(path, corpus, settings)
    with pytest.raises(InputError, match=r"x_max was 10\.0 and is now 9\.0"):
        finished_training(path, corpus, settings_of("glove", x_max=9.0))
    assert load_vectors(path).settings["model"] == "glove"


def test_progress_reports_the_stage(corpus):
    said = []
    train_count_based(corpus, settings_of("glove"), on_progress=said.append)
    stages = [state.stage for state in said]
    assert stages[0] == "counting"
    assert stages[-1] == "training"
    assert said[-1].done <= said[-1].total
    assert said[-1].loss > 0
