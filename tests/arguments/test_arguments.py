"""Arguments as callers pass them: every form gives the right result or one line of error, and none crashes."""

import numpy as np
import pytest
import scipy.sparse as sp

import corpora
import seqclf
import wordvec
from tests.arguments.calls import COVERED_ELSEWHERE, arguments
from tests.arguments.check import faults, keeps_own_copy
from tests.estimators.cases import CASES

pytestmark = pytest.mark.filterwarnings("ignore")

ARGUMENTS = {f"{argument.of}-{argument.name}": argument for argument in arguments()}
ARRAYS = [name for name, each in ARGUMENTS.items() if isinstance(each.value, np.ndarray) or sp.issparse(each.value)]


@pytest.mark.parametrize("name", ARGUMENTS)
def test_forms_of_arguments(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not list(faults(ARGUMENTS[name]))


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_are_not_shared_with_the_caller(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert keeps_own_copy(ARGUMENTS[name])


def test_every_public_name_is_covered():
    public = {*wordvec.__all__, *seqclf.__all__, *corpora.__all__}
    covered = {argument.of for argument in ARGUMENTS.values()} - seqclf._MOVED.keys()
    estimators = {type(case.estimator).__name__ for case in CASES.values()}
    assert covered <= public
    assert not covered & COVERED_ELSEWHERE.keys()
    assert public == covered | estimators | COVERED_ELSEWHERE.keys()
