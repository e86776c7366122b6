"""The Word2Vec estimator; the contract of all estimators is tested in tests/estimators."""

import inspect

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import check_is_fitted

from corpora import TextCorpus
from tests.cases.word2vec import wraps_around
from wordvec import Vocabulary, Word2Vec, Word2VecSettings, WordVectors, encode_corpus
from wordvec.errors import InputError, UnknownTokenError
from wordvec.kernels.simd import JIT_OFF
from wordvec.word2vec import training as word2vec

pytestmark = wraps_around

TEXTS = ["the king rules the land", "the queen rules the land", "rain falls", "rain falls on the land", ""] * 4
LABELS = ["rule", "rule", "rain", "rain", "none"] * 4


def small(**options):
    given = {"vector_size": 8, "epochs": 2, "min_count": 1, "learning_rate": 0.1, "random_state": 1, "n_jobs": 1}
    return Word2Vec(**given | options)


def vectors_of(model):
    return model.vectors_.vectors


# -- parameters -------------------------------------------------------------------------------------------------------


def test_parameters_match_the_settings():
    parameters = {name: p.default for name, p in inspect.signature(Word2Vec).parameters.items()}
    defaults = {name: f.default for name, f in Word2VecSettings.__dataclass_fields__.items()}
    del defaults["seed"]
    assert {name: parameters[name] for name in defaults} == defaults
    of_encoding = {n: p.default for n, p in inspect.signature(encode_corpus).parameters.items() if n in parameters}
    assert {name: parameters[name] for name in of_encoding} == of_encoding
    assert {*parameters} == {*defaults, *of_encoding, "random_state", "n_jobs"}


# -- fitting ----------------------------------------------------------------------------------------------------------


def test_fit_learns_vectors_vocabulary_and_losses():
    model = small()
    assert model.fit(TEXTS) is model
    check_is_fitted(model)
    assert isinstance(model.vectors_, WordVectors)
    assert isinstance(model.vocabulary_, Vocabulary)
    assert model.vocabulary_.tokens[:2] == ["the", "land"]
    assert len(model.losses_) == 2
    assert model.vectors_.settings["seed"] == 1


def test_all_kinds_of_corpora_give_the_same_model(tmp_path):
    expected = vectors_of(small().fit(TEXTS))
    (tmp_path / "text").write_text("\n".join(TEXTS) + "\n")
    for corpus in (
        [text.split() for text in TEXTS],
        (text.split() for text in TEXTS),
        np.array(TEXTS),
        TextCorpus(tmp_path / "text"),
    ):
        np.testing.assert_array_equal(vectors_of(small().fit(corpus)), expected)


def test_the_tokenizer_of_a_corpus_is_recorded(tmp_path):
    (tmp_path / "text").write_text("The King, the king!\n" * 3)
    model = small().fit(TextCorpus(tmp_path / "text", tokenizer="words", lowercase=True))
    assert (model.vectors_.tokenizer, model.vectors_.lowercase) == ("words", True)
    same = small(tokenizer="words", lowercase=True).fit(["The King, the king!"] * 3)
    np.testing.assert_array_equal(vectors_of(same), vectors_of(model))
    np.testing.assert_array_equal(model.transform(["KING!"]), [model.vectors_["king"]])


def test_settings_reach_the_engine(monkeypatch):
    seen = []
    train = word2vec.train_word2vec

    def witnessed(corpus, settings, *, threads):
        seen.append((settings, threads, len(corpus.vocabulary)))
        return train(corpus, settings, threads=threads)

    monkeypatch.setattr("wordvec.word2vec.estimator.train_word2vec", witnessed)
    Word2Vec(
        "cbow", vector_size=6, window=2, window_weights="sampled", negatives=3, epochs=1, learning_rate=0.5,
        min_learning_rate=0.25, subsample=0.1, noise_exponent=0.5, cbow_gradient="mean", mode="hogwild",
        shared_negatives=12, block_size=8, lanes=3, lane_tokens=99, fresh_negatives=False, preset="gensim",
        min_count=4, max_vocabulary=3, random_state=77, n_jobs=1,
    ).fit(TEXTS)  # fmt: skip
    expected = Word2VecSettings(
        "cbow", 6, 2, "sampled", 3, 1, 0.5, 0.25, 0.1, 0.5, "mean", 77, "hogwild", 12, 8, 3, 99, "negative", False,
        "gensim",
    )  # fmt: skip
    assert seen == [(expected, 1, 3)]


