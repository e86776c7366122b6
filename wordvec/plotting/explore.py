"""Interactive map of words as one HTML page, made with Bokeh, an extra; no request leaves the page."""

import os
from typing import Any

import numpy as np

from wordvec.errors import InputError
from wordvec.plotting import style
from wordvec.plotting.projection import METHODS, clusters, project
from wordvec.system.atomic_files import check_target, replacing
from wordvec.system.optional import optional_module
from wordvec.system.validation import check_choice, check_kind, check_whole
from wordvec.vectors.dense import WordVectors

_MOST_WORDS = 20_000
_LABELS = 60
"""Words in view that have a label: the first of the vocabulary whose labels do not overlap."""
_POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' "
    "'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:\">"
)
"""Forbids the page every request, whatever its scripts do."""
_LAYOUT = "<style>body { margin: 0; overflow: hidden }</style>"

_LABEL_SCRIPT = """
if (plot.properties.inner_width.is_unset || plot.properties.inner_height.is_unset) return
const {x, y, word} = source.data
const found = {x: [], y: [], word: []}
const across = plot.inner_width / (range_x.end - range_x.start), up = plot.inner_height / (range_y.end - range_y.start)
const boxes = []
for (let i = 0; i < word.length && boxes.length < most; i++) {
  if (x[i] < range_x.start || x[i] > range_x.end || y[i] < range_y.start || y[i] > range_y.end) continue
  const box = {left: x[i] * across - 5, right: x[i] * across + 8 + 6.5 * word[i].length, y: y[i] * up}
  if (boxes.some(other => box.left < other.right && other.left < box.right && Math.abs(box.y - other.y) < 13)) continue
  boxes.push(box)
  found.x.push(x[i]); found.y.push(y[i]); found.word.push(word[i])
}
labels.data = found
"""
_HOVER_SCRIPT = """
const {x, y, near} = source.data
const found = {x0: [], y0: [], x1: [], y1: []}
for (const i of cb_data.index.indices.slice(0, 1)) {
  for (const j of near[i]) {
    found.x0.push(x[i]); found.y0.push(y[i]); found.x1.push(x[j]); found.y1.push(y[j])
  }
}
lines.data = found
"""
_SEARCH_SCRIPT = """
const {x, y, word} = source.data
const typed = search.value_input.trim().toLowerCase()
const found = []
for (let i = 0; i < word.length && typed; i++)
  if (word[i].toLowerCase().startsWith(typed)) found.push(i)
found.sort((a, b) => (word[b].toLowerCase() == typed) - (word[a].toLowerCase() == typed) || a - b)
count.text = !typed ? "" : found.length == 1 ? "1 word" : found.length + " words"
source.selected.indices = found
"""
_CENTER_SCRIPT = """
const {x, y} = source.data
const i = source.selected.indices[0]
if (i !== undefined) {
  const wide = (range_x.end - range_x.start) / 2, high = (range_y.end - range_y.start) / 2
  const zoom = Math.min(1, reach / wide)
  range_x.setv({start: x[i] - wide * zoom, end: x[i] + wide * zoom})
  range_y.setv({start: y[i] - high * zoom, end: y[i] + high * zoom})
}
"""


def check_bokeh() -> None:
    """Check that Bokeh is installed.

    Raises:
        InputError: it is not; the message has the command that installs it.
    """
    optional_module("bokeh", "interactive maps need bokeh", "explore")


def explore_words(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    *,
    top: int = 1000,
    neighbors: int = 10,
    n_clusters: int = 10,
    method: str = "tsne",
    seed: int = 1,
) -> int:
    """Write a page with a map of the first words that can be zoomed and searched, and a table of them.

    Pointing at a word shows its neighbors, with lines to those on the map. Typing selects the words that start so, in
    the map and in the table; Enter zooms to the first. The page contains its scripts and data and needs no network.

    Args:
        vectors: the vectors; only their directions count.
        path: a .html file.
        top: number of words, 2 to 20,000.
        neighbors: number of neighbors, among all words of the vocabulary.
        n_clusters: number of clusters (k-means) that have a color and a marker; at most one per word; 0: none.
        method, seed: of the projection; see :func:`wordvec.plotting.projection.project`.

    Returns:
        the number of words on the map.

    Raises:
        InputError: Bokeh is not installed, the file has another suffix, or an argument is invalid.

    Example:
        >>> wv = WordVectors(["king", "queen", "man"], [[1, 1], [1, -1], [0.2, 1]])
        >>> explore_words(wv, "map.html")  # doctest: +SKIP
        3
    """
    check_kind("vectors", vectors, WordVectors)
    top, neighbors = check_whole("top", top, 2, _MOST_WORDS), check_whole("neighbors", neighbors, 1)
    n_clusters = check_whole("n_clusters", n_clusters, 0)
    check_choice("method", method, METHODS)
    if os.path.splitext(path)[1].lower() != ".html":
        raise InputError(f"{path} must end in .html")
    check_bokeh()
    check_target(path)
    words = vectors.tokens[:top]
    units = vectors.unit_vectors if type(vectors) is WordVectors else np.asarray(vectors[words], np.float64)
    units = np.asarray(units[: len(words)], np.float64)
    places = project(units, method, seed)
    groups = clusters(units, min(n_clusters, len(words)), seed) if n_clusters else np.zeros(len(words), np.int64)
    data = _columns(vectors, words, places, groups, neighbors)
    content = _page(data, float(np.abs(places).max()) / 5).encode()
    with replacing(path) as file:
        file.write(content)
    return len(words)


