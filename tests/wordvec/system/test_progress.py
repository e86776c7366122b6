"""The line of progress in notebooks and terminals."""

from wordvec.system.progress import Progress, ProgressLine


def test_a_line_is_replaced_and_cleared_at_the_end(capsys):
    show = ProgressLine()
    show(Progress("training", 5, 10, "texts", 1.0, 5.0, epoch=1, epochs=2, loss=0.25, metrics={"dev_accuracy": 0.5}))
    show(Progress("training", 7, 10, "texts"))
    show(Progress("training", 10, 10, "texts", epoch=1, epochs=2, loss=0.125))
    first = "training: 50 %, epoch 2 of 2, loss 0.250, dev_accuracy 0.500, 5 s left"
    second = "training: 70 %".ljust(len(first))
    blank = " " * len("training: 70 %")
    assert capsys.readouterr().err == f"\r{first}\r{second}\r{blank}\r"
