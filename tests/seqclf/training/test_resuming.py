"""Network trainings that are stopped and resumed: the model's bytes are those of an uninterrupted training."""

import json
import signal

import numpy as np
import pytest

import seqclf
from seqclf.classification.settings import ClassifierSettings
from wordvec import FormatError, InputError, Vocabulary, WordVectors
from wordvec.checkpointing.checkpoint import Checkpoint

SMALL = {"hidden_size": 4, "epochs": 4, "batch_size": 2, "dropout": 0.2}
WORDS = {**SMALL, "vector_size": 4}
TEXTS = ["fire in the hills", "lovely warm evening", "", "the river floods", "fire and floods"] * 4
LABELS = ["alarm", "calm", "calm", "alarm", "alarm"] * 4
SETS = [[label, "text"] if place % 2 else [label] for place, label in enumerate(LABELS)]
SENTENCES = [text.split() for text in TEXTS]
TAGS = [["N" if len(word) > 3 else "D" for word in sentence] for sentence in SENTENCES]
VECTORS = WordVectors(Vocabulary(["fire", "the", "new"]), np.arange(12, dtype=np.float32).reshape(3, 4))
SERIES = np.sin(np.arange(40) / 3) + np.arange(40) / 50


def classifier(**options):
    settings = ClassifierSettings(**WORDS, layers=2, layer_dropout=0.1, tune_vectors=options.pop("tune_vectors", True))
    return seqclf.train_classifier(TEXTS, LABELS, settings=settings, vectors=VECTORS, **options)


def frozen_classifier(**options):
    return classifier(tune_vectors=False, **options)


def multi_label(**options):
    return seqclf.train_multi_label(TEXTS, SETS, settings=ClassifierSettings(**WORDS, character_size=3), **options)


def tagger(**options):
    return seqclf.train_tagger(
        SENTENCES, TAGS, settings=seqclf.TaggerSettings(**WORDS, head="crf", freeze="layers.0.reverse"), **options
    )


def regressor(**options):
    lengths = [len(text) for text in TEXTS]
    settings = seqclf.RegressorSettings(**WORDS, optimizer="sgd", schedule="cosine", learning_rate=0.05)
    return seqclf.train_regressor(TEXTS, lengths, settings=settings, **options)


def language_model(optimizer="adam", **options):
    settings = seqclf.LanguageModelSettings(
        **SMALL, window=3, optimizer=optimizer, schedule="plateau", samples=None if optimizer == "sgd" else 3,
        learning_rate=0.5 if optimizer == "sgd" else None,
    )  # fmt: skip
    return seqclf.train_language_model(TEXTS, settings=settings, dev=TEXTS[:5], **options)


def language_model_by_sgd(**options):
    return language_model("sgd", **options)


def forecaster(**options):
    settings = seqclf.ForecasterSettings(hidden_size=4, epochs=4, batch_size=8, window=4, horizon=2, dropout=0.2)
    return seqclf.train_forecaster(SERIES, settings=settings, **options)


def without_validation(**options):
    settings = ClassifierSettings(**WORDS, validation_fraction=0)
    return seqclf.train_classifier(TEXTS, LABELS, settings=settings, **options)


def patient(**options):
    settings = ClassifierSettings(**WORDS | {"epochs": 20}, patience=1, schedule="plateau")
    return seqclf.train_classifier(TEXTS, LABELS, settings=settings, **options)


TRAININGS = [
    classifier, frozen_classifier, multi_label, tagger, regressor, language_model, language_model_by_sgd, forecaster,
    without_validation, patient,
]  # fmt: skip


class Killed(Exception):
    """Ends a training at once, as a kill would."""


def content(model, tmp_path):
    model.save(tmp_path / "model.safetensors")
    return (tmp_path / "model.safetensors").read_bytes()


def interrupt_saving(monkeypatch, after):
    """End the training at the save ``after``, once it is complete."""
    saves, save = [], Checkpoint.save

    def counted(self, *arguments):
        save(self, *arguments)
        saves.append(1)
        if len(saves) == after:
            raise Killed

    monkeypatch.setattr(Checkpoint, "save", counted)


@pytest.mark.parametrize("train", TRAININGS)
def test_killed_trainings_resume_to_the_same_bytes(tmp_path, monkeypatch, train):
    whole = content(train(), tmp_path)
    file = tmp_path / "state"
    resumed = 0
    for after in (1, 5, 8, 2, 7, 30, 10_000):  # saves in each run; every step is saved
        with monkeypatch.context() as patch:
            interrupt_saving(patch, after)
            try:
                model = train(checkpoint=file, checkpoint_every=1e-9, resume=True, threads=1 + resumed % 2)
                break
            except Killed:
                resumed += 1
    assert resumed > 2
    assert content(model, tmp_path) == whole
    # A complete checkpoint gives the same model again.
    assert content(train(checkpoint=file, resume=True), tmp_path) == whole


@pytest.mark.parametrize("train", [classifier, language_model, forecaster])
@pytest.mark.parametrize("stop_in", [0, 2])
def test_a_stopped_training_saves_its_state(tmp_path, train, stop_in):
    whole, file, calls = content(train(), tmp_path), tmp_path / "state", []

    def stop(state):
        calls.append(state)
        if state.epoch_done and state.epoch == stop_in:
            raise seqclf.StopTraining

    model = train(checkpoint=file, on_progress=stop)
    assert len(model.history) == stop_in + 1
    assert content(train(checkpoint=file, resume=True), tmp_path) == whole


