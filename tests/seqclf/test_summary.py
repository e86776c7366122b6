"""The parameters of networks, compared with their files."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import load_file
from sklearn.exceptions import NotFittedError

from cli import main
from seqclf import ClassifierSettings, Forecaster, SequenceClassifier, SequenceToSequence, load_model, train_classifier
from seqclf.summary import summarize
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


@pytest.mark.parametrize(
    ("estimator", "data"),
    [
        (SequenceClassifier(hidden_size=4, epochs=1, validation_fraction=0), (["a day", "a bad day"] * 4, [0, 1] * 4)),
        (SequenceToSequence(hidden_size=4, epochs=1, validation_fraction=0), (["a day", "b"] * 4, ["x", "y z"] * 4)),
        (Forecaster(window=3, horizon=1, hidden_size=4, epochs=1), (np.arange(30.0),)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_estimators_return_it(estimator, data):
    with pytest.raises(NotFittedError):
        estimator.summary()
    found = estimator.fit(*data).summary()
    assert found == summarize(estimator.model_)
    assert found.parameters == sum(array.size for array in estimator.model_.network.parameters().values())


def test_a_linear_model_is_refused():
    estimator = SequenceClassifier(model="linear").fit(["a good day", "a bad day"] * 4, ["yes", "no"] * 4)
    with pytest.raises(InputError, match="is linear and has no recurrent network"):
        estimator.summary()


def test_a_model_without_a_network_is_refused():
    with pytest.raises(InputError, match="only models with one network"):
        summarize(SimpleNamespace(network=None))
