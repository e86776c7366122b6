"""Pictures of words: what is drawn, files, and errors."""

import sys

import numpy as np
import pytest

from wordvec import InputError, UnknownTokenError, WordVectors, load_vectors
from wordvec.plotting import style
from wordvec.plotting.maps import plot_analogies, plot_similarities, plot_words

needs_matplotlib = pytest.mark.skipif(
    not __import__("importlib.util").util.find_spec("matplotlib"), reason="pip install 'wordvec-seqclf[plotting]'"
)


@pytest.fixture
def wv(vectors_file):
    return load_vectors(vectors_file)


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def boxes(figure):
    renderer = figure.canvas.get_renderer()
    return [text.get_window_extent(renderer) for text in figure.axes[0].texts if text.get_text()]


@needs_matplotlib
def test_every_word_has_one_label_and_none_overlap(wv):
    words = ["king", "queen", "king", "man", "paris", "london"]
    figure = plot_words(wv, words)
    assert sorted(texts(figure)) == sorted(set(words))
    figure.canvas.draw()
    found = boxes(figure)
    assert not any(a.overlaps(b) for k, a in enumerate(found) for b in found[:k])
    frame = figure.axes[0].get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 for box in found)


@needs_matplotlib
def test_neighbors_have_the_group_of_their_word(wv):
    figure = plot_words(wv, ["king", "paris"], neighbors=1)
    bold = {text.get_text() for text in figure.axes[0].texts if text.get_weight() == "bold"}
    assert bold == {"king", "paris"}
    assert set(texts(figure)) == {"king", "man", "paris", "london"}
    groups = figure.axes[0].collections
    assert [len(group.get_offsets()) for group in groups] == [2, 2]
    assert len({group.get_facecolor().tobytes() for group in groups}) == 2
    assert len({len(group.get_paths()[0].vertices) for group in groups}) == 2, "markers differ as well"


@needs_matplotlib
def test_clusters_are_groups(wv):
    figure = plot_words(wv, ["king", "man", "queen", "woman", "paris", "london"], n_clusters=3)
    assert [len(group.get_offsets()) for group in figure.axes[0].collections] == [2, 2, 2]


@needs_matplotlib
def test_analogies_have_an_arrow_for_each_pair(wv):
    figure = plot_analogies(wv, [("man", "king"), ("woman", "queen")])
    arrows = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 2
    places = dict(zip(["man", "king", "woman", "queen"], figure.axes[0].collections[0].get_offsets(), strict=True))
    assert np.allclose(arrows[0].xy, places["king"])
    assert np.allclose(arrows[0].xyann, places["man"])


@needs_matplotlib
def test_a_heat_map_has_the_cosines(wv):
    figure = plot_similarities(wv, ["king", "queen", "man"])
    shown = figure.axes[0].images[0].get_array()
    expected = [[wv.similarity(a, b) for b in ("king", "queen", "man")] for a in ("king", "queen", "man")]
    assert np.allclose(shown, expected, atol=1e-6)
    assert texts(figure) == [f"{value:.2f}" for row in expected for value in row]
    many = WordVectors([f"w{k}" for k in range(17)], np.random.default_rng(1).normal(size=(17, 3)))
    assert texts(plot_similarities(many, many.tokens)) == []


@needs_matplotlib
@pytest.mark.parametrize("ending", style.FORMATS)
def test_files_are_reproducible(wv, tmp_path, ending):
    paths = [tmp_path / f"{name}.{ending}" for name in "ab"]
    for path in paths:
        plot_words(wv, ["king", "queen", "café"], path, neighbors=1)
    first, second = (path.read_bytes() for path in paths)
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending])
    assert first == second


def test_errors(wv, tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"a.jpg must end in .png, .svg, .pdf"):
        plot_words(wv, ["king", "queen"], tmp_path / "a.jpg")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for path in (None, tmp_path / "a.png"):
        with pytest.raises(InputError, match=r"not installed: pip install 'wordvec-seqclf\[plotting\]'"):
            plot_words(wv, ["king", "queen"], path)
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    for call, message in [
        (lambda: plot_words(wv, ["king"]), "a map needs 2 to 1,000 words, got 1"),
        (lambda: plot_words(wv, ["king", "king"]), "a map needs 2 to 1,000 words, got 1"),
        (lambda: plot_words(wv, "king"), "expected a list of words, got the string 'king'"),
        (lambda: plot_words(wv, ["king", "queen"], n_clusters=3), "clusters must be at most the number of words, 2"),
        (lambda: plot_words(wv, ["king", "queen"], neighbors=-1), "neighbors must be at least 0, got -1"),
        (lambda: plot_analogies(wv, []), "analogies need pairs of words"),
        (lambda: plot_analogies(wv, [("king", "queen", "man")]), "analogies need pairs of words"),
        (lambda: plot_similarities(wv, ["king"]), "a heat map needs 2 to 100 words, got 1"),
        (lambda: plot_words("v.txt", ["king"]), "vectors must be WordVectors, got str"),
    ]:
        with pytest.raises(InputError, match=message):
            call()
    with pytest.raises(UnknownTokenError, match="kingg"):
        plot_similarities(wv, ["kingg", "queen"])
