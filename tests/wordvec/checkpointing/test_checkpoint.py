"""Checkpoints: interrupted training resumes bit-identically or states why it cannot."""

import errno
import logging
import os
import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from corpora import TextCorpus
from tests.cases import interruption
from tests.cases.word2vec import corpus_of, random_corpus, wraps_around
from wordvec import (
    TrainingCallback,
    Vocabulary,
    Word2VecSettings,
    WordVectors,
    count_cooccurrences,
    encode_corpus,
    train_glove,
)
from wordvec.checkpointing import checkpoint as resuming
from wordvec.checkpointing.finished import finished_training
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
    """Return a corpus with enough effective types for several lanes; rounds have 64 tokens per lane."""
    ids = np.random.default_rng(seed).integers(0, types, tokens)
    return corpus_of(ids, [*range(0, tokens, 23), tokens], types)


def facts_of(result):
    sides = result.vectors.vectors, result.vectors.context_vectors
    return [side.tobytes() for side in sides], result.losses, result.loss_errors, result.effective_tokens, result.scores


interrupted = partial(interruption.interrupted, training, train_word2vec)


def test_no_file_is_overwritten_that_is_not_the_checkpoint_of_the_run(tmp_path):
    text, vectors = tmp_path / "text.txt", tmp_path / "v.safetensors"
    text.write_text("a b c\n" * 100)
    encoded = encode_corpus(TextCorpus(text), cache=False)
    save_vectors(WordVectors(["a"], [[1.0]]), vectors)
    for path in (text, vectors):
        before = path.read_bytes()
        for train in (train_word2vec, partial(train_glove, count_cooccurrences(encoded))):
            given = () if isinstance(train, partial) else (encoded, SETTINGS)
            with pytest.raises(
                InputError, match="exists and is not a checkpoint; name another file for the checkpoint"
            ):
                train(*given, threads=1, checkpoint=path, checkpoint_every=1e-9)
            with pytest.raises(FormatError, match=path.name):
                train(*given, threads=1, checkpoint=path, checkpoint_every=1e-9, resume=True)
        assert path.read_bytes() == before


def test_a_checkpoint_that_appears_after_the_start_is_not_continued_from(home):
    run = {"model": "x"}, {"tokens": 1}, [np.arange(3)]
    first, second = (resuming.Checkpoint(home, 300, resume=False) for _ in range(2))
    assert first.begin(*run) is None
    first.save({"a": np.arange(2)}, {"epoch": 1})
    with pytest.raises(InputError, match="holds the state of an interrupted training; resume it, or remove the file"):
        second.begin(*run)
    assert resuming.Checkpoint(home, 300, resume=True).begin(*run).reached == {"epoch": 1}
    home.write_text("other")
    with pytest.raises(InputError, match="exists and is not a checkpoint"):
        second.begin(*run)
    assert home.read_text() == "other"


# -- bit-identical results --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"model": "skipgram"}, {"model": "cbow", "cbow_gradient": "mean"}])
@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=needs_threads)])
def test_interrupted_training_resumes_bit_identically(monkeypatch, home, options, threads):
    settings = Word2VecSettings(**vars(SETTINGS) | options)
    text = corpus(600 if JIT_OFF else 2_000)
    whole = facts_of(train_word2vec(text, settings, threads=1))
    for epochs, rounds in ((0, 1), (0, 2), (1, 1), (1, 2)):
        interrupted(monkeypatch, rounds, text, settings, epochs=epochs, threads=threads, checkpoint=home, resume=True)
    assert facts_of(train_word2vec(text, settings, threads=4 - threads, checkpoint=home, resume=True)) == whole
    # The file remains until it is removed, and resuming from it again gives the same vectors.
    assert facts_of(train_word2vec(text, settings, threads=1, checkpoint=home, resume=True)) == whole


