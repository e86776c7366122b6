"""GloVe's kernel against plain float64 AdaGrad, cell by cell, and against the loss's own gradient."""

import threading

import numpy as np
import pytest

from tests.cases.glove import GloveCase, random_counts
from tests.oracles import naive_glove
from tests.oracles.gradients import numerical_gradient
from wordvec.count_based.glove_blocks import SPLIT
from wordvec.count_based.settings import GloveSettings
from wordvec.kernels.glove import LINE, NEXT, STOP, TURNS, train_blocks, train_cells
from wordvec.kernels.simd import JIT_OFF

needs_threads = pytest.mark.skipif(JIT_OFF, reason="without JIT the turns are counted in Python: for one thread only")


def control_of(case):
    return np.zeros(TURNS + 2 * case.bands * LINE, np.int64)


def train_epoch(case, threads=1, control=None):
    """The losses of the blocks."""
    losses = np.zeros(case.bands**2)
    control = control_of(case) if control is None else control

    def work():
        train_blocks(
            *case.tables, case.cells, case.bounds, case.schedule, case.stride, np.float32(case.settings.learning_rate),
            losses, control, np.zeros(32, np.float32),
        )  # fmt: skip

    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return losses


@pytest.mark.parametrize(
    ("types", "bands", "size"), [(23, 4, 5), (23, 8, 14), (24, 12, 15), (5, 4, 30), (1, 4, 3)]
)  # fmt: skip
def test_epochs_equal_the_oracle(types, bands, size):
    counts = np.array([[7.0]]) if types == 1 else random_counts(types, sentences=10 if JIT_OFF else 40)
    case = GloveCase(counts, bands, GloveSettings(vector_size=size, x_max=3, learning_rate=0.2))
    case.randomize(0.3)
    before = [table.copy() for table in case.read()[0]]
    for _ in range(2):
        losses = train_epoch(case)
        expected = [
            sum(case.oracle.train(counts, *step) for step in block)
            for block in naive_glove.blocks(counts, case.bounds, SPLIT, case.order)
        ]
        # Roots are estimated to 11 bits at least: an error of 5e-4 of every step.
        np.testing.assert_allclose(losses, expected, rtol=1e-2, atol=1e-5)
        for found, wanted in zip(case.read(), (case.oracle.tables, case.oracle.squares), strict=True):
            for table, right in zip(found, wanted, strict=True):
                np.testing.assert_allclose(table, right, atol=6e-3)
    assert all(np.abs(after - table).max() > 0.1 for after, table in zip(case.read()[0], before, strict=True))


def test_what_stands_with_a_one_never_moves():
    case = GloveCase(random_counts(), 4, GloveSettings(vector_size=6, x_max=3, learning_rate=0.3))
    train_epoch(case)
    rows = case.tables.reshape(2, -1, 2, case.stride)
    assert (rows[0, :, 0, 7] == 1).all()
    assert (rows[1, :, 0, 6] == 1).all()
    assert not rows[:, :, 0, 8:].any()


@pytest.mark.parametrize("together", [1, 4])
def test_a_step_is_the_gradient_of_the_papers_loss(together):
    # One row of counts, so that the block is one step; the sums of squares are 1, and their root is.
    rate = 1e-3
    counts = np.zeros((6, 6))
    counts[2, [0, 2, 3, 5][:together]] = [0.5, 4.0, 30.0, 2.5][:together]
    case = GloveCase(counts, 4, GloveSettings(vector_size=5, x_max=10), bounds=[0, 6, 6, 6, 6])
    case.randomize()
    before = case.read()[0]
    contexts = np.flatnonzero(counts[2])

    def loss():
        return naive_glove.loss_of(before, counts, 2, contexts, 10, 0.75)

    gradients = [numerical_gradient(loss, table) for table in before]
    expected = loss()
    found = train_cells(
        *case.tables, case.cells, 0, together, 0, 0, case.stride, np.float32(rate), case.scratch
    )  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-5)
    for table, after, gradient in zip(before, case.read()[0], gradients, strict=True):
        np.testing.assert_allclose((after - table) / rate, -gradient, rtol=2e-3, atol=2e-3)
        assert np.abs(gradient).max() > 0.1


@needs_threads
@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_leave_no_trace(threads):
    counts = random_counts(types=60, sentences=200)
    settings = GloveSettings(vector_size=20, x_max=3, learning_rate=0.2)
    alone, together = GloveCase(counts, 8, settings), GloveCase(counts, 8, settings)
    for _ in range(10):
        np.testing.assert_array_equal(train_epoch(alone), train_epoch(together, threads))
        np.testing.assert_array_equal(alone.tables, together.tables)


@pytest.mark.parametrize("threads", [1, pytest.param(3, marks=needs_threads)])
def test_a_stop_is_heard_after_a_block(threads):
    settings = GloveSettings(vector_size=6, x_max=3, learning_rate=0.2)
    whole, parts = GloveCase(random_counts(), 4, settings), GloveCase(random_counts(), 4, settings)
    train_epoch(whole)
    control = control_of(parts)
    for done in range(threads, 16, threads):
        control[STOP] = 1
        train_epoch(parts, threads, control)
        assert control[NEXT] == done
    control[STOP] = 0
    train_epoch(parts, threads, control)
    np.testing.assert_array_equal(parts.tables, whole.tables)
