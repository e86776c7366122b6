"""Logs of a training, a row per epoch: CSV, and TensorBoard with the extra ``tensorboard``."""

import csv
import io
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from wordvec.system.atomic_files import check_target, replacing
from wordvec.system.optional import optional_module
from wordvec.system.progress import OnProgress, Progress


def together(*calls: OnProgress) -> OnProgress:
    """Return an ``on_progress`` that calls several ones, in this order.

    Example:
        >>> seen = []
        >>> together(seen.append, seen.append)(Progress("training", 1, 2, "texts"))
        >>> len(seen)
        2
    """

    def call(state: Progress) -> None:
        for each in calls:
            each(state)

    return call


class CsvLog:
    """Writes the epochs of a training to a CSV file: epoch, loss, validation metrics, learning rate.

    An instance is an ``on_progress``. The file is replaced as a whole after each epoch.

    Args:
        path: the file; an existing one is replaced at the end of the first epoch.

    Raises:
        InputError: ``path`` cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> from seqclf import LanguageModelSettings, train_language_model
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "epochs.csv"
        >>> settings = LanguageModelSettings(epochs=2, hidden_size=4)
        >>> model = train_language_model(["the cat sat"] * 40, settings=settings, on_progress=CsvLog(path))
        >>> path.read_text().splitlines()[0], len(path.read_text().splitlines())
        ('epoch,loss,dev_loss,learning_rate', 3)
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        check_target(path)
        self._path = path
        self._rates: dict[int, float] = {}
        self._rows: list[dict[str, Any]] = []

    def __call__(self, state: Progress) -> None:
        """Add an epoch that has ended."""
        if state.epoch_done:
            row = {"epoch": state.epoch + 1, "loss": state.loss, **state.metrics}
            if state.learning_rate is not None:
                self._rates[state.epoch + 1] = state.learning_rate
            self._rows.append(row)
            self._write()

    def finish(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write all epochs of a trained model, those before a resumption included, whose learning rates stay empty."""
        self._rows = [dict(row) for row in history]
        self._write()

    def _write(self) -> None:
        names = [*dict.fromkeys(name for row in self._rows for name in row), "learning_rate"]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "learning_rate": self._rates.get(row["epoch"], "")} for row in self._rows)
        with replacing(self._path) as file:
            file.write(text.getvalue().encode())


class TensorBoardLog:
    """Writes the epochs of a training as scalars that TensorBoard shows; an instance is an ``on_progress``.

    Args:
        folder: of the run, made if it does not exist.

    Raises:
        InputError: tensorboardX is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        library = optional_module("tensorboardX", "logs for TensorBoard need tensorboardX", "tensorboard")
        self._writer = library.SummaryWriter(os.fspath(folder))

    def __call__(self, state: Progress) -> None:
        """Add an epoch that has ended."""
        if state.epoch_done:
            values = {"loss": state.loss, "learning_rate": state.learning_rate, **state.metrics}
            for name, value in values.items():
                if value is not None and math.isfinite(value):
                    self._writer.add_scalar(name, value, state.epoch + 1)
            self._writer.flush()

    def finish(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Write what is waiting, and close the file."""
        self._writer.close()
