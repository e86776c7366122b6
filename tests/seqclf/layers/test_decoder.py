"""The decoder against its oracle: states, every gradient, threads, and independence of the batch."""

from itertools import pairwise, product

import numpy as np
import pytest

from seqclf.layers.batches import pack
from seqclf.layers.cells import to_panels
from seqclf.layers.decoder import Decoder
from seqclf.layers.decoder_parameters import DecoderShape, decoder_shapes, initial_decoder
from seqclf.layers.decoder_tape import DecoderNoise, Sources
from seqclf.layers.parameters import FlatParameters, Workspace
from seqclf.layers.workers import Workers
from tests.oracles import naive_decoder
from tests.oracles.gradients import directional_derivative

SPANS = np.array([0, 3, 4, 9, 11])  # lengths differ; one source has a single position
OFFSETS = np.array([0, 2, 6, 7, 10])
IDS = np.array([6, 1, 6, 0, 1, 1, 6, 6, 5, 2], np.int32)
MEMBERS = np.arange(4)
H, F = 5, 3


def make(cell="lstm", reset="after", attention="general", layers=1, input_feeding=True, dtype=np.float64, parts=2):
    size, parts = (H, 1) if attention == "dot" else (F, parts)
    shape = DecoderShape(
        vocabulary=7, vector_size=4, hidden_size=H, source_size=size, source_parts=parts, cell=cell, reset=reset,
        layers=layers, attention=attention, input_feeding=input_feeding,
    )  # fmt: skip
    random = np.random.default_rng(3)
    parameters = initial_decoder(shape, random.standard_normal((7, 4)), random)
    assert {name: array.shape for name, array in parameters.items()} == decoder_shapes(shape)
    parameters = {name: each + 0.3 * random.standard_normal(each.shape) for name, each in parameters.items()}
    decoder = Decoder(shape, dtype)
    decoder.attach(FlatParameters(decoder.layout(), dtype))
    decoder.load(parameters)
    return decoder


def sources(decoder):
    """Encoder states and final states, without padding and in the kernels' layout."""
    random, shape = np.random.default_rng(4), decoder.shape
    states, final = (random.standard_normal((rows, shape.source_width)) for rows in (SPANS[-1], 4))
    return states, final, Sources(spread(decoder, states), spread(decoder, final), SPANS)


