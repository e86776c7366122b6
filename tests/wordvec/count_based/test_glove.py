"""GloVe training: settings, bit-identical results, checkpoints and errors."""

import logging
from dataclasses import asdict, replace
from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.cases import interruption
from tests.cases.glove import cooccurrence_of, random_counts
from wordvec import CooccurrenceSettings, SvdSettings, Word2VecSettings, save_vectors
from wordvec.checkpointing import checkpoint as resuming
from wordvec.checkpointing.finished import finished_training
from wordvec.count_based import glove
from wordvec.count_based import glove_blocks as blocks
from wordvec.count_based.glove import train_glove
from wordvec.count_based.models import CountBasedSettings
from wordvec.count_based.settings import GloveSettings
from wordvec.errors import FormatError, InputError, TrainingError
from wordvec.kernels.simd import JIT_OFF

needs_threads = pytest.mark.skipif(JIT_OFF, reason="without JIT the turns are counted in Python: for one thread only")
SETTINGS = GloveSettings(vector_size=6, epochs=3, x_max=5, learning_rate=0.2)
COUNTS = random_counts(types=40, sentences=100)


@pytest.fixture(autouse=True)
def any_number_of_threads(monkeypatch):
    monkeypatch.setenv("WORDVEC_OVERSUBSCRIBE", "1")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "v.checkpoint"


def changed(**options):
    return GloveSettings(**vars(SETTINGS) | options)


def facts_of(result):
    return result.vectors.vectors.tobytes(), result.vectors.context_vectors.tobytes(), result.losses


interrupted = partial(interruption.interrupted, glove, train_glove)


# -- results ----------------------------------------------------------------------------------------------------------


def test_dot_products_approximate_log_counts():
    settings = changed(vector_size=30, epochs=5 if JIT_OFF else 300, x_max=1e-3)
    result = train_glove(cooccurrence_of(COUNTS), settings, threads=1)
    assert result.losses[-1] < (0.8 if JIT_OFF else 1e-3) * result.losses[0]
    assert len(result.losses) == settings.epochs
    assert (result.cells, result.types) == (np.count_nonzero(COUNTS), 40)
    assert result.summary()["cells_per_second"] > 0


def test_add_contexts_sums_word_and_context_vectors():
    both, alone = (
        train_glove(cooccurrence_of(COUNTS), changed(add_contexts=add), threads=1).vectors for add in (True, False)
    )
    np.testing.assert_array_equal(both.context_vectors, alone.context_vectors)
    np.testing.assert_array_equal(both.vectors, alone.vectors + alone.context_vectors)
    assert both.settings["model"] == "glove"
    assert both.settings["add_contexts"] is True
    assert both.settings["cooccurrence"] == asdict(CooccurrenceSettings(window=4))


def test_the_seed_changes_the_vectors():
    first, again, other = (
        facts_of(train_glove(cooccurrence_of(COUNTS), changed(seed=seed), threads=1)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first[0] != other[0]


@needs_threads
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_results_are_bit_identical_at_any_number_of_threads(threads):
    alone, together = (facts_of(train_glove(cooccurrence_of(COUNTS), SETTINGS, threads=t)) for t in (1, threads))
    assert alone == together


@needs_threads
def test_more_rows_than_the_maximum_of_a_group(monkeypatch):
    whole = train_glove(cooccurrence_of(COUNTS), changed(epochs=1), threads=1)
    monkeypatch.setattr(blocks, "GROUP_ROWS", 7)
    bands = train_glove(cooccurrence_of(COUNTS), changed(epochs=1), threads=3)
    assert bands.losses == pytest.approx(whole.losses, rel=0.5), "the same counts in another order"
    assert facts_of(bands) == facts_of(train_glove(cooccurrence_of(COUNTS), changed(epochs=1), threads=1))


@pytest.mark.parametrize(
    ("types", "bands"), [(1, 4), (3, 4), (4096, 4), (4097, 8), (68_305, 68), (10**6, 256), (2**24 + 1, 260)]
)
def test_bands_have_about_equal_sizes(types, bands):
    bounds = blocks.band_bounds(types)
    assert (bounds[0], bounds[-1], len(bounds)) == (0, types, bands + 1)
    assert np.ptp(np.diff(bounds)) <= 1
    assert np.diff(bounds).max() <= 1 << 16


@pytest.mark.parametrize("bands", [4, 12])
def test_bands_of_a_turn_are_paired_one_to_one(bands):
    rows, columns, turns = blocks.schedule_of(bands).T
    assert {*zip(rows, columns, strict=True)} == {(r, c) for r in range(bands) for c in range(bands)}
    for turn in range(bands):
        assert sorted(rows[turns == turn]) == sorted(columns[turns == turn]) == [*range(bands)]
    for side in (rows, columns):  # a block waits only for earlier blocks
        assert all((np.diff(turns[side == band]) > 0).all() for band in range(bands))


@pytest.mark.parametrize("counts", [[[3.0]], [[0.0, 2.0], [0.0, 0.0]], [[1e-30, 3e38], [5.0, 1.0]]])
def test_tiny_vocabularies_and_extreme_counts(counts):
    result = train_glove(cooccurrence_of(np.array(counts)), changed(epochs=2, learning_rate=0.05), threads=1)
    assert np.isfinite(result.vectors.vectors).all()
    assert result.losses[1] < result.losses[0]


def test_progress_is_reported_to_the_end():
    reports = []
    result = train_glove(cooccurrence_of(COUNTS), SETTINGS, threads=1, on_progress=reports.append)
    assert reports[-1].done == reports[-1].total == 3 * result.cells
    assert (reports[-1].epoch, reports[-1].epochs, reports[-1].seconds_left) == (3, 3, 0)
    assert reports[-1].loss == result.losses[-1]


# -- settings and counts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vector_size": 0}, "vector_size must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"epochs": 2.5}, "epochs must be a whole number, got 2.5"),
        ({"learning_rate": 0}, "learning_rate must be above 0, got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite number"),
        ({"x_max": -1}, "x_max must be above 0, got -1"),
        ({"alpha": -0.5}, "alpha must be at least 0, got -0.5"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"add_contexts": "yes"}, "add_contexts must be true or false, got 'yes'"),
    ],
)
def test_settings_out_of_range_are_rejected(options, message):
    with pytest.raises(InputError, match=message):
        changed(**options)


