"""Results as tables: in notebooks, and as data frames of pandas or Polars."""

from html import escape
from importlib import import_module
from typing import Any

from wordvec.errors import InputError
from wordvec.system.validation import check_choice

LIBRARIES = ("pandas", "polars")


class Tabular:
    """A result that notebooks show as a table; subclasses define ``table_columns``."""

    def table_columns(self) -> dict[str, list[Any]]:
        """Return the columns of the table by name, of equal length."""
        raise NotImplementedError

    def to_frame(self, library: str | None = None) -> Any:
        """Return the result as a data frame.

        Args:
            library: ``"pandas"`` or ``"polars"``; None: pandas if it is installed, else Polars.

        Raises:
            InputError: the library is unknown, or not installed.
        """
        if library is not None:
            check_choice("library", library, LIBRARIES)
        for name in LIBRARIES if library is None else (library,):
            try:
                return import_module(name).DataFrame(self.table_columns())
            except ImportError:
                pass
        missing = library or "pandas or polars"
        raise InputError(f"data frames need {missing}, which is not installed: pip install {library or 'pandas'}")

    def _repr_html_(self) -> str:
        columns = self.table_columns()
        head = "".join(f"<th>{escape(name)}</th>" for name in columns)
        rows = [
            "<tr>" + "".join(f"<td>{escape(_written(value))}</td>" for value in row) + "</tr>"
            for row in zip(*columns.values(), strict=True)
        ]
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


class Summarized(Tabular):
    """A result that is one row of a table; subclasses define ``summary``."""

    def summary(self) -> dict[str, Any]:
        """Return the result as JSON-serializable values."""
        raise NotImplementedError

    def table_columns(self) -> dict[str, list[Any]]:
        """Return one row: the values of :meth:`summary`."""
        return {name: [value] for name, value in self.summary().items()}


class Neighbors(list[tuple[str, float]], Tabular):
    """Tokens and their scores, in descending order: a list that notebooks show as a table.

    Example:
        >>> found = Neighbors([("queen", 0.75), ("prince", 0.5)])
        >>> found
        [('queen', 0.75), ('prince', 0.5)]
        >>> found.table_columns()
        {'token': ['queen', 'prince'], 'score': [0.75, 0.5]}
    """

    def table_columns(self) -> dict[str, list[Any]]:
        """Return the columns ``token`` and ``score``."""
        return {"token": [token for token, _ in self], "score": [score for _, score in self]}


def _written(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(_written, value))
    return f"{value:.4f}" if isinstance(value, float) else str(value)
