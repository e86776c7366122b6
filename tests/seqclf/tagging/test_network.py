"""The tagger's network: loss against the oracle, numerical gradient checks, independence of the batch."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from seqclf.layers.batches import Spelling, pack, summed_by_row, token_places
from seqclf.layers.character_encoder import CharacterShape
from seqclf.layers.parameters import EncoderShape, Workspace
from seqclf.tagging.features import SLOTS, Forms
from seqclf.tagging.network import TaggerNetwork, TaggerShape, initial_tagger, tagger_shapes
from tests.oracles import naive_tagger
from tests.oracles.gradients import directional_derivative

LAYERS = EncoderShape(vocabulary=0, vector_size=5, hidden_size=4)
OFFSETS = np.array([0, 2, 2, 6, 7])  # one sentence is empty
IDS = np.array([1, 0, 3, 3, 2, 1, 4], np.int32)
TAGS = np.array([2, 0, 1, 1, 0, 2, 2], np.int32)
MEMBERS = np.arange(4)
# Two forms share a word ("The" and "the"), two a feature; the last rows are the unknown ones.
FORMS = Forms(
    IDS, OFFSETS, np.array([3, 1, 1, 0, 4], np.int32), np.arange(5 * SLOTS, dtype=np.int32).reshape(5, SLOTS) % 7
)

SPELLED = FORMS._replace(spelling=Spelling(np.array([0, 1, 2, 3, 3, 1, 0, 2], np.int32), np.array([0, 3, 4, 6, 7, 8])))
CHARACTERS = CharacterShape(characters=4, hidden_size=2)


def make(head, dtype=np.float64, spelling=None):
    layers = replace(LAYERS, appended=4) if spelling else LAYERS
    shape = TaggerShape(
        words=5, word_size=3, features=7, feature_size=2, labels=3, head=head, layers=layers, spelling=spelling
    )
    random = np.random.default_rng(5)
    parameters = initial_tagger(shape, random.standard_normal((5, 3)), random)
    assert {name: array.shape for name, array in parameters.items()} == tagger_shapes(shape)
    assert not parameters["features"][-1].any()
    noise = np.random.default_rng(6)
    parameters = {name: array + 0.3 * noise.standard_normal(array.shape) for name, array in parameters.items()}
    return TaggerNetwork(shape, parameters, dtype)


def packed():
    batch = pack(IDS, OFFSETS, MEMBERS)
    return batch, token_places(batch, OFFSETS, MEMBERS)


def oracle(parameters, forms):
    tokens = [(int(forms.words[form]), forms.features[form].tolist()) for form in IDS]
    if forms.spelling is not None:
        spelled = np.split(forms.spelling.ids, forms.spelling.offsets[1:-1])
        tokens = [(*token, spelled[form]) for token, form in zip(tokens, IDS, strict=True)]
    bounds = list(pairwise(OFFSETS))
    sentences = [tokens[start:stop] for start, stop in bounds]
    return naive_tagger.loss(parameters, sentences, [TAGS[start:stop].tolist() for start, stop in bounds])


@pytest.mark.parametrize(
    ("head", "forms", "spelling"), [("softmax", FORMS, None), ("crf", FORMS, None), ("softmax", SPELLED, CHARACTERS)],
    ids=["softmax", "crf", "characters"],
)  # fmt: skip
def test_loss_matches_the_oracle_and_gradients_are_numerically_correct(head, forms, spelling):
    network = make(head, spelling=spelling)
    batch, places = packed()
    loss, d_words, d_features = network.backward(forms, network.forward(forms, batch), TAGS[places])
    parameters = network.parameters()
    assert loss == pytest.approx(oracle(parameters, forms), rel=1e-9)
    gradients = network.gradients()
    for name, (rows, gradient) in (("embedding", d_words), ("features", d_features)):
        gradients[name] = np.zeros_like(parameters[name])
        gradients[name][rows] = gradient
    assert gradients.keys() == parameters.keys()
    for name, gradient in gradients.items():
        direction = np.random.default_rng(8).standard_normal(gradient.shape)
        slope = directional_derivative(lambda: oracle(parameters, forms), parameters[name], direction)
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("head", ["softmax", "crf"])
def test_predictions_do_not_depend_on_the_batch(head):
    network = make(head, np.float32)
    batch, places = packed()
    states = network.states(FORMS, batch, Workspace(np.float32)).copy()
    together = np.empty((len(IDS), 3))
    together[places] = network.probabilities(states, batch)
    np.testing.assert_allclose(together.sum(axis=1), 1, rtol=1e-5)
    for sentence in (0, 2, 3):
        alone = pack(IDS, OFFSETS, np.array([sentence]))
        found = network.probabilities(network.states(FORMS, alone, Workspace(np.float32)), alone)
        np.testing.assert_array_equal(found, together[OFFSETS[sentence] : OFFSETS[sentence + 1]])


def test_empty_batch_has_zero_loss_and_gradients():
    network = make("crf", np.float32)
    batch = pack(IDS, OFFSETS, np.array([1]))
    loss, d_words, d_features = network.backward(FORMS, network.forward(FORMS, batch), TAGS[:0])
    assert loss == 0
    assert not network.d_dense.any()
    assert [len(rows) for rows, _ in (d_words, d_features)] == [0, 0]


def test_gradients_of_repeated_rows_are_summed():
    rows, gradient = np.array([[4, 1], [1, 1], [0, 4]], np.int32), np.array([[1.0, 10], [2, 20], [4, 40]])
    expected = np.zeros((5, 2))
    for row, given in zip(rows, gradient, strict=True):
        for at in row:
            expected[at] += given
    distinct, sums = summed_by_row(rows, gradient)
    assert distinct.tolist() == [0, 1, 4]
    np.testing.assert_array_equal(sums, expected[distinct])
