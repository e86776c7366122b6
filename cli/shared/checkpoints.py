"""Checkpoints and logs of the networks' trainings: options, and the file until the model is saved."""

import contextlib
import os
from typing import Any, NamedTuple

import click

from cli.shared import options
from cli.shared.epoch_logs import EpochLogs, log_options
from cli.shared.errors import check_files, note_checkpoint

checkpoint_options = options.together(
    click.option(
        "--checkpoint",
        type=options.OUTPUT,
        metavar="FILE",
        help="Save the state of the training to FILE after each epoch, at an interval, and on Ctrl-C.  [default: with "
        "--resume or --checkpoint-every, the output file and .checkpoint]",
    ),
    click.option(
        "--checkpoint-every",
        type=options.Duration(),
        metavar="TIME",
        help="Interval of the checkpoints within an epoch (30s, 5m, 1h).  [default: 5m]",
    ),
    click.option("--resume", is_flag=True, help="Resume from the checkpoint, if any; the model is bit-identical."),
    log_options,
)


class Checkpointing(NamedTuple):
    """The checkpoint file, None without one, the arguments of a training function, and the logs."""

    path: str | None
    arguments: dict[str, Any]
    logs: EpochLogs

    @classmethod
    def take(cls, given: dict[str, Any], output: str) -> "Checkpointing":
        """Remove the options from ``given``, and check the file.

        Args:
            given: the command's options by name.
            output: the model file.
        """
        path, every, resume = (given.pop(name) for name in ("checkpoint", "checkpoint_every", "resume"))
        if path is None and (resume or every is not None):
            path = f"{output}.checkpoint"
            check_files(checkpoint=path)
        if path is not None:
            note_checkpoint(path)
        logs = EpochLogs(given)
        return cls(path, {"checkpoint": path, "checkpoint_every": every or 300.0, "resume": resume}, logs)

    def remove(self) -> None:
        """Remove the file, as the model is saved."""
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
