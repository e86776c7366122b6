"""Checkpoints: whatever stops a training, it goes on to the same bytes, or says why it does not."""

import logging
from pathlib import Path

import numpy as np
import pytest

from tests.cases.word2vec import corpus_of, random_corpus, wraps_around
from wordvec import TrainingCallback, Vocabulary, Word2VecSettings, WordVectors, finished_training
from wordvec.checkpointing import checkpoint as resuming
from wordvec.encoding.corpus import EncodedCorpus
from wordvec.errors import FormatError, InputError, TrainingError
from wordvec.kernels.simd import JIT_OFF
from wordvec.vectors.files import save_vectors
from wordvec.word2vec import epoch as training
from wordvec.word2vec.training import train_word2vec

pytestmark = wraps_around

needs_threads = pytest.mark.skipif(JIT_OFF, reason="without JIT the barrier counts in Python: for one thread only")
SETTINGS = Word2VecSettings(vector_size=8, epochs=3, lane_tokens=64, window=3, learning_rate=0.1)


@pytest.fixture(autouse=True)
def any_number_of_threads(monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "v.checkpoint"


def corpus(tokens=2_000, types=300, seed=6):
    """So many types in effect that several lanes are borne; rounds are of 64 tokens a lane."""
    ids = np.random.default_rng(seed).integers(0, types, tokens)
    return corpus_of(ids, [*range(0, tokens, 23), tokens], types)


def facts_of(result):
    sides = result.vectors.vectors, result.vectors.context_vectors
    return [side.tobytes() for side in sides], result.losses, result.loss_errors, result.effective_tokens, result.scores


def interrupted(monkeypatch, rounds, *arguments, epochs=0, **options):
    """Train with Ctrl-C after so many ends of epochs and then so many rounds of the next one."""
    real, calls = training.run_in_threads, []

    def one_round(work, threads, stop, watch):
        calls.append(1)
        if len(calls) > epochs:
            stop()
        real(work, threads, stop, watch)
        if len(calls) == epochs + rounds:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "run_in_threads", one_round)
        with pytest.raises(KeyboardInterrupt):
            train_word2vec(*arguments, **options)


# -- the same bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"model": "skipgram"}, {"model": "cbow", "cbow_gradient": "mean"}])
@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=needs_threads)])
def test_an_interrupted_training_goes_on_to_the_same_bytes(monkeypatch, home, options, threads):
    settings = Word2VecSettings(**vars(SETTINGS) | options)
    text = corpus(600 if JIT_OFF else 2_000)
    whole = facts_of(train_word2vec(text, settings, threads=1))
    for epochs, rounds in ((0, 1), (0, 2), (1, 1), (1, 2)):
        interrupted(monkeypatch, rounds, text, settings, epochs=epochs, threads=threads, checkpoint=home, resume=True)
    assert facts_of(train_word2vec(text, settings, threads=4 - threads, checkpoint=home, resume=True)) == whole
    # The file stays until somebody who has saved the vectors removes it, and gives them again.
    assert facts_of(train_word2vec(text, settings, threads=1, checkpoint=home, resume=True)) == whole


def test_a_round_that_was_saved_is_not_done_again(monkeypatch, home, caplog):
    caplog.set_level(logging.INFO, logger="wordvec")
    text = corpus(3_000)
    positions = []
    for _ in range(4):
        interrupted(monkeypatch, 1, text, SETTINGS, threads=1, checkpoint=home, resume=True)
        positions.append(resuming.TensorFile(home).metadata_of("wordvec")["reached"]["epoch"])
        state = resuming.TensorFile(home).read("lanes.state")
        positions[-1] += (state[:, 0] - resuming.TensorFile(home).read("bounds")[:-1]).sum() / 3000
    lanes = len(state)
    assert lanes > 1
    assert positions == [pytest.approx(round_ * 64 * lanes / 3000) for round_ in (1, 2, 3, 4)]
    assert caplog.text.count("resuming from") == 3
    assert f"resuming from {home}, {positions[2]:.2f} epochs of 3" in caplog.text


def test_time_and_epochs_go_on_counting(monkeypatch, home):
    text, told = corpus(800), []
    interrupted(monkeypatch, 1, text, SETTINGS, epochs=1, threads=1, checkpoint=home)
    spent = resuming.TensorFile(home).metadata_of("wordvec")["reached"]["seconds"]
    result = train_word2vec(text, SETTINGS, threads=1, checkpoint=home, resume=True, on_progress=told.append)
    assert spent > 0
    assert result.seconds > spent
    assert told[-1].tokens == 2_400
    assert (len(result.losses), result.kept_epoch) == (3, 3)


