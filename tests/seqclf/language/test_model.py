"""Language models: training, reproducibility, schedules, generation, model files."""

import json
import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cli.language_model import _measure
from seqclf import LanguageModelSettings, load_model, train_language_model
from seqclf.language.model import Perplexity
from seqclf.language.network import LanguageNetwork, LanguageShape, Window, initial_parameters, windows
from seqclf.language.train import LanguageTrainer, streams
from seqclf.layers.workers import Workers
from seqclf.model_file import read_model, write_model
from wordvec import FormatError, InputError, TrainingError

LINES = ["the king rules the land", "the queen rules the sea", "rain falls on the land"]
TINY = LanguageModelSettings(
    hidden_size=16, tied=True, epochs=2, batch_size=3, window=6, learning_rate=0.02, dropout=0.2,
    embedding_dropout=0.1, validation_fraction=0.1,
)  # fmt: skip


@pytest.fixture(scope="module")
def model():
    settings = replace(TINY, epochs=12, dropout=0.0, embedding_dropout=0.0)
    return train_language_model(LINES * 20, settings=settings, threads=1)


# -- training ---------------------------------------------------------------------------------------------------------


def test_model_learns_and_beats_n_grams(model):
    measured = model.perplexity(LINES * 3, trained_on=LINES * 20)
    assert measured.perplexity < 1.5 < np.exp(measured.bigram_loss) < np.exp(measured.unigram_loss)
    assert (measured.tokens, measured.unknown) == (54, 0)
    assert measured.bits == pytest.approx(np.log2(measured.perplexity))
    assert [row["epoch"] for row in model.history] == list(range(1, 13))
    assert model.metrics["dev_loss"] == min(row["dev_loss"] for row in model.history)


def test_an_empty_training_text_is_refused(model):
    with pytest.raises(InputError, match="trained_on must be the text of the training, got 0 lines"):
        model.perplexity(LINES, trained_on=[])


def test_state_is_carried_over_between_windows():
    """With windows of one step no gradient crosses steps, so only the carried state distinguishes the two a's.

    Without it the best model guesses two of four tokens between two: a perplexity of sqrt(2).
    """
    settings = replace(TINY, window=1, epochs=12, batch_size=1, dropout=0.0, embedding_dropout=0.0, clip_norm=5.0)
    trained = train_language_model(["a a b"] * 60, settings=settings, threads=1)
    assert trained.perplexity(["a a b"] * 10).perplexity < 1.2


@pytest.mark.parametrize(
    "changes", [{}, {"samples": 4, "layers": 2, "weight_drop": 0.3}], ids=["full", "sampled, two layers"]
)
def test_file_depends_on_the_seed_but_not_on_threads(changes, monkeypatch, tmp_path):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 8)
    settings = replace(TINY, epochs=1, **changes)
    files = []
    for threads in (1, 2, 4):
        path = tmp_path / f"{threads}.safetensors"
        train_language_model(LINES * 6, settings=settings, threads=threads).save(path)
        files.append(path.read_bytes())
    assert files[0] == files[1] == files[2]
    other = train_language_model(LINES * 6, settings=replace(settings, seed=2), threads=1)
    assert other.history != load_model(tmp_path / "1.safetensors", "language model").history


def small_trainer(settings, workers, steps=10):
    shape = LanguageShape(5, 4, 4)
    counts = np.array([5, 4, 3, 2, 1])
    network = LanguageNetwork(shape, initial_parameters(shape, counts, np.random.default_rng(1)))
    window = next(windows(np.array([0, 1, 2, 3, 4, 0, 2], np.int32), np.array([0, 3, 6]), 3))
    return LanguageTrainer(network, settings, steps=steps, workers=workers), window


