"""Checks common to all estimators: one function per check, called with a ``Case``."""

import copy
import pickle
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from tests.estimators.cases import Case

METHODS = ("predict", "predict_proba", "transform", "score", "inverse_transform", "get_feature_names_out")


def assert_same(found: Any, expected: Any) -> None:
    np.testing.assert_array_equal(found, expected, strict=True)


def assert_differs(found: Any, other: Any) -> None:
    assert np.shape(found) != np.shape(other) or not np.array_equal(found, other)


class raises_one_line:
    """A context manager that expects InputError, ValueError or TypeError with a one-line message."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> bool:
        assert kind is not None, "nothing was raised"
        if not issubclass(kind, ValueError | TypeError):
            return False
        assert str(error).strip(), "the message is empty"
        assert "\n" not in str(error), f"the message has several lines: {error}"
        return True


# -- parameters -------------------------------------------------------------------------------------------------------


def check_clone(case: Case) -> None:
    fitted = case.fitted()
    twin = clone(fitted)
    assert repr(twin.get_params()) == repr(fitted.get_params())
    assert vars(twin).keys() == twin.get_params(deep=False).keys(), "learned attributes must not be cloned"
    assert_same(case.result(case.fit(twin, case.X, case.y), case.new_X), case.result(fitted, case.new_X))


def check_parameters_round_trip(case: Case) -> None:
    estimator = case.new()
    given = {name: object() for name in estimator.get_params(deep=False)}
    assert estimator.set_params(**given) is estimator
    assert estimator.get_params(deep=False) == given
    with pytest.raises(ValueError, match="Invalid parameter 'no_such_parameter'"):
        estimator.set_params(no_such_parameter=1)
    with pytest.raises(TypeError):
        type(estimator)(no_such_parameter=1)


def check_init_only_stores(case: Case) -> None:
    kind = type(case.estimator)
    given = {name: object() for name in case.estimator.get_params(deep=False)}
    estimator = kind(**given)
    assert vars(estimator) == given
    defaults = kind()
    assert vars(defaults).keys() == given.keys()


def check_wrong_parameters(case: Case) -> None:
    """``fit`` rejects invalid parameters and leaves the estimator unfitted."""
    wrong = {
        "n_jobs": [0, -2, 1.5, "two"],
        "random_state": [-1, "one", 1.5],
        "epochs": [0, "two"],
        "min_count": [0, None],
    }
    wrong |= {"hidden_size": [0, 2.5], "vector_size": [0], "cell": ["gnu", None], "learning_rate": [-1, "fast"]}
    wrong |= {"tokenizer": ["letters", 3], "ngram_range": [(2, 1), 3, "ab"], "dtype": ["int3"], "lowercase": ["yes"]}
    wrong |= {"validation_fraction": [1, -0.1], "vectors": ["missing.safetensors", 3], "min_df": [-1, "a"]}
    failures = []
    for name in sorted(wrong.keys() & case.estimator.get_params().keys()):
        for value in wrong[name]:
            estimator = case.new(**{name: value})
            try:
                with raises_one_line():
                    case.fit(estimator, case.X, case.y)
                assert_unfitted(case, estimator)
            except Exception as error:
                failures.append(f"{name}={value!r}: {type(error).__name__}: {error}")
    assert not failures, failures


# -- learning ---------------------------------------------------------------------------------------------------------


def check_fit_returns_self(case: Case) -> None:
    estimator = case.new()
    assert case.fit(estimator, case.X, case.y) is estimator


def check_fitting_again(case: Case) -> None:
    """A second fit gives the same result; a fit on other data keeps nothing of the first."""
    once = case.fitted()
    expected = case.result(once, case.new_X)
    again = case.fit(case.fitted(), case.X, case.y)
    assert_same(case.result(again, case.new_X), expected)
    other = case.fit(once, case.other_X, case.other_y)
    fresh = case.fit(case.new(), case.other_X, case.other_y)
    assert vars(other).keys() == vars(fresh).keys()
    assert_same(case.result(other, case.new_X), case.result(fresh, case.new_X))
    assert_differs(case.result(other, case.new_X), expected)
    back = case.fit(other, case.X, case.y)
    assert_same(case.result(back, case.new_X), expected)


def check_fit_transform(case: Case) -> None:
    if not hasattr(case.estimator, "transform"):
        return
    expected = case.result(case.fitted(), case.X)
    for X in (case.X, (text for text in case.X)):
        found = case.new().fit_transform(X)
        assert_same(found.toarray() if hasattr(found, "toarray") else found, expected)


def check_random_state(case: Case) -> None:
    if not case.random:
        assert "random_state" not in case.estimator.get_params()
        return

    def result(random_state: Any) -> Any:
        return case.result(case.fitted(random_state=random_state), case.new_X)

    first = result(3)
    assert_same(result(3), first)
    assert_same(result(np.int64(3)), first)
    assert_differs(result(4), first)
    assert_differs(result(None), result(None))
    drawn = result(np.random.RandomState(3))
    assert_same(result(np.random.RandomState(3)), drawn)
    state = np.random.RandomState(3)
    moving = case.new().set_params(random_state=state)
    assert_same(case.result(case.fit(moving, case.X, case.y), case.new_X), drawn)
    assert_differs(case.result(case.fit(moving, case.X, case.y), case.new_X), drawn)


def check_learned_names(case: Case) -> None:
    """Learned attributes end in ``_`` or are private, and are documented; parameters do not change."""
    estimator = case.new()
    before = dict(vars(estimator))
    case.fit(estimator, case.X, case.y)
    assert {name: vars(estimator)[name] for name in before} == before
    learned = vars(estimator).keys() - before.keys()
    public = {name for name in learned if not name.startswith("_")}
    assert public
    documented = "".join(kind.__doc__ or "" for kind in type(estimator).__mro__ if kind is not object)
    for name in public:
        assert name.endswith("_"), name
        assert not name.endswith("__"), name
        assert name in documented, f"{name} is not in the docstring"
    check_is_fitted(estimator)


def check_n_jobs(case: Case) -> None:
    expected = case.result(case.fitted(n_jobs=1), case.new_X)
    for n_jobs in (None, -1):
        assert_same(case.result(case.fitted(n_jobs=n_jobs), case.new_X), expected)


# -- prediction -------------------------------------------------------------------------------------------------------


def assert_unfitted(case: Case, estimator: Any) -> None:
    for name in METHODS:
        if hasattr(estimator, name):
            arguments = {"score": (case.new_X, []), "get_feature_names_out": ()}.get(name, (case.new_X,))
            with pytest.raises(NotFittedError, match="is not fitted yet"):
                getattr(estimator, name)(*arguments)


def check_unfitted(case: Case) -> None:
    assert_unfitted(case, case.new())


def check_failed_fit(case: Case) -> None:
    """A failing first fit leaves the estimator unfitted; a failing second one keeps the first result."""
    estimator = case.fitted()
    expected = case.result(estimator, case.new_X)
    wrong = [b"bytes are not texts", 7]
    with raises_one_line():
        case.fit(estimator, wrong, case.y)
    assert_same(case.result(estimator, case.new_X), expected)
    estimator = case.new()
    with raises_one_line():
        case.fit(estimator, wrong, case.y)
    assert_unfitted(case, estimator)


def check_order(case: Case) -> None:
    """Permuted samples give permuted results, and single samples give the same results."""
    fitted = case.fitted()
    expected = case.result(fitted, case.new_X)
    order = np.random.default_rng(1).permutation(len(case.new_X))
    assert_same(case.result(fitted, [case.new_X[place] for place in order]), expected[order])
    for place, sample in enumerate(case.new_X):
        assert_same(case.result(fitted, [sample]), expected[place : place + 1])
    assert len(case.result(fitted, [])) == 0


# -- data -------------------------------------------------------------------------------------------------------------


def _objects(values: Any) -> np.ndarray:
    """Return an array (N,) of Python objects."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _series(values: Any) -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.Series(list(values), index=range(100, 100 + len(values)))