@pytest.mark.parametrize("train", [classifier, language_model])
def test_ctrl_c_saves_the_state(tmp_path, monkeypatch, train):
    monkeypatch.setattr("seqclf.training.loop.time.perf_counter", iter(range(10**6)).__next__)
    whole, file = content(train(), tmp_path), tmp_path / "state"

    def interrupt(state):
        if state.epoch == 1 and not state.epoch_done:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(checkpoint=file, on_progress=interrupt)
    seen = []
    assert content(train(checkpoint=file, resume=True, on_progress=seen.append), tmp_path) == whole
    assert seen[0].epoch == 1, "the first epoch is not trained again"


def test_stopping_in_the_first_epoch_saves_the_state(tmp_path, monkeypatch):
    monkeypatch.setattr("seqclf.training.loop.time.perf_counter", iter(range(10**6)).__next__)
    whole, file = content(tagger(), tmp_path), tmp_path / "state"

    def stop(state):
        assert not state.epoch_done
        raise seqclf.StopTraining

    with pytest.raises(seqclf.StopTraining):
        tagger(checkpoint=file, on_progress=stop)
    seen = []
    assert content(tagger(checkpoint=file, resume=True, on_progress=seen.append), tmp_path) == whole
    assert seen[0].done > 1, "progress counts the work before the interruption"
    assert seen[-1].done == seen[-1].total


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    file = tmp_path / "state"
    settings = ClassifierSettings(**WORDS)
    model = seqclf.train_classifier(TEXTS, LABELS, settings=settings, checkpoint=file)
    with pytest.raises(InputError, match="holds the state of an interrupted training; resume it, or remove the file"):
        seqclf.train_classifier(TEXTS, LABELS, settings=settings, checkpoint=file)
    options = {"checkpoint": file, "resume": True}
    for changed, message in [
        ({"seed": 2}, "seed was 1 and is now 2"),
        ({"hidden_size": 5, "seed": 2}, "hidden_size was 4 and is now 5; seed was 1 and is now 2"),
    ]:
        with pytest.raises(InputError, match=f"{file} belongs to another training: {message}. Resume with"):
            seqclf.train_classifier(TEXTS, LABELS, settings=ClassifierSettings(**WORDS | changed), **options)
    many = dict.fromkeys(("epochs", "batch_size", "layers", "min_count", "keep_vectors", "warmup_steps"), 3)
    with pytest.raises(InputError, match=r" and 1 more\. Resume"):
        seqclf.train_classifier(TEXTS, LABELS, settings=ClassifierSettings(**WORDS | many), **options)
    with pytest.raises(InputError, match=r"the data differ \(18 texts, 2 validation texts then, 13 texts, 2 valid"):
        seqclf.train_classifier(TEXTS[:15], LABELS[:15], settings=settings, **options)
    with pytest.raises(InputError, match=r"another training: the data differ\. Resume"):
        seqclf.train_classifier(TEXTS, [*LABELS[1:], "calm"], settings=settings, **options)
    with pytest.raises(InputError, match="the initial vectors differ"):
        seqclf.train_classifier(TEXTS, LABELS, settings=settings, vectors=VECTORS, **options)
    with pytest.raises(InputError, match=r"training: initial network was None and is now '[0-9a-f]{32}'"):
        seqclf.train_classifier(TEXTS, LABELS, settings=settings, initial=model, **options)
    with pytest.raises(InputError, match=r"training: model was 'classifier' and is now 'tagger'\. Resume"):
        tagger(**options)
    with pytest.raises(FormatError, match="state holds the state of an interrupted training, not a model; pass a file"):
        seqclf.load_model(file)
    with pytest.raises(InputError, match="resume needs a checkpoint"):
        tagger(resume=True)


@pytest.mark.parametrize(
    "changed",
    [
        {"history": "x"}, {"history": [{"loss": "x"}]}, {"history": [{"loss": 1.0}] * 9}, {"best_epoch": 7},
        {"best": "x"}, {"best": []}, {"steps": -1}, {"summed": "x"}, {"updates": 10**9}, {"kept": True},
    ],
)  # fmt: skip
def test_damaged_values_are_refused(tmp_path, changed):
    file = tmp_path / "state"
    without_validation(checkpoint=file)
    stored = file.read_bytes()
    size = int.from_bytes(stored[:8], "little")
    header = json.loads(stored[8 : 8 + size])
    about = json.loads(header["__metadata__"]["wordvec"])
    about["reached"] |= changed
    header["__metadata__"]["wordvec"] = json.dumps(about)
    encoded = json.dumps(header).encode()
    file.write_bytes(len(encoded).to_bytes(8, "little") + encoded + stored[8 + size :])
    if changed == {"best": []}:
        without_validation(checkpoint=file, resume=True)
        return
    with pytest.raises(FormatError, match=r"damaged|array"):
        without_validation(checkpoint=file, resume=True)


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(tmp_path, monkeypatch, caplog):
    def fail(*_):
        raise InputError("state cannot be written: no space left on device; free space or use another disk")

    whole = content(without_validation(), tmp_path)
    monkeypatch.setattr(Checkpoint, "save", fail)
    assert content(without_validation(checkpoint=tmp_path / "state"), tmp_path) == whole
    assert "no space left on device" in caplog.text
    assert "training continues" in caplog.text
