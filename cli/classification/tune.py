"""The option ``--tune`` of ``classify-text train``: a search for settings instead of one training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing
from cli.shared.epoch_logs import LOG_OPTIONS, EpochLogs
from cli.shared.errors import check_files
from cli.shared.unused import is_given

if TYPE_CHECKING:
    from seqclf import ClassifierModel

tune_option = click.option(
    "--tune",
    "tune",
    type=options.Duration(),
    metavar="TIME",
    help="Search for settings that are not given as options, for a time such as 30m, and keep the best model. All "
    "trials are logged in the output file and .tuning.jsonl, which --resume continues.",
)


class TuneStep:
    """A search, as ``train_and_save`` calls a training function.

    Args:
        seconds: the time for all trials.
        given: the remaining options, from which those of checkpoints are taken.
        output: the model file.
        multi_label, folds: see ``tune_classifier``; the former is empty for one label per text.

    Attributes:
        best: the settings of the best trial.
    """

    def __init__(
        self, seconds: float, given: dict[str, Any], output: str, multi_label: dict[str, Any], folds: int | None
    ) -> None:
        path, every, resume = (given.pop(name) for name in ("checkpoint", "checkpoint_every", "resume"))
        if path is not None or every is not None:
            raise click.UsageError("--tune saves its trials in a log; leave --checkpoint and --checkpoint-every out")
        if any(given[name] for name in LOG_OPTIONS):
            raise click.UsageError("--tune trains many models; leave --log-csv, --tensorboard and --plot out")
        self._log, self._seconds = f"{output}.tuning.jsonl", seconds
        self._options: dict[str, Any] = {"multi_label": multi_label or None, "folds": folds}
        check_files(**{"the log of --tune": self._log})
        self.checkpointing = Checkpointing(None, {"resume": resume}, EpochLogs(given))
        self._interrupted = False
        self.best: dict[str, Any] = {}

    def train(self, texts: Sequence[str], labels: Sequence[Any], **arguments: Any) -> "ClassifierModel":
        """Return the best model."""
        from seqclf.classification.tuning import SPACE, tune_classifier

        fixed = [name for name in SPACE if is_given(name)]
        found = tune_classifier(
            texts, labels, seconds=self._seconds, log=self._log, fixed=fixed, **self._options, **arguments
        )
        self._interrupted, self.best = found.search.interrupted, found.search.best.settings
        return found.model

    def finish(self) -> None:
        """Raise KeyboardInterrupt if the search was interrupted, now that the model is saved."""
        if self._interrupted:
            raise KeyboardInterrupt