def test_an_interrupt_while_an_epoch_begins_saves_a_state_that_resumes(monkeypatch, home):
    encoded, begun = corpus(), []
    whole = train_word2vec(encoded, SETTINGS, threads=1)
    start_lanes = training.Trainer._start_lanes

    def interrupted_half_way(trainer):
        begun.append(trainer)
        if len(begun) == 4:  # after the constructor, the third epoch
            trainer.lanes.state[:] = 0
            signal.raise_signal(signal.SIGINT)
        start_lanes(trainer)

    with monkeypatch.context() as patched:
        patched.setattr(training.Trainer, "_start_lanes", interrupted_half_way)
        with pytest.raises(KeyboardInterrupt):
            train_word2vec(encoded, SETTINGS, threads=1, checkpoint=home)
    assert len(begun) == 4
    assert facts_of(train_word2vec(encoded, SETTINGS, threads=1, checkpoint=home, resume=True)) == facts_of(whole)


def test_saved_rounds_are_not_repeated(monkeypatch, home, caplog):
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


def test_time_and_epochs_accumulate_across_runs(monkeypatch, home):
    text, reports = corpus(800), []
    interrupted(monkeypatch, 1, text, SETTINGS, epochs=1, threads=1, checkpoint=home)
    spent = resuming.TensorFile(home).metadata_of("wordvec")["reached"]["seconds"]
    result = train_word2vec(text, SETTINGS, threads=1, checkpoint=home, resume=True, on_progress=reports.append)
    assert spent > 0
    assert result.seconds > spent
    assert reports[-1].done == 2_400
    assert (len(result.losses), result.kept_epoch) == (3, 3)


@pytest.mark.parametrize("by", ["loss", "evaluate"])
def test_the_best_epoch_is_restored(monkeypatch, home, by):
    text = corpus(800)
    scores = iter([0.1, 0.7, 0.2, 0.3])
    options = {"early_stopping": 2, "threads": 1}
    if by == "evaluate":
        options["evaluate"] = lambda vectors: next(scores)
    else:
        given = iter([(2.0, 0.1), (1.0, 0.1), (1.5, 0.1), (1.5, 0.1), (1.2, 0.1)])  # the third is requested twice
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
def test_hogwild_resumes_with_the_same_number_of_threads(monkeypatch, home):
    text = corpus(20_000)
    settings = Word2VecSettings(**vars(SETTINGS) | {"mode": "hogwild", "subsample": 0})
    interrupted(monkeypatch, 2, text, settings, threads=3, checkpoint=home)
    result = train_word2vec(text, settings, threads=1, checkpoint=home, resume=True)
    assert result.threads == 3
    assert result.effective_tokens == [20_000] * 3, "every token once"
    assert np.isfinite(result.vectors.vectors).all()
    assert result.losses[-1] < result.losses[0]


# -- saving interval --------------------------------------------------------------------------------------------------


@needs_threads
def test_state_is_saved_at_the_given_interval(monkeypatch, home):
    saved = []
    monkeypatch.setattr(resuming, "write_tensors", lambda *arguments: saved.append(arguments))
    # The watch function is called five times per second.
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
def test_invalid_intervals_are_rejected(home, pace):
    with pytest.raises(InputError, match=r"checkpoint_every must be (a finite number|above 0), got"):
        train_word2vec(corpus(), SETTINGS, checkpoint=home, checkpoint_every=pace)


def test_a_temporarily_full_disk_does_not_end_training(monkeypatch, home, caplog):
    failed = []

    def full(path, *rest):
        failed.append(path)
        raise InputError(f"{path} cannot be written: no space left on device; free space")

    monkeypatch.setattr(resuming, "write_tensors", full)
    result = train_word2vec(corpus(800), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9)
    assert len(failed) >= len(result.losses) == 3
    assert "no space left on device; free space (training continues and tries again)" in caplog.text