def test_counts_without_a_logarithm_are_rejected():
    for wrong in (-1.0, np.inf, np.nan):
        counts = COUNTS.copy()
        counts[3, 4] = wrong
        rule = "be finite and above 0, because GloVe takes their logarithms" if wrong < 0 else "hold finite numbers"
        with pytest.raises(InputError, match=f"counts must {rule}, got {wrong}"):
            train_glove(cooccurrence_of(counts), SETTINGS)
    with pytest.raises(InputError, match="the corpus has no co-occurring words; lower min_count"):
        train_glove(cooccurrence_of(np.zeros((3, 3))), SETTINGS)


def test_insufficient_memory_is_reported_before_training(monkeypatch):
    monkeypatch.setattr(glove, "available_memory", lambda: 1000)
    with pytest.raises(TrainingError, match=r"counts needs .* GB of memory, .* are free; raise min_count"):
        train_glove(cooccurrence_of(COUNTS), SETTINGS)


@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
def test_divergence_is_reported_with_a_remedy():
    with pytest.raises(TrainingError, match=r"training diverged .* after epoch 1: learning_rate = 1e\+20 .*lower it"):
        train_glove(cooccurrence_of(COUNTS), changed(learning_rate=1e20), threads=1)


# -- checkpoints ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=needs_threads)])
def test_interrupted_training_resumes_bit_identically(monkeypatch, home, threads):
    counts = cooccurrence_of(COUNTS)
    whole = facts_of(train_glove(counts, SETTINGS, threads=1))
    for epochs, calls in ((0, 1), (0, 2), (1, 2), (1, 1)):
        interrupted(monkeypatch, calls, counts, SETTINGS, epochs=epochs, threads=threads, checkpoint=home, resume=True)
    assert facts_of(train_glove(counts, SETTINGS, threads=4 - threads, checkpoint=home, resume=True)) == whole


def test_saved_work_is_not_repeated(monkeypatch, home, caplog):
    caplog.set_level(logging.INFO, logger="wordvec")
    counts, reports = cooccurrence_of(COUNTS), []
    interrupted(monkeypatch, 5, counts, SETTINGS, epochs=1, threads=1, checkpoint=home)
    reached = resuming.TensorFile(home).metadata_of("wordvec")["reached"]
    assert (reached["epoch"], reached["blocks"], len(reached["losses"])) == (1, 5, 1)
    result = train_glove(counts, SETTINGS, threads=1, checkpoint=home, resume=True, on_progress=reports.append)
    assert f"saved to {home}, in epoch 2 of 3" in caplog.text
    assert f"resuming from {home}, in epoch 2 of 3" in caplog.text
    assert result.seconds > reached["seconds"] > 0
    assert [reports[0].epoch, reports[-1].epoch] == [2, 3]


def test_state_is_saved_at_the_given_interval(monkeypatch, home):
    saved = []
    monkeypatch.setattr(resuming, "write_tensors", lambda *arguments: saved.append(arguments))
    train_glove(cooccurrence_of(COUNTS), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9)
    assert len(saved) >= 3
    saved.clear()
    train_glove(cooccurrence_of(COUNTS), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1000)
    assert not saved