def _columns(
    vectors: WordVectors, words: list[str], places: np.ndarray, groups: np.ndarray, neighbors: int
) -> dict[str, list[Any]]:
    """Return what the page shows of each word."""
    with_direction = [word for word in words if vectors[word].any()]
    found = dict(zip(with_direction, vectors.most_similar_batch(with_direction, neighbors), strict=True))
    row_of = {word: row for row, word in enumerate(words)}
    looks = [group % len(style.COLORS) for group in groups.tolist()]
    counts = vectors.counts
    return {
        "word": words,
        "x": places[:, 0].tolist(),
        "y": places[:, 1].tolist(),
        "count": [""] * len(words) if counts is None else counts[: len(words)].tolist(),
        "cluster": (groups + 1).tolist(),
        "color": [style.COLORS[look] for look in looks],
        "marker": [_BOKEH_MARKERS[style.MARKERS[look]] for look in looks],
        "neighbors": [", ".join(f"{token} {score:.2f}" for token, score in found.get(word, [])) for word in words],
        "near": [[row_of[token] for token, _ in found.get(word, []) if token in row_of] for word in words],
    }


def _span(places: list[float]) -> tuple[float, float]:
    """Return the ends of an axis, with a margin."""
    margin = 0.06 * max(max(places) - min(places), 1e-6)
    return min(places) - margin, max(places) + margin


_BOKEH_MARKERS = {
    "o": "circle", "s": "square", "^": "triangle", "D": "diamond", "v": "inverted_triangle", "P": "plus", "X": "x",
    "<": "hex", ">": "square_pin", "*": "star",
}  # fmt: skip


def _page(data: dict[str, list[Any]], reach: float) -> str:
    """Return the page; ``reach`` is half the width of the map after a search."""
    from bokeh.embed import file_html
    from bokeh.layouts import column, row
    from bokeh.models import ColumnDataSource, CustomJS, DataTable, Div, HoverTool, LabelSet, TableColumn, TextInput
    from bokeh.plotting import figure
    from bokeh.resources import INLINE

    source = ColumnDataSource(data, name="words")
    lines = ColumnDataSource({"x0": [], "y0": [], "x1": [], "y1": []})
    labels = ColumnDataSource({"x": [], "y": [], "word": []}, name="labels")
    plot = figure(
        tools="pan,box_zoom,wheel_zoom,tap,reset,save", active_scroll="wheel_zoom", sizing_mode="stretch_both",
        x_range=_span(data["x"]), y_range=_span(data["y"]), toolbar_location="above", min_width=500, min_height=500,
    )  # fmt: skip
    plot.axis.visible, plot.grid.visible = False, False
    plot.toolbar.logo = None
    plot.segment("x0", "y0", "x1", "y1", source=lines, color=style.FAINT, line_width=1)
    points = plot.scatter(
        "x", "y", source=source, marker="marker", color="color", size=7, line_width=0, fill_alpha=0.8,
        nonselection_fill_alpha=0.15, selection_fill_alpha=1, selection_line_color=style.TEXT, selection_line_width=1.5,
    )  # fmt: skip
    plot.add_layout(
        LabelSet(
            x="x", y="y", text="word", source=labels, x_offset=5, y_offset=-6, text_font_size="11px",
            text_color=style.TEXT,
        )
    )  # fmt: skip
    hover = HoverTool(
        renderers=[points],
        tooltips='<div style="max-width:260px"><b>@word</b> @count<br>@neighbors</div>',
        callback=CustomJS(args={"source": source, "lines": lines}, code=_HOVER_SCRIPT),
    )
    plot.add_tools(hover)
    ranges = {"range_x": plot.x_range, "range_y": plot.y_range}
    relabel = CustomJS(
        args={"source": source, "labels": labels, "plot": plot, "most": _LABELS, **ranges}, code=_LABEL_SCRIPT
    )
    plot.js_on_change("inner_width", relabel)
    for each in ranges.values():
        each.js_on_change("end", relabel)
    search = TextInput(placeholder="search: type the start of a word; Enter zooms", width=400, name="search")
    count = Div(text="", width=400)
    search.js_on_change(
        "value_input", CustomJS(args={"source": source, "search": search, "count": count}, code=_SEARCH_SCRIPT)
    )
    search.js_on_change("value", CustomJS(args={"source": source, "reach": reach, **ranges}, code=_CENTER_SCRIPT))
    table = DataTable(
        source=source,
        columns=[
            TableColumn(field="word", title="word", width=110), TableColumn(field="count", title="count", width=60),
            TableColumn(field="cluster", title="cluster", width=50),
            TableColumn(field="neighbors", title="neighbors", width=600),
        ],
        width=400, sizing_mode="stretch_height", autosize_mode="none", index_position=None,
    )  # fmt: skip
    side = column(search, count, table, width=410, sizing_mode="stretch_height")
    # All of a window: the page has no other content.
    whole = row(plot, side, sizing_mode="stretch_both", styles={"position": "fixed", "inset": "0"})
    html: str = file_html(whole, INLINE, title="word vectors")
    return html.replace("<head>", f"<head>\n    {_POLICY}\n    {_LAYOUT}", 1)