def test_a_random_state_of_none_is_recorded_as_a_seed():
    # None draws a seed for each fit, which the model records, so that any run can be repeated.
    once, again = small(random_state=None).fit(TEXTS), small(random_state=None).fit(TEXTS)
    assert (vectors_of(once) != vectors_of(again)).any()
    repeated = small(random_state=once.vectors_.settings["seed"]).fit(TEXTS)
    np.testing.assert_array_equal(vectors_of(repeated), vectors_of(once))


@pytest.mark.skipif(JIT_OFF, reason="without JIT the barrier counts in Python: for one thread only")
def test_results_do_not_depend_on_n_jobs(monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    texts = [" ".join(map(str, row)) for row in np.random.default_rng(0).integers(0, 500, (200, 20))]
    expected = vectors_of(small(n_jobs=1, lane_tokens=64).fit(texts))
    for jobs in (2, 4, -1, None):
        np.testing.assert_array_equal(vectors_of(small(n_jobs=jobs, lane_tokens=64).fit(texts)), expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"min_count": 0}, "min_count must be at least 1, got 0"),
        ({"random_state": -1}, "random_state must be None, a RandomState or an integer of at least 0, got -1"),
        ({"random_state": "one"}, "random_state must be None, a RandomState or an integer of at least 0, got 'one'"),
        ({"n_jobs": 0}, "n_jobs must be at least 1, got 0"),
        ({"tokenizer": "letters"}, "letters"),
    ],
)
def test_fit_rejects_parameters_out_of_range(options, message):
    with pytest.raises(InputError, match=message):
        small(**options).fit(TEXTS)


def test_invalid_corpora_are_rejected():
    with pytest.raises(InputError, match="put it in a list"):
        small().fit("the king rules the land")
    with pytest.raises(InputError, match="lower min_count"):
        small(min_count=1000).fit(TEXTS)


# -- transforming -----------------------------------------------------------------------------------------------------


def test_transform_returns_the_mean_of_known_words():
    model = small().fit(TEXTS)
    wv = model.vectors_
    found = model.transform(["king queen king", "nothing known", "", "Rain", ["rain", "unknown"]])
    assert found.dtype == np.float32
    expected = [(2 * wv["king"] + wv["queen"]) / 3, np.zeros(8), np.zeros(8), wv["rain"], wv["rain"]]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    with pytest.raises(UnknownTokenError):
        wv["unknown"]
    assert model.transform([]).shape == (0, 8)
    np.testing.assert_array_equal(model.transform(text for text in TEXTS), model.transform(TEXTS))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("the king", "got one string; put it in a list"),
        (["the king", 7], "item 1 is of type int, expected a text or a list of tokens"),
        ([b"the king"], "item 0 is of type bytes, expected a text or a list of tokens"),
        ([["the", 7.5]], "item 0 contains 7.5"),
    ],
)
def test_transform_rejects_invalid_texts(texts, message):
    with pytest.raises(InputError, match=message):
        small().fit(TEXTS).transform(texts)


# -- pipelines and grid search ----------------------------------------------------------------------------------------


def test_in_a_pipeline():
    pipeline = make_pipeline(small(epochs=5), LogisticRegression(C=1000))
    pipeline.fit(TEXTS, LABELS)
    assert pipeline.score(TEXTS, LABELS) > 0.7
    assert pipeline.predict(["rain falls on"]).shape == (1,)


@pytest.mark.skipif(JIT_OFF, reason="eight fits in separate processes; the test above covers pipelines")
def test_in_a_grid_search_with_two_processes():
    pipeline = make_pipeline(small(), LogisticRegression())
    search = GridSearchCV(pipeline, {"word2vec__vector_size": np.array([4, 8])}, cv=2, n_jobs=2, error_score="raise")
    search.fit(TEXTS, LABELS)
    assert search.best_params_["word2vec__vector_size"] in (4, 8)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    # Another process gives the same bits: the score of a fold equals the one computed here.
    again = GridSearchCV(pipeline, {"word2vec__vector_size": [4, 8]}, cv=2, n_jobs=1).fit(TEXTS, LABELS)
    np.testing.assert_array_equal(again.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"])
