"""Order of a command's help: examples after the first paragraph, options in sections."""

from collections.abc import Iterable

import click

from cli.shared.options import File

_SECTIONS = {
    "Data": "text-column label-column multi-label token-column tag-column source-column target-column features-column "
    "column future-column by source-units target-units tokenizer lowercase normalize unit encoding-errors min-count "
    "target-min-count max-vocabulary max-types-in-memory subsample no-cache phrases phrase-threshold phrase-min-count "
    "phrase-scoring class-weight validation-fraction",
    "Count-based models": "contexts subsample-mode weighting smoothing shift exponent iterations oversampling "
    "add-contexts x-max alpha memory",
    "Training": "batch-size learning-rate min-learning-rate warmup-steps epochs patience clip-norm optimizer schedule "
    "freeze mode freeze-initial initial-rate initial-counts dropout layer-dropout locked-dropout weight-drop zoneout "
    "zoneout-cell embedding-dropout word-dropout label-smoothing scheduled-sampling checkpoint-every resume "
    "evaluate-every early-stopping tune choose-by calibration tune-thresholds",
    "Evaluation": "test baselines folds learning-curve",
    "Several machines": "shards round-tokens scheduler local-cluster piece-size timings",
    "General": "seed threads quiet json encoding version help",
}
"""Options by the title of their section in a long help; all others are about the model."""

_TITLES = {name: title for title, names in _SECTIONS.items() for name in names.split()}


def examples_first(text: str) -> str:
    """Return a help text with its examples after the first paragraph.

    Example:
        >>> examples_first("Sum up.\\n\\nDetails.\\n\\n\\b\\nExample:\\n  sum 1 2").split("\\n\\n")
        ['Sum up.', '\\x08\\nExample:\\n  sum 1 2', 'Details.']
    """
    first, *others = text.split("\n\n")
    return "\n\n".join([first, *sorted(others, key=lambda part: not part.lstrip("\b\n ").startswith("Example"))])


def option_sections(parameters: Iterable[click.Parameter]) -> dict[str, list[click.Option]]:
    """Return the options by the title of their section, in their order; files are what a command reads and writes."""
    titles = ["Files", "Data", "Options", *_SECTIONS]
    found: dict[str, list[click.Option]] = {title: [] for title in titles}
    for parameter in parameters:
        if isinstance(parameter, click.Option):
            longest = max(parameter.opts, key=len).removeprefix("--")
            found["Files" if isinstance(parameter.type, File) else _TITLES.get(longest, "Options")].append(parameter)
    return found