def test_sgd_step_is_the_clipped_gradient_times_the_rate():
    settings = replace(
        TINY, optimizer="sgd", schedule="constant", warmup_steps=0, learning_rate=0.5, clip_norm=0.01,
        dropout=0.0, embedding_dropout=0.0,
    )  # fmt: skip
    with Workers(1) as workers:
        trainer, window = small_trainer(settings, workers)
        network = trainer.network
        before = network.dense.copy(), network.embedding.copy()
        trainer.step(window, None)
        moved = np.concatenate(
            [(b - a).ravel() for b, a in zip(before, (network.dense, network.embedding), strict=True)]
        )
        gradient = np.concatenate([network.d_dense, network.head.d_weight.ravel()])
    norm = np.linalg.norm(gradient)
    assert norm > 0.01
    np.testing.assert_allclose(moved, 0.5 * gradient * 0.01 / norm, atol=1e-7)


def test_learning_rate_schedules():
    def rates(steps=10, **changes):
        with Workers(1) as workers:
            trainer, window = small_trainer(replace(TINY, warmup_steps=2, learning_rate=1e-3, **changes), workers)
            found = []
            for step in range(steps):
                if step in (0, 3, 5):
                    trainer.end_epoch(({0: -2.0, 3: -1.0, 5: -1.0}[step],))  # the third does not improve
                trainer.step(Window(*window), None)
                found.append(round(trainer.learning_rate * 1e3, 4))
            return found

    assert rates(schedule="linear") == [0.5, 1, 1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]
    assert rates(schedule="constant") == [0.5] + 9 * [1]
    assert rates(schedule="cosine") == [0.5, 1, 1, 0.9619, 0.8536, 0.6913, 0.5, 0.3087, 0.1464, 0.0381]
    assert rates(schedule="plateau") == [0.5] + 4 * [1] + 5 * [0.25]


def test_best_epoch_is_kept_and_patience_stops_training(monkeypatch):
    losses = iter([3.0, 2.0, 2.5, 2.25, 1.0])
    kept = []

    def log_probabilities(network, ids, workers=None, *, steps=512):
        kept.append(network.parameters())
        return np.array([-next(losses)])

    monkeypatch.setattr(LanguageNetwork, "log_probabilities", log_probabilities)
    settings, reports = replace(TINY, epochs=5, patience=2, schedule="plateau", warmup_steps=0), []
    trained = train_language_model(LINES * 6, settings=settings, threads=1, on_progress=reports.append)
    ends = [state for state in reports if state.epoch_done]
    assert [state.learning_rate for state in ends] == [0.02, 0.02, 0.02, 0.005]  # the third was no better
    assert [(state.epoch, state.metrics["dev_loss"]) for state in ends] == list(enumerate([3.0, 2.0, 2.5, 2.25]))
    assert [row["dev_loss"] for row in trained.history] == [3.0, 2.0, 2.5, 2.25]
    assert trained.metrics["best_epoch"] == 2
    for name, array in trained.network.parameters().items():
        np.testing.assert_array_equal(array, kept[1][name])


def test_last_epoch_is_kept_without_validation_text():
    trained = train_language_model(LINES * 4, settings=replace(TINY, validation_fraction=0), threads=1)
    assert trained.metrics["best_epoch"] == 2
    assert "dev_loss" not in trained.metrics


def test_divergence_is_an_error():
    settings = replace(TINY, optimizer="sgd", learning_rate=1e30, clip_norm=1e30, warmup_steps=0)
    with pytest.raises(TrainingError, match="lower learning_rate"), np.errstate(all="ignore"):
        train_language_model(LINES * 6, settings=settings, threads=1)


def test_streams_have_equal_lengths():
    assert streams(1000, 20, 35)[-1] == 1000
    assert streams(7, 20, 35).tolist() == [0, 7]


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"unit": "syllable"}, "unit must be one of character, word"),
        ({"optimizer": "lbfgs"}, "optimizer must be one of adam, sgd"),
        ({"window": 0}, "window must be at least 1, got 0"),
        ({"learning_rate": -1}, "learning_rate must be above 0, got -1"),
        ({"dropout": 1}, "dropout must be at least 0 and below 1, got 1"),
        ({"samples": 0}, "samples must be at least 1, got 0"),
        ({"max_vocabulary": 2}, "max_vocabulary must be at least 3"),
        ({"vector_size": 8}, "tied weights need vectors as wide as the states"),
    ],
)
def test_settings_out_of_range_are_rejected(changes, rule):
    with pytest.raises(InputError, match=rule):
        train_language_model(LINES, settings=replace(TINY, **changes))


