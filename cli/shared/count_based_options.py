"""Options and training of the count-based models of ``train-embeddings``."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared.errors import usage_errors
from cli.shared.options import C, Decorator, Size
from cli.shared.reporting import Progress, log, short_number
from cli.shared.setting_options import setting_option
from cli.shared.unused import refuse_unused
from wordvec import CooccurrenceSettings, GloveSettings, SvdSettings
from wordvec.system.settings import declaration, default_text, field_of

if TYPE_CHECKING:
    from wordvec import EncodedCorpus
    from wordvec import Progress as ProgressState
    from wordvec.count_based.models import CountBasedResult

MODELS = ("cooccurrence", "ppmi", "svd", "glove")
"""``COUNT_BASED_MODELS``, repeated because ``--help`` must not import it; a test compares them."""

_DERIVED = {
    "contexts": (CooccurrenceSettings, "Count-based"),
    "subsample_mode": (CooccurrenceSettings, "Count-based"),
    "weighting": (SvdSettings, "cooccurrence, svd"),
    "smoothing": (SvdSettings, ""),
    "shift": (SvdSettings, ""),
    "exponent": (SvdSettings, "svd"),
    "iterations": (SvdSettings, "svd"),
    "oversampling": (SvdSettings, "svd"),
    "add_contexts": (SvdSettings, "svd, glove"),
    "x_max": (GloveSettings, "glove"),
    "alpha": (GloveSettings, "glove"),
}
"""Settings specific to count-based models, and the models that have them."""

_DEFAULTS = {"weighting": "count; svd ppmi", "add_contexts": "no; glove yes"}
"""Defaults that differ between the models."""

_memory_option = click.option(
    "--memory",
    type=Size(),
    metavar="SIZE",
    help="Memory for counting (500M, 2G); larger counts spill to disk.  [default: half of the free memory]",
)


def _derived(name: str) -> Decorator:
    """Return the option of a setting; it defaults to None, so that it can be rejected for other models."""
    kind, models = _DERIVED[name]
    field = field_of(kind, name)
    text = f"{models}: {declaration(field).help}" if models else declaration(field).help
    shown = _DEFAULTS.get(name, default_text(field))
    return setting_option(kind, name, default=None, show_default=False, help=f"{text}  [default: {shown}]")


def counting_options(command: C) -> C:
    """Add the options of counting, association weighting, factorization and GloVe."""
    command = _memory_option(command)
    for name in reversed(_DERIVED):
        command = _derived(name)(command)
    return command


def refuse_counting(given: dict[str, Any]) -> None:
    """Remove the count-based options from ``given``, for a predictive model.

    Raises:
        click.UsageError: one of them was given.
    """
    for name in (*_DERIVED, "memory"):
        _refuse(given.pop(name) is not None, name, given["model"])


def _refuse(is_given: bool, name: str, model: str) -> None:
    if is_given:
        raise click.UsageError(f"--{name.replace('_', '-')} does not apply to --model {model}; leave it out")


class Run:
    """Training of a count-based model with the ``given`` options."""

    def __init__(self, given: dict[str, Any], output: str, threads: int | None, quiet: bool) -> None:
        from wordvec.count_based.models import count_based_options, count_based_settings
        from wordvec.formats.registry import output_format

        self.model, self.memory = given["model"], given.pop("memory")
        self.threads, self.quiet = threads, quiet
        context = click.get_current_context()
        for name in ("continue_from", "evaluate_on", "evaluate_every", "early_stopping"):
            _refuse(_is_given(context, name), name, self.model)
        for name in ("resume", "checkpoint_every"):
            _refuse(self.model != "glove" and _is_given(context, name), name, self.model)
        chosen = {name: value for name, value in given.items() if name != "model" and _is_given(context, name)}
        known = count_based_options(self.model)
        for name in chosen:
            _refuse(name not in known, name, self.model)
        with usage_errors():
            self.settings = count_based_settings(self.model, **chosen)
            refuse_unused(self.settings.counting)
            if self.settings.is_sparse and output_format(output) != "safetensors":
                raise click.UsageError(
                    f"vectors of --model {self.model} are sparse and need a .safetensors file, got {output}; "
                    "rename it, or use --model svd or glove"
                )

    def is_finished(self, output: str, encoded: "EncodedCorpus", phrases: dict[str, Any] | None) -> bool:
        from wordvec.checkpointing.finished import finished_training

        return not self.settings.is_sparse and finished_training(output, encoded, self.settings, phrases=phrases)

    def train(
        self, encoded: "EncodedCorpus", checkpoint: str | None, checkpoint_every: float, resume: bool
    ) -> "CountBasedResult":
        from wordvec import train_count_based
        from wordvec.count_based.models import train_on_counts
        from wordvec.distributed.cooccurrence import count_cooccurrences_on

        counting = self.settings.counting
        log(
            f"counting co-occurrences, window {counting.window}, {counting.window_weights}; then {self.model}",
            self.quiet,
        )
        with Progress(self.model, self.quiet) as progress:
            how: dict[str, Any] = {
                "threads": self.threads,
                "on_progress": lambda state: progress.update(state.done, state.total, _detail(state)),
                "checkpoint": checkpoint,
                "checkpoint_every": checkpoint_every,
                "resume": resume,
            }
            result: CountBasedResult
            if hasattr(encoded, "ids"):
                result = train_count_based(encoded, self.settings, memory=self.memory, **how)
            else:  # on the workers of a cluster
                counted = count_cooccurrences_on(encoded, counting)
                result = train_on_counts(counted, self.settings, raw_tokens=encoded.raw_tokens, **how)
        return result

    @staticmethod
    def result_line(result: Any, output: str) -> str:
        """Summarize a ``CountBasedResult``."""
        loss = f", loss {result.losses[-1]:.4f}" if result.losses else ""
        return (
            f"{output}: {len(result.vectors):,} words x {result.vectors.vector_size:,}; {result.raw_tokens:,} tokens, "
            f"{short_number(result.pairs)} distinct pairs in {result.seconds:.1f} s{loss}"
        )


def _detail(state: "ProgressState") -> str:
    return state.stage if state.loss is None else f"{state.stage}, loss {state.loss:.4f}"


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
