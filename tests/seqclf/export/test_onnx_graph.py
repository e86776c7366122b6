"""Exported graphs: predictions of onnxruntime equal those of the model, for every cell, pooling and merge."""

import json

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed: pip install 'wordvec-seqclf[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install onnxruntime")

from onnxruntime import InferenceSession

from seqclf import ClassifierSettings, load_model, train_classifier, train_multi_label
from seqclf.classification.calibration import Isotonic
from seqclf.export.onnx_graph import export_onnx, onnx_inputs
from wordvec import InputError
from wordvec.formats.table import SubwordTable
from wordvec.vectors.subwords import SubwordVectors

TEXTS = ["fire in the hills", "lovely warm evening", "the river floods", "tea"] * 4
LABELS = ["alarm", "calm", "flood", "calm"] * 4
NEW = ["the fire", "", "an unknown evening in the warm lovely hills", "floods floods", "!!"]
SMALL = {"vector_size": 3, "epochs": 8, "validation_fraction": 0, "learning_rate": 0.05, "warmup_steps": 0}


def same(model, path, texts=NEW):
    export_onnx(model, path)
    session = InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, onnx_inputs(model, texts))
    expected = model.predict_proba(texts)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.ptp(expected, axis=0).max() > 0.01  # texts differ
    return session


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm"},
        {"cell": "gru", "pooling": "mean", "merge": "sum"},
        {"cell": "gru", "reset": "before", "pooling": "last", "layers": 2},
        {"cell": "rnn", "pooling": "attention", "merge": "average"},
        {"cell": "lstm", "pooling": "attention", "bidirectional": False, "layers": 2},
        {"cell": "lstm", "pooling": "last", "merge": "multiply"},
        {"cell": "rnn", "bidirectional": False, "pooling": "last"},
        {"cell": "lstm", "zoneout": 0.3, "zoneout_cell": 0.4, "layers": 2, "merge": "sum"},
        {"cell": "lstm", "zoneout_cell": 0.4, "pooling": "last"},
        {"cell": "gru", "zoneout": 0.3, "pooling": "mean"},
        {"cell": "gru", "zoneout": 0.3, "reset": "before", "bidirectional": False, "pooling": "last"},
        {"cell": "rnn", "zoneout": 0.3, "pooling": "attention"},
        {"character_size": 4},
        {"character_size": 4, "zoneout": 0.3},
    ],
)
def test_networks(tmp_path, options):
    settings = ClassifierSettings(hidden_size=5, **SMALL, **options)
    same(train_classifier(TEXTS, LABELS, settings=settings, threads=1), tmp_path / "m.onnx")


@pytest.mark.parametrize("labels", [LABELS, ["a", "b", "b", "a"] * 4])
def test_linear_models_and_blends(tmp_path, labels):
    for kind in ("linear", "blend"):
        settings = ClassifierSettings(hidden_size=5, model=kind, **SMALL)
        model = train_classifier(TEXTS, labels, settings=settings, dev=(TEXTS, labels), threads=1)
        assert model.parts == kind
        same(model, tmp_path / "m.onnx")


def test_calibrated_models(tmp_path):
    settings = ClassifierSettings(model="linear", calibration="vector")
    dev = TEXTS * 4, ["alarm", "calm", "flood", "flood"] * 16
    model = train_classifier(TEXTS, LABELS, settings=settings, dev=dev, threads=1)
    assert np.abs(model.calibration.bias).max() > 0.1
    same(model, tmp_path / "m.onnx")
    model.calibration = Isotonic.fit(model.predict_proba(TEXTS), np.array([0, 1, 2, 1] * 4), np.ones(16))
    with pytest.raises(InputError, match=r"an isotonic calibration.* cannot be exported; train with"):
        export_onnx(model, tmp_path / "n.onnx")
    assert not (tmp_path / "n.onnx").exists()


def test_multi_label_models(tmp_path):
    settings = ClassifierSettings(hidden_size=5, **SMALL)
    model = train_multi_label(TEXTS, [["a"], [], ["a", "b"], ["b"]] * 4, settings=settings, threads=1)
    metadata = same(model, tmp_path / "m.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(metadata["thresholds"]) == [0.5, 0.5]


def test_metadata_and_bytes(tmp_path, model_file):
    model = load_model(model_file)
    export_onnx(model, tmp_path / "a.onnx")
    export_onnx(model, tmp_path / "b.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    metadata = InferenceSession(tmp_path / "a.onnx").get_modelmeta().custom_metadata_map
    assert json.loads(metadata["labels"]) == ["no", "yes"]
    assert json.loads(metadata["tokenizer"]) == model.tokenizer


def test_texts_without_words_of_a_model_that_reads_characters(tmp_path):
    settings = ClassifierSettings(hidden_size=5, character_size=4, **SMALL)
    model = train_classifier(TEXTS, LABELS, settings=settings, threads=1)
    export_onnx(model, tmp_path / "m.onnx")
    (found,) = InferenceSession(tmp_path / "m.onnx").run(None, onnx_inputs(model, ["", " "]))
    np.testing.assert_allclose(found, model.predict_proba(["", " "]), atol=1e-5)


def test_words_composed_of_ngrams_are_refused(tmp_path):
    rows = np.random.default_rng(1).standard_normal((9, 3)).astype(np.float32)
    vectors = SubwordVectors(["fire", "tea"], SubwordTable(2, 3, 7, rows[:2], rows[2:]), lowercase=True)
    settings = ClassifierSettings(hidden_size=5, **SMALL)
    model = train_classifier(TEXTS, LABELS, settings=settings, vectors=vectors, threads=1)
    with pytest.raises(InputError, match="train without them: subword_fallback=False"):
        export_onnx(model, tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
