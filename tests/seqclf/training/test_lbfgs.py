"""L-BFGS on functions with known minima."""

import numpy as np

from seqclf.training.lbfgs import minimize


def test_badly_scaled_quadratic():
    scales, center = np.logspace(0, 4, 12), np.arange(12.0)

    def function(x):
        return float(0.5 * (scales * (x - center) ** 2).sum()), scales * (x - center)

    found = minimize(function, np.zeros(12), tolerance=1e-8)
    assert found.converged
    assert found.iterations < 300
    np.testing.assert_allclose(found.x, center, atol=1e-7)
    assert found.value == function(found.x)[0]


def test_first_step_that_is_too_long_is_shortened():
    def function(x):
        return float(np.cosh(20 * x).sum()), 20 * np.sinh(20 * x)

    found = minimize(function, np.array([0.5, -0.3]), tolerance=1e-6)
    assert found.converged
    np.testing.assert_allclose(found.x, 0, atol=1e-8)


def test_ends_where_it_starts_and_at_the_largest_number_of_iterations():
    def function(x):
        return float((x**4).sum()), 4 * x**3

    assert minimize(function, np.zeros(3))[2:] == (0, True)
    assert minimize(function, np.ones(3), most=2)[2:] == (2, False)
