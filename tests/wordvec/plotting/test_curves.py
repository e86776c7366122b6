"""Curves of trainings and pictures of scores: what is drawn."""

import pytest

from wordvec import InputError
from wordvec.plotting.curves import plot_learning_curve, plot_scores, plot_training

pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")


def points(axes, line=0):
    return [tuple(map(float, point)) for point in axes.lines[line].get_xydata()]


def test_losses_and_scores_have_axes_of_their_own(tmp_path):
    rows = [
        {"epoch": 1, "loss": 2.5, "dev_loss": 2.75, "score": None, "dev_texts": 9},
        {"epoch": 2, "loss": 2.0, "dev_loss": 2.25, "score": 0.25, "dev_texts": 9},
        {"epoch": 3, "loss": 1.5, "dev_loss": 2.5, "score": 0.5, "dev_texts": 9},
    ]
    figure = plot_training(rows, tmp_path / "a.svg", kept_epoch=2)
    losses, scores = figure.axes
    assert points(losses) == [(1, 2.5), (2, 2.0), (3, 1.5)]
    assert points(losses, 1) == [(1, 2.75), (2, 2.25), (3, 2.5)]
    assert losses.lines[0].get_linestyle() != losses.lines[1].get_linestyle()
    assert points(scores) == [(2, 0.25), (3, 0.5)]
    assert list(losses.lines[2].get_xdata()) == [2, 2]
    texts = [text.get_text() for text in losses.get_legend().get_texts()]
    assert texts == ["training loss", "validation loss", "score"]
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    assert len(plot_training([{"epoch": 1, "loss": 2.5, "score": None}]).axes) == 1


def test_of_several_measures_the_first_is_drawn():
    figure = plot_training([{"epoch": 1, "loss": 1.0, "dev_accuracy": 0.5, "dev_macro_f1": 0.25}])
    assert points(figure.axes[1]) == [(1, 0.25)]


def test_scores_are_points_with_their_intervals():
    figure = plot_scores({"a": {"x": [0.5, 0.25, 0.75], "y": None}, "b": {"x": [0.125], "y": [0.25]}})
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "y"]
    bar, first, second = axes.lines
    assert list(bar.get_xdata()) == [0.25, 0.75]
    assert (list(first.get_xdata()), list(second.get_xdata())) == ([0.5], [0.125, 0.25])
    assert first.get_ydata()[0] == bar.get_ydata()[0] < second.get_ydata()[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_scores_of_one_file_are_bars_with_numbers():
    figure = plot_scores({"a": {"x": [0.5, 0.25, 0.75], "y": None, "z": [0.125]}}, label="accuracy")
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [0.5, 0.125]
    assert [round(bar.get_y() + bar.get_height() / 2, 6) for bar in axes.patches] == [0, 2]
    assert [text.get_text() for text in axes.texts] == ["0.500", "0.125"]
    assert [list(line.get_xdata()) for line in axes.lines] == [[0.25, 0.75]]
    assert (axes.get_xlabel(), figure.legends) == ("accuracy", [])


def test_learning_curves_are_labeled_with_the_numbers_of_examples():
    figure = plot_learning_curve([100, 1000], {"ours": [0.5, 0.75], "baseline": [0.25, 0.5]})
    (axes,) = figure.axes
    assert [points(axes, line) for line in (0, 1)] == [[(100, 0.5), (1000, 0.75)], [(100, 0.25), (1000, 0.5)]]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["100", "1,000"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ours", "baseline"]


def test_what_cannot_be_drawn(tmp_path):
    with pytest.raises(InputError, match="a learning curve needs at least one number of examples, got none"):
        plot_learning_curve([], {})
    with pytest.raises(InputError, match="a training curve needs at least one epoch, got none"):
        plot_training([])
    with pytest.raises(InputError, match="needs at least one score, got none"):
        plot_scores({"a": {"x": None}})
    with pytest.raises(InputError, match=r"must end in \.png, \.svg, \.pdf"):
        plot_training([{"epoch": 1, "loss": 1.0}], tmp_path / "a.gif")
