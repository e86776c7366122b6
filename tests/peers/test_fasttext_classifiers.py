"""Labels and probabilities of supervised models equal to the fasttext package's; skipped without it.

Models are trained in a process each, in memory that is zero: training in used memory stops with "Encountered NaN"
(fasttext 0.9.3).
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from corpora import read_labelled
from seqclf import load_model

peer = pytest.importorskip("fasttext", reason="the fasttext package is not installed")

NGRAMS = {"wordNgrams": 2, "bucket": 20_000}
MODELS = {
    "softmax": {"lr": 0.5},
    "hierarchical softmax": {"loss": "hs"},
    "negative sampling": {"loss": "ns", "lr": 0.2},
    "one vs all": {"loss": "ova", "lr": 0.5, **NGRAMS},
    "n-grams": {"lr": 0.5, "minn": 2, "maxn": 4, "minCount": 3, **NGRAMS},
    "prefix": {"loss": "hs", "label": "##", "minn": 3, "maxn": 3, **NGRAMS},
}
TRAIN = """
import sys, json, fasttext
text, path, options = sys.argv[1:]
model = fasttext.train_supervised(text, dim=20, thread=1, verbose=0, **json.loads(options))
model.save_model(path + ".bin")
model.quantize(input=text, cutoff=4000, qnorm=True, thread=1)
model.save_model(path + ".ftz")
"""
FRESH_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "256", "MALLOC_MMAP_MAX_": "100000"}
ODD = ["", "zzzqqq", "__label__NUM how", "how </s> many what", "éà über how", "  How\tmany\vx\fy  "]


@pytest.mark.parametrize("options", MODELS.values(), ids=MODELS.keys())
def test_trec(public_data, tmp_path, options):
    texts, labels = read_labelled(public_data / "classify" / "trec6.train.tsv")
    prefix = options.get("label", "__label__")
    lines = "".join(f"{prefix}{label} {text}\n" for text, label in zip(texts, labels, strict=True))
    (tmp_path / "train.txt").write_text(lines)
    command = [sys.executable, "-c", TRAIN, tmp_path / "train.txt", tmp_path / "model", json.dumps(options)]
    subprocess.run(command, check=True, env=os.environ | FRESH_MEMORY)
    questions = [*read_labelled(public_data / "classify" / "trec6.test.tsv")[0], *ODD]
    for ending in (".bin", ".ftz"):
        path = f"{tmp_path / 'model'}{ending}"
        theirs, ours = peer.load_model(path).f, load_model(path)  # its own predict() needs NumPy 1
        found = ours.predict_proba(questions)
        expected = np.zeros_like(found)
        names = {f"__label__{label}" if prefix == "__label__" else label: k for k, label in enumerate(ours.labels)}
        for question, row in zip(questions, expected, strict=True):
            for probability, label in theirs.predict(f"{question}\n", -1, 0.0, "strict"):
                row[names[label]] = probability
        # fastText leaves out labels of a tree with probabilities below 1e-5.
        np.testing.assert_allclose(found[expected > 0], expected[expected > 0], atol=1e-6)
        assert (found[expected == 0] < 1.1e-5).all()
        best = [theirs.predict(f"{question}\n", 1, 0.0, "strict")[0][1] for question in questions]
        assert ours.predict(questions).tolist() == [ours.labels[names[label]] for label in best]
