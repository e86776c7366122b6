"""The language model's network: probabilities against the oracle, gradients of a truncated window, carried states."""

import itertools

import numpy as np
import pytest

from seqclf.language.network import LanguageNetwork, LanguageShape, initial_parameters, parameter_shapes, windows
from seqclf.layers.tape import States
from seqclf.layers.workers import Workers
from tests.oracles import naive_recurrent

WORDS = 7
COUNTS = np.array([9, 5, 4, 3, 2, 2, 1])
TEXT = np.array([0, 3, 1, 6, 2, 2, 5, 0, 1, 4, 3, 0, 2, 6, 1], np.int32)
TIED = LanguageShape(WORDS, 5, 5, layers=2)
UNTIED = LanguageShape(WORDS, 3, 4, tied=False)


def make(shape, dtype=np.float64, **options):
    random = np.random.default_rng(3)
    parameters = initial_parameters(shape, COUNTS, random)
    parameters = {name: (array + 0.3 * random.standard_normal(array.shape)) for name, array in parameters.items()}
    return LanguageNetwork(shape, parameters, dtype, **options), parameters


def oracle(shape, parameters, ids):
    """log p of each token after the first."""
    x, _, _ = naive_recurrent.encode(parameters, parameters["embedding"][ids[:-1]])
    weight = parameters["embedding" if shape.tied else "head.weight"]
    scores = np.array([weight @ row + parameters["head.bias"] for row in x])
    return np.array([row[target] - np.log(np.exp(row).sum()) for row, target in zip(scores, ids[1:], strict=True)])


@pytest.mark.parametrize("shape", [TIED, UNTIED], ids=["tied", "untied"])
def test_probabilities_match_the_oracle(shape):
    network, parameters = make(shape)
    assert {name: array.shape for name, array in parameters.items()} == parameter_shapes(shape)
    np.testing.assert_allclose(network.log_probabilities(TEXT), oracle(shape, parameters, TEXT), atol=1e-12)


def test_windows_with_carried_state_equal_one_long_window():
    network, _ = make(TIED)
    whole = network.log_probabilities(TEXT)
    for steps in (1, 4, 7):
        np.testing.assert_allclose(network.log_probabilities(TEXT, steps=steps), whole, atol=1e-14)


@pytest.mark.parametrize("threads", [2, 3])
def test_scoring_while_reading_gives_the_same_bits(threads, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: threads)
    network, _ = make(TIED, np.float32)
    ids = np.random.default_rng(4).integers(0, len(COUNTS), 500).astype(np.int32)
    with Workers(threads) as workers:
        found = network.log_probabilities(ids, workers, steps=150)
    np.testing.assert_array_equal(found, network.log_probabilities(ids, steps=150))


def test_float32_agrees_with_float64():
    network, parameters = make(TIED, np.float32)
    np.testing.assert_allclose(network.log_probabilities(TEXT), oracle(TIED, parameters, TEXT), atol=1e-5)


def test_streams_of_different_lengths_carry_their_own_states():
    network, parameters = make(TIED)
    bounds, found, carried = np.array([0, 3, 10, 14]), [], None
    for window in windows(TEXT, bounds, 4):
        rows, carried = network.read(window.batch, carried)
        found += zip(window.targets, network.head.log_probabilities(rows, window.targets), strict=True)
    parts = [TEXT[begin : end + 1] for begin, end in itertools.pairwise(bounds)]
    expected = [
        pair for part in parts for pair in zip(part[1:], oracle(TIED, parameters, part), strict=True)
    ]  # the first token of each is given
    np.testing.assert_allclose(np.array(sorted(found)), np.array(sorted(expected)), atol=1e-12)


@pytest.mark.parametrize(
    ("shape", "options"),
    [(TIED, {}), (UNTIED, {}), (TIED, {"samples": 2, "counts": COUNTS})],
    ids=["tied", "untied", "sampled"],
)
def test_gradients_of_a_window_with_constant_initial_state(shape, options):
    """Truncated backpropagation: the initial state is a constant."""
    network, parameters = make(shape, **options)
    random = np.random.default_rng(9)
    first = States(*(random.standard_normal((shape.layers, 2, shape.hidden_size)) for _ in range(2)))
    window = next(windows(TEXT, np.array([0, 4, 9]), 5))
    mask = random.integers(0, 2, (2, network.encoder.features)) * 2.0

    def step():
        return network.backward(window, first, output_mask=mask, random=np.random.default_rng(5) if options else None)

    def loss(name, change):
        moved = parameters | {name: parameters[name] + change}
        network.encoder.load(moved)
        network.head.load(moved)
        return step().loss

    found = step()
    gradients = network.encoder.gradients() | network.head.gradients()
    d_table = np.zeros(network.embedding.shape)
    d_table[slice(None) if found.rows is None else found.rows] = found.d_table
    gradients["embedding"] = d_table[:, : shape.vector_size]
    assert gradients.keys() == parameters.keys()
    for name, gradient in gradients.items():
        direction = random.standard_normal(gradient.shape)
        slope = (loss(name, 1e-5 * direction) - loss(name, -1e-5 * direction)) / 2e-5
        assert (gradient * direction).sum() == pytest.approx(slope, abs=1e-8), name
        assert abs(slope) > 1e-4, name
    assert loss("head.bias", 0) == found.loss
    np.testing.assert_array_equal(step().d_table, found.d_table)  # nothing is left over from earlier steps


def test_initial_biases_are_the_unigram_model():
    parameters = initial_parameters(TIED, COUNTS, np.random.default_rng(1))
    np.testing.assert_allclose(np.exp(parameters["head.bias"]), (COUNTS + 1) / (COUNTS + 1).sum(), rtol=1e-6)
