"""The option ``--continue-from`` of ``classify-text train``."""

from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.unused import refuse_with

if TYPE_CHECKING:
    from seqclf import ClassifierModel

_OF_THE_MODEL = ("vectors", "vector_scale", "min_count", "keep_vectors", "keep_ngrams")
"""Options whose values the model determines, besides the settings that it keeps."""
_FROM_SCRATCH = ("separator", "tune", "folds", "learning_curve")
"""Options that train models of their own."""

continue_option = click.option(
    "--continue-from",
    type=options.INPUT,
    metavar="MODEL",
    help="Continue the training of this recurrent network, with its words, labels, sizes and tokenizer.",
)


def initial_model(path: str) -> "ClassifierModel":
    """Load the classifier whose training continues, and refuse options that have no effect then."""
    from seqclf import ClassifierSettings, load_model

    refuse_with("--continue-from", path, *_OF_THE_MODEL, *ClassifierSettings.KEPT, *_FROM_SCRATCH)
    loaded: ClassifierModel = load_model(path, "model")
    if loaded.parts != "network":
        raise click.UsageError(
            f"--continue-from needs a recurrent network, {path} is a {loaded.parts} model; train one with "
            "--model network"
        )
    return loaded
