"""Heat maps of gates, states and attention, and plots of single cells; they need matplotlib, an optional extra."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec import InputError
from wordvec.plotting.style import (
    COLORS,
    LINE,
    MARKERS,
    SMALL,
    TEXT,
    TEXT_SIZE,
    new_figure,
    picture_format,
    save,
    styled,
)  # fmt: skip
from wordvec.system.validation import check_kind

if TYPE_CHECKING:
    from seqclf.inspection.holding import Holder
    from seqclf.inspection.tracing import Activations, LayerTrace

_TITLES = {
    "i": "input gate i",
    "f": "forget gate f",
    "g": "new values g",
    "o": "output gate o",
    "r": "reset gate r",
    "z": "update gate z",
    "n": "new values n",
    "c": "cell c",
    "h": "state h",
}
_BETWEEN_0_AND_1 = {"i", "f", "o", "r", "z"}
_UNITS = 64  # drawn per layer; more would be thinner than a pixel
_CELL, _LETTER, _LARGEST = 0.26, 0.085, 40.0
"""Inches of a cell of the attention, of a letter next to it, and of the largest side of all cells."""


def save_gate_heatmap(trace: "Activations", path: str | os.PathLike[str]) -> None:
    """Draw a trace's gates, cells and states as heat maps (units by tokens), one column per direction and layer.

    The color scale is 0 to 1 for gates, -1 to 1 for candidate values and states, and symmetric around 0 for cells. At
    most 64 units per layer are drawn, those whose states vary most over the text.

    Args:
        trace: returned by ``trace`` or ``trace_tokens``, of at least one token.
        path: the picture: .png, .svg or .pdf.

    Raises:
        InputError: another suffix, no token, or matplotlib is not installed.
    """
    from seqclf.inspection.tracing import Activations

    picture_format(path)
    check_kind("trace", trace, Activations)
    if not trace.tokens:
        raise InputError("cannot draw the trace of a text without tokens")
    columns = [_panels(layer) for layer in trace.layers]
    count = len(trace.tokens)
    width = max(3.2, 1.6 + 0.28 * count)
    grid = {"nrows": len(columns[0]), "ncols": len(columns), "squeeze": False}
    with styled():
        figure, axes = new_figure(width * len(columns), 0.9 + 1.55 * len(columns[0]), **grid)
        for column, (layer, panels) in enumerate(zip(trace.layers, columns, strict=True)):
            for row, (name, values) in enumerate(panels.items()):
                picture = _draw(axes[row, column], name, values, layer.h.shape[1])
                figure.colorbar(picture, ax=axes[row, column], pad=0.02).outline.set_visible(False)
            title = f"layer {layer.layer + 1}, {layer.direction}\n{_TITLES[next(iter(panels))]}"
            axes[0, column].set_title(title, size=TEXT_SIZE)
            _name_tokens(axes[-1, column], trace.tokens)
        figure.suptitle(_shown(trace.title), size=TEXT_SIZE + 1)
        save(figure, path)


def save_cell_plot(trace: "Activations", holders: "Sequence[Holder]", path: str | os.PathLike[str]) -> None:
    """Draw the input, forget and output gate and the value of some cells over the tokens of a text, one below another.

    Args:
        trace: of an LSTM.
        holders: the cells, as ``find_holders`` returns them; at least one.
        path: the picture: .png, .svg or .pdf.

    Raises:
        InputError: another suffix, no cell, or matplotlib is not installed.
    """
    picture_format(path)
    if not holders:
        raise InputError("cannot draw without a cell; give at least one")
    places = np.arange(len(trace.tokens))
    grid = {"nrows": len(holders), "squeeze": False, "sharex": True}
    with styled():
        figure, axes = new_figure(max(4.8, 1.6 + 0.34 * len(places)), 1.0 + 1.7 * len(holders), **grid)
        for axis, holder in zip(axes[:, 0], holders, strict=True):
            [layer] = [
                each for each in trace.layers if (each.layer, each.direction) == (holder.layer, holder.direction)
            ]
            assert layer.c is not None
            axis.bar(places, layer.c[:, holder.unit], color=LINE, label=_TITLES["c"])
            for name, color, marker in zip("ifo", COLORS, MARKERS, strict=False):
                values = layer.gates[name][:, holder.unit]
                axis.plot(places, values, color=color, marker=marker, markersize=4, label=_TITLES[name])
            axis.axhline(0, color=LINE, linewidth=0.6)
            axis.set_title(f"layer {holder.layer + 1}, {holder.direction}, unit {holder.unit}", size=TEXT_SIZE)
        axes[0, 0].legend(fontsize=SMALL, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
        _name_tokens(axes[-1, 0], trace.tokens)
        save(figure, path)


def save_attention_heatmap(
    source: Sequence[str], target: Sequence[str], attention: np.ndarray, path: str | os.PathLike[str]
) -> None:
    """Draw the attention of each target unit, a row, to the source's units, the columns (Bahdanau et al. 2015, fig. 3).

    The color scale is 0 to 1.

    Args:
        source: S units. target: T units.
        attention: (T, S) weights.
        path: the picture: .png, .svg or .pdf.

    Raises:
        InputError: another suffix, no unit, weights of another shape, or matplotlib is not installed.
    """
    picture_format(path)
    weights = np.asarray(attention)
    if not source or not target:
        raise InputError("cannot draw the attention of a source or a target without units")
    if weights.shape != (len(target), len(source)):
        raise InputError(
            f"attention must have a row for each of {len(target)} target units and a column for each of {len(source)} "
            f"source units, got an array of shape {weights.shape}"
        )
    longest = max(map(len, source))
    width, height = (min(max(_CELL * count, 1.2), _LARGEST) for count in (len(source), len(target)))
    margins = 1.4 + _LETTER * max(map(len, target)), 0.4 + (_LETTER * longest if longest > 1 else 0)
    with styled():
        figure, axes = new_figure(width + margins[0], height + margins[1])
        picture = axes.imshow(weights, interpolation="nearest", vmin=0, vmax=1, cmap="viridis", aspect="auto")
        axes.xaxis.tick_top()
        _name_tokens(axes, source, 90 if longest > 1 else 0)
        axes.set_yticks(range(len(target)), map(_shown, target), color=TEXT)
        axes.tick_params(length=0)
        figure.colorbar(picture, ax=axes, pad=0.02).outline.set_visible(False)
        save(figure, path)


def _name_tokens(axes: Any, tokens: Sequence[str], rotation: int = 90) -> None:
    axes.set_xticks(range(len(tokens)), list(map(_shown, tokens)), rotation=rotation, color=TEXT)


def _shown(unit: str) -> str:
    """Return a unit that can be seen, and that matplotlib does not take for a formula."""
    return "\u2423" if unit == " " else unit.replace("$", r"\$")


def _panels(layer: "LayerTrace") -> dict[str, np.ndarray]:
    """Return the arrays to draw by name, restricted to the units that vary most."""
    units = np.argsort(-layer.h.std(axis=0), kind="stable")[:_UNITS]
    found = {**layer.gates, **({} if layer.c is None else {"c": layer.c}), "h": layer.h}
    return {name: values[:, np.sort(units)] for name, values in found.items()}


def _draw(axes: Any, name: str, values: np.ndarray, units: int) -> Any:
    reach = max(1e-6, float(np.abs(values).max())) if name == "c" else 1.0
    low, colors = (0.0, "viridis") if name in _BETWEEN_0_AND_1 else (-reach, "cividis")
    axes.set_title(_TITLES[name], size=TEXT_SIZE)
    axes.set_xticks([])
    if values.shape[1] < units:  # positions on the axis are not unit numbers then
        axes.set_yticks([])
        axes.set_ylabel(f"{values.shape[1]} of {units} units")
    else:
        axes.set_ylabel("unit")
    return axes.imshow(values.T, aspect="auto", interpolation="nearest", vmin=low, vmax=reach, cmap=colors)