def test_a_temporarily_full_disk_does_not_end_training(monkeypatch, home, caplog):
    def full(path, *rest):
        raise InputError(f"{path} cannot be written: no space left on device; free space")

    monkeypatch.setattr(resuming, "write_tensors", full)
    result = train_glove(cooccurrence_of(COUNTS), SETTINGS, threads=1, checkpoint=home, checkpoint_every=1e-9)
    assert len(result.losses) == 3
    assert "no space left on device; free space (training continues and tries again)" in caplog.text


def test_a_checkpoint_of_another_run_is_rejected(monkeypatch, home):
    interrupted(monkeypatch, 1, cooccurrence_of(COUNTS), SETTINGS, threads=1, checkpoint=home)
    other = COUNTS.copy()
    other[0, :2] = 0
    for counts, settings, message in (
        (COUNTS, changed(seed=2), "belongs to another training: seed was 1 and is now 2. Resume with the original"),
        (2 * COUNTS, SETTINGS, "the corpus or its vocabulary differs"),
        (
            other,
            SETTINGS,
            rf"vocabulary differs \({np.count_nonzero(COUNTS):,} counts of 40 types then",
        ),
    ):
        with pytest.raises(InputError, match=message):
            train_glove(cooccurrence_of(counts), settings, checkpoint=home, resume=True)
    with pytest.raises(InputError, match="holds the state of an interrupted training"):
        train_glove(cooccurrence_of(COUNTS), SETTINGS, checkpoint=home)
    home.write_bytes(home.read_bytes()[:-1] + b"\0")
    with pytest.raises(FormatError, match="the checkpoint is damaged; remove it"):
        train_glove(cooccurrence_of(COUNTS), SETTINGS, checkpoint=home, resume=True)


@pytest.mark.parametrize(
    ("array", "change", "message"),
    [
        ("tables", {}, "its numbers must be finite"),
        ("block_losses", {}, "its numbers must be finite"),
        (None, {"epoch": 9}, r"epoch must be in 0\.\.3, got 9"),
        (None, {"blocks": 2**40}, r"blocks must be in 0\.\.16, got 1099511627776"),
        (None, {"blocks": -1}, r"blocks must be in 0\.\.16, got -1"),
        (None, {"losses": [1.0]}, "losses must be a list of 0 numbers"),
        (None, {"losses": None}, "losses must be a list of 0 numbers"),
    ],
)
def test_forged_checkpoints_are_rejected(monkeypatch, home, array, change, message):
    interrupted(monkeypatch, 1, cooccurrence_of(COUNTS), SETTINGS, threads=1, checkpoint=home)
    file = resuming.TensorFile(home)
    arrays, about = {name: file.read(name).copy() for name in ("tables", "block_losses")}, file.metadata_of("wordvec")
    if array:
        arrays[array].reshape(-1)[3] = np.inf
    about |= {"reached": about["reached"] | change, "digest": resuming.digest(*arrays.values())}
    resuming.write_tensors(home, arrays, "wordvec", about)
    with pytest.raises(FormatError, match=rf"the checkpoint is damaged \({message}\); remove it to start again"):
        train_glove(cooccurrence_of(COUNTS), SETTINGS, threads=1, checkpoint=home, resume=True)


def test_finished_vectors_are_recognized(tmp_path):
    counts, path = cooccurrence_of(COUNTS), tmp_path / "v.safetensors"
    settings = CountBasedSettings("glove", counts.settings, training=SETTINGS)
    assert not finished_training(path, counts, settings)
    save_vectors(train_glove(counts, SETTINGS, threads=1).vectors, path)
    assert finished_training(path, counts, settings)
    for other, message in (
        (replace(settings, training=changed(seed=3)), "seed was 1 and is now 3"),
        (CountBasedSettings("svd", counts.settings, training=SvdSettings()), "model was 'glove' and is now 'svd'"),
        (Word2VecSettings(), "model was 'glove' and is now 'skipgram'; add_contexts was True .* and .* more"),
    ):
        with pytest.raises(InputError, match=f"was not produced by this run: .*{message}"):
            finished_training(path, counts, other)


def test_counts_that_do_not_match_the_vocabulary_are_rejected():
    counts = cooccurrence_of(random_counts())
    for shape in ((22, 23), (23, 24)):
        counts.counts = csr_array(np.ones(shape, np.float32))
        with pytest.raises(InputError, match=r"counts must have 23 (rows|columns), got shape \(2"):
            train_glove(counts, GloveSettings(vector_size=2, epochs=1))
    counts.counts = csr_array(np.ones((23, 23), np.float32))
    counts.counts.indices[40] = 23
    with pytest.raises(InputError, match=r"counts\.indices must be in 0\.\.22, got 23 at position 40"):
        train_glove(counts, GloveSettings(vector_size=2, epochs=1))