def test_nan_never_replaces_a_good_checkpoint(home):
    class Break(TrainingCallback):
        def on_epoch(self, training):
            if training.epoch == 1:
                training._save()
                before.append(home.read_bytes())
                training._trainer.memory[5] = np.nan

    before = []
    with pytest.raises(TrainingError, match=r"diverged in epoch 2 .* lower learning_rate = 0\.1"):
        train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9, callbacks=[Break()])
    assert home.read_bytes() == before[0]


# -- invalid checkpoints ----------------------------------------------------------------------------------------------


@pytest.fixture
def stopped(monkeypatch, home):
    """Return the checkpoint of an interrupted training."""
    interrupted(monkeypatch, 1, corpus(), SETTINGS, threads=1, checkpoint=home)
    return home


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "seed was 1 and is now 2"),
        ({"epochs": 5, "window": 4}, "epochs was 3 and is now 5; window was 3 and is now 4"),
        ({"mode": "hogwild"}, "mode was 'reproducible' and is now 'hogwild'"),
        ({"model": "cbow"}, "model was 'skipgram' and is now 'cbow'"),
    ],
)
def test_different_settings_are_rejected_and_named(stopped, change, message):
    before = stopped.read_bytes()
    with pytest.raises(InputError, match=f"belongs to another training: .*{message}.*remove the file to start again"):
        train_word2vec(corpus(), Word2VecSettings(**vars(SETTINGS) | change), checkpoint=stopped, resume=True)
    assert stopped.read_bytes() == before


def renamed(text):
    words = Vocabulary([f"word{k}" for k in range(len(text.vocabulary))], text.vocabulary.counts)
    return EncodedCorpus(words, text.ids, text.offsets, raw_tokens=text.raw_tokens, raw_types=text.raw_types)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: corpus(tokens=1_999), "2,000 tokens of 300 types then, 1,999 tokens of 300 types now"),
        (lambda: corpus(seed=7), "the corpus or its vocabulary differs"),
        (lambda: renamed(corpus()), "the corpus or its vocabulary differs"),
    ],
)
def test_a_different_corpus_is_rejected(stopped, other, message):
    with pytest.raises(InputError, match=message):
        train_word2vec(other(), SETTINGS, checkpoint=stopped, resume=True)


def test_different_epoch_selection_and_initial_vectors_are_rejected(stopped):
    with pytest.raises(InputError, match="best by was None and is now 'loss'; early_stopping was None and is now 1"):
        train_word2vec(corpus(), SETTINGS, checkpoint=stopped, resume=True, early_stopping=1)
    rows = np.ones((300, 8))
    initial = WordVectors(corpus().vocabulary, rows, context_vectors=rows)
    with pytest.raises(InputError, match="the initial vectors differ"):
        train_word2vec(corpus(), SETTINGS, checkpoint=stopped, resume=True, initial=initial)


def test_a_new_training_does_not_overwrite_a_checkpoint(stopped):
    before = stopped.read_bytes()
    with pytest.raises(InputError, match="holds the state of an interrupted training; resume it, or remove the file"):
        train_word2vec(corpus(), SETTINGS, checkpoint=stopped)
    assert stopped.read_bytes() == before


def test_resuming_without_a_checkpoint_starts_from_the_beginning(home, caplog):
    caplog.set_level(logging.INFO, logger="wordvec")
    result = train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=home, resume=True)
    assert f"no checkpoint at {home}: training starts from the beginning" in caplog.text
    assert len(result.losses) == 3
    with pytest.raises(InputError, match="resume needs a checkpoint; name the checkpoint file"):
        train_word2vec(corpus(), SETTINGS, resume=True)


def test_the_checkpoint_path_is_checked_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr("wordvec.word2vec.training.Trainer", None)
    with pytest.raises(InputError, match="does not exist; create it first"):
        train_word2vec(corpus(), SETTINGS, checkpoint=tmp_path / "nowhere" / "c")


def test_damaged_files_are_rejected(stopped):
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


