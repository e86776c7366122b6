"""The network against the oracle, and the oracle against numerical gradients: every parameter, both directions."""

import gc
from dataclasses import replace

import numpy as np
import pytest

from seqclf.classification.network import Network, NetworkShape, parameter_shapes
from seqclf.layers.batch_prediction import predict_rows
from seqclf.layers.batches import Sequences, pack
from seqclf.layers.cells import spread
from seqclf.layers.parameters import Workspace
from seqclf.layers.tape import DropoutMasks
from seqclf.layers.workers import Workers
from tests.oracles import naive_heads, naive_recurrent
from tests.oracles.gradients import directional_derivative, numerical_gradient

# Lengths differ, one text is empty, two have one token, and a word occurs twice in a text and in two texts.
TEXTS = [[3, 1, 3], [], [5], [0, 2, 4, 1, 6], [6]]
TARGETS = np.array([2, 0, 1, 1, 0], dtype=np.int32)
WEIGHTS = np.array([0.5, 1.5, 1.0, 2.0, 0.7])


def encode(texts):
    ids = np.array([token_id for text in texts for token_id in text], dtype=np.int32)
    return ids, np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)


def make_parameters(shape, seed=0):
    random = np.random.default_rng(seed)
    return {name: random.standard_normal(size) * 0.7 for name, size in parameter_shapes(shape).items()}


def make_masks(shape, seed=5):
    random = np.random.default_rng(seed)
    word = (random.random((shape.vocabulary, shape.vector_size)) > 0.4) / 0.6
    pooled = (random.random((len(TEXTS), shape.encoder.features)) > 0.4) / 0.6
    return word, pooled


def run(shape, parameters, *, masks=None, texts=TEXTS, targets=TARGETS, weights=WEIGHTS, dtype=np.float64, threads=1):
    """One forward and backward pass; everything in the caller's order and canonical shapes."""
    network = Network(shape, parameters, dtype)
    batch = pack(*encode(texts), np.arange(len(texts)))
    word_mask = pooled_mask = None
    if masks is not None:
        word_mask = np.zeros((batch.token_ids.size, network.embedding.shape[1]), dtype)
        word_mask[:, : shape.vector_size] = masks[0][batch.token_ids]
        pooled_mask = spread(masks[1][batch.order].astype(dtype), shape.encoder.parts)
    with Workers(threads) as workers:
        tape = network.forward(batch, workers, noise=DropoutMasks(words=word_mask), pooled_mask=pooled_mask)
        probabilities = np.empty((len(texts), shape.classes), dtype)
        probabilities[batch.order] = network.head.forward(tape.features)
        loss, d_rows = network.loss_and_backward(
            tape, targets[batch.order], workers, weights=weights[batch.order].astype(dtype), tune_vectors=True
        )
    gradients = network.gradients()
    gradients["embedding"] = np.zeros((shape.vocabulary, shape.vector_size))
    gradients["embedding"][batch.token_ids] = d_rows[:, : shape.vector_size]
    return loss, probabilities, gradients


SHAPES = [
    NetworkShape(8, 5, 3, 3, pooling="max"),
    NetworkShape(8, 5, 3, 3, pooling="mean", bidirectional=False),
    NetworkShape(8, 3, 18, 3, pooling="last"),  # more units than a panel holds
    NetworkShape(8, 5, 3, 3, cell="rnn", pooling="mean", merge="sum"),
    NetworkShape(8, 5, 3, 3, cell="rnn", pooling="last", bidirectional=False, layers=2),
    NetworkShape(8, 5, 3, 3, cell="gru", pooling="max", layers=2, merge="average"),
    NetworkShape(8, 5, 18, 3, cell="gru", reset="before", pooling="last", layers=2),
    NetworkShape(8, 5, 3, 3, cell="gru", reset="before", pooling="last", merge="multiply"),
    NetworkShape(8, 5, 18, 3, cell="gru", pooling="last", merge="multiply"),
    NetworkShape(8, 5, 3, 3, pooling="last", merge="average", layers=3),
    NetworkShape(8, 5, 3, 3, pooling="mean", merge="multiply", layers=2),
    NetworkShape(8, 5, 3, 3, pooling="last", merge="sum"),
]


def described(shape):
    way = shape.merge if shape.bidirectional else "one-way"
    reset = f"-{shape.reset}" if shape.cell == "gru" else ""
    return f"{shape.cell}{reset}-{way}-{shape.layers}x{shape.hidden_size}-{shape.pooling}"


