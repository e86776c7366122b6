"""The option ``--continue-from`` of ``classify-text train``."""

from typing import TYPE_CHECKING

import click

from cli.shared import options
from cli.shared.unused import refuse_with

if TYPE_CHECKING:
    from seqclf import ClassifierModel

_OF_THE_MODEL = (
    "vectors", "cell", "reset", "bidirectional", "merge", "layers", "hidden_size", "zoneout", "zoneout_cell", "pooling",
    "vector_size", "vector_scale", "character_size", "min_count", "keep_vectors", "keep_ngrams", "tokenizer",
    "lowercase", "normalize",
)  # fmt: skip
"""Options whose values the model determines."""
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
    from seqclf import load_model

    refuse_with("--continue-from", path, *_OF_THE_MODEL, *_FROM_SCRATCH)
    loaded: ClassifierModel = load_model(path, "model")
    if loaded.parts != "network":
        raise click.UsageError(
            f"--continue-from needs a recurrent network, {path} is a {loaded.parts} model; train one with "
            "--model network"
        )
    return loaded
