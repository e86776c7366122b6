"""Training over shards in threads: the same bits at any number of threads, checkpoints, progress."""

import numpy as np
import pytest

from tests.cases.word2vec import random_corpus, wraps_around
from wordvec import InputError, TrainingError, Word2VecSettings, encode_corpus, load_vectors
from wordvec.distributed.settings import ShardSettings
from wordvec.distributed.training import train_sharded
from wordvec.word2vec.settings import ContinuationSettings

pytestmark = wraps_around

SETTINGS = Word2VecSettings(vector_size=12, window=3, epochs=2, subsample=0, lane_tokens=64)
SHARDING = ShardSettings(shards=3, round_tokens=700)


@pytest.fixture(scope="module")
def corpus():
    return random_corpus([300, 0, 1500, 1, 2000, 700, 2], types=300)


@pytest.fixture(scope="module")
def trained(corpus):
    return train_sharded(corpus, SETTINGS, SHARDING, threads=1)


def bits(result):
    return result.vectors.vectors.tobytes() + result.vectors.context_vectors.tobytes()


def test_threads_do_not_change_the_bits(corpus, trained, monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")
    for threads in (2, 3, 7):
        again = train_sharded(corpus, SETTINGS, SHARDING, threads=threads)
        assert bits(again) == bits(trained)
        assert again.losses == trained.losses


def test_shards_round_tokens_and_seed_do(corpus, trained):
    for sharding, seed in ((ShardSettings(shards=2, round_tokens=700), 1), (ShardSettings(shards=3), 1), (SHARDING, 2)):
        settings = Word2VecSettings(**{**SETTINGS.record(), "seed": seed})
        assert bits(train_sharded(corpus, settings, sharding)) != bits(trained)


def test_result_and_record(trained, tmp_path):
    assert trained.rounds == 2 * 3
    assert trained.effective_tokens == [4503, 4503]
    assert trained.losses[1] < trained.losses[0]
    facts = trained.summary()
    assert (facts["shards"], facts["round_tokens"], facts["rounds"]) == (3, 700, 6)
    assert set(trained.timings) == {"rounds", "load_seconds", "train_seconds", "change_seconds", "combine_seconds"}
    assert trained.timings["rounds"] == trained.rounds
    trained.vectors.save(tmp_path / "v.safetensors")
    settings = load_vectors(tmp_path / "v.safetensors").settings
    assert (settings["shards"], settings["round_tokens"]) == (3, 700)
    assert settings["learning_rate"] == pytest.approx(0.04 * 3 ** (1 / 6), rel=0.01)


@pytest.mark.parametrize("more", [{"model": "cbow"}, {"subwords": "2-3", "buckets": 100}, {"loss": "hierarchical"}])
def test_every_model_learns(more):
    lines = ["the cat sat on the mat", "a dog ran to the door", "the cat ran", "a dog sat"] * 400
    corpus = encode_corpus(lines, min_count=1)
    settings = Word2VecSettings(vector_size=12, epochs=3, subsample=0, **more)
    result = train_sharded(corpus, settings, ShardSettings(shards=2))
    assert result.losses[-1] < result.losses[0]
    assert result.vectors.vectors.shape == (len(corpus.vocabulary), 12)
    assert ("catx" in result.vectors) == ("subwords" in more)


def stop_after(rounds):
    def report(state):
        nonlocal rounds
        rounds -= 1
        if rounds < 0:
            raise KeyboardInterrupt

    return report


@pytest.mark.parametrize("rounds", [0, 1, 3, 4])
def test_an_interrupted_training_resumes_to_the_same_bits(corpus, trained, tmp_path, rounds):
    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_sharded(corpus, SETTINGS, SHARDING, on_progress=stop_after(rounds + 1), checkpoint=path)
    assert path.exists()
    states = []
    resumed = train_sharded(
        corpus, SETTINGS, SHARDING, checkpoint=path, resume=True, on_progress=states.append, threads=2
    )
    assert resumed.timings["rounds"] == len(states) - 1
    assert bits(resumed) == bits(trained)
    assert (resumed.losses, resumed.effective_tokens) == (trained.losses, trained.effective_tokens)
    assert states[0].done in (0, pytest.approx(rounds / 6 * 2 * 4503, abs=1))
    assert states[-1].done == states[-1].total == 2 * 4503


def test_checkpoints_are_of_one_training(corpus, tmp_path):
    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_sharded(corpus, SETTINGS, SHARDING, on_progress=stop_after(2), checkpoint=path)
    with pytest.raises(InputError, match="belongs to another training: round_tokens was 700 and is now 600"):
        train_sharded(corpus, SETTINGS, ShardSettings(shards=3, round_tokens=600), checkpoint=path, resume=True)
    other = random_corpus([300, 0, 1500, 1, 2000, 700, 2], types=300, seed=1)
    with pytest.raises(InputError, match="the corpus or its vocabulary differs"):
        train_sharded(other, SETTINGS, SHARDING, checkpoint=path, resume=True)


def test_saves_at_an_interval(corpus, trained, tmp_path, monkeypatch):
    from wordvec.checkpointing import checkpoint as module

    saved = []
    monkeypatch.setattr(module.Checkpoint, "save", lambda self, arrays, reached: saved.append(reached["rounds"]))
    result = train_sharded(corpus, SETTINGS, SHARDING, checkpoint=tmp_path / "c", checkpoint_every=1e-9)
    assert saved == [1, 2, 3, 4, 5, 6]
    assert bits(result) == bits(trained)


def test_progress_counts_rounds(corpus):
    states = []
    train_sharded(corpus, SETTINGS, SHARDING, on_progress=states.append)
    assert [state.done for state in states[:4]] == [0, 1501, 3002, 4503]
    assert [state.epoch_done for state in states] == [False, False, False, True, False, False, True]
    assert [state.epoch for state in states] == [0, 0, 0, 0, 1, 1, 1]
    assert states[0].learning_rate > states[3].learning_rate > states[6].learning_rate


def test_bad_input(corpus):
    with pytest.raises(InputError, match="no two words are in the same sentence"):
        train_sharded(encode_corpus(["a", "b"] * 10, min_count=1))
    with pytest.raises(InputError, match="training needs at least 2 types"):
        train_sharded(encode_corpus(["a a"] * 10, min_count=1))
    with pytest.raises(InputError, match="use at most 4"):
        train_sharded(corpus, SETTINGS, ShardSettings(shards=5))
    with pytest.raises(InputError, match="settings must be Word2VecSettings"):
        train_sharded(corpus, {"epochs": 2})


def test_divergence_is_reported():
    corpus = random_corpus([4000], types=40)
    settings = Word2VecSettings(vector_size=12, subsample=0, learning_rate=900.0, min_learning_rate=1.0)
    with pytest.raises(TrainingError, match="training diverged"):
        train_sharded(corpus, settings, ShardSettings(shards=2))


def test_few_tokens_are_warned_of(corpus, caplog):
    train_sharded(corpus, SETTINGS, SHARDING)
    assert "3 shards have 1,501 tokens each; below 2,000,000, vectors lose quality" in caplog.text


class Scores:
    """Scores the evaluations in turn, and keeps the vectors of each."""

    def __init__(self, *scores):
        self.scores, self.seen = list(scores), []

    def __call__(self, vectors):
        self.seen.append(vectors)
        return self.scores[len(self.seen) - 1]


def test_the_best_epoch_is_kept_and_training_stops_early(corpus):
    settings = Word2VecSettings(**{**SETTINGS.record(), "epochs": 5})
    scores = Scores(1.0, 3.0, 2.0, 2.5)
    result = train_sharded(corpus, settings, SHARDING, evaluate=scores, early_stopping=2, threads=2)
    assert result.scores == [1.0, 3.0, 2.0, 2.5]
    assert (result.kept_epoch, result.rounds, len(result.losses)) == (2, 4 * 3, 4)
    assert bits(result) == scores.seen[1].vectors.tobytes() + scores.seen[1].context_vectors.tobytes()
    epochs = []
    again = train_sharded(
        corpus, settings, SHARDING, evaluate=Scores(*scores.scores), evaluate_every=2, early_stopping=3,
        callbacks=[lambda training: epochs.append(training.position)],
    )  # fmt: skip
    assert again.scores == [None, 1.0, None, 3.0, 2.0]
    assert (again.kept_epoch, epochs) == (4, [1, 2, 3, 4, 5])
    by_loss = train_sharded(corpus, SETTINGS, SHARDING, early_stopping=1)
    assert by_loss.kept_epoch == 1 + int(np.argmin(by_loss.losses))


def test_evaluation_at_an_interval_is_between_rounds(corpus, trained):
    positions = []

    class Look:
        def on_evaluation(self, training, score):
            positions.append(training.position)

    result = train_sharded(
        corpus, SETTINGS, SHARDING, evaluate=lambda vectors: len(positions), evaluate_seconds=1e-9, callbacks=[Look()]
    )
    np.testing.assert_allclose(positions, [1 / 3, 2 / 3, 1, 1, 4 / 3, 5 / 3, 2])
    assert bits(result) == bits(trained)


@pytest.mark.parametrize("evaluations", [1, 2, 3])
def test_a_training_interrupted_while_it_evaluates_resumes(corpus, tmp_path, evaluations):
    settings, scores = Word2VecSettings(**{**SETTINGS.record(), "epochs": 3}), [1.0, 3.0, 2.0]
    expected = train_sharded(corpus, settings, SHARDING, evaluate=Scores(*scores))

    found = Scores(*scores)

    def interrupted(vectors):
        if len(found.seen) == evaluations - 1:
            raise KeyboardInterrupt
        return found(vectors)

    path = tmp_path / "checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_sharded(corpus, settings, SHARDING, evaluate=interrupted, checkpoint=path)
    resumed = train_sharded(
        corpus, settings, SHARDING, evaluate=Scores(*scores[evaluations - 1 :]), checkpoint=path, resume=True
    )
    assert bits(resumed) == bits(expected)
    assert (resumed.scores, resumed.kept_epoch) == (scores, 2)


@pytest.mark.parametrize("more", [{}, {"subwords": "2-3", "buckets": 100}, {"loss": "hierarchical"}, {"model": "cbow"}])
def test_continues_from_vectors(more):
    lines = ["the cat sat on the mat", "a dog ran to the door", "the cat ran", "a dog sat"] * 400
    settings = Word2VecSettings(vector_size=12, epochs=1, subsample=0, **more)
    corpus, sharding = encode_corpus(lines, min_count=1), ShardSettings(shards=2)
    initial = train_sharded(corpus, settings, sharding).vectors
    assert (initial.nodes is None) == ("loss" not in more)
    later = encode_corpus([line.replace("cat", "fox") for line in lines if "mat" not in line], min_count=1)
    result = train_sharded(later, settings, sharding, initial=initial)
    assert set(result.vectors.tokens) == {*initial.tokens, "fox"}
    assert result.vectors["mat"].tobytes() == initial["mat"].tobytes() or "subwords" in more
    assert result.vectors["dog"].tobytes() != initial["dog"].tobytes()
    assert dict(zip(result.vectors.tokens, result.vectors.counts, strict=True))["dog"] == 1600
    again = train_sharded(later, settings, sharding, initial=initial, threads=1)
    assert again.vectors.vectors.tobytes() == result.vectors.vectors.tobytes()
    assert train_sharded(later, settings, sharding).vectors["dog"].tobytes() != result.vectors["dog"].tobytes()


def test_frozen_vectors_stay(corpus, trained):
    frozen = ContinuationSettings(initial_rate=0.0)
    result = train_sharded(corpus, SETTINGS, SHARDING, initial=trained.vectors, continuation=frozen)
    places = result.vectors.vocabulary.rows_of(trained.vectors.tokens)
    np.testing.assert_array_equal(result.vectors.vectors[places], trained.vectors.vectors)
    assert result.vectors.settings["initial_rate"] == 0
    with pytest.raises(InputError, match="continuation needs initial"):
        train_sharded(corpus, SETTINGS, SHARDING, continuation=frozen)


@pytest.mark.slow
def test_four_shards_keep_the_quality_of_wikipedia(public_data):
    """Measured on 17 M tokens with 3 seeds: see docs/explanation/beyond-one-machine.md."""
    from corpora import TextCorpus
    from wordvec import evaluate_analogies, evaluate_similarity

    corpus = encode_corpus(TextCorpus(public_data / "text/wiki8.xz"))
    vectors = train_sharded(corpus, None, ShardSettings(shards=4)).vectors
    assert evaluate_analogies(vectors, public_data / "analogy/questions-words.txt").accuracy >= 0.36
    assert evaluate_similarity(vectors, public_data / "similarity/ws353.tsv").score >= 0.63
    assert evaluate_similarity(vectors, public_data / "similarity/simlex999.tsv").score >= 0.285


def test_first_rows_are_those_of_a_usual_training(corpus):
    from wordvec.distributed.rounds import Job, first_rows
    from wordvec.word2vec.epoch import Trainer

    settings = SETTINGS.resolved()
    rows = first_rows(Job("first", corpus.vocabulary, settings, 3))
    np.testing.assert_array_equal(rows, np.concatenate(Trainer(corpus, settings, 1).rows()))
