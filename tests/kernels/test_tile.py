"""Tile kernel against a float64 oracle, which is checked against the numerical gradient of the loss."""

import numpy as np
import pytest

from tests.oracles import naive
from tests.oracles.gradients import numerical_gradient
from wordvec.kernels.simd import kernel, load, store
from wordvec.kernels.tile import (
    LOSS_PAIRS,
    LOSS_SQUARES,
    LOSS_SUM,
    LOSS_TILES,
    LOSS_TIMES_PAIRS,
    PAIR_SQUARES,
    Tile,
    add_loss,
    run_tile,
    run_tile_with_own_rows,
    sigmoid,
)

# Float32 sums of about ten products of numbers near 1, each rounded to 2^-24.
TOLERANCE = 4e-6


@kernel
def sigmoids(x, out):
    for k in range(0, x.size, 16):
        store(out, k, sigmoid(load(x, k)))


# -- the sigmoid ------------------------------------------------------------------------------------------------------


def sigmoid_of(values):
    x = np.zeros(-(-len(values) // 16) * 16, np.float32)
    x[: len(values)] = values
    out = np.full(len(x), -1, np.float32)
    sigmoids(x, out)
    return out[: len(values)]


def test_sigmoid_matches_the_logistic_function_in_float64():
    x = np.concatenate([np.linspace(-40, 40, 20_001), np.linspace(-1e-3, 1e-3, 999), [0]]).astype(np.float32)
    found = sigmoid_of(x)
    assert np.abs(found - naive.logistic(x)).max() < 3e-7
    assert (found >= 0).all()
    assert (found <= 1).all()
    # Monotonic up to rounding, and exact at 0.
    assert (np.diff(found[:20_001]) > -3e-7).all()
    assert found[-1] == 0.5
    np.testing.assert_allclose(sigmoid_of(-x), 1 - found.astype(np.float64), atol=1.2e-7)


def test_sigmoid_saturates_and_propagates_nan():
    found = sigmoid_of([-np.inf, -1e30, -90, -17, 17, 90, 1e30, np.inf, np.nan])
    assert ((found[:4] >= 0) & (found[:4] < 1e-6)).all()
    assert ((found[4:8] <= 1) & (found[4:8] > 1 - 1e-6)).all()
    assert np.isnan(found[8]), "an overflow must not be hidden by clipping"


# -- the tile ---------------------------------------------------------------------------------------------------------


class Case:
    """Random memory and tile with zero padding."""

    def __init__(self, count, size, *, seed=0, rate=0.05, duplicates=False):
        random = np.random.default_rng(seed)
        self.count, self.size, self.stride = count, size, -(-size // 16) * 16
        self.padded = -(-count // 4) * 4
        total = self.padded + 9  # rows, four inputs, a few unused rows and the padding row, shuffled
        order = random.permutation(total - 1)
        self.rows, self.inputs = order[:count], order[count : count + 4]
        if duplicates:
            self.rows[[count - 1, 2]] = self.rows[[0, 1]]
            self.inputs[3] = self.inputs[1]
        self.pad = total - 1
        self.memory = np.zeros((total, self.stride), np.float32)
        self.memory[:-1, :size] = random.standard_normal((total - 1, size)) / np.sqrt(size)
        # Some pairs are not in the objective; some have weight > target: a negative that is also a positive.
        self.targets = rate * random.choice([0, 0.2, 0.6, 1], (count, 4))
        self.weights = self.targets + rate * random.integers(0, 2, (count, 4)) * random.random((count, 4))

    def tile(self):
        more = np.full(self.padded + 4, self.pad)  # room for extra rows
        more[: self.count] = self.rows
        weights, targets = np.zeros((2, self.padded + 4, 4), np.float32)
        weights[: self.count], targets[: self.count] = self.weights, self.targets
        return Tile(
            rows=more * self.stride,
            ahead=np.arange(len(self.memory)) * self.stride,
            weights=weights.ravel(),
            targets=targets.ravel(),
            scores=np.zeros(weights.size, np.float32),
            gradients=np.zeros(weights.size, np.float32),
            pair_weights=np.zeros(16, np.float32),
            window_weights=np.zeros(1, np.float32),
            contexts=np.zeros(4, np.float32),
            hidden=np.zeros(8 * self.stride, np.float32),
            slot_of_row=np.full(1, -1, np.int32),
            marked=np.zeros((2, 1), np.uint32),
            merging=np.zeros((5, 1), np.uint32),
        )

    def run(self, *, separate=None, tile=None, parts=1):
        """Return the kernel's memory, inputs and scores; ``separate`` (4, D) are inputs stored outside the memory."""
        tile, memory = tile or self.tile(), self.memory.ravel().copy()
        if separate is None:
            inputs = (memory, *(int(row) * self.stride for row in self.inputs))
        else:
            tile.hidden[: 4 * self.stride] = separate.ravel()
            inputs = (tile.hidden, *(t * self.stride for t in range(4)))
        run_tile(memory, tile, self.count, False, *inputs, self.stride, parts)
        moved = tile.hidden[: 4 * self.stride].reshape(4, -1)
        return memory.reshape(self.memory.shape), moved, tile.scores.reshape(-1, 4)[: self.count]

    def expected(self, *, separate=None, parts=1):
        """Return the oracle's row values, updated inputs and scores."""
        values = self.memory.astype(np.float64)
        inputs = values[self.inputs].copy() if separate is None else separate.astype(np.float64)
        for _ in range(parts):
            if separate is None:
                inputs = values[self.inputs].copy()
            moves, scores = naive.tile_step(values, self.rows, inputs, self.weights / parts, self.targets / parts)
            if separate is None:
                for row, move in zip(self.inputs, moves, strict=True):
                    values[row] += move
            inputs = inputs + moves
        return values, inputs, scores


CASES = [(4, 16, False), (1, 5, False), (6, 33, False), (9, 16, True), (31, 48, True)]


@pytest.mark.parametrize(("count", "size", "duplicates"), CASES)
@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("parts", [1, 3])
def test_a_tile_matches_the_oracle(count, size, duplicates, apart, parts):
    case = Case(count, size, seed=count, duplicates=duplicates)
    separate = None
    if apart:
        separate = np.zeros((4, case.stride), np.float32)
        separate[:, :size] = np.random.default_rng(1).standard_normal((4, size)) / np.sqrt(size)
    found, moved, scores = case.run(separate=separate, parts=parts)
    values, inputs, expected_scores = case.expected(separate=separate, parts=parts)
    np.testing.assert_allclose(scores, expected_scores, atol=TOLERANCE)
    np.testing.assert_allclose(found, values, atol=TOLERANCE)
    if apart:
        np.testing.assert_allclose(moved, inputs, atol=TOLERANCE)
    # Unused rows and padding stay bit-identical.
    bystanders = sorted({*range(case.pad + 1)} - {*case.rows} - (set() if apart else {*case.inputs}))
    assert len(bystanders) >= 4
    np.testing.assert_array_equal(found[bystanders], case.memory[bystanders])
    assert not found[:, size:].any()
    assert np.abs(found - case.memory).max() > 1e-3, "the update must be nonzero"


@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("parts", [1, 3])
def test_split_rows_are_two_rows_without_weight_for_each_others_inputs(duplicates, parts):
    # The last six rows; with duplicates, some are also others, or the other half of their own.
    case = Case(14, 33, seed=3, duplicates=duplicates)
    early = np.tri(3, 4)  # row q belongs to the inputs t <= q
    for pairs in (case.weights, case.targets):
        pairs[8:11] *= early
        pairs[11:] *= 1 - early
    tile, memory = case.tile(), case.memory.ravel().copy()
    for pairs in (tile.weights, tile.targets):
        pairs[32:44] += pairs[44:56]
        pairs[44:] = 0
    run_tile(memory, tile, 8, True, memory, *(int(row) * case.stride for row in case.inputs), case.stride, parts)
    values, _, scores = case.expected(parts=parts)
    found = tile.scores.reshape(-1, 4)
    np.testing.assert_allclose(found[:8], scores[:8], atol=TOLERANCE)
    np.testing.assert_allclose(found[8:11], np.where(early, scores[8:11], scores[11:]), atol=TOLERANCE)
    assert not found[11:].any()
    np.testing.assert_allclose(memory.reshape(case.memory.shape), values, atol=TOLERANCE)
    assert np.abs(values - case.memory)[case.rows[8:]].max(axis=1).min() > 1e-3


@pytest.mark.parametrize("duplicates", [False, True])
@pytest.mark.parametrize("parts", [1, 3])
def test_rows_of_one_input_are_rows_without_weight_for_the_others(duplicates, parts):
    # The last four rows; with duplicates, one of them is also a row of all inputs.
    case = Case(12, 33, seed=3, duplicates=duplicates)
    case.weights[8:] *= np.eye(4)
    case.targets[8:] *= np.eye(4)
    separate = np.zeros((4, case.stride), np.float32)
    separate[:, :33] = np.random.default_rng(1).standard_normal((4, 33)) / np.sqrt(33)
    tile, memory = case.tile(), case.memory.ravel().copy()
    tile.hidden[: 4 * case.stride] = separate.ravel()
    for pairs in (tile.weights, tile.targets):
        pairs[32:48] = [*pairs[32:48].reshape(4, 4).diagonal(), *[0] * 12]
    run_tile_with_own_rows(memory, tile, 8, tile.hidden, *(t * case.stride for t in range(4)), case.stride, parts)
    values, inputs, scores = case.expected(separate=separate, parts=parts)
    np.testing.assert_allclose(tile.scores[:32].reshape(8, 4), scores[:8], atol=TOLERANCE)
    np.testing.assert_allclose(tile.scores[32:48], [*scores[8:].diagonal(), *[0] * 12], atol=TOLERANCE)
    np.testing.assert_allclose(memory.reshape(case.memory.shape), values, atol=TOLERANCE)
    np.testing.assert_allclose(tile.hidden[: 4 * case.stride].reshape(4, -1), inputs, atol=TOLERANCE)
    assert np.abs(values - case.memory)[case.rows[8:]].max() > 1e-3


def test_pairs_without_weight_change_nothing():
    case = Case(4, 16)
    case.weights[:], case.targets[:] = 0, 0
    memory, *_ = case.run()
    np.testing.assert_array_equal(memory, case.memory)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # raised by NumPy without JIT, intended here
def test_overflow_propagates():
    case = Case(4, 16)
    case.memory[case.rows[1]] = np.inf
    case.memory[case.inputs[2]] = -case.memory[case.inputs[2]] + np.float32(1)
    memory, *_ = case.run()
    assert not np.isfinite(memory[case.inputs]).all()


# -- the oracle -------------------------------------------------------------------------------------------------------


def test_the_oracle_step_matches_the_numerical_gradient_of_its_loss():
    # Duplicates see each other's updates, a second-order effect made negligible by tiny weights.
    case = Case(7, 6, duplicates=True, rate=1e-7)
    values = case.memory.astype(np.float64)[:, :6]
    inputs = values[case.inputs].copy()

    def loss():
        return naive.tile_loss(values[case.rows], inputs, case.weights * 1e7, case.targets * 1e7)

    d_values, d_inputs = numerical_gradient(loss, values), numerical_gradient(loss, inputs)
    after = values.copy()
    moves, _ = naive.tile_step(after, case.rows, inputs, case.weights, case.targets)
    np.testing.assert_allclose((after - values) * 1e7, -d_values, atol=1e-6)
    np.testing.assert_allclose(moves * 1e7, -d_inputs, atol=1e-6)
    assert np.abs(d_values).max() > 0.1
    assert np.abs(d_inputs).max() > 0.1


# -- the loss ---------------------------------------------------------------------------------------------------------


def test_loss_sums_of_a_tile():
    case, rate = Case(6, 10, rate=0.025), 0.025
    case.memory *= 8  # scores far enough from 0 to distinguish softplus from simpler functions
    sums = np.zeros(8)
    losses, pairs = [], []
    for seed in range(3):
        case.targets = rate * np.random.default_rng(seed).integers(0, 2, (6, 4))
        case.weights = case.targets + rate * np.random.default_rng(seed + 9).random((6, 4))
        tile = case.tile()
        case.run(tile=tile)
        add_loss(sums, tile, case.count, np.float32(rate))
        x = case.memory.astype(np.float64)
        losses.append(naive.tile_loss(x[case.rows], x[case.inputs], case.weights, case.targets) / rate)
        pairs.append(case.targets.sum() / rate)
    losses, pairs = np.array(losses), np.array(pairs)
    places = [LOSS_TILES, LOSS_SUM, LOSS_PAIRS, LOSS_SQUARES, PAIR_SQUARES, LOSS_TIMES_PAIRS]
    expected = [3, losses.sum(), pairs.sum(), (losses**2).sum(), (pairs**2).sum(), (losses * pairs).sum()]
    np.testing.assert_allclose(sums[places], expected, rtol=1e-6)
    assert len({*pairs}) > 1


@pytest.mark.parametrize("score", [1e4, -1e4])
def test_the_loss_of_an_extreme_score_equals_the_score(score):
    case = Case(4, 16)
    tile = case.tile()
    tile.scores[:], tile.weights[:], tile.targets[:] = score, 1, score < 0
    sums = np.zeros(8)
    add_loss(sums, tile, 4, np.float32(1))
    assert sums[LOSS_SUM] == pytest.approx(16 * 1e4)
