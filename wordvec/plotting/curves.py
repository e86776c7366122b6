"""Curves of trainings, and scores of several vectors on several benchmarks, as matplotlib figures."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import InputError
from wordvec.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW = 0.22
"""Inches between the points of two vectors."""


def plot_training(
    losses: Sequence[float],
    scores: Sequence[float | None] = (),
    path: str | os.PathLike[str] | None = None,
    *,
    kept_epoch: int = 0,
) -> "Figure":
    """Draw the loss of each epoch and, on an axis of its own, the evaluation score.

    Args:
        losses: of epochs 1, 2, ...; NaN where it was not measured.
        scores: of the same epochs, None where there was no evaluation.
        path: a .png, .svg or .pdf file; None: only return the figure.
        kept_epoch: the epoch that the vectors are from, which a line marks; 0: none.

    Returns:
        a matplotlib ``Figure``.

    Raises:
        InputError: no epochs, another suffix, or matplotlib is not installed.

    Example:
        >>> figure = plot_training([2.5, 2.1, 2.0], [0.3, None, 0.5], kept_epoch=3)  # doctest: +SKIP
    """
    _check(path, len(losses), "a training curve needs at least one epoch")
    from matplotlib.ticker import MaxNLocator

    epochs = np.arange(1, len(losses) + 1)
    with style.styled():
        figure, axes = style.new_figure(6, 3.6)
        axes.plot(epochs, losses, color=style.COLORS[0], marker=style.MARKERS[0], ms=4, label="loss")
        axes.set(xlabel="epoch", ylabel="loss")
        axes.set_xlim(0.5, len(losses) + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        measured = [(epoch, score) for epoch, score in zip(epochs, scores, strict=False) if score is not None]
        if measured:
            other = axes.twinx()
            other.plot(*zip(*measured, strict=True), color=style.COLORS[1], marker=style.MARKERS[1], ms=4)
            other.set_ylabel("score", color=style.COLORS[1])
            axes.yaxis.label.set_color(style.COLORS[0])
        if kept_epoch:
            axes.axvline(kept_epoch, color=style.LINE, zorder=0)
            axes.annotate(
                "kept", (kept_epoch, 1), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
                ha="center", size=style.SMALL, color=style.FAINT,
            )  # fmt: skip
    return style.finished(figure, path)


def plot_learning_curve(
    examples: Sequence[int], scores: Mapping[str, Sequence[float]], path: str | os.PathLike[str] | None = None
) -> "Figure":
    """Draw the scores of several models by the number of training examples, on a logarithmic scale.

    Args:
        examples: the numbers, ascending.
        scores: by model, a score for each number; the first model's line is the strongest.
        path: a .png, .svg or .pdf file; None: only return the figure.

    Returns:
        a matplotlib ``Figure``.

    Raises:
        InputError: no numbers, another suffix, or matplotlib is not installed.

    Example:
        >>> figure = plot_learning_curve([100, 200], {"ours": [0.6, 0.7], "baseline": [0.5, 0.6]})  # doctest: +SKIP
    """
    _check(path, len(examples), "a learning curve needs at least one number of examples")
    with style.styled():
        figure, axes = style.new_figure(6, 3.6)
        for number, (name, row) in enumerate(scores.items()):
            color, marker = (each[number % len(each)] for each in (style.COLORS, style.MARKERS))
            axes.plot(examples, row, color=color, marker=marker, ms=4, lw=1 if number else 2, label=name)
        axes.set_xscale("log")
        axes.set_xticks(examples, [f"{count:,}" for count in examples])
        axes.minorticks_off()
        axes.set(xlabel="training texts", ylabel="accuracy")
        axes.grid(axis="y", color=style.LINE, lw=0.5)
        axes.set_axisbelow(True)
        figure.legend(loc="outside lower center", frameon=False, fontsize=style.SMALL, ncols=2)
    return style.finished(figure, path)


def plot_scores(
    scores: Mapping[str, Mapping[str, Sequence[float | None] | None]], path: str | os.PathLike[str] | None = None
) -> "Figure":
    """Draw the scores of several vectors on several benchmarks as points, with their confidence intervals.

    Args:
        scores: by vectors, by benchmark, the score and, if known, the ends of its interval; None without a score.
        path: a .png, .svg or .pdf file; None: only return the figure.

    Returns:
        a matplotlib ``Figure``.

    Raises:
        InputError: no score, another suffix, or matplotlib is not installed.

    Example:
        >>> figure = plot_scores({"a": {"ws353": (0.6, 0.5, 0.7)}, "b": {"ws353": (0.5,)}})  # doctest: +SKIP
    """
    benchmarks = list(dict.fromkeys(name for row in scores.values() for name in row))
    known = sum(found is not None for row in scores.values() for found in row.values())
    _check(path, known, "a picture of scores needs at least one score")
    height = len(benchmarks) * (len(scores) * _ROW + 0.25) + 0.7 + _ROW * (len(scores) > 1) * len(scores)
    with style.styled():
        figure, axes = style.new_figure(6.5, max(height, 1.6))
        for number, (name, row) in enumerate(scores.items()):
            color, marker = (each[number % len(each)] for each in (style.COLORS, style.MARKERS))
            points = [(place, row[each]) for place, each in enumerate(benchmarks) if row.get(each) is not None]
            offset = (number - (len(scores) - 1) / 2) * 0.7 / len(scores)
            for place, found in points:
                if len(found or ()) == 3:
                    axes.plot(found[1:], [place + offset] * 2, color=color, lw=1.2)  # type: ignore[index]
            axes.plot(
                [found[0] for _, found in points if found], [place + offset for place, _ in points],
                color=color, marker=marker, ls="", ms=6, label=name,
            )  # fmt: skip
        axes.set_yticks(range(len(benchmarks)), benchmarks, parse_math=False)
        axes.set_ylim(len(benchmarks) - 0.5, -0.5)
        axes.set_xlabel("score")
        axes.grid(axis="x", color=style.LINE, lw=0.5)
        axes.set_axisbelow(True)
        if len(scores) > 1:
            legend = figure.legend(loc="outside lower center", frameon=False, fontsize=style.SMALL)
            for text in legend.get_texts():
                text.set_parse_math(False)
    return style.finished(figure, path)


def _check(path: Any, count: int, message: str) -> None:
    style.check_output(path)
    if not count:
        raise InputError(f"{message}, got none")
