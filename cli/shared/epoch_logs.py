"""Logs of the networks' trainings, a row per epoch: options, and what writes them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options

if TYPE_CHECKING:
    from wordvec import Progress

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
        help="Write them to FOLDER for TensorBoard (the extra tensorboard).",
    ),
)


class EpochLogs:
    """The logs that a command was asked for.

    Args:
        csv, folder: the values of the options, None if not given.
    """

    def __init__(self, csv: str | None, folder: str | None) -> None:
        self._logs: list[Any] = []
        if csv is not None or folder is not None:
            from seqclf.training.logs import CsvLog, TensorBoardLog

            self._logs += [] if csv is None else [CsvLog(csv)]
            self._logs += [] if folder is None else [TensorBoardLog(folder)]

    def __call__(self, state: "Progress") -> None:
        """Add an epoch that has ended."""
        for each in self._logs:
            each(state)

    def finish(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write all epochs of the trained model, and close the logs."""
        for each in self._logs:
            each.finish(history)
