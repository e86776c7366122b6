"""Curves of trainings, and scores on several benchmarks, as matplotlib figures."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from wordvec.errors import InputError
from wordvec.plotting import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_ROW = 0.22
"""Inches between the points of two vectors."""
_MEASURES = {
    "dev_macro_f1": "validation macro-F1",
    "dev_micro_f1": "validation micro-F1",
    "dev_entity_f1": "validation F1 of entities",
    "dev_accuracy": "validation accuracy",
    "dev_exact": "exact validation answers",
    "dev_rmse": "validation RMSE",
    "score": "score",
}
"""By name in the history of a training; the first of those there is drawn."""


def plot_training(
    history: Sequence[Mapping[str, Any]], path: str | os.PathLike[str] | None = None, *, kept_epoch: int = 0
) -> "Figure":
    """Draw the losses of each epoch and, on an axis of its own, what the training was evaluated by.

    Args:
        history: a row for each epoch: ``epoch``, ``loss``, and what there is of ``dev_loss`` and one measure such as
            ``dev_accuracy`` or ``score``; None or NaN where it was not measured.
        path: a .png, .svg or .pdf file; None: only return the figure.
        kept_epoch: the epoch that was kept, which a line marks; 0: none.

    Returns:
        a matplotlib ``Figure``.

    Raises:
        InputError: no epochs, another suffix, or matplotlib is not installed.

    Example:
        >>> rows = [{"epoch": 1, "loss": 2.5, "score": 0.3}, {"epoch": 2, "loss": 2.1, "score": 0.5}]
        >>> figure = plot_training(rows, kept_epoch=2)  # doctest: +SKIP
    """
    _check(path, len(history), "a training curve needs at least one epoch")
    with style.styled():
        figure, axes = style.new_figure(6, 3.6)
        draw_history(axes, history)
        if kept_epoch:
            axes.axvline(kept_epoch, color=style.LINE, zorder=0)
            axes.annotate(
                "kept", (kept_epoch, 0), xycoords=("data", "axes fraction"), xytext=(-3, 4),
                textcoords="offset points", ha="right", size=style.SMALL, color=style.FAINT,
            )  # fmt: skip
    return style.finished(figure, path)


def draw_history(axes: Any, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw the rows of a training, as of :func:`plot_training`, onto matplotlib axes."""
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in history]
    drawn = [("loss", "training loss", axes, "-"), ("dev_loss", "validation loss", axes, "--")]
    measure = next((name for name in _MEASURES if any(row.get(name) is not None for row in history)), None)
    if measure is not None:
        other = axes.twinx()
        other.set_ylabel(_MEASURES[measure])
        drawn.append((measure, _MEASURES[measure], other, "-"))
    lines = []
    for (name, label, place, dashes), marker in zip(drawn, style.MARKERS, strict=False):
        points = [(epoch, row[name]) for epoch, row in zip(epochs, history, strict=True) if row.get(name) is not None]
        if points:
            color = style.COLORS[place is not axes]
            lines += place.plot(
                *zip(*points, strict=True), dashes, color=color, marker=marker, markersize=3.5, linewidth=1.3,
                label=label,
            )  # fmt: skip
    axes.set(xlabel="epoch", ylabel="loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    columns = 3 if axes.figure.get_figwidth() > 5 else 2
    legend = axes.legend(handles=lines, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False)
    for text in legend.get_texts():
        text.set_color(style.TEXT)


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
    scores: Mapping[str, Mapping[str, Sequence[float] | None]],
    path: str | os.PathLike[str] | None = None,
    *,
    label: str = "score",
) -> "Figure":
    """Draw scores with their confidence intervals: of one file of vectors as bars, of several as points.

    Args:
        scores: by vectors, by benchmark, the score and, if known, the ends of its interval; None without a score.
        path: a .png, .svg or .pdf file; None: only return the figure.
        label: of the axis of scores.

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
    gap = 0.08 if len(scores) == 1 else 0.25
    height = len(benchmarks) * (len(scores) * _ROW + gap) + 0.7 + _ROW * (len(scores) > 1) * len(scores)
    with style.styled():
        figure, axes = style.new_figure(6.5, max(height, 1.6))
        drawn: list[Any] = []
        for number, row in enumerate(scores.values()):
            color, marker = (each[number % len(each)] for each in (style.COLORS, style.MARKERS))
            offset = (number - (len(scores) - 1) / 2) * 0.7 / len(scores)
            points = [(found, place + offset) for place, each in enumerate(benchmarks) if (found := row.get(each))]
            values, places = [found[0] for found, _ in points], [place for _, place in points]
            for found, place in points:
                if len(found) == 3:
                    axes.plot(found[1:], [place] * 2, color=style.TEXT if len(scores) == 1 else color, lw=1.2)
            if len(scores) == 1:
                _draw_bars(axes, values, places)
            else:
                drawn += axes.plot(values, places, color=color, marker=marker, ls="", ms=6)
        axes.set_yticks(range(len(benchmarks)), benchmarks, parse_math=False)
        axes.set_ylim(len(benchmarks) - 0.5, -0.5)
        axes.set_xlabel(label)
        axes.grid(axis="x", color=style.LINE, lw=0.5)
        axes.set_axisbelow(True)
        if len(scores) > 1:
            style.add_legend(figure, drawn, scores, loc="outside lower center", fontsize=style.SMALL)
    return style.finished(figure, path)


def _draw_bars(axes: Any, values: Sequence[float], places: Sequence[float]) -> None:
    """Draw horizontal bars, each with its number at a common edge, where no interval reaches."""
    axes.barh(places, values, height=0.6, color=style.COLORS[0], alpha=0.55)
    for value, place in zip(values, places, strict=True):
        axes.annotate(
            f"{value:.3f}", (1, place), xycoords=("axes fraction", "data"), xytext=(4, 0), textcoords="offset points",
            va="center", size=style.SMALL, color=style.TEXT,
        )  # fmt: skip


def _check(path: Any, count: int, message: str) -> None:
    style.check_output(path)
    if not count:
        raise InputError(f"{message}, got none")
