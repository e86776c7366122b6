"""Word2vec training: reproducibility, losses, schedule, interruption, errors."""

import json
import math
import threading
import time

import numpy as np
import pytest

from corpora import english_sentences
from tests.cases.word2vec import SENTENCES, corpus_of, drawn_from, epoch_key, random_corpus, wraps_around
from tests.oracles import naive
from wordvec import Word2VecSettings, encode_corpus, save_vectors
from wordvec.errors import InputError, TrainingError
from wordvec.kernels.simd import JIT_OFF
from wordvec.word2vec import epoch as training
from wordvec.word2vec import training as word2vec
from wordvec.word2vec.buffers import first_memory
from wordvec.word2vec.training import train_word2vec

pytestmark = wraps_around

too_slow_without_jit = pytest.mark.skipif(JIT_OFF, reason="many thousand tokens: minutes without JIT")
needs_threads = pytest.mark.skipif(JIT_OFF, reason="without JIT the barrier counts in Python: for one thread only")

MODELS = [
    {"model": "skipgram"},
    {"model": "cbow", "cbow_gradient": "sum"},
    {"model": "cbow", "cbow_gradient": "mean"},
]


@pytest.fixture
def any_number_of_threads(monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")


@pytest.fixture(scope="module")
def english():
    return encode_corpus(english_sentences(150_000), min_count=5)


def uniform_corpus(tokens, types=600, sentence=23):
    """Return a corpus with enough effective types for eight lanes."""
    ids = np.random.default_rng(6).integers(0, types, tokens)
    return corpus_of(ids, [*range(0, tokens, sentence), tokens], types)


def bits_of(result):
    return result.vectors.vectors.tobytes() + result.vectors.context_vectors.tobytes()


# -- learning ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("window_weights", ["expected", "sampled"])
@pytest.mark.parametrize("options", MODELS)
def test_training_matches_the_oracle(options, window_weights):
    corpus = random_corpus(SENTENCES, types=25)
    settings = Word2VecSettings(
        **options, vector_size=10, window=4, epochs=2, learning_rate=0.1, min_learning_rate=0.1, subsample=0.1,
        lanes=1, seed=2, window_weights=window_weights,
    )  # fmt: skip
    resolved, drawn = settings.resolved(), drawn_from(corpus, settings)
    rows = first_memory(25, 10, 16, 0, seed=2).reshape(-1, 16).astype(float)
    vectors, context_vectors = rows[:25, :10].copy(), rows[25:50, :10].copy()
    losses, effective = [], []
    for epoch in range(2):
        key = epoch_key(settings, epoch)
        rounds = naive.train_rounds(
            settings.model, vectors, context_vectors, drawn, [0, len(corpus.ids)], key=key, rates=(0.1, 0.1),
            settings=(4, window_weights, 5, resolved.shared_negatives, resolved.negatives_per_tile),
            slice_size=settings.lane_tokens, divide=settings.cbow_gradient == "mean",
        )  # fmt: skip
        losses.append(np.divide(*np.sum([tile[1:] for record in rounds for tile in record], axis=0)))
        effective.append(len(naive.kept_tokens(*drawn[:3], key, 0, len(corpus.ids))))
    result = train_word2vec(corpus, settings, threads=1)
    np.testing.assert_allclose(result.vectors.vectors, vectors, atol=2e-4)
    np.testing.assert_allclose(result.vectors.context_vectors, context_vectors, atol=2e-4)
    np.testing.assert_allclose(result.losses, losses, rtol=1e-4)
    assert result.effective_tokens == effective
    assert np.abs(context_vectors).max() > 0.1


@too_slow_without_jit
@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_losses_fall_on_the_sample_corpus(english, options, mode):
    result = train_word2vec(english, Word2VecSettings(**options, mode=mode, vector_size=32, epochs=3))
    losses, errors = np.array(result.losses), np.array(result.loss_errors)
    assert (np.diff(losses) < -3 * np.hypot(errors[1:], errors[:-1])).all()
    assert (errors < 0.1).all()
    # An untrained model has a loss of log 2 for the pair and for each of five negatives.
    assert losses[0] < 6 * np.log(2)
    assert result.effective_tokens[0] == pytest.approx(np.mean(result.effective_tokens), rel=0.01)


@too_slow_without_jit
@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_co_occurring_words_become_similar(english, mode):
    settings = Word2VecSettings(vector_size=48, epochs=8, window=4, mode=mode)
    found = train_word2vec(english, settings).vectors
    assert found.similarity("king", "queen") > found.similarity("king", "is") + 0.2
    capitals = {text.split()[0] for text in english_sentences(150_000) if " is the capital of " in text}
    assert 20 < len(capitals) < 100
    assert len(capitals & {token for token, _ in found.most_similar("paris", top=8)}) >= 6


@too_slow_without_jit
def test_one_lane_equals_one_hogwild_thread(english):
    settings = Word2VecSettings(vector_size=24, epochs=1, lanes=1)
    one = train_word2vec(english, settings, threads=1)
    free = train_word2vec(english, Word2VecSettings(vector_size=24, epochs=1, lanes=1, mode="hogwild"), threads=1)
    assert one.effective_tokens == free.effective_tokens
    assert (one.losses, one.loss_errors) == (free.losses, free.loss_errors)
    assert bits_of(one) == bits_of(free)


# -- reproducibility --------------------------------------------------------------------------------------------------


@needs_threads
@pytest.mark.parametrize("options", MODELS)
def test_saved_files_are_bit_identical_at_any_number_of_threads(options, any_number_of_threads, tmp_path):
    corpus = uniform_corpus(20_000)
    settings = Word2VecSettings(**options, vector_size=20, epochs=2, lane_tokens=64, learning_rate=0.04)
    saved, summaries = [], []
    for threads in (1, 2, 3, 8):
        result = train_word2vec(corpus, settings, threads=threads)
        assert result.threads == threads
        save_vectors(result.vectors, tmp_path / "vectors.safetensors")
        saved.append((tmp_path / "vectors.safetensors").read_bytes())
        summaries.append((result.losses, result.loss_errors, result.effective_tokens))
    assert len({*saved}) == 1
    assert summaries == [summaries[0]] * 4
    assert np.isfinite(result.losses).all()


def test_runs_repeat_and_every_setting_matters():
    corpus = random_corpus(SENTENCES, types=25)
    base = {"vector_size": 8, "epochs": 2, "window": 3}
    first = bits_of(train_word2vec(corpus, Word2VecSettings(**base), threads=1))
    assert bits_of(train_word2vec(corpus, Word2VecSettings(**base), threads=1)) == first
    for change in (
        {"seed": 2},
        {"window": 4},
        {"window_weights": "sampled"},
        {"window_weights": "flat"},
        {"epochs": 1},
        {"negatives": 6},
        {"learning_rate": 0.026},
        {"min_learning_rate": 0.01},
        {"subsample": 1e-2},
        {"noise_exponent": 0.5},
        {"shared_negatives": 24, "block_size": 12},
        {"block_size": 4},
        {"model": "cbow"},
    ):
        found = bits_of(train_word2vec(corpus, Word2VecSettings(**base | change), threads=1))
        assert len(found) == len(first)
        assert found != first, change


@needs_threads
def test_two_threads_train_concurrently(monkeypatch):
    if word2vec.worker_count(2) < 2:
        monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    together, seen, run = threading.Barrier(2, timeout=60), [], training.run_in_threads

    def witnessed(work, threads, stop, watch):
        def meet_and_work(thread):
            together.wait()  # passes only when both have arrived
            seen.append((thread, threading.get_ident()))
            work(thread)

        run(meet_and_work, threads, stop, watch)

    monkeypatch.setattr(training, "run_in_threads", witnessed)
    result = train_word2vec(uniform_corpus(5_000), Word2VecSettings(vector_size=16, epochs=1), threads=2)
    assert sorted(thread for thread, _ in seen) == [0, 1]
    assert len({ident for _, ident in seen} | {threading.get_ident()}) == 3
    assert result.threads == 2


@needs_threads
def test_hogwild_threads_read_every_token_once(any_number_of_threads):
    corpus = uniform_corpus(20_000)
    settings = Word2VecSettings(vector_size=16, epochs=2, mode="hogwild", subsample=0)
    result = train_word2vec(corpus, settings, threads=3)
    assert result.threads == 3
    assert result.effective_tokens == [20_000, 20_000]
    assert np.isfinite(result.vectors.vectors).all()


# -- the loss ---------------------------------------------------------------------------------------------------------


@too_slow_without_jit
@pytest.mark.parametrize("window_weights", ["expected", "sampled"])
def test_the_loss_estimate_matches_the_loss_over_all_pairs(window_weights, monkeypatch):
    types, window, negatives, lengths = 40, 3, 4, [31] * 1500
    corpus = random_corpus(lengths, types=types)
    random = np.random.default_rng(2).standard_normal((2, types, 12)) / 2 + 0.3

    def given_memory(types, size, stride, *arguments, **options):
        memory = first_memory(types, size, stride, *arguments, **options)
        rows = memory.reshape(-1, stride)
        rows[:types, :size], rows[types : 2 * types, :size] = random
        return memory

    monkeypatch.setattr(training, "first_memory", given_memory)
    # Pair frequencies: a context at distance d is within w - d + 1 of the w possible radii.
    weights = np.zeros((types, types))
    sentences = corpus.ids.reshape(-1, 31)
    for distance in range(1, window + 1):
        later, sooner = sentences[:, distance:], sentences[:, :-distance]
        for center_ids, context_ids in ((later, sooner), (sooner, later)):
            np.add.at(weights, (center_ids, context_ids), (window - distance + 1) / window)
    settings = {"vector_size": 12, "window": window, "negatives": negatives, "subsample": 0, "epochs": 1}
    settings["window_weights"] = window_weights
    # A learning rate so small that no vector moves.
    settings |= {"learning_rate": 1e-12, "min_learning_rate": 0}
    noise = naive.alias_probabilities(drawn_from(corpus, Word2VecSettings(**settings))[3])
    expected = naive.expected_loss(*random, weights, noise, negatives)
    scores = []
    for seed in range(12):
        result = train_word2vec(corpus, Word2VecSettings(**settings, seed=seed))
        (loss,), (error,) = result.losses, result.loss_errors
        assert abs(loss - expected) < 4 * error
        scores.append((loss - expected) / error)
        np.testing.assert_array_equal(result.vectors.vectors, random[0].astype(np.float32))
    # The standard errors are neither too small nor too large.
    assert 0.4 < np.std(scores) < 1.8
    assert abs(np.mean(scores)) < 1.5
    assert abs(expected - (negatives + 1) * np.log(2)) > 20 * error, "not the loss of zero vectors"


# -- progress and interruption ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_progress_is_reported_for_each_epoch(mode):
    corpus = random_corpus(SENTENCES, types=25)
    reports, caller = [], []
    settings = Word2VecSettings(vector_size=8, epochs=3, learning_rate=0.2, min_learning_rate=0.05, mode=mode)

    def tell(progress):
        reports.append(progress)
        caller.append(threading.get_ident())

    train_word2vec(corpus, settings, threads=1, on_progress=tell)
    assert {*caller} == {threading.get_ident()}
    ends = [[p for p in reports if p.epoch == epoch][-1] for epoch in range(3)]
    tokens = len(corpus.ids)
    assert [p.done for p in ends] == [tokens, 2 * tokens, 3 * tokens]
    assert {(p.epochs, p.total) for p in reports} == {(3, 3 * tokens)}
    assert [p.learning_rate for p in ends] == pytest.approx([0.15, 0.1, 0.05])
    assert all(p.per_second > 0 and p.seconds_left >= 0 for p in reports if p.done)
    assert reports[-1].seconds_left == 0
    assert [p.done for p in reports] == sorted(p.done for p in reports)


def test_progress_starts_at_zero_with_many_lanes():
    reports = []
    settings = Word2VecSettings(vector_size=8, epochs=1, lane_tokens=64)
    train_word2vec(uniform_corpus(300), settings, threads=1, on_progress=reports.append)
    assert (reports[0].done, reports[0].total, reports[0].learning_rate) == (0, 300, 0.04)
    assert math.isnan(reports[0].seconds_left)
    assert (reports[-1].done, reports[-1].seconds_left) == (300, 0)


def test_progress_counts_the_tokens_of_the_text():
    # Half of the text is out of vocabulary, but counts anyway.
    corpus = encode_corpus([f"a b rare{k} once{k}" for k in range(100)], min_count=2)
    reports = []
    train_word2vec(corpus, Word2VecSettings(vector_size=8, epochs=2), threads=1, on_progress=reports.append)
    assert (reports[-1].done, reports[-1].total) == (800, 800)


@needs_threads
@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
def test_ctrl_c_ends_training_promptly_and_leaves_no_thread(mode, any_number_of_threads):
    # An epoch takes about ten seconds, a round a few milliseconds.
    corpus = uniform_corpus(6_000_000)
    settings = Word2VecSettings(vector_size=400, window=20, subsample=0, mode=mode, epochs=2)
    train_word2vec(uniform_corpus(100), Word2VecSettings(vector_size=16, mode=mode, epochs=1))  # compile first
    before, reports = {*threading.enumerate()}, []

    def interrupt(progress):
        if progress.done % len(corpus.ids):  # in the middle of an epoch, with all threads at work
            reports.append((time.perf_counter(), progress))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_word2vec(corpus, settings, threads=3, on_progress=interrupt)
    ((raised, progress),) = reports
    left = (len(corpus.ids) - progress.done) / progress.per_second
    assert time.perf_counter() - raised < left / 4
    assert 0 < progress.done < len(corpus.ids) / 2
    assert {*threading.enumerate()} <= before


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize("options", MODELS)
def test_divergence_is_an_error_with_a_remedy(options):
    settings = Word2VecSettings(**options, vector_size=8, learning_rate=1e30)
    with pytest.raises(
        TrainingError,
        match=r"training diverged after epoch 1 \(a vector holds .*\): lower learning_rate = 1e\+30, window = 5 or "
        "negatives = 5 and start again",
    ):
        train_word2vec(random_corpus(SENTENCES, types=25), settings, threads=1)


def test_errors_are_raised_before_any_work(monkeypatch):
    monkeypatch.setattr(word2vec, "Trainer", None)
    corpus = random_corpus([5], types=2)
    with pytest.raises(InputError, match="window must be at least 1, got 0"):
        train_word2vec(corpus, Word2VecSettings(window=0))
    with pytest.raises(InputError, match="training needs at least 2 types, but the vocabulary has 1; lower min_count"):
        train_word2vec(encode_corpus(["a a a"], min_count=1))
    with pytest.raises(InputError, match="threads must be at least 1, got 0"):
        train_word2vec(corpus, threads=0)


# -- small corpora ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["reproducible", "hogwild"])
@pytest.mark.parametrize("options", MODELS)
@pytest.mark.parametrize(
    ("ids", "offsets"),
    [
        ([0, 1, 0], [0, 3]),
        ([0, 1, 0], [0, 1, 3]),
        ([0, 1], [0, 0, 2, 2]),
        ([0, 1, 1, 0, 1, 0, 0, 1] * 5, [0, 40]),
        ([2, 0, 1, 3, 3, 1], [0, 1, 2, 2, 6]),
    ],
)
def test_corpora_of_a_few_tokens(ids, offsets, options, mode, any_number_of_threads, monkeypatch):
    # More lanes than sentences, and than tokens.
    monkeypatch.setattr(training, "safe_round", lambda _, of, *__: (of.lanes, of.lane_tokens))
    corpus = corpus_of(ids, offsets)
    settings = Word2VecSettings(**options, vector_size=5, epochs=2, mode=mode, subsample=0, lanes=8)
    threads = (1,) if JIT_OFF else (1, 5)
    results = [train_word2vec(corpus, settings, threads=count) for count in threads]
    for result in results:
        assert result.vectors.vectors.shape == (len(corpus.vocabulary), 5)
        assert np.isfinite(result.vectors.vectors).all()
        assert result.effective_tokens == [len(ids)] * 2
    if mode == "reproducible":
        assert len({bits_of(result) for result in results}) == 1


@pytest.mark.parametrize("options", MODELS)
def test_a_corpus_without_contexts_is_rejected(options):
    corpus = corpus_of([0, 1, 2] * 20, range(61))
    with pytest.raises(InputError, match="no two words are in the same sentence"):
        train_word2vec(corpus, Word2VecSettings(**options, vector_size=5, epochs=1), threads=1)


# -- the result -------------------------------------------------------------------------------------------------------


def test_the_result_includes_settings_and_statistics():
    corpus = encode_corpus(["The cat sat", "THE dog sat"] * 30, min_count=1, tokenizer="words", lowercase=True)
    result = train_word2vec(corpus, Word2VecSettings(vector_size=6, epochs=2, seed=5), threads=1)
    assert (result.raw_tokens, result.types, result.threads) == (180, 4, 1)
    assert (result.vectors.tokenizer, result.vectors.lowercase) == ("words", True)
    assert result.vectors.tokens == ["sat", "the", "cat", "dog"]
    assert result.vectors.vectors.dtype == np.float32
    assert result.vectors.settings["seed"] == 5
    assert result.vectors.settings["learning_rate"] == 0.04, "resolved settings are stored"
    summary = json.loads(json.dumps(result.summary()))
    assert summary["settings"]["vector_size"] == 6
    assert (summary["raw_tokens"], summary["types"], len(summary["losses"])) == (180, 4, 2)
    assert summary["seconds"] > 0
    assert summary["tokens_per_second"] == pytest.approx(360 / summary["seconds"])


def test_a_warning_if_subsampling_leaves_little_text(caplog):
    corpus = corpus_of([0, 1, 2, 3] * 50, [0, 200])
    train_word2vec(corpus, Word2VecSettings(vector_size=4, epochs=1), threads=1)
    assert "subsample = 0.001 keeps only 7 % of this text" in caplog.text
    caplog.clear()
    train_word2vec(corpus, Word2VecSettings(vector_size=4, epochs=1, subsample=0), threads=1)
    assert not caplog.records


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"window": 20},
        {"window": 10, "negatives": 20},
        {"window": 5, "negatives": 64},
        {"window": 40, "negatives": 25},
        {"window": 9_999_999},
        {"window": 10, "learning_rate": 0.1},
        {"window": 20, "loss": "hierarchical"},
        {"window": 20, "negatives": 25, "model": "cbow", "learning_rate": 0.1},
    ],
    ids=str,
)
def test_wide_windows_many_negatives_and_high_rates_are_stable(options):
    # 300 documents: frequent words meet in every window, and their steps add up.
    random = np.random.default_rng(5)
    ids = np.minimum(random.zipf(1.3, 60_000) - 1, 1700)
    corpus = corpus_of(ids, [*range(0, 60_000, 200), 60_000])
    result = train_word2vec(corpus, Word2VecSettings(**options, vector_size=50, epochs=5))
    assert np.abs(result.vectors.vectors).max() < 30


def test_the_epochs_of_small_texts_are_logged(caplog):
    corpus = encode_corpus(["the cat sat", "the dog sat"] * 9, min_count=1)
    with caplog.at_level("INFO"):
        result = train_word2vec(corpus, Word2VecSettings(vector_size=4), threads=1)
        assert (len(result.losses), result.settings.epochs, result.vectors.settings["epochs"]) == (20, 20, 20)
        assert "epochs: 20 instead of 5, as the text has only 54 tokens; set epochs for another number" in caplog.text
        caplog.clear()
        more = train_word2vec(corpus, Word2VecSettings(vector_size=4), threads=1, initial=result.vectors)
        train_word2vec(corpus, Word2VecSettings(vector_size=4, epochs=9), threads=1)
    assert len(more.losses) == 5
    assert "epochs:" not in caplog.text