def _is_matrix(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype != object


def _forms(values: Any, generator: bool = True) -> Iterator[tuple[str, Callable[[], Any]]]:
    yield "list", lambda: list(values)
    yield "tuple", lambda: tuple(values)
    yield "array", lambda: np.array(values) if _is_matrix(values) else _objects(values)
    if generator:
        yield "generator", lambda: (value for value in values)


def check_forms_of_data(case: Case) -> None:
    """Lists, tuples, arrays and generators give the same result."""
    expected = case.result(case.fitted(), case.new_X)
    generator = not _is_matrix(case.X)
    for name, make in _forms(case.X, generator):
        of_y = (lambda: None) if case.y is None else dict(_forms(case.y, generator))[name]
        fitted = case.fit(case.new(), make(), of_y())
        new_data = dict(_forms(case.new_X, generator))[name]()
        np.testing.assert_array_equal(case.result(fitted, new_data), expected, err_msg=name, strict=True)


def check_pandas(case: Case) -> None:
    """Series with a custom index give the same result as lists."""
    expected = case.result(case.fitted(), case.new_X)
    y = None if case.y is None else _series(case.y)
    assert_same(case.result(case.fit(case.new(), _series(case.X), y), _series(case.new_X)), expected)


def check_data_stays_as_it_is(case: Case) -> None:
    """Lists and arrays are not modified; arrays may be read-only."""
    given = copy.deepcopy((case.X, case.y, case.new_X))
    expected = case.result(case.fit(case.new(), given[0], given[1]), given[2])
    assert repr(given) == repr((case.X, case.y, case.new_X))
    frozen = [part if part is None else np.array(part) if _is_matrix(part) else _objects(part) for part in given]
    for part in frozen:
        if part is not None:
            part.flags.writeable = False
            for item in part if part.dtype == object else ():
                if isinstance(item, np.ndarray):
                    item.flags.writeable = False
    assert_same(case.result(case.fit(case.new(), frozen[0], frozen[1]), frozen[2]), expected)


def check_wrong_X(case: Case) -> None:
    """Numbers instead of texts, None or a single string are rejected in one line, by ``fit`` and by prediction."""
    count = len(case.X)
    wrong = [None, 7, [None] * count, [7] * count, list(np.arange(count) + 0.5), "one text", b"one"]
    wrong += [] if case.takes_numbers else [np.ones((count, 2))]
    wrong += [[b"bytes"] * count, [["token", 7]] * count, [["token", None]] * count, {"a": 1}.items()]
    fitted, failures = case.fitted(), []
    for X in wrong:
        for call in (lambda X=X: case.fit(case.new(), X, case.y), lambda X=X: case.result(fitted, X)):
            try:
                with raises_one_line():
                    call()
            except Exception as error:
                failures.append(f"X={X!r:.60}: {type(error).__name__}: {error}")
    assert not failures, failures


def check_wrong_lengths(case: Case) -> None:
    """Empty data, and targets of another length, are rejected."""
    with raises_one_line():
        case.fit(case.new(), [], None if case.y is None else [])
    if case.y is None:
        return
    for y in (case.y[:-1], [*case.y, case.y[0]], [], None, 7, "one"):
        with raises_one_line():
            case.new().fit(case.X, y)


# -- pickling, processes, scikit-learn --------------------------------------------------------------------------------


def _fit_elsewhere(case: Case) -> tuple[Any, Any]:
    fitted = case.fitted()
    return fitted, case.result(fitted, case.new_X)


def check_pickle(case: Case) -> None:
    fitted = case.fitted()
    expected = case.result(fitted, case.new_X)
    assert_same(case.result(pickle.loads(pickle.dumps(fitted)), case.new_X), expected)
    assert_same(case.result(copy.deepcopy(fitted), case.new_X), expected)
    unfitted = pickle.loads(pickle.dumps(case.new()))
    assert_same(case.result(case.fit(unfitted, case.X, case.y), case.new_X), expected)


def check_other_processes(case: Case) -> None:
    """Estimators fitted in other processes give the same bits there and here."""
    expected = case.result(case.fitted(), case.new_X)
    for fitted, found in Parallel(n_jobs=2)(delayed(_fit_elsewhere)(case) for _ in range(2)):
        assert_same(found, expected)
        assert_same(case.result(fitted, case.new_X), expected)


def check_feature_names(case: Case) -> None:
    """Every column has a name; ``set_output`` works with dense output, and is not offered with sparse output."""
    if not hasattr(case.estimator, "transform"):
        return
    fitted = case.fitted()
    matrix = fitted.transform(case.new_X)
    names = fitted.get_feature_names_out()
    assert isinstance(names, np.ndarray)
    assert names.shape == (matrix.shape[1],)
    assert names.dtype == object
    assert all(isinstance(name, str) for name in names)
    assert len(set(names)) == len(names)
    assert hasattr(fitted, "set_output") != hasattr(matrix, "toarray")
    if not hasattr(matrix, "toarray"):
        assert fitted.set_output(transform="default") is fitted
        assert_same(case.result(fitted, case.new_X), case.result(case.fitted(), case.new_X))
        pytest.importorskip("pandas")
        frame = fitted.set_output(transform="pandas").transform(case.new_X)
        assert frame.columns.tolist() == names.tolist()
        assert_same(frame.to_numpy(), matrix)


def check_tags(case: Case) -> None:
    """Sequences are not 2-D arrays, which is why scikit-learn runs hardly any check here, and the rest on adapters."""
    tags = get_tags(case.estimator)
    assert tags.input_tags.string != tags.input_tags.one_d_array, "texts or tokens, or one series"
    assert not tags.input_tags.two_d_array
    assert tags.requires_fit
    assert tags.target_tags.required == (case.y is not None)
    with pytest.warns(match="requires input"):
        results = check_estimator(case.new())
    assert {result["status"] for result in results} == {"passed"}


CHECKS: dict[str, Callable[[Case], None]] = {
    name: value for name, value in list(globals().items()) if name.startswith("check_") and value.__module__ == __name__
}
