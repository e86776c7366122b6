"""Model files of every kind with forged sizes: rejected from the header, without allocating."""

import json
import tracemalloc
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from seqclf import load_model
from wordvec import FormatError

FILES = Path(__file__).parent.parent / "compatibility" / "files-0.1"
MODELS = [
    *("character-model", "classifier", "classifier-attention", "forecaster", "language-model", "multi-label"),
    *("number-regressor", "regressor", "tagger", "tagger-crf"),
]


def integers(header):
    """Yield the containers and keys of all integers that describe a model."""
    for part in (header, header["settings"]):
        for key, value in part.items():
            if type(value) is int:
                yield part, key


def outcome(path):
    """Return the message of the FormatError, or "" if the model is loaded."""
    try:
        load_model(path)
    except FormatError as error:
        return str(error).removeprefix(str(path))
    return ""


@pytest.mark.parametrize("name", MODELS)
def test_sizes_that_a_header_claims_are_never_allocated(tmp_path, name):
    source, path = FILES / f"{name}.safetensors", tmp_path / "m.safetensors"
    tensors = load_file(source)
    with safe_open(source, "np") as file:
        header = json.loads(file.metadata()["seqclf"])
    load_model(source)  # imports everything
    claimed = list(integers(header))
    assert len(claimed) > 1
    for part, key in claimed:
        for forged in ("0", "-1", "100000000", str(2**62), "9" * 99, "9" * 5000):
            kept, part[key] = part[key], "FORGED"
            text = json.dumps(header).replace('"FORGED"', forged)
            part[key] = kept
            save_file(tensors, path, metadata={"seqclf": text})
            tracemalloc.start()
            message = outcome(path)
            assert len(message) < 300, key
            assert "\n" not in message, key
            assert tracemalloc.get_traced_memory()[1] < 4 * source.stat().st_size + 2_000_000, (key, forged)
            tracemalloc.stop()


@pytest.mark.parametrize("name", ["tagger", "tagger-crf", "classifier", "language-model", "regressor", "forecaster"])
def test_a_hidden_size_that_does_not_match_the_weights_is_rejected(tmp_path, name):
    source, path = FILES / f"{name}.safetensors", tmp_path / "m.safetensors"
    with safe_open(source, "np") as file:
        header = json.loads(file.metadata()["seqclf"])
    (header if "hidden_size" in header else header["settings"])["hidden_size"] = 100_000_000
    save_file(load_file(source), path, metadata={"seqclf": json.dumps(header)})
    with pytest.raises(FormatError, match=r"w_input must be float32 \([1-4]00000000, \d+\), got float32|as wide as"):
        load_model(path)
