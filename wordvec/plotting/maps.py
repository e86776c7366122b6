"""Maps of words, arrows of analogies, and heat maps of similarities, as matplotlib figures."""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wordvec.errors import InputError
from wordvec.plotting import style
from wordvec.plotting.labels import place_labels
from wordvec.plotting.projection import METHODS, clusters, principal_components, project
from wordvec.system.validation import check_choice, check_kind, check_whole
from wordvec.vectors.dense import WordVectors
from wordvec.vectors.similarities import listed_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_WORDS, _MOST_CELLS, _WRITTEN_CELLS = 1000, 100, 16
_INCH = 72.0


def plot_words(
    vectors: WordVectors,
    words: Sequence[str],
    path: str | os.PathLike[str] | None = None,
    *,
    neighbors: int = 0,
    n_clusters: int = 0,
    method: str = "pca",
    seed: int = 1,
) -> "Figure":
    """Draw words as a map: near each other in the plane if their vectors have similar directions.

    Args:
        vectors: the vectors; only their directions count.
        words: at least two words in all; repeated ones are drawn once.
        path: a .png, .svg or .pdf file; None: only return the figure.
        neighbors: also draw so many nearest neighbors of each word, each with the color and marker of its word.
        n_clusters: color the words by so many clusters (k-means); 0: none.
        method, seed: of the projection; see :func:`wordvec.plotting.projection.project`.

    Returns:
        a matplotlib ``Figure``, which notebooks show with ``display``.

    Raises:
        UnknownTokenError: a word is not in the vocabulary.
        InputError: fewer than two words or more than 1,000, matplotlib is not installed, or an argument is invalid.

    Example:
        >>> wv = WordVectors(["king", "queen", "man"], [[1, 1], [1, -1], [0.2, 1]])
        >>> figure = plot_words(wv, ["king", "queen", "man"])  # doctest: +SKIP
    """
    _check(vectors, path)
    check_choice("method", method, METHODS)
    neighbors, n_clusters = check_whole("neighbors", neighbors, 0), check_whole("n_clusters", n_clusters, 0)
    chosen = list(dict.fromkeys(listed_words(words)))
    groups = dict.fromkeys(chosen, 0)
    if neighbors:
        groups = {word: number for number, word in enumerate(chosen)}
        for number, found in enumerate(vectors.most_similar_batch(chosen, neighbors)):
            for token, _ in found:
                groups.setdefault(token, number)
    drawn = list(groups)
    if not 2 <= len(drawn) <= _MOST_WORDS:
        raise InputError(f"a map needs 2 to {_MOST_WORDS:,} words, got {len(drawn):,}")
    units = _units(vectors, drawn)
    places = project(units, method, seed)
    if n_clusters:
        groups = dict(zip(drawn, clusters(units, n_clusters, seed).tolist(), strict=True))
    with style.styled():
        side = min(16.0, 4.0 + 0.3 * len(drawn) ** 0.6)
        figure, axes = style.new_figure(1.25 * side, side)
        for group in sorted(set(groups.values())):
            rows = [row for row, word in enumerate(drawn) if groups[word] == group]
            look = group % len(style.COLORS)
            axes.scatter(
                *places[rows].T, s=24, c=style.COLORS[look], marker=style.MARKERS[look], linewidths=0, zorder=3
            )
        _name_axes(axes, units, method if len(drawn) > 3 else "pca")
        emphasized = set(chosen) if neighbors else set()
        _label(figure, axes, places, drawn, emphasized)
    return style.finished(figure, path)


def plot_analogies(
    vectors: WordVectors, pairs: Iterable[tuple[str, str]], path: str | os.PathLike[str] | None = None
) -> "Figure":
    """Draw an arrow from the first to the second word of each pair, on the principal components of all the words.

    If the pairs have the same relation, the arrows are nearly parallel and equally long.

    Args:
        vectors: the vectors; only their directions count.
        pairs: such as ``[("man", "king"), ("woman", "queen")]``.
        path: a .png, .svg or .pdf file; None: only return the figure.

    Raises:
        UnknownTokenError: a word is not in the vocabulary.
        InputError: no pairs, matplotlib is not installed, or an argument is invalid.

    Example:
        >>> wv = WordVectors(["king", "queen", "man", "woman"], [[1, 1], [1, -1], [0.2, 1], [0.2, -1]])
        >>> figure = plot_analogies(wv, [("man", "king"), ("woman", "queen")])  # doctest: +SKIP
    """
    _check(vectors, path)
    listed = [tuple(pair) for pair in pairs]
    if not listed or any(len(pair) != 2 for pair in listed):
        raise InputError("analogies need pairs of words, such as [('man', 'king'), ('woman', 'queen')]")
    drawn = list(dict.fromkeys(word for pair in listed for word in pair))
    if not 2 <= len(drawn) <= _MOST_WORDS:
        raise InputError(f"analogies need 2 to {_MOST_WORDS:,} words, got {len(drawn):,}")
    units = _units(vectors, drawn)
    places = project(units)
    with style.styled():
        side = min(16.0, 4.0 + 0.3 * len(drawn) ** 0.6)
        figure, axes = style.new_figure(1.25 * side, side)
        axes.scatter(*places.T, s=18, c=style.COLORS[0], linewidths=0, zorder=3)
        for start, end in listed:
            axes.annotate(
                "", places[drawn.index(end)], places[drawn.index(start)], zorder=2,
                arrowprops={"arrowstyle": "-|>", "color": style.FAINT, "lw": 1.0, "shrinkA": 3, "shrinkB": 4},
            )  # fmt: skip
        _name_axes(axes, units, "pca")
        _label(figure, axes, places, drawn, set(), [(drawn.index(a), drawn.index(b)) for a, b in listed])
    return style.finished(figure, path)