@pytest.mark.parametrize("by", ["loss", "evaluate"])
def test_the_best_epoch_is_remembered(monkeypatch, home, by):
    text = corpus(800)
    scores = iter([0.1, 0.7, 0.2, 0.3])
    options = {"early_stopping": 2, "threads": 1}
    if by == "evaluate":
        options["evaluate"] = lambda vectors: next(scores)
    else:
        given = iter([(2.0, 0.1), (1.0, 0.1), (1.5, 0.1), (1.5, 0.1), (1.2, 0.1)])  # the third is asked for twice
        monkeypatch.setattr(training.Trainer, "end_epoch", lambda self: training.EpochResult(*next(given), 800))
    settings = Word2VecSettings(**vars(SETTINGS) | {"epochs": 9})
    tables = []
    watch = [lambda training: tables.append(training.vectors().vectors)]

    def stop_in_the_third(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_word2vec(text, settings, checkpoint=home, callbacks=watch, on_progress=stop_in_the_third, **options)
    result = train_word2vec(text, settings, checkpoint=home, resume=True, callbacks=watch, **options)
    assert len(tables) == len(result.losses) == 4, "two epochs after the best one"
    assert result.kept_epoch == 2
    np.testing.assert_array_equal(result.vectors.vectors, tables[1])
    assert result.scores == ([0.1, 0.7, 0.2, 0.3] if by == "evaluate" else [None] * 4)


@needs_threads
def test_free_running_threads_go_on_as_many_as_they_were(monkeypatch, home):
    text = corpus(20_000)
    settings = Word2VecSettings(**vars(SETTINGS) | {"mode": "hogwild", "subsample": 0})
    interrupted(monkeypatch, 2, text, settings, threads=3, checkpoint=home)
    result = train_word2vec(text, settings, threads=1, checkpoint=home, resume=True)
    assert result.threads == 3
    assert result.effective_tokens == [20_000] * 3, "every token once"
    assert np.isfinite(result.vectors.vectors).all()
    assert result.losses[-1] < result.losses[0]


# -- the pace ---------------------------------------------------------------------------------------------------------


@needs_threads
def test_the_state_is_saved_at_the_pace_that_is_asked_for(monkeypatch, home):
    saved = []
    monkeypatch.setattr(resuming, "write_tensors", lambda *arguments: saved.append(arguments))
    # The watch looks five times a second.
    text, settings = (
        corpus(400_000),
        Word2VecSettings(**vars(SETTINGS) | {"vector_size": 200, "window": 10, "learning_rate": 0.01}),
    )
    result = train_word2vec(text, settings, checkpoint=home, checkpoint_every=0.3)
    assert 1 <= len(saved) <= result.seconds / 0.3
    saved.clear()
    train_word2vec(corpus(), SETTINGS, checkpoint=home, checkpoint_every=1000)
    assert not saved


@pytest.mark.parametrize("pace", [0, -1, float("nan"), True, "5m"])
def test_a_pace_is_a_time(home, pace):
    with pytest.raises(InputError, match="checkpoint_every must be a number above 0, got"):
        train_word2vec(corpus(), SETTINGS, checkpoint=home, checkpoint_every=pace)


def test_a_disk_that_is_full_for_a_while_does_not_end_training(monkeypatch, home, caplog):
    failed = []

    def full(path, *rest):
        failed.append(path)
        raise InputError(f"{path} cannot be written: no space left on device; make room")

    monkeypatch.setattr(resuming, "write_tensors", full)
    result = train_word2vec(corpus(800), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9)
    assert len(failed) >= len(result.losses) == 3
    assert "no space left on device; make room (training continues and tries again)" in caplog.text


def test_what_is_no_number_never_takes_the_place_of_a_good_checkpoint(home):
    class Break(TrainingCallback):
        def on_epoch(self, training):
            if training.epoch == 1:
                training._save()
                before.append(home.read_bytes())
                training._trainer.memory[5] = np.nan

    before = []
    with pytest.raises(TrainingError, match=r"no longer numbers in epoch 2: learning_rate = 0.1 is too high.*lower it"):
        train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9, callbacks=[Break()])
    assert home.read_bytes() == before[0]


# -- what cannot be gone on from --------------------------------------------------------------------------------------


@pytest.fixture
def stopped(monkeypatch, home):
    """The checkpoint of a training that was interrupted."""
    interrupted(monkeypatch, 1, corpus(), SETTINGS, threads=1, checkpoint=home)
    return home


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "seed was 1 and is 2"),
        ({"epochs": 5, "window": 4}, "epochs was 3 and is 5; window was 3 and is 4"),
        ({"mode": "hogwild"}, "mode was 'reproducible' and is 'hogwild'"),
        ({"model": "cbow"}, "model was 'skipgram' and is 'cbow'"),
    ],
)
def test_other_settings_are_refused_and_named(stopped, change, message):
    before = stopped.read_bytes()
    with pytest.raises(InputError, match=f"is of another training: .*{message}.*remove the file to start anew"):
        train_word2vec(corpus(), Word2VecSettings(**vars(SETTINGS) | change), checkpoint=stopped, resume=True)
    assert stopped.read_bytes() == before


