"""The encoder without a head: states and gradients of every cell against the oracle, initial states, dropout masks."""

import gc

import numpy as np
import pytest

from seqclf.layers.batches import pack
from seqclf.layers.cells import spread, unspread
from seqclf.layers.encoder import Encoder
from seqclf.layers.parameters import EncoderShape, FlatParameters, Workspace, encoder_shapes, initial_encoder
from seqclf.layers.tape import DropoutMasks, States
from seqclf.layers.workers import Workers
from seqclf.training.optimizers import Adam
from tests.oracles import naive_recurrent

TEXTS = [[3, 1, 3], [], [5], [0, 2, 4, 1, 6], [6], [2, 2]]
SHAPES = [
    EncoderShape(8, 5, 3, cell="rnn", layers=2, merge="multiply"),
    EncoderShape(8, 5, 3, cell="gru", bidirectional=False, layers=2),
    EncoderShape(8, 5, 18, cell="gru", reset="before"),
    EncoderShape(8, 5, 3, cell="lstm", layers=2),
    EncoderShape(8, 5, 18, cell="lstm", bidirectional=False),
]


def described(shape):
    return f"{shape.cell}-{shape.reset}-{len(shape.directions)}x{shape.layers}"


def encode(texts):
    ids = np.array([token_id for text in texts for token_id in text], dtype=np.int32)
    return ids, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


