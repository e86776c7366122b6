"""SIMD primitives against NumPy, atomics, and invalidation of the kernel cache."""

import threading

import numpy as np
import pytest
from numba.core.errors import NumbaError

from wordvec.kernels.simd import (
    HALF,
    JIT_OFF,
    add,
    atomic_add,
    atomic_exchange,
    atomic_read,
    clamp,
    divide,
    holds,
    join_halves,
    kernel,
    load,
    load_eight,
    multiply,
    multiply_add,
    prefetch,
    reciprocal_square_root,
    splat,
    splat_eight,
    store,
    subtract,
    sums,
    sums_of_quarters,
    yield_processor,
)

RANDOM = np.random.default_rng(3)


@kernel
def every_primitive(x, y, z, out):
    """Write the result of each primitive to ``out``, reading from offsets that are not multiples of 16."""
    a, b, c = load(x, 3), load(y, 5), load(z, 7)
    store(out, 1, a)
    store(out, 17, add(a, b))
    store(out, 33, subtract(a, b))
    store(out, 49, multiply(a, b))
    store(out, 65, divide(a, b))
    store(out, 81, multiply_add(a, b, c))
    store(out, 97, splat(z[2]))
    store(out, 113, clamp(a, b, c))
    prefetch(x, 0)


@kernel
def primitives_of_eight(x, y, z, out):
    a, b, c = load_eight(x, 3), load_eight(y, 5), load_eight(z, 7)
    store(out, 1, a)
    store(out, 9, add(a, b))
    store(out, 17, multiply_add(a, b, c))
    store(out, 25, splat_eight(z[2]))
    store(out, 33, sums_of_quarters(a, b, c, a))
    store(out, 41, join_halves(b, a))


@kernel
def is_held(ids, first, value):
    return holds(ids, first, value)


@kernel
def sixteen_sums(x, out):
    store(
        out,
        0,
        sums(
            load(x, 0), load(x, 16), load(x, 32), load(x, 48), load(x, 64), load(x, 80), load(x, 96), load(x, 112),
            load(x, 128), load(x, 144), load(x, 160), load(x, 176), load(x, 192), load(x, 208), load(x, 224),
            load(x, 240),
        ),
    )  # fmt: skip


@kernel
def count_up(counter, turns):
    """Add 3 to the second number ``turns`` times; return the results of the last addition and the last read.

    The reads keep LLVM from merging the additions if they were not atomic.
    """
    added = seen = 0
    for _ in range(turns):
        added = atomic_add(counter, 1, 3)
        seen = atomic_read(counter, 1)
    return added, seen


@kernel
def swap(cells, mine, held, turns):
    """Exchange ``held`` with the first number ``turns`` times; return the final ``held``, and how often this thread's
    own cell had an unexpected value."""
    strange = 0
    for turn in range(turns):
        held = atomic_exchange(cells, 0, held)
        strange += atomic_exchange(cells, mine, turn + 1) != turn
    return held, strange


@kernel
def wait_until(flag, value):
    while atomic_read(flag, 0) != value:
        yield_processor()
    return atomic_add(flag, 0, 1)


@kernel(allocates=True)
def size_of_new_array(size):
    return np.ones(size, np.float32).size


@kernel
def size_of_new_array_without_allocates(size):
    return np.ones(size, np.float32).size


def run_every_primitive(x, y, z):
    out = np.full(131, np.nan, np.float32)
    every_primitive(x, y, z, out)
    assert np.isnan(out[[0, 129, 130]]).all(), "written out of bounds"
    return out[1:129].reshape(8, 16)


def test_whether_a_value_is_among_sixteen():
    ids = np.arange(-3, 40, dtype=np.int32)
    assert [value for value in range(-5, 45) if is_held(ids, 5, np.int32(value))] == list(range(2, 18))


def test_primitives_match_numpy():
    for _ in range(50):
        x, y, z = (RANDOM.standard_normal(32).astype(np.float32) * 10 for _ in range(3))
        found = run_every_primitive(x, y, z)
        a, b, c = x[3:19], y[5:21], z[7:23]
        np.testing.assert_array_equal(found[:5], [a, a + b, a - b, a * b, a / b])
        # One rounding or two: they differ by at most half an ULP of the product.
        exact = a.astype(np.float64) * b + c
        assert (np.abs(found[5] - exact) <= np.spacing(np.abs(a * b)) / 2 + np.spacing(np.abs(found[5])) / 2).all()
        np.testing.assert_array_equal(found[6], np.full(16, z[2]))
        low, high = np.minimum(b, c), np.maximum(b, c)
        y[5:21], z[7:23] = low, high
        np.testing.assert_array_equal(run_every_primitive(x, y, z)[7], np.clip(a, low, high))


@kernel
def take_reciprocal_square_root(numbers):
    store(numbers, 0, reciprocal_square_root(load(numbers, 0)))


