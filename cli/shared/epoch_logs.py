"""Logs and curves of the networks' trainings: options, and what writes them."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import note_output
from cli.shared.pictures import check_picture
from cli.shared.reporting import log

if TYPE_CHECKING:
    from wordvec import Progress

LOG_OPTIONS = ("log_csv", "tensorboard", "plot")

log_options = options.together(
    click.option(
        "--log-csv",
        type=options.OUTPUT,
        metavar="FILE",
        help="Write loss, metrics and learning rate per epoch to FILE.",
    ),
    click.option(
        "--tensorboard",
        type=options.OUTPUT,
        metavar="FOLDER",
        help="Write loss, metrics and learning rate per epoch to FOLDER for TensorBoard (needs the extra tensorboard).",
    ),
    click.option(
        "--plot",
        type=options.OUTPUT,
        metavar="FILE",
        help="Draw loss and metrics by epoch to a .png, .svg or .pdf file.",
    ),
)


class EpochLogs:
    """The logs that a command was asked for.

    Args:
        given: the command's options by name, from which those of logs are removed.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        csv, folder, self._picture = (given.pop(name) for name in LOG_OPTIONS)
        self._logs: list[Any] = []
        if csv is not None or folder is not None:
            from seqclf.training.logs import CsvLog, TensorBoardLog

            self._logs += [] if csv is None else [CsvLog(csv)]
            self._logs += [] if folder is None else [TensorBoardLog(folder)]
        check_picture(self._picture)

    def __call__(self, state: "Progress") -> None:
        """Add an epoch that has ended."""
        for each in self._logs:
            each(state)

    def finish(self, model: Any) -> None:
        """Write all epochs of a trained model, close the logs, and draw the curves."""
        for each in self._logs:
            each.finish(model.history)
        if self._picture is None:
            return
        if not model.history:
            log(f"Note: {self._picture} was not written: the kept model has no epochs")
            return
        from wordvec.plotting.curves import plot_training

        plot_training(model.history, self._picture, kept_epoch=model.metrics.get("best_epoch", 0))
        note_output(self._picture)
