"""The sequence-to-sequence network: loss against the oracle, numerical gradients, independence of the batch."""

import pickle
from itertools import pairwise

import numpy as np
import pytest

from seqclf.layers.batches import Sequences
from seqclf.layers.decoder_parameters import NONE, DecoderShape
from seqclf.layers.parameters import EncoderShape, Workspace
from seqclf.layers.workers import Workers
from seqclf.translation.decoding import beam_search
from seqclf.translation.network import (
    EOS,
    Targets,
    TransducerNetwork,
    TransducerShape,
    Vectors,
    initial_transducer,
    pack_sources,
    pack_targets,
    transducer_shapes,
)
from seqclf.translation.stepping import NetworkStepper
from tests.oracles import naive_transducer
from tests.oracles.gradients import directional_derivative

SOURCES = Sequences(np.array([2, 0, 3, 3, 1, 0, 4, 2], np.int32), np.array([0, 1, 5, 8]))
TARGETS = Targets(np.array([3, 0, 2, 0, 4, 1, 3, 0], np.int32), np.array([0, 2, 4, 8]))
VECTORS = Vectors(np.random.default_rng(2).standard_normal((3, 3)))
MEMBERS = np.array([2, 0, 1])


def make(cell="lstm", layers=1, tied=False, vectors=False, smoothing=0.0, dtype=np.float64):
    encoder = None if vectors else EncoderShape(5, 3, 4, cell=cell, layers=layers)
    decoder = DecoderShape(
        vocabulary=6, vector_size=4 if tied else 2, hidden_size=4, source_size=3 if vectors else 4,
        source_parts=1 if vectors else 2, cell=cell, layers=layers, attention=NONE if vectors else "general",
    )  # fmt: skip
    shape, random = TransducerShape(encoder, decoder, tied), np.random.default_rng(5)
    table = None if vectors else random.standard_normal((5, 3)).astype(np.float32)
    parameters = initial_transducer(shape, table, np.arange(5), random)
    assert {name: array.shape for name, array in parameters.items()} == transducer_shapes(shape)
    parameters = {name: array + 0.3 * random.standard_normal(array.shape) for name, array in parameters.items()}
    return TransducerNetwork(shape, parameters, dtype, smoothing=smoothing)


def backward(network, sources, members=MEMBERS, workers=None):
    source, inputs = pack_sources(network, sources, members)
    target, wanted = pack_targets(TARGETS, TARGETS.shifted(network.bos), members)
    return network.backward(network.forward(source, target, workers, inputs=inputs), wanted, workers)


@pytest.mark.parametrize(
    "options",
    [{}, {"smoothing": 0.2, "tied": True}, {"cell": "gru", "layers": 2}, {"vectors": True, "cell": "rnn"}],
    ids=lambda case: "-".join(case) or "plain",
)
def test_loss_matches_the_oracle_and_gradients_are_numerically_correct(options):
    network = make(**options)
    sources = VECTORS if options.get("vectors") else SOURCES
    found = backward(network, sources)
    parameters = network.parameters()
    units = [TARGETS.ids[start:stop].tolist() for start, stop in pairwise(TARGETS.offsets)]
    read = [SOURCES.ids[start:stop].tolist() for start, stop in pairwise(SOURCES.offsets)]
    read = VECTORS.values if options.get("vectors") else read

    def loss():
        return naive_transducer.loss(parameters, read, units, smoothing=network.smoothing)

    assert found.loss == pytest.approx(loss(), rel=1e-9)
    gradients = network.gradients()
    tables = {"target_embedding": found.target} | ({} if found.source is None else {"embedding": found.source})
    for name, (rows, gradient) in tables.items():
        gradients[name] = np.zeros_like(parameters[name])
        gradients[name][rows] = gradient[:, : parameters[name].shape[1]]
    assert gradients.keys() == parameters.keys()
    for name, gradient in gradients.items():
        direction = np.random.default_rng(8).standard_normal(gradient.shape)
        slope = directional_derivative(loss, parameters[name], direction)
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-9), name


def test_two_threads_give_the_same_bits():
    found = []
    for threads in (1, 2):
        network = make(smoothing=0.1, dtype=np.float32)
        with Workers(threads) as workers:
            result = backward(network, SOURCES, workers=workers)
        found.append([np.array(result.loss), result.source[1].copy(), result.target[1].copy(), network.d_dense])
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("vectors", [False, True])
def test_probabilities_do_not_depend_on_the_other_sources(vectors):
    network, sources = make(vectors=vectors, dtype=np.float32), VECTORS if vectors else SOURCES

    def step(members):
        stepper = NetworkStepper.of_members(network, sources, np.array(members), Workspace(np.float32))
        rows = np.arange(len(members))
        first = stepper.step(stepper.start(), rows, np.full(len(members), network.bos, np.int32), rows)
        return stepper.step(first[2], rows, np.full(len(members), 3, np.int32), rows)

    together, attention, _ = step([0, 1, 2])
    assert (together[:, -1] == -np.inf).all()
    np.testing.assert_allclose(np.exp(together).sum(axis=1), 1, rtol=1e-5)
    for member in range(3):
        alone, weights, _ = step([member])
        np.testing.assert_array_equal(alone[0], together[member])
        np.testing.assert_array_equal(weights[0], attention[member, : weights.shape[1]])
        assert not attention[member, weights.shape[1] :].any()


@pytest.mark.parametrize("options", [{}, {"cell": "gru", "layers": 2, "tied": True}, {"vectors": True, "cell": "rnn"}])
@pytest.mark.parametrize("beam", [1, 2])
def test_the_steppers_own_search_finds_what_all_probabilities_give(options, beam):
    network = make(dtype=np.float32, **options)
    sources = VECTORS if options.get("vectors") else SOURCES
    limits = np.array([3, 40, 7])

    def search(narrow, members):
        stepper = NetworkStepper.of_members(network, sources, members, Workspace(np.float32))
        stepper.narrow = narrow
        return beam_search(
            stepper, members.size, beam=beam, n_best=beam, bos=network.bos, eos=EOS, max_lengths=limits[members],
            length_penalty=1.0, coverage_penalty=0.2, source_lengths=sources.lengths[members],
        )  # fmt: skip

    found = search(True, np.arange(3))
    assert max(len(each.tokens) for best in found for each in best) > 0
    for fast, slow in zip(found, search(False, np.arange(3)), strict=True):
        assert [each.tokens for each in fast] == [each.tokens for each in slow]
        for one, other in zip(fast, slow, strict=True):
            assert one.score == pytest.approx(other.score, abs=1e-5)
            np.testing.assert_array_equal(one.attention, other.attention)
    for member, together in enumerate(found):
        for one, other in zip(search(True, np.array([member]))[0], together, strict=True):
            assert (one.tokens, one.score) == (other.tokens, other.score)
            assert one.attention.tobytes() == other.attention.tobytes()


def test_copies_have_the_same_weights_and_settings():
    network = make(tied=True, smoothing=0.3, dtype=np.float32)
    copy = pickle.loads(pickle.dumps(network))
    assert copy.smoothing == 0.3
    for name, array in network.parameters().items():
        np.testing.assert_array_equal(array, copy.parameters()[name])
