"""Charts of a report as SVG elements whose colors follow the page; they need matplotlib, an optional extra."""

import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seqclf.classification.curves import PrecisionRecall
from seqclf.classification.evaluation import Coverage, Reliability
from wordvec.plotting.curves import draw_history
from wordvec.plotting.style import COLORS, FAINT, LINE, TEXT, add_legend, new_figure, styled

_WIDTH, _HEIGHT = 4.2, 2.9
_STYLES = ("-", "--", "-.", ":")
_LONGEST = 20
"""Letters of a label in a legend."""
_ON_PAGE = {
    TEXT: "var(--text)",
    FAINT: "var(--faint)",
    LINE: "var(--line)",
    COLORS[0]: "var(--first)",
    COLORS[1]: "var(--second)",
}


def history_chart(history: Sequence[Mapping[str, Any]]) -> str:
    """Draw the losses of each epoch and the measure on the validation data."""
    with styled():
        figure, axes = new_figure(_WIDTH, _HEIGHT)
        draw_history(axes, history)
        return _element(figure, "Loss and validation measure of each epoch")


def reliability_chart(rows: Sequence[Reliability], x: str, y: str) -> str:
    """Draw accuracy against confidence, with areas in proportion to the texts; calibrated is the diagonal."""
    most = max(row.texts for row in rows)
    with styled():
        figure, axes = new_figure(_WIDTH, _HEIGHT)
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
        confidence, accuracy = [row.confidence for row in rows], [row.accuracy for row in rows]
        axes.plot(confidence, accuracy, color=COLORS[0], linewidth=1.3)
        axes.scatter(confidence, accuracy, s=[12 + 90 * row.texts / most for row in rows], color=COLORS[0], alpha=0.6)
        _share_axes(axes, x, y)
        axes.set_xlim(min(0.5, *confidence) - 0.04, 1.04)
        axes.set_ylim(-0.04, 1.04)
        return _element(figure, f"{y} against {x}".capitalize())


def precision_chart(curves: Mapping[str, PrecisionRecall]) -> str:
    """Draw precision against recall for some labels, at most four."""
    with styled():
        figure, axes = new_figure(_WIDTH, _HEIGHT)
        for curve, color, style in zip(curves.values(), COLORS, _STYLES, strict=False):
            axes.plot(curve.recall, curve.precision, style, color=color, linewidth=1.3)
        _share_axes(axes, "recall", "precision")
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.05)
        _legend(axes, axes.get_lines(), curves)
        return _element(figure, "Precision against recall")


def threshold_chart(curves: Mapping[str, PrecisionRecall], chosen: Mapping[str, float]) -> str:
    """Draw F1 against the threshold for some labels, at most four, with points at the chosen thresholds."""
    with styled():
        figure, axes = new_figure(_WIDTH, _HEIGHT)
        lines = []
        for (label, curve), color, style in zip(curves.items(), COLORS, _STYLES, strict=False):
            f1 = 2 * curve.precision * curve.recall / (curve.precision + curve.recall).clip(1e-9)
            steps = [[1.0, *curve.thresholds], [0.0, *f1]]
            lines += axes.plot(*steps, style, color=color, linewidth=1.3, drawstyle="steps-post")
            place = int((curve.thresholds >= chosen[label]).sum())
            axes.plot(chosen[label], steps[1][place], "o", color=color, markersize=5)
        axes.set_xlabel("threshold")
        axes.set_ylabel("F1")
        axes.set_xlim(0, 1.03)
        axes.set_ylim(0, 1.05)
        _legend(axes, lines, curves)
        return _element(figure, "F1 against the threshold")


def coverage_chart(rows: Sequence[Coverage]) -> str:
    """Draw the accuracy of the answers against the share of answered texts, for growing least confidence."""
    shares, accuracies = zip(*((row.coverage, row.accuracy) for row in rows if row.accuracy is not None), strict=True)
    with styled():
        figure, axes = new_figure(_WIDTH, _HEIGHT)
        axes.plot(shares, accuracies, color=COLORS[0], marker="o", markersize=3.5, linewidth=1.3)
        _share_axes(axes, "answered texts", "accuracy of the answers")
        axes.set_xlim(0, 1.03)
        axes.set_ylim(max(0, min(accuracies) - 0.05), 1.01)
        return _element(figure, "Accuracy against the share of answered texts")


def _legend(axes: Any, lines: Sequence[Any], labels: Iterable[str]) -> None:
    """Add a legend above the axes."""
    names = [label if len(label) <= _LONGEST else f"{label[:_LONGEST]}..." for label in labels]
    add_legend(axes, lines, names, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, labelcolor=TEXT)


def _share_axes(axes: Any, x: str, y: str) -> None:
    from matplotlib.ticker import PercentFormatter

    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _element(figure: Any, title: str) -> str:
    """Return a figure as an SVG element with a title for readers that cannot see it."""
    for axes in figure.axes:
        axes.spines["top"].set_visible(False)
        axes.spines["right"].set_visible(len(figure.axes) > 1)
        axes.patch.set_alpha(0)
    content = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # the browser's fonts have it
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None})
    svg = content.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(
        r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', rf'<svg viewBox="\1" role="img"><title>{title}</title>', svg, count=1
    )
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for color, name in _ON_PAGE.items():
        svg = svg.replace(color, name)
    return svg