# -- prediction --------------------------------------------------------------------------------------------------------


def test_next_tokens_have_the_networks_probabilities(model):
    found = model.next_tokens("rain falls", top=100)
    assert found[0][0] == "on"
    ids = model.encode(["rain falls"])[:-1]
    for word, probability in found[:3]:
        logs = model.network.log_probabilities(np.append(ids, np.int32(model.vocabulary.token_to_id[word])))
        assert probability == pytest.approx(np.exp(logs[-1]), abs=1e-6)
    assert [p for _, p in found] == sorted((p for _, p in found), reverse=True)
    assert {word for word, _ in found} == {*model.vocabulary.tokens} - {"<unk>"}
    assert sum(p for _, p in found) < 1
    with pytest.raises(InputError, match="top must be at least 1"):
        model.next_tokens(top=0)


def test_generation_is_reproducible_and_stops(model):
    texts = {seed: model.generate("the", length=30, temperature=3.0, seed=seed) for seed in (1, 2)}
    assert texts[1] == model.generate("the", length=30, temperature=3.0, seed=1) != texts[2]
    assert texts[1].startswith("the ")
    assert "<unk>" not in texts[1]
    assert len(texts[1].replace("\n", " . ").split()) == 31
    assert model.generate("rain falls", temperature=0, lines=1) == "rain falls on the land\n"
    assert model.generate("", lines=2, temperature=0).count("\n") == 2
    assert model.generate("rain", length=0) == "rain"
    assert model.generate("the king\n", top_k=1, lines=1).split("\n")[0] == "the king"


def test_character_model(tmp_path):
    settings = replace(TINY, unit="character", hidden_size=32, epochs=8, dropout=0.0, embedding_dropout=0.0, window=12)
    trained = train_language_model(LINES * 12, settings=settings, threads=1)
    measured = trained.perplexity(LINES)
    assert measured.tokens == sum(len(line) + 1 for line in LINES)
    assert measured.bits < 1.0
    assert trained.generate("rain f", lines=1, temperature=0) == "rain falls on the land\n"
    assert trained.perplexity(["the kïng"]).unknown == 1


def test_prompt_longer_than_a_window(model, monkeypatch):
    whole = model.next_tokens("the king rules the land\n" * 4 + "rain")
    monkeypatch.setattr("seqclf.language.model.WINDOW", 5)
    for (word, probability), (other, close) in zip(
        model.next_tokens("the king rules the land\n" * 4 + "rain"), whole, strict=True
    ):
        assert word == other
        assert probability == pytest.approx(close, abs=1e-6)


def test_perplexity_needs_text(model):
    with pytest.raises(InputError, match="no text to measure"):
        model.perplexity([])


# -- the file ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "model.safetensors"
    model.save(path)
    return path


def test_save_and_load_round_trip(model, saved, tmp_path):
    loaded = load_model(saved, "language model")
    assert loaded.vocabulary == model.vocabulary
    assert (loaded.settings, loaded.metrics, loaded.history) == (model.settings, model.metrics, model.history)
    assert loaded.perplexity(LINES) == model.perplexity(LINES)
    assert loaded.generate(seed=3) == model.generate(seed=3)
    loaded.save(tmp_path / "again.safetensors")
    assert (tmp_path / "again.safetensors").read_bytes() == saved.read_bytes()


