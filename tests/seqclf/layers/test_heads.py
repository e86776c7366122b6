"""Heads: losses against oracles, gradients with two padded directions, parameter shapes, threads, edge cases."""

from types import SimpleNamespace

import numpy as np
import pytest

from seqclf.layers.attention import AttentionPooling
from seqclf.layers.batches import pack
from seqclf.layers.crf_head import CrfHead
from seqclf.layers.heads import MultiLabelHead, QuantileHead, RegressionHead, SoftmaxHead
from seqclf.layers.workers import Workers
from tests.oracles import naive_heads
from tests.oracles.gradients import directional_derivative
from wordvec import InputError

WIDTH, COLUMNS, REAL = 5, 32, [0, 1, 2, 3, 4, 16, 17, 18, 19, 20]  # two directions of 5 units, each padded to 16
LENGTHS = [2, 0, 4, 1, 2]
ROWS = sum(LENGTHS)


def make_batch(lengths=LENGTHS):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return pack(np.zeros(offsets[-1], np.int32), offsets, np.arange(len(lengths)))


def make_states(rows=ROWS, dtype=np.float64, seed=0):
    states = np.zeros((rows, COLUMNS), dtype)
    states[:, REAL] = np.random.default_rng(seed).standard_normal((rows, len(REAL)))
    return states


def make(kind, outputs=3, dtype=np.float64, **options):
    """Return a head whose weights are all nonzero."""
    random = np.random.default_rng(7)
    head = kind(outputs, WIDTH, parts=2, random=random, dtype=dtype, **options)
    head.load({name: array + 0.3 * random.standard_normal(array.shape) for name, array in head.parameters().items()})
    return head


CLASSES = np.array([2, 0, 1, 1, 0, 2, 2, 1, 0], np.int32)
NUMBERS = np.random.default_rng(3).random((ROWS, 3))
ROW_WEIGHTS = np.linspace(0.5, 2, ROWS)
CASES = {
    "softmax": (SoftmaxHead, {"class_weights": np.array([1.0, 0.5, 3.0])}, CLASSES, ROW_WEIGHTS),
    "crf": (CrfHead, {}, CLASSES, np.array([0.5, 2.0, 1.0, 3.0])),
    "labels": (MultiLabelHead, {}, NUMBERS, ROW_WEIGHTS),
    "squares": (RegressionHead, {}, NUMBERS, ROW_WEIGHTS),
    "huber": (RegressionHead, {"huber": 0.5}, NUMBERS, ROW_WEIGHTS),
    "quantiles": (QuantileHead, {"quantiles": [0.2, 0.5, 0.9]}, NUMBERS[:, :1], ROW_WEIGHTS),
}


def expected_loss(name, head, states, batch):
    """Return the loss computed from its formula and the parameters without padding."""
    own = {key.removeprefix("head."): value for key, value in head.parameters().items()}
    scores = states[:, REAL] @ own["weight"].T + own["bias"]
    weights = CASES[name][3]
    if name == "softmax":
        share = ROW_WEIGHTS * head.class_weights[CLASSES] / ROWS
        return -(share * np.log(naive_heads.softmax(scores)[np.arange(ROWS), CLASSES])).sum()
    if name == "crf":
        losses, *_ = naive_heads.crf(
            scores, batch.starts, own["transitions"], own["start"], own["end"], CLASSES, weights
        )
        return (losses * weights).sum() / 4
    if name == "labels":
        p = 1 / (1 + np.exp(-scores))
        losses = -NUMBERS * np.log(p) - (1 - NUMBERS) * np.log(1 - p)
    elif name == "quantiles":
        d = NUMBERS[:, :1] - scores
        losses = np.where(d > 0, d, -d) * np.where(d > 0, head.quantiles, 1 - head.quantiles)
    else:
        d = abs(scores - NUMBERS)
        losses = d**2 if name == "squares" else np.where(d <= 0.5, d * d / 2, 0.5 * (d - 0.25))
    return (weights[:, None] * losses).mean()