def test_primitives_of_eight_numbers_match_numpy():
    x, y, z = RANDOM.standard_normal((3, 30)).astype(np.float32)
    out = np.full(60, -9, np.float32)
    primitives_of_eight(x, y, z, out)
    a, b, c = x[3 : 3 + HALF], y[5 : 5 + HALF], z[7 : 7 + HALF]
    quarters = [v.reshape(2, 4).sum(axis=1) for v in (a, b, c, a)]
    expected = [a, a + b, a * b + c, np.full(HALF, z[2]), np.stack(quarters, axis=1).ravel(), b, a]
    np.testing.assert_allclose(out[1:57], np.concatenate(expected), atol=1e-6)
    np.testing.assert_array_equal(out[[0, 57, 58, 59]], -9)


def test_reciprocal_square_roots_are_accurate_to_eleven_bits():
    numbers = np.geomspace(1e-6, 1e30, 16, dtype=np.float32)
    found = numbers.copy()
    take_reciprocal_square_root(found)
    np.testing.assert_allclose(found, 1 / np.sqrt(numbers.astype(np.float64)), rtol=1.5 / 4096)


def test_clamp_keeps_nan():
    x, y, z = np.zeros(32, np.float32), np.full(32, -2, np.float32), np.full(32, 3, np.float32)
    x[3:9] = [np.nan, np.inf, -np.inf, -2, 3, 0.5]
    np.testing.assert_array_equal(run_every_primitive(x, y, z)[7][:6], [np.nan, 3, -2, -2, 3, 0.5])


def test_horizontal_sums_are_in_vector_order():
    out = np.empty(16, np.float32)
    # Distinct powers of two: a wrong order, a missing element and a double count all show exactly.
    x = np.zeros((16, 16), np.float32)
    x[np.arange(16), (np.arange(16) * 5 + 3) % 16] = 2.0 ** np.arange(16)
    sixteen_sums(x.ravel(), out)
    np.testing.assert_array_equal(out, 2.0 ** np.arange(16))
    for vector in range(16):
        for place in range(16):
            x = np.zeros(256, np.float32)
            x[16 * vector + place] = 1
            sixteen_sums(x, out)
            np.testing.assert_array_equal(np.flatnonzero(out), [vector])
    x = RANDOM.standard_normal((16, 16)).astype(np.float32)
    sixteen_sums(x.ravel(), out)
    np.testing.assert_allclose(out, x.astype(np.float64).sum(axis=1), atol=16 * 4 * 2**-24)


@pytest.mark.skipif(JIT_OFF, reason="without JIT every function can create arrays")
def test_only_kernels_with_allocates_can_create_arrays():
    assert size_of_new_array(3) == 3
    with pytest.raises(NumbaError, match="ones"):
        size_of_new_array_without_allocates(3)


def test_atomic_addition_returns_the_new_value():
    counter = np.array([7, 100, 9])
    assert count_up(counter, 4) == (112, 112)
    assert counter.tolist() == [7, 112, 9]


@pytest.mark.skipif(JIT_OFF, reason="atomic_add is not atomic without JIT")
def test_atomic_additions_of_four_threads_are_not_lost():
    counter = np.zeros(3, np.int64)
    count_up(counter, 1)  # compile before starting threads
    threads = [threading.Thread(target=count_up, args=(counter, 2_000_000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.tolist() == [0, 3 + 4 * 3 * 2_000_000, 0]


def test_atomic_exchange_returns_the_old_value():
    cells = np.array([7, 100, 0, 9])
    assert swap(cells, 2, 5, 1) == (7, 0)
    assert cells.tolist() == [5, 100, 1, 9]
    assert swap(cells, 1, -(2**62), 1) == (5, 1)
    assert cells.tolist() == [-(2**62), 1, 1, 9]


@pytest.mark.skipif(JIT_OFF, reason="atomic_exchange is not atomic without JIT")
def test_atomic_exchanges_of_threads_lose_and_duplicate_nothing():
    cells, found = np.zeros(4, np.int64), []
    swap(np.zeros(4, np.int64), 1, 0, 1)  # compile before starting threads

    def work(k):
        found.append(swap(cells, k, 100 * k, 1_000_000))

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted([cells[0], *(held for held, _ in found)]) == [0, 100, 200, 300]
    assert [strange for _, strange in found] == [0, 0, 0]
    assert cells[1:].tolist() == [1_000_000] * 3


@pytest.mark.skipif(JIT_OFF, reason="atomic_add is not atomic without JIT")
def test_a_yielding_thread_lets_others_proceed():
    flag = np.zeros(1, np.int64)
    assert wait_until(flag, 0) == 1  # compiles, and sets the flag to 1
    waiting = threading.Thread(target=wait_until, args=(flag, 3))
    waiting.start()
    assert wait_until(flag, 1) == 2
    assert wait_until(flag, 2) == 3
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert flag[0] == 4
