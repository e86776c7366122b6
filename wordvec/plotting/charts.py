"""Charts: lines, tables of numbers as heat maps, confusion matrices, and a window that slides over a sentence."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import InputError
from wordvec.plotting import style
from wordvec.system.validation import check_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Path = str | os.PathLike[str]

_DASHES = ("-", "--", "-.", ":")
_LIGHT = 0.45
"""Below this brightness of a cell, its number is white."""
_MOST_LABELS, _LONGEST = 30, 24
"""Labels of a confusion matrix, and the characters of one."""


def plot_lines(
    lines: Mapping[str, Any],
    x_label: str = "",
    y_label: str = "",
    path: Path | None = None,
    *,
    x: Sequence[float] | None = None,
    log: bool = False,
) -> "Figure":
    """Draw one line per name, which differ in dashes and markers as well as in color.

    Args:
        lines: the values of each line by its name.
        x_label, y_label: names of the axes.
        path: a .png, .svg or .pdf file; None: only return the figure.
        x: the places of the values; 0, 1, ... by default.
        log: whether the values have a logarithmic axis.

    Raises:
        InputError: no line, values that are not as many as x, or matplotlib is not installed.

    Example:
        >>> figure = plot_lines({"tanh": np.tanh([-1, 0, 1])}, "x", x=[-1, 0, 1])  # doctest: +SKIP
    """
    style.check_output(path)
    if not lines:
        raise InputError("lines must have at least one line, got none")
    with style.styled():
        figure, axes = style.new_figure(6, 3.2)
        drawn: list[Any] = []
        for number, (name, values) in enumerate(lines.items()):
            places = np.arange(len(values)) if x is None else np.asarray(x)
            if len(places) != len(values):
                raise InputError(f"{len(values)} values of {name} for {len(places)} places x")
            look = number % len(style.COLORS)
            drawn += axes.plot(
                places, values, color=style.COLORS[look], linestyle=_DASHES[number % len(_DASHES)],
                marker=style.MARKERS[look], markevery=max(1, len(values) // 12), markersize=4,
            )  # fmt: skip
        if log:
            axes.set_yscale("log")
        axes.set_xlabel(x_label, color=style.TEXT)
        axes.set_ylabel(y_label, color=style.TEXT)
        axes.grid(color=style.LINE, linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
        style.add_legend(axes, drawn, lines, fontsize=style.SMALL)
    return style.finished(figure, path)


def plot_table(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    path: Path | None = None,
    *,
    title: str = "",
    digits: int = 2,
) -> "Figure":
    """Draw a matrix as a table of shaded cells with their numbers; rows and columns have names.

    Args:
        values: (R, C); zero is white, larger absolute values are darker, negative ones red.
        rows, columns: R and C names.
        path: a .png, .svg or .pdf file; None: only return the figure.
        title: above the table.
        digits: after the decimal point; whole numbers have none.

    Raises:
        InputError: names that are not as many as rows and columns, or matplotlib is not installed.

    Example:
        >>> figure = plot_table([[0, 1], [1, 0]], ["a", "b"], ["a", "b"])  # doctest: +SKIP
    """
    style.check_output(path)
    matrix, digits = np.asarray(values, np.float64), check_whole("digits", digits, 0)
    if matrix.shape != (len(rows), len(columns)):
        raise InputError(f"values must have shape ({len(rows)}, {len(columns)}), got {matrix.shape}")
    digits = 0 if np.array_equal(matrix, np.rint(matrix)) else digits
    reach = max(float(np.abs(matrix).max(initial=0)), 1e-9)
    with style.styled():
        longest = max(map(len, columns), default=0)
        width = 1.4 + 0.075 * max(map(len, rows), default=0) + len(columns) * max(0.52, 0.075 * min(longest, 8))
        steep = longest > 6
        figure, axes = style.new_figure(width, 0.7 + 0.32 * len(rows) + (0.06 * longest if steep else 0))
        axes.imshow(matrix, cmap="RdBu", vmin=-1.4 * reach, vmax=1.4 * reach, aspect="auto")
        axes.set_xticks(range(len(columns)), columns, rotation=90 if steep else 0, color=style.TEXT, parse_math=False)
        axes.set_yticks(range(len(rows)), rows, color=style.TEXT, parse_math=False)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        for (row, column), value in np.ndenumerate(matrix):
            dark = abs(value) / reach / 1.4 > 1 - _LIGHT
            color = "white" if dark else style.TEXT
            axes.text(column, row, f"{value:.{digits}f}", ha="center", va="center", size=style.SMALL, color=color)
        if title:
            axes.set_title(title, size=style.TEXT_SIZE)
    return style.finished(figure, path)


def plot_confusion(counts: Any, labels: Sequence[str], path: Path | None = None) -> "Figure":
    """Draw a confusion matrix: true labels by row, predicted ones by column, darker by their share of the row.

    Args:
        counts: (C, C) numbers of texts or tokens. labels: C names. Of more than 30 labels, the most frequent 29 are
            drawn, the others together.
        path: a .png, .svg or .pdf file; None: only return the figure.

    Raises:
        InputError: counts that are not as many as labels, or matplotlib is not installed.

    Example:
        >>> figure = plot_confusion([[8, 2], [1, 9]], ["ham", "spam"])  # doctest: +SKIP
    """
    style.check_output(path)
    matrix, names = np.asarray(counts, np.int64), [str(label) for label in labels]
    if matrix.shape != (len(names), len(names)) or not names:
        size = max(1, len(names))
        raise InputError(f"counts must have shape ({size}, {size}), got {matrix.shape} and {len(names)} labels")
    if len(names) > _MOST_LABELS:
        kept = np.sort(np.argsort(-matrix.sum(axis=1), kind="stable")[: _MOST_LABELS - 1])
        to = np.full(len(names), len(kept))
        to[kept] = np.arange(len(kept))
        joined = np.zeros((_MOST_LABELS, _MOST_LABELS), np.int64)
        np.add.at(joined, (to[:, None], to), matrix)
        matrix, names = joined, [*(names[row] for row in kept), f"{len(names) - len(kept)} others"]
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [name if len(name) <= _LONGEST else f"{name[:_LONGEST]}\u2026" for name in names]
    with style.styled():
        margin = 0.9 + 0.075 * max(map(len, names))
        cell = 0.13 + 0.075 * max(3, len(f"{matrix.max():,}"))
        figure, axes = style.new_figure(margin + cell * len(names), margin + max(0.3, 0.7 * cell) * len(names))
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1.2, aspect="auto")
        axes.set_xticks(range(len(names)), names, rotation=90, color=style.TEXT, parse_math=False)
        axes.set_yticks(range(len(names)), names, color=style.TEXT, parse_math=False)
        axes.tick_params(length=0)
        axes.set(xlabel="predicted", ylabel="true label")
        for (row, column), count in np.ndenumerate(matrix):
            color = "white" if shares[row, column] > 0.65 else style.TEXT if count else style.FAINT
            axes.text(column, row, f"{count:,}", ha="center", va="center", size=style.SMALL, color=color)
    return style.finished(figure, path)


def plot_window(tokens: Sequence[str], window: int, path: Path | None = None) -> "Figure":
    """Draw a window that slides over a sentence: one row per center (dark), its contexts are light.

    Args:
        tokens: at least one, up to 20.
        window: contexts on each side of the center.
        path: a .png, .svg or .pdf file; None: only return the figure.

    Raises:
        InputError: no token or more than 20, an invalid window, or matplotlib is not installed.

    Example:
        >>> figure = plot_window(["the", "cat", "sat"], 1)  # doctest: +SKIP
    """
    style.check_output(path)
    window = check_whole("window", window, 1)
    if not 1 <= len(tokens) <= 20:
        raise InputError(f"a sentence must have 1 to 20 tokens, got {len(tokens)}")
    with style.styled():
        figure, axes = style.new_figure(0.5 + 0.8 * len(tokens), 0.4 + 0.34 * len(tokens))
        for center in range(len(tokens)):
            for place, token in enumerate(tokens):
                distance = abs(place - center)
                fill = style.COLORS[0] if not distance else "#c9d6ee" if distance <= window else "white"
                color = "white" if not distance else style.TEXT if distance <= window else style.FAINT
                axes.text(
                    place, -center, token, ha="center", va="center", color=color, parse_math=False,
                    bbox={"boxstyle": "round,pad=0.3", "facecolor": fill, "edgecolor": "none"},
                )  # fmt: skip
        axes.set_xlim(-0.6, len(tokens) - 0.4)
        axes.set_ylim(0.5 - len(tokens), 0.5)
        axes.axis("off")
    return style.finished(figure, path)
