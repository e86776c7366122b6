"""A common battery of checks for every estimator, and scikit-learn's own checks."""

import pytest
from numba import config
from sklearn.utils.estimator_checks import parametrize_with_checks

from tests.estimators.adapters import ADAPTED, EXPECTED_FAILURES
from tests.estimators.cases import CASES
from tests.estimators.checks import CHECKS

PAIRS = [(name, check) for name, case in CASES.items() for check in CHECKS if check not in case.without]


@pytest.mark.parametrize(("name", "check"), PAIRS, ids=[f"{name}-{check}" for name, check in PAIRS])
def test_estimator(name, check):
    CHECKS[check](CASES[name])


def test_exceptions_name_existing_checks():
    for case in CASES.values():
        assert case.without.keys() <= CHECKS.keys()
        assert all(case.without.values())


@pytest.mark.skipif(
    config.DISABLE_JIT, reason="dozens of fits take minutes without JIT; the kernels have their own tests"
)
@parametrize_with_checks(ADAPTED, expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator), {}))
def test_scikit_learn_checks(estimator, check):
    check(estimator)
