"""Encoder, pooling and regression head: numerical gradient checks, with input vectors and with an embedding."""

import numpy as np
import pytest

from seqclf.layers.batches import pack, pack_alone
from seqclf.layers.choices import POOLINGS
from seqclf.layers.heads import RegressionHead
from seqclf.layers.parameters import EncoderShape, Workspace, initial_encoder
from seqclf.layers.pooled_network import PooledNetwork
from seqclf.layers.pooling import pooling_shapes
from seqclf.layers.workers import Workers

OFFSETS = np.array([0, 3, 3, 5, 9])  # the second sequence is empty
TARGETS = np.array([[1.0, -2.0], [0.5, 0.25], [3.0, 1.0], [-1.0, 0.0]])


def make(vocabulary, pooling, dtype=np.float64):
    random = np.random.default_rng(3)
    shape = EncoderShape(vocabulary, 2, 3, bidirectional=bool(vocabulary))
    head = RegressionHead(2, 3, parts=shape.parts, random=random, dtype=dtype)
    table = random.standard_normal((vocabulary, 2)) if vocabulary else None
    parameters = initial_encoder(shape, table, random) | head.parameters()
    for name, size in pooling_shapes(shape, pooling).items():
        parameters[name] = random.standard_normal(size)
    return PooledNetwork(shape, head, parameters, pooling=pooling, dtype=dtype)


def batch_of(ids):
    batch = pack(ids.astype(np.int32), OFFSETS, np.arange(4))
    return batch, TARGETS[batch.order]


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("given", [True, False])
def test_gradients_are_numerically_correct(pooling, given):
    network = make(0 if given else 6, pooling)
    ids = np.arange(9) if given else np.array([5, 0, 2, 4, 0, 1, 2, 2, 3])
    batch, targets = batch_of(ids)
    inputs = np.random.default_rng(4).standard_normal((9, 2)) if given else None
    with Workers(1) as workers:

        def loss():
            tape = network.forward(batch, workers, inputs=inputs)
            return network.loss_and_backward(tape, targets, workers, tune_vectors=not given)

        _, d_rows = loss()
        gradient, d_rows = network.d_dense.copy(), d_rows.copy()
        random = np.random.default_rng(5)
        for place in random.choice(np.flatnonzero(gradient), 12, replace=False):
            assert slope(network.dense, place, loss) == pytest.approx(gradient[place], abs=1e-7)
        if not given:
            row, column = 1, 0
            place = batch.token_ids[row] * network.embedding.shape[1] + column
            assert slope(network.embedding.reshape(-1), place, loss) == pytest.approx(d_rows[row, column], abs=1e-7)


def slope(values, place, loss, step=1e-5):
    before = values[place]
    found = []
    for side in (step, -step):
        values[place] = before + side
        found.append(loss()[0])
    values[place] = before
    return (found[0] - found[1]) / (2 * step)


def test_prediction_equals_the_training_forward_pass():
    network = make(6, "attention", np.float32)
    batch, _ = batch_of(np.array([5, 0, 2, 4, 0, 1, 2, 2, 3]))
    with Workers(1) as workers:
        kept = network.head.forward(network.forward(batch, workers).features)
    np.testing.assert_array_equal(network.predict(batch), kept)


@pytest.mark.parametrize("pooling", ["mean", "last", "attention"])
def test_a_workspace_may_be_reused_for_other_texts(pooling):
    # Its records hold arrays that a longer text replaces, and serve all texts of one length.
    network, ids = make(6, pooling, np.float32), np.array([5, 0, 2, 4, 0, 1, 2, 2, 3], np.int32)
    space = Workspace(np.float32)
    for first, last in ((0, 2), (1, 3), (0, 9), (3, 5), (8, 9), (0, 9)):
        members, offsets = np.zeros(1, np.int64), np.array([first, last])
        batched = network.predict(pack(ids, offsets, members))
        np.testing.assert_array_equal(network.predict(pack_alone(ids[first:last]), space), batched)
