"""The parameters of networks, compared with their files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file

from cli import main
from seqclf import ClassifierSettings, load_model, train_classifier
from seqclf.inspection.summary import summarize
from wordvec import InputError


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("summary") / "model.safetensors"
    settings = ClassifierSettings(hidden_size=4, vector_size=3, epochs=1, validation_fraction=0)
    train_classifier(["a good day", "a bad day"] * 4, ["yes", "no"] * 4, settings=settings, threads=1).save(path)
    return path


def test_shapes_are_those_of_the_file(path):
    found, tensors = summarize(load_model(path)), load_file(path)
    assert found.shapes == {name: tensors[name].shape for name in found.shapes}
    assert found.parameters == sum(tensors[name].size for name in found.shapes)
    assert found.bytes == sum(tensors[name].nbytes for name in found.shapes)
    assert found.training_bytes == 4 * found.bytes
    assert {name for name in tensors if tensors[name].dtype == np.float32} <= found.shapes.keys()


def test_the_command_lists_them(path):
    found = summarize(load_model(path))
    text = CliRunner().invoke(main.wordvec, ["info", str(path), "--parameters"])
    assert text.stdout == f"{found}\n"
    facts = json.loads(CliRunner().invoke(main.wordvec, ["info", str(path), "--parameters", "--json"]).stdout)
    assert facts["parameters"] == found.parameters
    assert facts["shapes"]["embedding"] == list(found.shapes["embedding"])


def test_a_model_without_a_network_is_refused():
    with pytest.raises(InputError, match="only models with one network"):
        summarize(SimpleNamespace(network=None))