def oracle(shape, parameters, masks=None, texts=TEXTS, targets=TARGETS, weights=WEIGHTS):
    word_masks, pooled_masks = masks or (None, None)
    options = {"pooling": shape.pooling, "merge": shape.merge, "word_masks": word_masks, "pooled_masks": pooled_masks}
    return naive_recurrent.classifier(parameters, texts, targets, weights, **options)


@pytest.mark.parametrize("shape", SHAPES, ids=described)
def test_gradients_of_the_oracle_are_numerically_correct(shape):
    parameters, masks = make_parameters(shape), make_masks(shape)
    _, _, gradients = oracle(shape, parameters, masks)
    for name, array in parameters.items():
        if array.size <= 20:
            slopes = numerical_gradient(lambda: oracle(shape, parameters, masks)[0], array)
            np.testing.assert_allclose(gradients[name], slopes, atol=1e-8, err_msg=name)
        else:
            direction = np.random.default_rng(1).standard_normal(array.shape)
            slope = directional_derivative(lambda: oracle(shape, parameters, masks)[0], array, direction)
            np.testing.assert_allclose((gradients[name] * direction).sum(), slope, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("dropped", [False, True], ids=["whole", "dropout"])
@pytest.mark.parametrize("shape", SHAPES, ids=described)
def test_loss_probabilities_and_gradients_match_the_oracle(shape, dropped):
    parameters = make_parameters(shape)
    masks = make_masks(shape) if dropped else None
    expected = oracle(shape, parameters, masks)
    loss, probabilities, gradients = run(shape, parameters, masks=masks)
    np.testing.assert_allclose(loss, expected[0], rtol=1e-12)
    np.testing.assert_allclose(probabilities, expected[1], rtol=1e-12)
    assert gradients.keys() == expected[2].keys()
    for name, gradient in expected[2].items():
        assert np.abs(gradient).max() > 0, name
        np.testing.assert_allclose(gradients[name], gradient, atol=1e-12, err_msg=name)


def test_float32_with_rational_tanh_matches_the_oracle():
    shape = SHAPES[2]
    parameters = make_parameters(shape)
    expected = oracle(shape, parameters)
    loss, probabilities, gradients = run(shape, parameters, dtype=np.float32)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(loss, expected[0], rtol=1e-5)
    np.testing.assert_allclose(probabilities, expected[1], atol=2e-6)
    for name, gradient in expected[2].items():
        np.testing.assert_allclose(gradients[name], gradient, atol=5e-6, err_msg=name)


ATTENTION = NetworkShape(8, 5, 3, 3, pooling="attention")


@pytest.mark.parametrize(
    "shape", [SHAPES[0], ATTENTION, replace(ATTENTION, bidirectional=False, layers=2, cell="gru")], ids=described
)
def test_gradients_are_numerically_correct(shape):
    parameters, masks = make_parameters(shape), make_masks(shape)
    _, _, gradients = run(shape, parameters, masks=masks)
    for name, array in parameters.items():
        direction = np.random.default_rng(2).standard_normal(array.shape)
        slope = directional_derivative(lambda: run(shape, parameters, masks=masks)[0], array, direction)
        assert gradients[name].any(), name
        np.testing.assert_allclose((gradients[name] * direction).sum(), slope, atol=1e-8, err_msg=name)


def test_attention_pooling_matches_the_oracle():
    parameters = make_parameters(ATTENTION)
    layer = [parameters[f"pooling.{name}"] for name in ("weight", "bias", "query")]
    _, probabilities, _ = run(ATTENTION, parameters)
    for text, row in zip(TEXTS, probabilities, strict=True):
        states, _, _ = naive_recurrent.encode(parameters, parameters["embedding"][text])
        _, (pooled,) = naive_heads.attention(states, np.arange(len(text) + 1), *layer, 1)
        odds = np.exp(parameters["head.weight"] @ pooled + parameters["head.bias"])
        np.testing.assert_allclose(row, odds / odds.sum(), rtol=1e-12)


@pytest.mark.parametrize("shape", [SHAPES[0], ATTENTION], ids=described)
def test_number_of_threads_does_not_change_a_bit(shape):
    one, two = (run(shape, make_parameters(shape), dtype=np.float32, threads=threads) for threads in (1, 2))
    assert one[0] == two[0]
    for name, gradient in one[2].items():
        np.testing.assert_array_equal(gradient, two[2][name])


def test_parameters_round_trip_through_the_kernels_layout():
    for shape in [*SHAPES, ATTENTION]:
        parameters = make_parameters(shape)
        back = Network(shape, parameters, np.float64).parameters()
        assert back.keys() == parameters.keys() == parameter_shapes(shape).keys()
        for name, array in parameters.items():
            np.testing.assert_array_equal(back[name], array)


def test_parameters_and_gradients_are_copies():
    shape = NetworkShape(8, 16, 16, 3)  # without padding, removing it makes no copy
    network = Network(shape, make_parameters(shape), np.float64)
    named, gradients = network.parameters(), network.gradients()
    before = {name: values.copy() for name, values in named.items()}
    network.dense += 1
    network.embedding[:] += 1
    network.d_dense[:] = 1
    for name, values in named.items():
        np.testing.assert_array_equal(values, before[name], err_msg=name)
    assert not any(values.any() for values in gradients.values())


def test_batch_of_empty_texts_matches_the_oracle():
    shape = SHAPES[0]
    parameters = make_parameters(shape)
    loss, probabilities, gradients = run(
        shape, parameters, texts=[[], []], targets=np.array([1, 2], np.int32), weights=np.ones(2)
    )
    expected = naive_recurrent.classifier(parameters, [[], []], [1, 2], np.ones(2))
    np.testing.assert_allclose(loss, expected[0])
    np.testing.assert_allclose(probabilities, expected[1])
    np.testing.assert_allclose(gradients["head.bias"], expected[2]["head.bias"])
    assert not gradients["embedding"].any()
    assert not gradients["layers.0.forward.w_input"].any()


@pytest.mark.parametrize(("bidirectional", "pooling"), [(True, "max"), (False, "max"), (True, "attention")])
def test_predictions_do_not_depend_on_the_batch(bidirectional, pooling):
    shape = NetworkShape(40, 20, 24, 3, bidirectional=bidirectional, pooling=pooling)
    network = Network(shape, make_parameters(shape))
    random = np.random.default_rng(3)
    texts = [random.integers(0, 40, length).tolist() for length in (7, 1, 0, 4, 4, 9, 2, 5, 7)]
    ids, offsets = encode(texts)

    def predict(members):
        batch = pack(ids, offsets, np.array(members))
        rows = network.predict(batch)
        return {members[place]: rows[s] for s, place in enumerate(batch.order)}

    alone = {member: predict([member])[member] for member in range(len(texts))}
    for members in ([0, 1, 2, 3, 4, 5, 6, 7, 8], [8, 0, 5], [1, 2], [4, 3, 7, 0, 6], [6, 5]):
        for member, row in predict(members).items():
            np.testing.assert_array_equal(row, alone[member])


def test_single_text_gives_the_same_bits_and_leaves_no_reference_cycles():
    shape = NetworkShape(7, 5, 18, 3)
    network = Network(shape, make_parameters(shape), np.float32)
    ids, offsets = encode(TEXTS)
    with Workers(1) as workers:
        together = predict_rows(network, Sequences(ids, offsets), workers)
        for member in range(len(TEXTS)):
            own = ids[offsets[member] : offsets[member + 1]], np.array([0, len(TEXTS[member])])
            np.testing.assert_array_equal(predict_rows(network, Sequences(*own), workers)[0], together[member])
        gc.collect()
        predict_rows(network, Sequences(*own), workers)
        assert gc.collect() == 0, "a reference cycle; collecting it takes longer than a prediction"


def test_prediction_equals_the_training_forward_pass():
    shape = SHAPES[0]
    parameters = make_parameters(shape)
    network = Network(shape, parameters)
    batch = pack(*encode(TEXTS), np.arange(len(TEXTS)))
    with Workers(1) as workers:
        features = network.forward(batch, workers).features
        np.testing.assert_array_equal(network.predict(batch), network.head.forward(features))


def test_workspace_reuses_its_memory():
    workspace = Workspace(np.float32)
    first = workspace.array("a", 4, 5)
    again = workspace.array("a", 3, 2)
    assert np.shares_memory(first, again)
    assert again.shape == (3, 2)
    assert not np.shares_memory(first, workspace.array("b", 4, 5))
    assert workspace.array("a", 100, 2).shape == (100, 2)
    assert workspace.array("ids", 3, dtype=np.int32).dtype == np.int32