def test_vectors_and_checkpoints_are_not_interchangeable(tmp_path, stopped):
    path = tmp_path / "v.safetensors"
    save_vectors(WordVectors(["a", "b"], [[1], [2]]), path)
    with pytest.raises(FormatError, match="expected a checkpoint, found 'vectors'"):
        train_word2vec(corpus(), SETTINGS, checkpoint=path, resume=True)
    from wordvec import load_vectors

    with pytest.raises(FormatError, match="expected vectors, found 'training'"):
        load_vectors(stopped)


def test_leftovers_of_killed_writers_are_removed(home):
    left = home.with_name(f".{home.name}.abcd1234.part")
    other = home.with_name(".another.checkpoint.abcd1234.part")
    for path in (left, other):
        path.write_bytes(b"half")
    train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=home)
    assert not left.exists()
    assert other.exists()


# -- finished training ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["v.safetensors", "v.txt", "v.bin"])
def test_finished_training_is_recognized(tmp_path, name):
    text, path = random_corpus(), tmp_path / name
    assert not finished_training(path, text, SETTINGS)
    save_vectors(train_word2vec(text, SETTINGS, threads=1).vectors, path)
    assert finished_training(path, text, SETTINGS)
    other = Word2VecSettings(**vars(SETTINGS) | {"vector_size": 9})
    with pytest.raises(InputError, match=r"no checkpoint found, and .* was not produced by this run: .*8.*9"):
        finished_training(path, text, other)
    if name == "v.safetensors":
        with pytest.raises(InputError, match="seed was 1 and is now 3"):
            finished_training(path, text, Word2VecSettings(**vars(SETTINGS) | {"seed": 3}))
        with pytest.raises(InputError, match="the words or their counts differ"):
            finished_training(path, random_corpus(seed=5), SETTINGS)


def test_other_contents_of_the_output_file_are_reported(tmp_path, stopped):
    with pytest.raises(InputError, match="was not produced by this run"):
        finished_training(stopped, corpus(), SETTINGS)
    Path(tmp_path / "v.txt").write_text("no vectors\n")
    with pytest.raises(InputError, match=r"v\.txt"):
        finished_training(tmp_path / "v.txt", corpus(), SETTINGS)


@pytest.mark.parametrize("call", ["fsync", "replace", "chmod"])
def test_a_failing_disk_does_not_end_training(monkeypatch, home, caplog, call):
    real, failing = getattr(os, call), []

    def fails(*arguments):
        if len(failing) < 2:
            failing.append(call)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(*arguments)

    monkeypatch.setattr(os, call, fails)
    whole = facts_of(train_word2vec(corpus(), SETTINGS, threads=1))
    text = corpus()
    assert facts_of(train_word2vec(text, SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9)) == whole
    assert len(failing) == 2
    assert caplog.text.count("input/output error") == caplog.text.count("(training continues and tries again)") == 2
    assert facts_of(train_word2vec(text, SETTINGS, threads=1, checkpoint=home, resume=True)) == whole


# -- forged values, with a digest that matches ------------------------------------------------------------------------


def forged(path, *, array=None, place=0, value=0, **changes):
    """Rewrite a checkpoint with one number of an array, or some of its metadata, changed."""
    file = resuming.TensorFile(path)
    arrays, about = {name: file.read(name).copy() for name in file.described()}, file.metadata_of("wordvec")
    order = list(training_order(arrays))
    if array is not None:
        arrays[array].reshape(-1)[place] = value
    about["reached"] = {**about["reached"], **changes}
    about["reached"] = {key: part for key, part in about["reached"].items() if part is not ...}
    about["digest"] = resuming.digest(*(arrays[name] for name in order))
    resuming.write_tensors(path, arrays, "wordvec", about)


def training_order(arrays):
    """Return the names of the arrays in the order in which they are digested."""
    from wordvec.kernels.slices import Lane

    return [name for name in ("memory", "bounds", *(f"lanes.{name}" for name in Lane._fields)) if name in arrays]


