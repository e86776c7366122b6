"""Tables and arrays of one column, given where a list is expected."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from wordvec import InputError


def column_of_table(values: Any, name: str) -> Any:
    """Return the column of a DataFrame (pandas or Polars) that has only one, and all other values unchanged.

    Iterating over a DataFrame of pandas or a dict yields names, not values.

    Args:
        values: anything.
        name: what error messages call the values.

    Raises:
        InputError: a DataFrame has another number of columns, or ``values`` is a dict.

    Example:
        >>> column_of_table({"a": "fire"}, "texts")
        Traceback (most recent call last):
            ...
        corpora.errors.InputError: texts must be a list, got a dict with 1 key; pass list(X.values())
    """
    if isinstance(values, Mapping):
        keys = f"{len(values)} key{'s' * (len(values) != 1)}"
        raise InputError(f"{name} must be a list, got a {type(values).__name__} with {keys}; pass list(X.values())")
    if not is_table(values):
        # A Series of Polars yields its lists as Series.
        return values.to_list() if hasattr(values, "to_list") and hasattr(values, "dtype") else values
    columns = list(values.columns)
    if len(columns) != 1:
        shown = repr("text" if "text" in columns or not columns else columns[0])
        raise InputError(
            f"{name} must be one-dimensional, got a {type(values).__name__} of shape {tuple(values.shape)}; pass one "
            f"column, such as df[{shown}]"
        )
    return values.to_numpy()[:, 0]


def one_column(values: Any, name: str) -> Any:
    """Return an array (N, 1) or a DataFrame of one column as an array (N,), and all other values unchanged.

    Raises:
        InputError: see ``column_of_table``.

    Example:
        >>> one_column(np.array([["fire"], ["flood"]]), "texts").tolist()
        ['fire', 'flood']
    """
    values = column_of_table(values, name)
    if isinstance(values, np.ndarray) and values.ndim == 2 and values.shape[1] == 1:
        return values[:, 0]
    return values


def as_sequences(sequences: Any) -> list[Any]:
    """Return texts or numeric sequences as a list; an array (N, 1) of texts is N texts, one of numbers N sequences.

    Raises:
        InputError: see ``column_of_table``.
    """
    values = column_of_table(sequences, "sequences")
    if isinstance(values, np.ndarray) and values.dtype.kind not in "fiubc":
        values = one_column(values, "sequences")
    return list(values)


def is_table(values: Any) -> bool:
    """Return whether ``values`` is a DataFrame, whatever the library."""
    return len(getattr(values, "shape", ())) == 2 and hasattr(values, "columns") and hasattr(values, "to_numpy")
