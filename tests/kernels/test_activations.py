"""The exponential of the softmax, against float64."""

import numpy as np
import pytest

from seqclf.kernels.activations import exponential
from wordvec.kernels.simd import kernel, load, store


@kernel
def exponentials(x, out):
    for k in range(0, x.size, 16):
        store(out, k, exponential(load(x, k)))


def test_exponential_is_within_two_units_in_the_last_place():
    x = np.concatenate([np.linspace(-87, 0, 1600), -np.geomspace(1e-30, 1, 160)]).astype(np.float32)
    out = np.empty_like(x)
    exponentials(x, out)
    exact = np.exp(x.astype(np.float64))
    error = abs(out - exact) / np.spacing(exact.astype(np.float32))
    assert error.max() < 1.5
    assert out[-1] <= 1


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # raised by NumPy without JIT
def test_exponential_of_far_numbers_and_nan():
    x = np.zeros(16, np.float32)
    x[:4] = [-np.inf, -1e30, np.nan, 0]
    out = np.empty_like(x)
    exponentials(x, out)
    np.testing.assert_allclose(out[:4], [np.exp(-87), np.exp(-87), np.nan, 1], rtol=1e-6)