def test_an_unchanged_rewritten_checkpoint_resumes(stopped):
    whole = facts_of(train_word2vec(corpus(), SETTINGS, threads=1))
    forged(stopped)
    assert facts_of(train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=stopped, resume=True)) == whole


@pytest.mark.parametrize(
    ("array", "place", "value", "message"),
    [
        ("bounds", 1, 2**62, "the bounds of its lanes are not those of this corpus"),
        ("memory", 5, np.nan, "its vectors must be finite"),
        ("lanes.state", 0, 2**62, r"position of lane 0 must be in 0\.\."),
        ("lanes.state", 0, -1, r"position of lane 0 must be in 0\.\."),
        ("lanes.state", 1, 2**40, r"sentence of lane 0 must be in 0\.\."),
        ("lanes.state", 2, 10**6, r"buffer of lane 0 must be in 0\.\."),
        ("lanes.state", 3, -5, r"center of lane 0 must be in 0\.\."),
        ("lanes.state", 4, -5, "last center of lane 0 must be in "),
        ("lanes.state", 5, 10**9, "draws of lane 0 must be in "),
        ("lanes.state", 6, -1, "kept of lane 0 must be in "),
        ("lanes.state", 9, 2**50, "private rows of lane 0 must be in "),
        ("lanes.token_ids", slice(None), 2**31 - 1, r"tokens of lane 0 must be in 0\.\.299, got 2,147,483,647"),
        ("lanes.positions", slice(None), -1, "positions of lane 0 must be in "),
        ("lanes.sentences", slice(None), 2**40, "sentences of lane 0 must be in "),
        ("lanes.negative_ids", slice(None), 300, r"negatives of lane 0 must be in 0\.\.299, got 300"),
    ],
)
def test_forged_arrays_are_rejected(stopped, array, place, value, message):
    forged(stopped, array=array, place=place, value=value)
    with pytest.raises(FormatError, match=rf"the checkpoint is damaged \(.*{message}.*; remove it to start again"):
        train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=stopped, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": -1}, r"epoch must be in 0\.\.3, got -1"),
        ({"epoch": 10**30}, r"epoch must be in 0\.\.3, got 10{30}"),
        ({"epoch": "1"}, r"epoch must be in 0\.\.3, got '1'"),
        ({"epoch": ...}, r"epoch must be in 0\.\.3, got None"),
        ({"losses": ["a"], "epoch": 1}, "losses must be a number, got 'a'"),
        ({"losses": [1.0] * 9}, "losses must be a list of 0 numbers"),
        ({"loss_errors": None}, "loss_errors must be a list of"),
        ({"scores": {}}, "scores must be a list of"),
        ({"effective_tokens": ...}, "effective_tokens must be a list of"),
        ({"seconds": "long"}, "seconds must be a number, got 'long'"),
        ({"seconds": ...}, "seconds must be a number, got Ellipsis"),
    ],
)
def test_forged_progress_is_rejected(stopped, change, message):
    forged(stopped, **change)
    with pytest.raises(FormatError, match=rf"the checkpoint is damaged \({message}"):
        train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=stopped, resume=True)


@pytest.mark.parametrize("part", ["run", "reached", "digest"])
@pytest.mark.parametrize("value", [[], 3, {"settings": []}, {"corpus": {"tokens": "many", "types": []}}])
def test_metadata_of_other_types_are_rejected(stopped, part, value):
    file = resuming.TensorFile(stopped)
    arrays = {name: file.read(name).copy() for name in file.described()}
    resuming.write_tensors(stopped, arrays, "wordvec", file.metadata_of("wordvec") | {part: value})
    with pytest.raises(InputError, match=r"damaged|belongs to another training"):
        train_word2vec(corpus(), SETTINGS, threads=1, checkpoint=stopped, resume=True)
