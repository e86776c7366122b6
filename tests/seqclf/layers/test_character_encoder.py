"""The encoder of characters: against the oracle, its gradients, and independence of the words read with a word."""

import numpy as np
import pytest

from seqclf.layers.batches import Spelling
from seqclf.layers.character_encoder import CharacterEncoder, CharacterShape, character_shapes, initial_characters
from seqclf.layers.parameters import FlatParameters, Workspace
from tests.oracles import naive_characters
from tests.oracles.gradients import directional_derivative

SHAPE = CharacterShape(characters=6, hidden_size=3)
# Five words, of which one has no characters; character 5 is unknown.
SPELLING = Spelling(np.array([1, 0, 2, 2, 3, 5, 4, 0], np.int32), np.array([0, 2, 3, 3, 7, 8]))
WORDS = np.array([3, 0, 2, 4])


def make(dtype):
    encoder, random = CharacterEncoder(SHAPE, dtype), np.random.default_rng(1)
    parameters = initial_characters(SHAPE, random)
    assert {name: array.shape for name, array in parameters.items()} == character_shapes(SHAPE)
    assert not parameters["characters.embedding"][-1].any()
    flat = FlatParameters(encoder.layout(), dtype)
    encoder.attach(flat)
    encoder.load({name: array + 0.3 * random.standard_normal(array.shape) for name, array in parameters.items()})
    return encoder


def oracle(parameters):
    spelled = [SPELLING.ids[SPELLING.offsets[word] : SPELLING.offsets[word + 1]] for word in WORDS]
    return np.array([naive_characters.features(parameters, each) for each in spelled])


def test_features_and_gradients_match_the_oracle():
    encoder = make(np.float64)
    parameters = encoder.parameters()
    tape = encoder.forward(SPELLING, WORDS)
    np.testing.assert_allclose(tape.features, oracle(parameters), rtol=1e-9)
    d_features = np.random.default_rng(2).standard_normal(tape.features.shape)
    encoder.backward(tape, d_features)
    gradients = encoder.gradients()
    assert gradients.keys() == parameters.keys()
    for name, gradient in gradients.items():
        direction = np.random.default_rng(3).standard_normal(gradient.shape)
        slope = directional_derivative(lambda: (oracle(parameters) * d_features).sum(), parameters[name], direction)
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-9), name


def test_features_do_not_depend_on_the_other_words():
    encoder = make(np.float32)
    together = encoder.forward(SPELLING, WORDS).features
    for place, word in enumerate(WORDS):
        found = encoder.forward(SPELLING, np.array([word]), keep=False, workspace=Workspace(np.float32)).features
        np.testing.assert_array_equal(found[0], together[place])