def renamed(text):
    words = Vocabulary([f"word{k}" for k in range(len(text.vocabulary))], text.vocabulary.counts)
    return EncodedCorpus(words, text.ids, text.offsets, raw_tokens=text.raw_tokens, raw_types=text.raw_types)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: corpus(tokens=1_999), "2,000 tokens of 300 types then, 1,999 tokens of 300 types now"),
        (lambda: corpus(seed=7), "what is kept of it, is another"),
        (lambda: renamed(corpus()), "what is kept of it, is another"),
    ],
)
def test_another_corpus_is_refused(stopped, other, message):
    with pytest.raises(InputError, match=message):
        train_word2vec(other(), SETTINGS, checkpoint=stopped, resume=True)


def test_other_rules_and_other_vectors_to_start_from_are_refused(stopped):
    with pytest.raises(InputError, match="best by was None and is 'loss'; early_stopping was None and is 1"):
        train_word2vec(corpus(), SETTINGS, checkpoint=stopped, resume=True, early_stopping=1)
    rows = np.ones((300, 8))
    initial = WordVectors(corpus().vocabulary, rows, context_vectors=rows)
    with pytest.raises(InputError, match="it continues from other vectors"):
        train_word2vec(corpus(), SETTINGS, checkpoint=stopped, resume=True, initial=initial)


def test_a_checkpoint_is_not_overwritten_by_a_new_training(stopped):
    before = stopped.read_bytes()
    with pytest.raises(InputError, match="holds the state of an interrupted training; resume that, or remove the file"):
        train_word2vec(corpus(), SETTINGS, checkpoint=stopped)
    assert stopped.read_bytes() == before


def test_without_a_checkpoint_it_starts_fresh_and_says_so(home, caplog):
    caplog.set_level(logging.INFO, logger="wordvec")
    result = train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=home, resume=True)
    assert f"no checkpoint at {home}: training starts from the beginning" in caplog.text
    assert len(result.losses) == 3
    with pytest.raises(InputError, match="to resume, name the checkpoint"):
        train_word2vec(corpus(), SETTINGS, resume=True)


def test_the_place_is_checked_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("wordvec.word2vec.training.Trainer", None)
    with pytest.raises(InputError, match="does not exist; create it first"):
        train_word2vec(corpus(), SETTINGS, checkpoint=tmp_path / "nowhere" / "c")


def test_damaged_files_are_refused(stopped):
    good = stopped.read_bytes()
    last = good[:-1] + bytes([good[-1] ^ 1])
    for damaged, message in (
        (good[:-20], "not a safetensors file, or truncated"),
        (last, "the checkpoint is damaged; remove it"),
        (b"", "not a safetensors file"),
        (good.replace(b'\\"version\\":1', b'\\"version\\":7'), "a checkpoint of another release"),
        (good.replace(b"lanes.left", b"lanes.lift"), "array 'lanes.left' is missing"),
    ):
        assert damaged != good
        stopped.write_bytes(damaged)
        with pytest.raises(FormatError, match=message):
            train_word2vec(corpus(), SETTINGS, checkpoint=stopped, resume=True)


def test_vectors_are_no_checkpoint_and_a_checkpoint_no_vectors(tmp_path, stopped):
    path = tmp_path / "v.safetensors"
    save_vectors(WordVectors(["a", "b"], [[1], [2]]), path)
    with pytest.raises(FormatError, match="expected a checkpoint, found 'vectors'"):
        train_word2vec(corpus(), SETTINGS, checkpoint=path, resume=True)
    from wordvec import load_vectors

    with pytest.raises(FormatError, match="expected vectors, found 'training'"):
        load_vectors(stopped)


def test_what_killed_writers_left_is_removed(home):
    left = home.with_name(f".{home.name}.abcd1234.part")
    other = home.with_name(".another.checkpoint.abcd1234.part")
    for path in (left, other):
        path.write_bytes(b"half")
    train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=home)
    assert not left.exists()
    assert other.exists()


# -- what is finished -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v.safetensors", "v.txt", "v.bin"])
def test_a_finished_training_is_recognised(tmp_path, name):
    text, path = random_corpus(), tmp_path / name
    assert not finished_training(path, text, SETTINGS)
    save_vectors(train_word2vec(text, SETTINGS, threads=1).vectors, path)
    assert finished_training(path, text, SETTINGS)
    other = Word2VecSettings(**vars(SETTINGS) | {"vector_size": 9})
    with pytest.raises(InputError, match=r"no checkpoint found, and .* was not produced by this run: .*8.*9"):
        finished_training(path, text, other)
    if name == "v.safetensors":
        with pytest.raises(InputError, match="seed was 1 and is 3"):
            finished_training(path, text, Word2VecSettings(**vars(SETTINGS) | {"seed": 3}))
        with pytest.raises(InputError, match="the words or their counts differ"):
            finished_training(path, random_corpus(seed=5), SETTINGS)


def test_something_else_in_the_place_of_the_vectors_is_named(tmp_path, stopped):
    with pytest.raises(InputError, match="was not produced by this run"):
        finished_training(stopped, corpus(), SETTINGS)
    Path(tmp_path / "v.txt").write_text("no vectors\n")
    with pytest.raises(InputError, match=r"v\.txt"):
        finished_training(tmp_path / "v.txt", corpus(), SETTINGS)
