"""The page of file formats names every array, and says enough to apply a linear model without the packages."""

import json
import math
import re
import struct
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from seqclf import SequenceClassifier
from seqclf.layers.decoder_parameters import DecoderShape, decoder_shapes

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/reference/file-formats.md").read_text(encoding="utf-8")
FILES = sorted((ROOT / "tests/compatibility").glob("files-*/*.safetensors"))
ORDER = 2**64


def documented():
    """Return the names in code font; a name that starts with a dot continues the one before it on its line."""
    names = set()
    for line in PAGE.splitlines():
        stem = ""
        for name in re.findall(r"`([\w.]+)`", line):
            if not name.startswith("."):
                stem = name.rpartition(".")[0]
            names.add(stem + name if name.startswith(".") else name)
    return names


def general(name):
    return re.sub(r"\.\d+\.", ".K.", name).replace(".reverse.", ".forward.")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_array_is_on_the_page(path):
    assert {general(name) for name in load_file(path)} <= documented()


def test_every_array_of_a_decoder_is_on_the_page():
    shape = DecoderShape(9, 3, 2, source_size=5, cell="gru", attention="additive")
    names = {name if name.endswith("w_feed") else general(name) for name in decoder_shapes(shape)}
    assert names <= documented()


def key(ngram, kind):
    state = 0xCBF29CE484222325
    for byte in ngram.encode():
        state = (state ^ byte) * 0x100000001B3 % ORDER
    state ^= state >> 33
    state = state * 0xFF51AFD7ED558CCD % ORDER
    state ^= state >> 33
    return state & ~1 | kind


def test_a_linear_model_is_applied_as_the_page_says(tmp_path):
    texts = ["a big fire burns", "the flood hit a big town", "a café burns the toast", "we like the big town"] * 3
    model = SequenceClassifier(model="linear", random_state=1).fit(texts, ["yes", "yes", "no", "no"] * 3)
    path = tmp_path / "model.safetensors"
    model.model_.save(path)
    arrays, data = load_file(path), path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    about = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["seqclf"])
    text = "the café burns a big flood a big unknown"
    words = text.split()
    spaced = [f" {word} " for word in words]
    of_words = [" ".join(words[i : i + n]) for n in (1, 2) for i in range(len(words) - n + 1)]
    of_characters = [word[i : i + n] for word in spaced for n in range(2, 6) for i in range(len(word) - n + 1)]
    columns = {key: column for column, key in enumerate(arrays["ngram_keys"].tolist())}
    odds = float(arrays["linear_bias"][0])
    for kind, ngrams in enumerate((of_words, of_characters)):
        found = Counter(columns[key(each, kind)] for each in ngrams if key(each, kind) in columns)
        values = {column: (1 + math.log(count)) * arrays["ngram_idf"][column] for column, count in found.items()}
        norm = math.hypot(*values.values())
        odds += sum(value / norm * arrays["linear_weight"][column, 0] for column, value in values.items())
    second = 1 / (1 + math.exp(-about["weights"][1] * odds))
    np.testing.assert_allclose(model.predict_proba([text])[0], [1 - second, second], atol=1e-5)
