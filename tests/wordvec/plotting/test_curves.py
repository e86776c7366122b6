"""Curves of trainings and pictures of scores: what is drawn."""

import pytest

from wordvec import InputError
from wordvec.plotting.curves import plot_learning_curve, plot_scores, plot_training

pytest.importorskip("matplotlib", reason="matplotlib is not installed; pip install -e '.[plotting]'")


def points(axes, line=0):
    return [tuple(map(float, point)) for point in axes.lines[line].get_xydata()]


def test_losses_and_scores_have_axes_of_their_own(tmp_path):
    figure = plot_training([2.5, 2.0, 1.5], [None, 0.25, 0.5], tmp_path / "a.svg", kept_epoch=2)
    losses, scores = figure.axes
    assert points(losses) == [(1, 2.5), (2, 2.0), (3, 1.5)]
    assert points(scores) == [(2, 0.25), (3, 0.5)]
    assert list(losses.lines[1].get_xdata()) == [2, 2]
    assert (tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    assert len(plot_training([2.5], [None]).axes) == 1


def test_scores_are_points_with_their_intervals():
    figure = plot_scores({"a": {"x": [0.5, 0.25, 0.75], "y": None}, "b": {"x": [0.125], "y": [0.25]}})
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["x", "y"]
    bar, first, second = axes.lines
    assert list(bar.get_xdata()) == [0.25, 0.75]
    assert (list(first.get_xdata()), list(second.get_xdata())) == ([0.5], [0.125, 0.25])
    assert first.get_ydata()[0] == bar.get_ydata()[0] < second.get_ydata()[0]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert not plot_scores({"a": {"x": [0.5]}}).legends


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
        plot_training([1.0], path=tmp_path / "a.gif")
