"""``train-embeddings --tune``: search for settings under a time budget."""

import hashlib
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import check_files, note_output
from cli.shared.reporting import Progress, log
from cli.shared.unused import refuse_with
from cli.shared.word2vec_reporting import EpochLines
from wordvec import Word2VecSettings

if TYPE_CHECKING:
    from wordvec import EncodedCorpus, WordVectors
    from wordvec.system.tuning import Outcome
    from wordvec.word2vec.results import Word2VecResult

_WITHOUT = (
    "continue_from", "freeze_initial", "checkpoint_every", "evaluate_on", "evaluate_every", "early_stopping", "summary",
    "shards", "min_learning_rate", "plot",
)  # fmt: skip
"""Options of a single training."""

tuning_options = options.together(
    click.option(
        "--tune",
        type=options.Duration(),
        metavar="TIME",
        help="Search for settings that are not given as options, for a time such as 30m, and keep the vectors that are "
        "best by --on. All trials are logged in the output file and .tuning.jsonl, which --resume continues.",
    ),
    click.option(
        "--on",
        type=options.INPUT,
        multiple=True,
        metavar="FILE",
        help="Analogies or word pairs that --tune evaluates on. Can be repeated.",
    ),
)


class TuningStep:
    """The search that the options ask for, if any.

    Args:
        given: the options, from which its own are removed.
        output: the file of vectors; the log is written next to it.
    """

    def __init__(self, given: dict[str, Any], output: str) -> None:
        self.seconds: float | None = given.pop("tune")
        self.files: tuple[str, ...] = given.pop("on")
        self.log = f"{output}.tuning.jsonl"
        self.is_used = self.seconds is not None
        if self.is_used != bool(self.files):
            raise click.UsageError("--tune TIME needs --on FILE" if self.is_used else "--on needs --tune TIME")
        refuse_with("--tune", self.is_used, *_WITHOUT)
        if self.is_used:
            check_files(log=self.log)
        if self.is_used and given["model"] not in ("skipgram", "cbow"):
            raise click.UsageError(f"--tune searches settings of skip-gram and CBOW, got --model {given['model']}")

    def run(
        self,
        encoded: "EncodedCorpus",
        evaluate: "Callable[[WordVectors], float]",
        keep: "Callable[[Word2VecResult, dict[str, Any]], None]",
        *,
        threads: int | None,
        resume: bool,
        quiet: bool,
    ) -> None:
        """Search, and keep each best training; Ctrl-C ends the search with the best so far.

        Args:
            encoded: the corpus.
            evaluate: the score of vectors on the files.
            keep: saves a training, with what it was chosen by.
            threads, resume, quiet: as of a training.
        """
        from corpora import read_lines
        from wordvec.system.wording import counted
        from wordvec.word2vec.tuning import tune_word2vec

        context = click.get_current_context()
        params, default = context.params, click.core.ParameterSource.DEFAULT
        names = [field.name for field in fields(Word2VecSettings) if field.name in params]
        fixed = {name: params[name] for name in names if context.get_parameter_source(name) != default}
        on = {file: hashlib.blake2b("\n".join(read_lines(file)).encode(), digest_size=16).hexdigest()
              for file in self.files}  # fmt: skip
        log(f"warning: the settings are chosen by their scores on {', '.join(on)}: report results on other data")
        best: list[Outcome] = []

        def chosen(result: "Word2VecResult", outcome: "Outcome") -> None:
            best[:] = [outcome]
            keep(result, {"tuned": {"on": list(on), "trial": outcome.number + 1, "score": outcome.score}})

        def report(outcome: "Outcome") -> None:
            note_output(self.log)
            log(f"{outcome}{' (the best so far)' if outcome in best else ''}", quiet)

        with Progress("training", quiet) as progress:
            found = tune_word2vec(
                encoded,
                evaluate,
                self.seconds or 0,
                self.log,
                fixed=fixed,
                about={"on": on},
                threads=threads,
                seed=params["seed"],
                resume=resume,
                on_best=chosen,
                on_trial=report,
                on_progress=EpochLines(progress, quiet=True),
            )
        score = f"score {found.best.score:.4f}"
        log(
            f"best of {counted(len(found.trials), 'trial')}: trial {found.best.number + 1}, {score}; see {self.log}",
            quiet,
        )
        if found.interrupted:
            raise KeyboardInterrupt
