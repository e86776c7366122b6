"""Pictures: their check before any work; confusion matrices, and the F1 of labels."""

from typing import TYPE_CHECKING

from cli.shared.errors import note_output

if TYPE_CHECKING:
    from seqclf.metrics import MultiLabelScore, Score

_MOST = 50
"""Labels with a bar."""


def check_picture(path: str | None) -> None:
    """Check, before any work, that a picture can be written, if one is asked for."""
    if path is not None:
        from wordvec.plotting.style import picture_format

        picture_format(path)


def draw_confusion(score: "Score", path: str) -> None:
    """Draw the confusion matrix to a picture file."""
    from wordvec.plotting.charts import plot_confusion

    plot_confusion(score.confusion, [str(label) for label in score.labels], path)
    note_output(path)


def draw_f1(score: "MultiLabelScore", path: str) -> None:
    """Draw the F1 of each label, at most of the 50 most frequent ones, to a picture file."""
    from wordvec.plotting.curves import plot_scores

    shown = sorted(score.classes, key=lambda each: -each.support)[:_MOST]
    plot_scores({"F1": {str(each.label): [each.f1] for each in shown}}, path, label="F1")
    note_output(path)
