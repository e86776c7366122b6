"""Charts of lessons: what is drawn, files, and errors."""

import importlib.util

import numpy as np
import pytest

from wordvec import InputError, WordVectors
from wordvec.plotting.charts import plot_confusion, plot_lines, plot_table, plot_window
from wordvec.plotting.curves import plot_scores
from wordvec.plotting.maps import plot_similarities

pytestmark = pytest.mark.skipif(
    not importlib.util.find_spec("matplotlib"), reason="pip install 'wordvec-seqclf[plotting]'"
)


def test_lines_differ_without_color(tmp_path):
    figure = plot_lines({"rnn": [1, 2], "lstm": [3, 1]}, "step", "norm", tmp_path / "lines.svg", log=True)
    (axes,) = figure.axes
    rnn, lstm = axes.lines
    assert rnn.get_linestyle() != lstm.get_linestyle()
    assert rnn.get_marker() != lstm.get_marker()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["rnn", "lstm"]
    assert axes.get_yscale() == "log"
    assert (tmp_path / "lines.svg").stat().st_size > 1000


def test_a_table_shows_every_number():
    figure = plot_table([[0.25, -1], [0, 1]], ["a", "b"], ["c", "d"], title="values")
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.25", "-1.00", "0.00", "1.00"]
    assert plot_table([[3]], ["a"], ["b"]).axes[0].texts[0].get_text() == "3"


def test_dollars_in_names_are_no_formulas(tmp_path):
    plot_table([[1, 2]], ["$$"], ["$_$", "b"], tmp_path / "table.svg")
    plot_lines({"$$": [1, 2]}, path=tmp_path / "lines.svg")
    plot_window(["$$", "for", "us"], 1, tmp_path / "window.svg")
    plot_similarities(WordVectors(["$$", "us"], [[1, 0], [1, 1]]), ["$$", "us"], tmp_path / "map.svg")
    assert all(">$$<" in (tmp_path / f"{name}.svg").read_text() for name in ("table", "lines", "window", "map"))


def test_names_that_begin_with_an_underscore_have_a_legend(tmp_path):
    lines = plot_lines({"_": [1, 2], "a": [2, 1]}, path=tmp_path / "lines.svg").axes[0].get_legend()
    scores = plot_scores({"_old": {"ws353": (0.6,)}, "$new$": {"ws353": (0.5,)}}, tmp_path / "scores.svg").legends[0]
    names = [[text.get_text() for text in legend.get_texts()] for legend in (lines, scores)]
    assert names == [["_", "a"], ["_old", "$new$"]]
    assert all(name in (tmp_path / "scores.svg").read_text() for name in (">_old<", ">$new$<"))


def test_a_confusion_matrix_is_shaded_by_the_share_of_its_row():
    (axes,) = plot_confusion([[8, 2], [0, 1000]], ["ham", "spam"]).axes
    assert [text.get_text() for text in axes.texts] == ["8", "2", "0", "1,000"]
    assert axes.images[0].get_array().tolist() == [[0.8, 0.2], [0, 1]]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["ham", "spam"]


def test_of_many_labels_the_rare_ones_are_drawn_together():
    counts = np.diag(np.arange(40, 0, -1))
    counts[0, 39] = counts[38, 1] = 5
    (axes,) = plot_confusion(counts, [f"label {row}" for row in range(40)]).axes
    names = [label.get_text() for label in axes.get_xticklabels()]
    assert (len(names), names[0], names[-1]) == (30, "label 0", "11 others")
    texts = np.array([int(text.get_text()) for text in axes.texts]).reshape(30, 30)
    assert texts.sum() == counts.sum()
    assert (texts[0, 0], texts[0, 29], texts[29, 1]) == (40, 5, 5)


def test_a_window_has_a_row_for_each_center():
    texts = plot_window(["the", "cat", "sat"], 1).axes[0].texts
    assert [text.get_text() for text in texts] == ["the", "cat", "sat"] * 3
    fills = [text.get_bbox_patch().get_facecolor() for text in texts]
    assert fills[0] == fills[4] == fills[8]
    assert fills[1] == fills[3] == fills[5] == fills[7]
    assert len({fills[0], fills[1], fills[2]}) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plot_lines({}), "at least one line"),
        (lambda: plot_lines({"a": [1, 2]}, x=[1]), "2 values of a for 1 places x"),
        (lambda: plot_table([[1]], ["a", "b"], ["c"]), r"must have shape \(2, 1\), got \(1, 1\)"),
        (lambda: plot_confusion([[1, 2]], ["a"]), r"must have shape \(1, 1\), got \(1, 2\) and 1 labels"),
        (lambda: plot_window([], 1), "1 to 20 tokens, got 0"),
        (lambda: plot_window(["a"], 0), "window must be at least 1"),
        (lambda: plot_window(["a"], 1, "chart.bmp"), "must end in"),
    ],
)
def test_errors_state_the_rule(call, message):
    with pytest.raises(InputError, match=message):
        call()