def plot_similarities(
    vectors: WordVectors, words: Sequence[str], path: str | os.PathLike[str] | None = None
) -> "Figure":
    """Draw the cosine similarities of all pairs of words as a heat map, with the numbers for at most 16 words.

    Args:
        vectors: the vectors.
        words: 2 to 100 words, in the order of rows and columns; repeated ones are drawn once.
        path: a .png, .svg or .pdf file; None: only return the figure.

    Raises:
        UnknownTokenError: a word is not in the vocabulary.
        InputError: too few or too many words, matplotlib is not installed, or an argument is invalid.

    Example:
        >>> wv = WordVectors(["king", "queen", "man"], [[1, 1], [1, -1], [0.2, 1]])
        >>> figure = plot_similarities(wv, ["king", "queen", "man"])  # doctest: +SKIP
    """
    _check(vectors, path)
    drawn = list(dict.fromkeys(listed_words(words)))
    if not 2 <= len(drawn) <= _MOST_CELLS:
        raise InputError(f"a heat map needs 2 to {_MOST_CELLS} words, got {len(drawn)}")
    units = _units(vectors, drawn)
    cosines = np.clip((units[:, None] * units).sum(axis=2), -1, 1)
    low = min(0.0, float(cosines.min()))
    with style.styled():
        side = 1.8 + max(2.2, min(14.0, 0.42 * len(drawn)))
        figure, axes = style.new_figure(side + 0.9, side)
        picture = axes.imshow(cosines, vmin=low, vmax=1, cmap="Greys")
        axes.set_xticks(range(len(drawn)), drawn, rotation=90, color=style.TEXT, parse_math=False)
        axes.set_yticks(range(len(drawn)), drawn, color=style.TEXT, parse_math=False)
        axes.tick_params(length=0)
        if len(drawn) <= _WRITTEN_CELLS:
            for row, column in np.ndindex(cosines.shape):
                dark = cosines[row, column] - low > 0.55 * (1 - low)
                text = f"{cosines[row, column]:.2f}"
                axes.text(column, row, text, ha="center", va="center", size=6.5, color="white" if dark else style.TEXT)
        bar = figure.colorbar(picture, ax=axes, pad=0.02, shrink=0.8, label="cosine similarity")
        bar.outline.set_visible(False)
    return style.finished(figure, path)


def _check(vectors: WordVectors, path: str | os.PathLike[str] | None) -> None:
    check_kind("vectors", vectors, WordVectors)
    style.check_output(path)


def _units(vectors: WordVectors, words: list[str]) -> np.ndarray:
    """Return the vectors (n, D) float64 of words, of length 1; zero vectors stay zero."""
    rows = np.asarray(vectors[words], np.float64)
    norms = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    return rows / np.where(norms == 0, 1, norms)


def _name_axes(axes: Any, units: np.ndarray, method: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.08)
    if method != "pca":
        axes.set_xlabel({"tsne": "t-SNE", "umap": "UMAP"}[method] + ": neighborhoods are kept, distances are not")
        return
    shares = principal_components(units)[1]
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel(f"first principal component, {100 * shares[0]:.0f} % of the variance")
    axes.set_ylabel(f"second, {100 * shares[1]:.0f} %")


def _label(
    figure: Any, axes: Any, places: np.ndarray, words: list[str], emphasized: set[str],
    arrows: Sequence[tuple[int, int]] = (),
) -> None:  # fmt: skip
    """Write the words next to their points, those emphasized first and bold, with a line to a label that is far."""
    figure.draw_without_rendering()  # fixes the axes, and with them the places of the points
    figure.set_layout_engine("none")
    scale = _INCH / figure.dpi
    renderer = figure.canvas.get_renderer()
    frame = axes.get_window_extent(renderer)
    order = sorted(range(len(words)), key=lambda row: words[row] not in emphasized)
    texts = [
        axes.text(
            0, 0, words[row], size=style.TEXT_SIZE if words[row] in emphasized else style.SMALL, color=style.TEXT,
            weight="bold" if words[row] in emphasized else "normal", transform=None, parse_math=False, zorder=4,
        )
        for row in order
    ]  # fmt: skip
    extents = [text.get_window_extent(renderer) for text in texts]
    sizes = np.array([(extent.width, extent.height) for extent in extents]) * scale + 1
    points = (axes.transData.transform(places[order]) - (frame.x0, frame.y0)) * scale
    row_of = np.argsort(order)
    lines = np.array([[*points[row_of[a]], *points[row_of[b]]] for a, b in arrows]).reshape(-1, 4)
    corners = place_labels(points, sizes, frame.width * scale, frame.height * scale, lines)
    for text, point, corner, size in zip(texts, points, corners, sizes, strict=True):
        text.set_transform(axes.transAxes)
        text.set_position((corner + 0.5) / (frame.width * scale, frame.height * scale))
        text.set_verticalalignment("bottom")
        nearest = np.clip(point, corner, corner + size)
        if np.hypot(*(nearest - point)) > 6:
            line = np.stack([point, nearest]) / (frame.width * scale, frame.height * scale)
            axes.plot(*line.T, transform=axes.transAxes, color=style.LINE, lw=0.6, zorder=1)
