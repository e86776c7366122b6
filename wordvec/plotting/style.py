"""One style for all pictures, and files with identical bytes for identical pictures; needs matplotlib, an extra."""

import io
import logging
import os
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wordvec.errors import InputError
from wordvec.system.atomic_files import check_target, replacing
from wordvec.system.optional import optional_module

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_log = logging.getLogger(__name__)

FORMATS = ("png", "svg", "pdf")

COLORS = ("#0b3c8c", "#d1495b", "#a8650c", "#2a9d8f", "#6a4c93", "#7f5539", "#00798c", "#9d4edd", "#333333", "#52796f")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*")
"""Each group has its own color and marker, so that groups stay distinguishable in black and white."""

TEXT, FAINT, LINE = "#111111", "#8a8a8a", "#c8c8c8"
TEXT_SIZE, SMALL = 9, 8
_DPI = 150
_SETTINGS: Any = {
    "font.family": "DejaVu Sans", "font.size": TEXT_SIZE, "axes.edgecolor": LINE, "axes.linewidth": 0.8,
    "axes.labelcolor": FAINT, "axes.labelsize": SMALL, "xtick.color": FAINT, "ytick.color": FAINT,
    "svg.hashsalt": "wordvec", "svg.fonttype": "none",
}  # fmt: skip


def picture_format(path: str | os.PathLike[str]) -> str:
    """Return a picture's format, from the suffix of its file name; checked before any work.

    Raises:
        InputError: the suffix is not in ``FORMATS``, matplotlib is not installed, or the file cannot be written.
    """
    kind = Path(path).suffix.lstrip(".").lower()
    if kind not in FORMATS:
        raise InputError(f"{path} must end in .{', .'.join(FORMATS)}")
    check_matplotlib()
    check_target(path)
    return kind


def check_matplotlib() -> None:
    """Check that matplotlib is installed.

    Raises:
        InputError: it is not; the message has the command that installs it.
    """
    optional_module("matplotlib", "pictures need matplotlib", "plotting")


def check_output(path: str | os.PathLike[str] | None) -> None:
    """Check, before any work, that a picture can be made, and written to ``path``; None only returns the figure.

    Raises:
        InputError: see :func:`picture_format`.
    """
    if path is None:
        check_matplotlib()
    else:
        picture_format(path)


def finished(figure: "Figure", path: str | os.PathLike[str] | None) -> "Figure":
    """Return a figure, written to ``path`` unless that is None."""
    if path is not None:
        save(figure, path)
    return figure


def styled() -> Any:
    """Return a context in which figures are made and drawn in this style."""
    from matplotlib import rc_context

    return rc_context(_SETTINGS)


def new_figure(width: float, height: float, **grid: Any) -> tuple[Any, Any]:
    """Return a figure of a size in inches, which no window shows, and its axes, as of ``Figure.subplots(**grid)``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(**grid)


def add_legend(place: Any, lines: Sequence[Any], names: Iterable[str], **options: Any) -> None:
    """Add a legend to axes or a figure that has the names as they are: matplotlib leaves out those that begin with
    ``_``, and takes what is between dollar signs for a formula."""
    legend = place.legend(lines, ["-"] * len(lines), frameon=False, **options)
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set(text=name, parse_math=False)


def save(figure: Any, path: str | os.PathLike[str]) -> None:
    """Write a figure to a file; without date and version, the same figure gives the same bytes.

    Args:
        figure: a matplotlib ``Figure``.
        path: a file that ends in .png, .svg or .pdf.

    Raises:
        InputError: see :func:`picture_format`.
    """
    kind = picture_format(path)
    metadata: dict[str, Any] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    content = io.BytesIO()
    with styled(), warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message="Glyph")
        figure.savefig(content, format=kind, metadata=metadata)
    missing = {chr(int(found[1])) for each in caught if (found := re.match(r"Glyph (\d+)", str(each.message)))}
    if missing:
        _log.warning("%s: matplotlib's font lacks %s, drawn as boxes", path, " ".join(sorted(missing)[:20]))
    with replacing(path) as file:
        file.write(content.getvalue())
