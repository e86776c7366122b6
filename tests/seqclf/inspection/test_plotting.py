"""Heat maps of attention: the same bytes each time, every weight in its place, errors."""

import sys

import numpy as np
import pytest

from seqclf.inspection.plotting import save_attention_heatmap
from wordvec import InputError

WEIGHTS = np.array([[0.7, 0.2, 0.1], [0.0, 0.0, 1.0]], np.float32)


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_attention_gives_the_same_bytes(tmp_path, kind):
    pytest.importorskip("matplotlib")
    paths = [tmp_path / f"{name}.{kind}" for name in "ab"]
    for path in paths:
        save_attention_heatmap(["a", " ", "$c$"], ["x", "y"], WEIGHTS, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].stat().st_size > 1000


def test_a_row_for_each_target_unit(tmp_path):
    image = pytest.importorskip("matplotlib.image")
    path = tmp_path / "a.png"
    save_attention_heatmap(["a", "b", "c"], ["x", "y"], np.array([[0, 0, 1], [1, 0, 0]]), path)
    pixels = image.imread(path)[:, :, :3]
    yellow = np.argwhere(np.abs(pixels - [0.993, 0.906, 0.144]).max(axis=2) < 0.02)
    yellow = yellow[yellow[:, 1] < pixels.shape[1] * 0.7]  # without the color bar
    rows, columns = yellow[:, 0], yellow[:, 1]
    middle = (columns.min() + columns.max()) / 2
    assert rows[columns > middle].max() <= rows[columns < middle].min()


def test_characters_without_a_glyph_are_named(tmp_path, caplog):
    pytest.importorskip("matplotlib")
    save_attention_heatmap(["가", "b", "c"], ["x", "y"], WEIGHTS, tmp_path / "a.png")
    assert "matplotlib's font lacks 가, drawn as boxes" in caplog.text


@pytest.mark.parametrize(
    ("source", "target", "path", "message"),
    [
        ("abc", "xy", "a.jpg", r"a\.jpg must end in \.png, \.svg, \.pdf"),
        ("abc", "", "a.png", "a source or a target without units"),
        (
            "ab",
            "xy",
            "a.png",
            r"a row for each of 2 target units and a column for each of 2 source units, got .*\(2, 3",
        ),
    ],
)
def test_bad_arguments(tmp_path, source, target, path, message):
    pytest.importorskip("matplotlib")
    with pytest.raises(InputError, match=message):
        save_attention_heatmap(list(source), list(target), WEIGHTS, tmp_path / path)
    assert not list(tmp_path.iterdir())


def test_without_matplotlib_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"pip install 'wordvec-seqclf\[plotting\]'"):
        save_attention_heatmap(["a"], ["b"], np.ones((1, 1)), tmp_path / "a.png")
