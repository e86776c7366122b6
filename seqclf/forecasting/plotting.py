"""Pictures of forecasts: history, forecast and interval; they need matplotlib, an optional extra."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from wordvec import InputError
from wordvec.plotting.style import COLORS, FAINT, LINE, SMALL, TEXT_SIZE, check_output, finished, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LEAST_SHOWN, _TIMES_STEPS, _MOST_PANELS = 50, 8, 50


def plot_forecast(
    names: Sequence[str],
    history: np.ndarray,
    forecast: np.ndarray,
    bounds: tuple[np.ndarray, np.ndarray] | None = None,
    path: str | os.PathLike[str] | None = None,
    *,
    level: float = 0.9,
    dates: Sequence[str] | None = None,
) -> "Figure":
    """Draw the end of a series, its forecast and the interval, one panel per column.

    Args:
        names: of the D columns.
        history: (N, D) the series; of a long one, the last 50 values or 8 times the steps are drawn.
        forecast: (H, D). bounds: lower and upper (H, D), with probability ``level``.
        path: a .png, .svg or .pdf file; None: only return the figure.
        dates: (N + H,) of the series and the forecast; None numbers the steps from 1.

    Returns:
        a matplotlib ``Figure``.

    Raises:
        InputError: another suffix, more than 50 columns, or matplotlib is not installed.

    Example:
        >>> bounds = np.zeros((2, 1)), np.full((2, 1), 2.0)
        >>> figure = plot_forecast(["sales"], np.ones((9, 1)), np.ones((2, 1)), bounds)  # doctest: +SKIP
    """
    check_output(path)
    if len(names) > _MOST_PANELS:
        raise InputError(f"a picture has at most {_MOST_PANELS} columns, got {len(names)}; write a .csv file instead")
    steps = len(forecast)
    shown = history[-max(_LEAST_SHOWN, _TIMES_STEPS * steps) :]
    past = np.arange(len(history) - len(shown), len(history)) + 1
    future = np.arange(len(history), len(history) + steps) + 1
    with styled():
        figure, grid = new_figure(8, 1 + 2.4 * len(names), nrows=len(names), squeeze=False, sharex=True)
        panels = grid[:, 0]
        for column, (name, axes) in enumerate(zip(names, panels, strict=True)):
            joined = np.r_[shown[-1, column], forecast[:, column]]
            axes.plot(past, shown[:, column], color=FAINT, linewidth=1.2, label="series")
            if bounds is not None:
                low, high = (side[:, column] for side in bounds)
                label = f"{100 * level:g} % interval"
                axes.fill_between(future, low, high, color=COLORS[0], alpha=0.18, linewidth=0, label=label)
            axes.plot(np.r_[past[-1], future], joined, color=COLORS[0], linewidth=1.6, label="forecast")
            axes.axvline(past[-1], color=LINE, linewidth=0.8)
            axes.set_title(name, loc="left", fontsize=TEXT_SIZE, parse_math=False)
            axes.tick_params(labelsize=SMALL)
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        panels[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, fontsize=SMALL, frameon=False)
        if dates is not None:
            places = np.unique(np.linspace(past[0], future[-1], 7).round().astype(int))
            panels[-1].set_xticks(places, [dates[place - future[-1] - 1] for place in places])
        else:
            panels[-1].set_xlabel("step")
    return finished(figure, path)