def spread(decoder, array):
    parts, size = decoder.shape.source_parts, decoder.shape.source_size
    full = np.zeros((len(array), parts, decoder.width // parts), decoder.dtype)
    full[:, :, :size] = array.reshape(len(array), parts, size)
    return full.reshape(len(array), -1)


def unspread(decoder, array):
    parts, size = decoder.shape.source_parts, decoder.shape.source_size
    return array.reshape(len(array), parts, -1)[:, :, :size].reshape(len(array), -1)


def oracle(parameters, states, final, **noise):
    """The attentional states of all targets, one after the other."""
    found = []
    for m, (start, stop) in enumerate(pairwise(OFFSETS)):
        own = states[SPANS[m] : SPANS[m + 1]]
        kept = {name: value[m] for name, value in noise.items()}
        found.append(naive_decoder.decode(parameters, own, final[m], IDS[start:stop], **kept)[0])
    return np.concatenate(found)


def in_order(batch, rows):
    """Packed rows in the order of the concatenated targets."""
    found = []
    for m in MEMBERS:
        s = int(np.flatnonzero(batch.order == m)[0])
        found += [rows[batch.starts[t] + s] for t in range(batch.lengths[s])]
    return np.array(found)


def packed_rows(batch, rows):
    """The inverse of ``in_order``."""
    places = in_order(batch, np.arange(len(rows)))
    found = np.empty_like(rows)
    found[places] = rows
    return found


CASES = [
    *(
        {"cell": cell, "attention": attention}
        for cell, attention in product(("lstm", "rnn"), ("general", "dot", "additive"))
    ),
    {"cell": "gru", "attention": "additive"},
    {"cell": "gru", "reset": "before"},
    {"input_feeding": False},
    {"layers": 3, "attention": "additive"},
    {"layers": 2, "cell": "gru", "reset": "before"},
    {"layers": 2, "cell": "gru", "parts": 1},
]


@pytest.mark.parametrize("options", CASES, ids=lambda case: "-".join(map(str, case.values())))
def test_states_match_the_oracle_and_gradients_are_numerically_correct(options):
    decoder = make(**options)
    states, final, given = sources(decoder)
    batch = pack(IDS, OFFSETS, MEMBERS)
    tape = decoder.forward(batch, given)
    parameters = decoder.parameters()
    np.testing.assert_allclose(in_order(batch, tape.states[:, :H]), oracle(parameters, states, final), rtol=1e-9)
    weights = np.random.default_rng(5).standard_normal((IDS.size, H))
    d_states = np.zeros_like(tape.states)
    d_states[:, :H] = packed_rows(batch, weights)
    found = decoder.backward(tape, d_states)
    gradients = decoder.gradients() | {"target_embedding": np.zeros((7, 4))}
    gradients["target_embedding"][batch.token_ids] = found.d_rows[:, :4]
    assert gradients.keys() == parameters.keys()
    everything = parameters | {"states": states, "final": final}
    gradients |= {"states": unspread(decoder, found.d_states), "final": unspread(decoder, found.d_final)}
    for name, gradient in gradients.items():
        direction = np.random.default_rng(8).standard_normal(gradient.shape)
        slope = directional_derivative(
            lambda: (oracle(parameters, states, final) * weights).sum(), everything[name], direction
        )
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-8), name


def test_sources_without_attention_weigh_their_positions_equally():
    decoder = make(attention="none")
    states, final, given = sources(decoder)
    tape = decoder.forward(pack(IDS, OFFSETS, MEMBERS), given)
    parameters = decoder.parameters()
    # Without a matrix, the oracle compares states of equal width; zeros give equal weights.
    parameters["decoder.attention.w_source"] = np.zeros((H, states.shape[1]))
    expected = oracle(parameters, states, final)
    np.testing.assert_allclose(in_order(tape.batch, tape.states[:, :H]), expected, rtol=1e-9)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_dropout_and_zoneout_match_the_oracle_and_their_gradients(cell):
    decoder = make(cell=cell, layers=2)
    states, final, given = sources(decoder)
    batch, random = pack(IDS, OFFSETS, MEMBERS), np.random.default_rng(6)
    words = random.integers(0, 3, (7, 4)) / 2
    between = random.integers(0, 3, (1, IDS.size, H)) / 2
    holds = (random.random((2, 2, IDS.size, H)) < 0.3).astype(float)
    dropped = random.integers(0, 3, decoder.parameters()["decoder.layers.1.w_hidden"].shape) / 2

    def packed(array):
        return np.stack([np.pad(packed_rows(batch, each), ((0, 0), (0, decoder.hidden - H))) for each in array])

    noise = DecoderNoise(between=packed(between), hold_h=packed(holds[:, 0]))
    noise.words = np.pad(words[batch.token_ids], ((0, 0), (0, decoder.columns - 4)))
    if decoder.cell.has_cell:
        noise.hold_c = packed(holds[:, 1])
    panels = np.ones_like(decoder.views["decoder.w_hidden"])
    panels[1] = to_panels(dropped, decoder.cell.gates, decoder.hidden)
    noise.w_hidden = panels
    pieces = list(pairwise(OFFSETS))
    given_noise = {
        "words": [words] * 4,
        "between": [between[:, start:stop] for start, stop in pieces],
        "holds": [holds[:, :, start:stop] for start, stop in pieces],
    }
    parameters = decoder.parameters()

    def expected():
        name = "decoder.layers.1.w_hidden"
        return oracle(parameters | {name: parameters[name] * dropped}, states, final, **given_noise)

    tape = decoder.forward(batch, given, noise=noise)
    np.testing.assert_allclose(in_order(batch, tape.states[:, :H]), expected(), rtol=1e-9)
    weights = random.standard_normal((IDS.size, H))
    d_states = np.zeros_like(tape.states)
    d_states[:, :H] = packed_rows(batch, weights)
    found = decoder.backward(tape, d_states)
    gradients = decoder.gradients() | {"target_embedding": np.zeros((7, 4))}
    gradients["target_embedding"][batch.token_ids] = found.d_rows[:, :4]
    for name, gradient in gradients.items():
        direction = random.standard_normal(gradient.shape)
        slope = directional_derivative(lambda: (expected() * weights).sum(), parameters[name], direction)
        assert (gradient * direction).sum() == pytest.approx(slope, rel=1e-6, abs=1e-8), name


@pytest.mark.parametrize("attention", ["general", "additive"])
def test_two_threads_give_the_same_bits(attention):
    found = []
    for threads in (1, 2):
        decoder = make(attention=attention, dtype=np.float32)
        _, _, given = sources(decoder)
        with Workers(threads) as workers:
            tape = decoder.forward(pack(IDS, OFFSETS, MEMBERS), given, workers)
            gradients = decoder.backward(tape, tape.states.copy(), workers)
        found.append([tape.states.copy(), *(array.copy() for array in gradients), *decoder.gradients().values()])
    for one, two in zip(*found, strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("options", [{}, {"attention": "additive", "cell": "gru"}, {"layers": 2, "cell": "rnn"}])
def test_steps_of_hypotheses_give_the_bits_of_a_pass_over_targets(options):
    decoder = make(dtype=np.float32, **options)
    _, _, given = sources(decoder)
    batch = pack(IDS, OFFSETS, MEMBERS)
    tape = decoder.forward(batch, given)
    expected = in_order(batch, tape.states)
    memory, state = decoder.remember(given)
    fed, owners = np.zeros((4, decoder.hidden), np.float32), np.array([3, 0, 2, 1])
    state, lengths = np.take(state, owners, axis=1), np.diff(OFFSETS)[owners]
    for t in range(lengths.max()):
        alive = lengths > t
        owners, lengths, fed, state = (
            owners[alive],
            lengths[alive],
            fed[alive],
            np.take(state, np.flatnonzero(alive), 1),
        )
        fed, state, weights = decoder.step(memory, state, fed, IDS[OFFSETS[owners] + t], owners, Workspace(np.float32))
        np.testing.assert_array_equal(fed, expected[OFFSETS[owners] + t])
        ends = np.cumsum(np.diff(SPANS)[owners])
        sums = np.add.reduceat(weights, np.concatenate([[0], ends[:-1]]))
        np.testing.assert_allclose(sums, 1, rtol=1e-6)