def test_generation_does_not_import_scikit_learn(saved):
    code = f"""
import sys
from seqclf import load_model
load_model({str(saved)!r}, "language model").generate(length=2)
assert not {{"sklearn", "joblib"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_other_kinds_of_models_are_rejected(saved, model_file):
    with pytest.raises(
        FormatError, match="holds a language model, not a text classifier; pass a file that classify-text train"
    ):
        load_model(saved, "model")
    with pytest.raises(FormatError, match="holds a text classifier, not a language model"):
        load_model(model_file, "language model")


@pytest.mark.parametrize(
    ("tensors", "header", "rule"),
    [
        ({"embedding": None}, {}, "no embedding table"),
        ({"head.bias": None}, {}, "missing tensors"),
        ({"head.bias": np.full(11, np.nan, np.float32)}, {}, "not finite"),
        ({"token_counts": np.zeros(3, np.int64)}, {}, "damaged"),
        ({"token_counts": np.zeros(11)}, {}, "counts must be whole"),
        ({}, {"hidden_size": 17}, "tied embeddings must be as wide as the states"),
        ({}, {"layers": 2}, "missing tensors"),
        ({}, {"layers": 10**9}, "layers, but"),
        ({}, {"unit": "syllable"}, "unit must be"),
        ({}, {"unit": "character"}, "vocabulary lacks"),
    ],
)
def test_damaged_files_are_rejected(saved, tensors, header, rule):
    from safetensors import safe_open

    arrays = load_file(saved) | tensors
    with safe_open(saved, framework="numpy") as file:
        info = json.loads(file.metadata()["seqclf"]) | header
    save_file({key: value for key, value in arrays.items() if value is not None}, saved, {"seqclf": json.dumps(info)})
    with pytest.raises(FormatError, match=rule):
        load_model(saved, "language model")


def test_perplexity_beyond_floating_point_is_infinite():
    measured = Perplexity(tokens=1, unknown=0, loss=750.0, unigram_loss=1.0)
    assert measured.perplexity == math.inf
    assert measured.bits == pytest.approx(750 / math.log(2))
    assert _measure(750.0, "word") == "inf"


# -- adaptive softmax -------------------------------------------------------------------------------------------------


def test_an_adaptive_softmax_trains_saves_and_answers(tmp_path):
    words = [f"w{place}" for place in range(40)]
    starts = 4 * np.random.default_rng(1).integers(0, 10, 300)
    lines = [" ".join(words[start : start + 4]) for start in starts]
    settings = replace(TINY, tied=None, softmax="adaptive", hidden_size=32, epochs=8, dropout=0, embedding_dropout=0)
    model = train_language_model(lines, settings=settings, threads=1)
    assert model.network.shape.cutoffs == (2, 8)
    assert model.perplexity(lines).perplexity < 3
    assert [word for word, _ in model.next_tokens("w24", top=1)] == ["w25"]
    assert model.generate("w24", lines=1, temperature=0) == "w24 w25 w26 w27\n"
    path, again = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    model.save(path)
    loaded = load_model(path, "language model")
    loaded.save(again)
    assert path.read_bytes() == again.read_bytes()
    assert loaded.perplexity(lines[:9]) == model.perplexity(lines[:9])
    with pytest.raises(InputError, match="needs at least 16 different words, got 8"):
        train_language_model(["a b c d e f"] * 9, settings=settings)
    with pytest.raises(InputError, match="cannot be tied to the embeddings"):
        replace(settings, tied=True)
    with pytest.raises(InputError, match="softmax must be full to sample words"):
        replace(settings, samples=3)


@pytest.mark.parametrize("cutoffs", [[0, 5], [5, 5], [5, 99], ["5"]])
def test_damaged_cutoffs_are_refused(cutoffs, tmp_path, model):
    path = tmp_path / "m.safetensors"
    model.save(path)
    tensors, header = read_model(path, ["language model"])
    write_model(path, tensors, header | {"cutoffs": cutoffs, "tied": False})
    with pytest.raises(FormatError, match="damaged"):
        load_model(path)