def make(shape, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    parameters = {name: random.standard_normal(size) * 0.7 for name, size in encoder_shapes(shape).items()}
    encoder = Encoder(shape, dtype)
    flat = FlatParameters(encoder.layout(), dtype)
    encoder.attach(flat)
    encoder.load(parameters)
    return encoder, parameters


def make_noise(shape, batch, seed=3):
    """Return dropout masks as the oracle takes them, by (layer, direction)."""
    random = np.random.default_rng(seed)
    lanes = [(layer, direction) for layer in range(shape.layers) for direction in shape.directions]
    packed, hidden = int(batch.starts[-1]), shape.hidden_size
    between = [random.integers(0, 3, (packed, shape.features)) / 2 for _ in range(shape.layers - 1)]
    holds = {lane: (random.random((2, packed, hidden)) < 0.3).astype(float) for lane in lanes}
    gates = encoder_shapes(shape)["layers.0.forward.bias"][0] // hidden
    dropped = {lane: random.integers(0, 3, (gates * hidden, hidden)) / 2 for lane in lanes}
    return between, holds, dropped


def in_kernels(shape, encoder, between, holds, dropped):
    from seqclf.layers.cells import to_panels

    def lanes(function):
        return [[function((layer, d)) for d in shape.directions] for layer in range(shape.layers)]

    return DropoutMasks(
        between=[spread(factors, shape.parts) for factors in between],
        w_hidden=lanes(lambda lane: to_panels(dropped[lane], encoder.cell.gates, encoder.hidden)),
        hold_h=lanes(lambda lane: spread(holds[lane][0], 1)),
        hold_c=lanes(lambda lane: spread(holds[lane][1], 1)) if encoder.cell.has_cell else (),
    )


def rows_of(batch, s):
    return batch.starts[:-1][: batch.lengths[s]] + s


@pytest.mark.parametrize("noisy", [False, True], ids=["plain", "noise"])
@pytest.mark.parametrize("shape", SHAPES, ids=described)
def test_states_and_gradients_match_the_oracle(shape, noisy):
    encoder, parameters = make(shape)
    batch = pack(*encode(TEXTS), np.arange(len(TEXTS)))
    between, holds, dropped = make_noise(shape, batch)
    noise = in_kernels(shape, encoder, between, holds, dropped) if noisy else None
    random = np.random.default_rng(1)
    d_states = random.standard_normal((int(batch.starts[-1]), shape.features))
    d_final = random.standard_normal((len(TEXTS), shape.features))
    with Workers(2) as workers:
        tape = encoder.forward(batch, workers, noise=noise)
        states, final = tape.states.copy(), tape.final.copy()
        d_padded = spread(d_states, shape.parts)
        d_rows = encoder.backward(tape, d_padded, workers, d_final=spread(d_final, shape.parts))
    gradients = encoder.gradients()
    if noisy:
        parameters = dict(parameters)
        for (layer, direction), factors in dropped.items():
            name = f"layers.{layer}.{direction}.w_hidden"
            parameters[name] = parameters[name] * factors
    expected = {name: np.zeros(array.shape) for name, array in parameters.items()}
    for s, member in enumerate(batch.order):
        ids, rows = np.array(TEXTS[member], int), rows_of(batch, s)
        options = {"merge": shape.merge, "between": [factors[rows] for factors in between] if noisy else None}
        kept_masks = {lane: (h[rows], c[rows]) for lane, (h, c) in holds.items()} if noisy else None
        x, last, kept = naive_recurrent.encode(parameters, parameters["embedding"][ids], holds=kept_masks, **options)
        np.testing.assert_allclose(unspread(states[rows], shape.parts, shape.hidden_size), x, atol=1e-13)
        np.testing.assert_allclose(unspread(final[s], shape.parts, shape.hidden_size), last, atol=1e-13)
        d_x, found = naive_recurrent.encode_back(kept, d_states[rows], d_final[s], **options)
        np.add.at(expected["embedding"], ids, d_x)
        for name, gradient in found.items():
            expected[name] += gradient
    for name, gradient in gradients.items():
        if noisy and name.endswith("w_hidden"):
            _, layer, direction, _ = name.split(".")
            expected[name] *= dropped[int(layer), direction]
        assert np.abs(gradient).max() > 0, name
        np.testing.assert_allclose(gradient, expected[name], atol=1e-12, err_msg=name)
    np.testing.assert_allclose(d_rows[:, : shape.vector_size], expected["embedding"][batch.token_ids], atol=1e-12)


@pytest.mark.parametrize("shape", [SHAPES[1], SHAPES[4]], ids=described)
def test_states_of_a_split_text_match_those_of_the_whole(shape):
    encoder, _ = make(shape)
    ids, offsets = encode([[3, 1, 3, 0, 2, 4], [5, 6, 0, 1, 1, 2], [2, 1]])
    whole = pack(ids, offsets, np.arange(3))
    states = encoder.forward(whole).states.copy()
    carried, pieces = None, []
    for start in (0, 2, 4):
        members = np.arange(2)
        piece = pack(ids[np.r_[start : start + 2, 6 + start : 8 + start]], np.array([0, 2, 4]), members)
        tape = encoder.forward(piece, first=carried)
        carried = tape.last
        pieces.append(tape.states.reshape(2, 2, -1).copy())
    together = np.concatenate(pieces)
    for s in range(2):
        np.testing.assert_allclose(together[:, s], states[rows_of(whole, s)], atol=1e-14)


@pytest.mark.parametrize("shape", SHAPES, ids=described)
def test_gradient_of_the_initial_state_is_numerically_correct(shape):
    encoder, _ = make(shape)
    batch, random = pack(*encode(TEXTS), np.arange(len(TEXTS))), np.random.default_rng(1)
    last = encoder.forward(batch).last
    first = States(random.standard_normal(last.h.shape), random.standard_normal(last.c.shape))
    d_states = random.standard_normal((int(batch.starts[-1]), shape.features))

    def loss():
        return (unspread(encoder.forward(batch, first=first).states, shape.parts, shape.hidden_size) * d_states).sum()

    tape = encoder.forward(batch, first=first)
    encoder.backward(tape, spread(d_states, shape.parts))
    for given, gradient in ((first.h, tape.d_first.h), (first.c, tape.d_first.c)):
        flat = given.reshape(-1)
        for place in range(0, flat.size, 7):
            kept, flat[place] = flat[place], flat[place] + 1e-6
            higher = loss()
            flat[place] = kept - 1e-6
            slope, flat[place] = (higher - loss()) / 2e-6, kept
            assert gradient.reshape(-1)[place] == pytest.approx(slope, abs=1e-7)
        assert not given.size or np.abs(gradient).max() > 0


@pytest.mark.parametrize("shape", SHAPES, ids=described)
def test_d_every_equals_the_same_d_states_in_every_step(shape):
    encoder, _ = make(shape)
    batch = pack(*encode(TEXTS), np.arange(len(TEXTS)))
    d_every = spread(np.random.default_rng(1).standard_normal((len(TEXTS), shape.features)), shape.parts)
    d_states = np.empty((int(batch.starts[-1]), encoder.features))
    for s in range(len(TEXTS)):
        d_states[rows_of(batch, s)] = d_every[s]
    found = []
    for given in ({"d_every": d_every}, {"d_states": d_states}):
        tape = encoder.forward(batch)
        d_rows = encoder.backward(tape, **given).copy()
        found.append([d_rows, *encoder.gradients().values()])
        for group in encoder.d_weights:
            for weights in (one for layer in group for one in layer):
                for array in weights:
                    array[:] = 0
    for left, right in zip(*found, strict=True):
        np.testing.assert_array_equal(left, right)


def test_last_states_are_in_the_callers_order():
    encoder, parameters = make(SHAPES[3])
    tape = encoder.forward(pack(*encode(TEXTS), np.arange(len(TEXTS))))
    for member, text in enumerate(TEXTS):
        _, _, kept = naive_recurrent.encode(parameters, parameters["embedding"][np.array(text, int)])
        for layer, (_, runs, _) in enumerate(kept):
            for number, steps in enumerate(runs.values()):
                h, c = tape.last.h[2 * layer + number, member], tape.last.c[2 * layer + number, member]
                np.testing.assert_allclose(h, steps[-1]["h"] if steps else 0, atol=1e-14)
                np.testing.assert_allclose(c, steps[-1]["c"] if steps else 0, atol=1e-14)


def test_input_vectors_instead_of_tokens():
    looked_up, parameters = make(SHAPES[4])
    batch = pack(*encode(TEXTS), np.arange(len(TEXTS)))
    given, _ = make(EncoderShape(0, 5, 18, bidirectional=False))
    given.load(parameters)
    states = given.forward(batch, inputs=parameters["embedding"][batch.token_ids]).states
    np.testing.assert_array_equal(states, looked_up.forward(batch).states)


@pytest.mark.parametrize("shape", SHAPES, ids=described)
def test_number_of_threads_does_not_change_a_bit(shape, monkeypatch):
    monkeypatch.setattr("seqclf.layers.workers.available_cores", lambda: 4)
    found = []
    for threads in (1, 2, 4):
        encoder, _ = make(shape, np.float32)
        batch = pack(*encode(TEXTS), np.arange(len(TEXTS)))
        with Workers(threads) as workers:
            tape = encoder.forward(batch, workers)
            d_states = np.ones_like(tape.states)
            found.append([tape.states.copy(), encoder.backward(tape, d_states, workers), *encoder.gradients().values()])
    for other in found[1:]:
        for left, right in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_gradients_replace_those_of_the_batch_before(bidirectional):
    encoder, _ = make(EncoderShape(8, 5, 3, bidirectional=bidirectional), np.float32)

    def gradients(texts):
        batch = pack(*encode(texts), np.arange(len(texts)))
        tape = encoder.forward(batch)
        encoder.backward(tape, np.ones_like(tape.states))
        return encoder.gradients()

    first = gradients(TEXTS)
    assert not any(array.any() for array in gradients([[], []]).values())
    for name, again in gradients(TEXTS).items():
        np.testing.assert_array_equal(again, first[name])
        assert again.any()


def test_one_lstm_cell_learns_to_remember_five_steps():
    """Two sequences that differ only in the first step, on which the target depends."""
    sequences = np.array([[0, 0.5, 0.25, 1], [1, 0.5, 0.25, 1]])
    shape = EncoderShape(0, 1, 1, bidirectional=False)
    encoder = Encoder(shape)
    flat = FlatParameters(encoder.layout(), np.float32)
    encoder.attach(flat)
    encoder.load(initial_encoder(shape, None, np.random.default_rng(1)))
    adam = Adam(flat.values)
    batch = pack(np.arange(8, dtype=np.int32), np.array([0, 4, 8]), np.arange(2))
    for _ in range(600):
        tape = encoder.forward(batch, inputs=sequences.reshape(-1, 1))
        d_final = tape.final.copy()
        d_final[:, 0] -= [0, 1]
        encoder.backward(tape, None, d_final=d_final, tune_vectors=False)
        adam.step(flat.gradient, learning_rate=0.05)
    assert encoder.forward(batch, inputs=sequences.reshape(-1, 1)).final[:, 0] == pytest.approx([0, 1], abs=0.1)


def test_very_long_text_has_finite_states_and_gradients():
    shape = EncoderShape(8, 5, 3)
    encoder, _ = make(shape, np.float32)
    random = np.random.default_rng(0)
    encoder.load(initial_encoder(shape, random.standard_normal((8, 5)).astype(np.float32), random))
    ids = np.random.default_rng(0).integers(0, 8, 100_000).astype(np.int32)
    tape = encoder.forward(pack(ids, np.array([0, ids.size]), np.arange(1)))
    assert np.isfinite(tape.final).all()
    d_rows = encoder.backward(tape, None, d_final=np.ones_like(tape.final))
    assert np.isfinite(d_rows).all()
    assert d_rows.any()


def test_a_workspace_keeps_no_record_of_an_encoder_that_is_gone():
    space, batch = Workspace(np.float64), pack(*encode(TEXTS), np.arange(len(TEXTS)))

    def check(size):
        encoder, _ = make(EncoderShape(8, 5, size, cell="gru", bidirectional=False))
        found = encoder.forward(batch, keep=False, workspace=space).states.copy()
        np.testing.assert_array_equal(found, encoder.forward(batch, keep=False, workspace=Workspace(np.float64)).states)

    for size in [40, 3] * 10:  # the next encoder may lie in memory where the last one did
        check(size)
        gc.collect()