@pytest.mark.parametrize("name", CASES)
def test_loss_matches_its_formula_and_gradients_are_numerically_correct(name):
    kind, options, targets, weights = CASES[name]
    head, states, batch = make(kind, **options), make_states(), make_batch()

    def loss():
        return head.loss_and_backward(states, batch, targets, weights)[0]

    got, d_states = head.loss_and_backward(states, batch, targets, weights)
    np.testing.assert_allclose(got, expected_loss(name, head, states, batch), rtol=1e-12)
    gradients = {key: value.copy() for key, value in head.d_views.items()}
    random = np.random.default_rng(2)
    for key, array in [*head.views.items(), ("states", states)]:
        gradient = d_states if key == "states" else gradients[key]
        direction = random.standard_normal(array.shape)
        slope = directional_derivative(loss, array, direction)
        assert abs(gradient).max() > 0, key
        np.testing.assert_allclose((gradient * direction).sum(), slope, atol=1e-8, err_msg=key)


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32_and_close_to_the_formula(name):
    kind, options, targets, weights = CASES[name]
    head, states, batch = make(kind, dtype=np.float32, **options), make_states(dtype=np.float32), make_batch()
    loss, d_states = head.loss_and_backward(states, batch, targets, weights)
    np.testing.assert_allclose(loss, expected_loss(name, head, states, batch), rtol=1e-5)
    double = make(kind, **options)
    np.testing.assert_allclose(d_states, double.loss_and_backward(make_states(), batch, targets, weights)[1], atol=1e-6)
    for key, gradient in head.gradients().items():
        np.testing.assert_allclose(gradient, double.gradients()[key], atol=1e-6)
    assert {array.dtype for array in (d_states, *head.gradients().values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", CASES)
def test_gradients_accumulate_and_can_be_cleared(name):
    kind, options, targets, weights = CASES[name]
    head, states, batch = make(kind, **options), make_states(), make_batch()
    head.loss_and_backward(states, batch, targets, weights)
    once = head.gradients()
    head.loss_and_backward(states, batch, targets, weights)
    for key, gradient in head.gradients().items():
        np.testing.assert_allclose(gradient, 2 * once[key], rtol=1e-12)
    head.clear_gradients()
    assert not any(gradient.any() for gradient in head.gradients().values())


@pytest.mark.parametrize("name", CASES)
def test_parameters_round_trip_without_padding(name):
    kind, options, *_ = CASES[name]
    head, other = make(kind, **options), kind(3, WIDTH, parts=2, dtype=np.float64, **options)
    parameters = head.parameters()
    assert parameters["head.weight"].shape == (3, 10)
    assert parameters["head.bias"].shape == (3,)
    other.load(parameters)
    for key, array in head.views.items():
        np.testing.assert_array_equal(other.views[key], array)
    assert not head.views["head.weight"][:, 5:16].any()


def test_attached_weights_are_views_of_the_networks_arrays():
    head, states, batch = make(CrfHead), make_states(), make_batch()
    views, d_views = ({name: np.zeros(size) for name, size in head.layout().items()} for _ in range(2))
    labels = head.predict(states, batch)
    head.attach(SimpleNamespace(views=views, d_views=d_views))
    head.loss_and_backward(states, batch, CLASSES)
    assert d_views["head.transitions"].any()
    np.testing.assert_array_equal(head.predict(states, batch), labels)
    views["head.start"][:] = [0, 0, 1e4]
    assert (head.predict(states, batch)[:4] == 2).all()


def test_predictions_match_the_formulas():
    states, batch = make_states(), make_batch()
    softmax = make(SoftmaxHead)
    np.testing.assert_array_equal(softmax.predict(states), softmax.forward(states).argmax(axis=1))
    labels = make(MultiLabelHead)
    np.testing.assert_array_equal(labels.predict(states, threshold=0.7), labels.forward(states) >= 0.7)
    regression = make(RegressionHead)
    own = regression.parameters()
    np.testing.assert_allclose(regression.predict(states), states[:, REAL] @ own["head.weight"].T + own["head.bias"])
    crf = make(CrfHead)
    chain = [crf.views[f"head.{name}"] for name in ("transitions", "start", "end")]
    emissions, best, marginals = crf.forward(states), crf.predict(states, batch), crf.marginals(states, batch)
    for rows in naive_heads.sequence_rows(batch.starts):
        assert tuple(best[rows]) == naive_heads.best_path(emissions[rows], *chain)
    np.testing.assert_allclose(marginals, naive_heads.crf(emissions, batch.starts, *chain, CLASSES, np.ones(4))[1])


def test_number_of_threads_does_not_change_a_bit():
    lengths = np.random.default_rng(5).integers(1, 6, 50)
    batch, states = make_batch(lengths), make_states(int(lengths.sum()), np.float32)
    targets = np.arange(len(states), dtype=np.int32) % 3

    def run(threads):
        head = make(CrfHead, dtype=np.float32)
        with Workers(threads) as workers:
            loss, d_states = head.loss_and_backward(states, batch, targets, workers=workers)
        return [loss, d_states, *head.gradients().values()]

    for one, two in zip(run(1), run(2), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("name", CASES)
def test_batch_without_tokens_has_zero_loss_and_gradients(name):
    kind, options, targets, _ = CASES[name]
    head, batch = make(kind, **options), make_batch([0, 0])
    loss, d_states = head.loss_and_backward(np.zeros((0, COLUMNS)), batch, targets[:0])
    assert loss == 0
    assert d_states.shape == (0, COLUMNS)
    assert not any(gradient.any() for gradient in head.gradients().values())
    assert len(head.predict(np.zeros((0, COLUMNS)), batch)) == 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SoftmaxHead(1, 4), "at least 2 classes, got 1"),
        (lambda: CrfHead(1, 4), "at least 2 labels, got 1"),
        (lambda: SoftmaxHead(3, 4, class_weights=np.ones(2)), "2 class weights for 3 classes"),
        (lambda: RegressionHead(1, 4, huber=0.0), "huber must be above 0, got 0.0"),
        (lambda: make(SoftmaxHead).loss_and_backward(make_states(), None, CLASSES[1:]), "one class per row, got"),
        (lambda: make(SoftmaxHead).loss_and_backward(make_states(), None, CLASSES + 1), r"0 \.\. 2, got 1 \.\. 3"),
        (lambda: make(RegressionHead).loss_and_backward(make_states(), None, NUMBERS.T), r"\(9, 3\), got \(3, 9\)"),
    ],
)
def test_invalid_arguments_are_rejected(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_attention_pooling_matches_its_formula_and_gradients_are_numerically_correct():
    pooling, states, batch = make(AttentionPooling, outputs=4), make_states(), make_batch()
    own = {key.removeprefix("pooling."): value for key, value in pooling.parameters().items()}
    expected = naive_heads.attention(states[:, REAL], batch.starts, own["weight"], own["bias"], own["query"], 5)
    d_pooled = np.random.default_rng(1).standard_normal((5, COLUMNS))

    def value():
        return float((pooling.forward(states, batch)[0] * d_pooled).sum())

    pooled, tape = pooling.forward(states, batch)
    np.testing.assert_allclose(tape.weights, expected[0], rtol=1e-12)
    np.testing.assert_allclose(pooled[:, REAL], expected[1], atol=1e-12)
    d_states = pooling.backward(d_pooled, batch, tape)
    random = np.random.default_rng(2)
    for key, array in [*pooling.views.items(), ("states", states)]:
        gradient = d_states if key == "states" else pooling.d_views[key]
        direction = random.standard_normal(array.shape)
        slope = directional_derivative(value, array, direction)
        assert abs(gradient).max() > 0, key
        np.testing.assert_allclose((gradient * direction).sum(), slope, atol=1e-8, err_msg=key)
