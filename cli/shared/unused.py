"""Options that cannot have an effect with the others are usage errors, not ignored."""

from collections.abc import Callable, Iterable
from typing import Any

import click

from wordvec.system.settings import Settings, field_of, flags_of

_RULES: list[tuple[str, Callable[[Any], bool], str]] = [
    ("layer_dropout", lambda s: s.layer_dropout > 0 and s.layers == 1, "with one layer; needs --layers 2 or more"),
    ("locked_dropout", lambda s: s.layers == 1 or s.layer_dropout == 0, "without dropout between layers; needs "
     "--layer-dropout and --layers 2 or more"),
    ("zoneout_cell", lambda s: s.zoneout_cell > 0 and s.cell != "lstm", "without an LSTM's cell; needs --cell lstm"),
    ("reset", lambda s: s.cell != "gru", "without a reset gate; needs --cell gru"),
    ("merge", lambda s: not s.bidirectional, "with one direction; needs --bidirectional"),
    ("seasonal", lambda s: s.season is None, "without a season; needs --season N"),
    ("tokenizer", lambda s: getattr(s, "unit", "word") == "character", "on characters; needs --unit word"),
    ("invalid_tags", lambda s: s.head == "softmax", "without a CRF, which alone rules tags out; needs --head crf"),
    ("subsample_mode", lambda s: s.subsample == 0, "without subsampling; needs --subsample above 0"),
    *((name, lambda s: s.subwords is None, "without n-grams; needs --subwords")
      for name in ("buckets", "subword_hashes")),
    ("cbow_gradient", lambda s: s.model != "cbow", "without CBOW; needs --model cbow"),
    *((name, lambda s: s.loss != "negative", "without negative samples; needs --loss negative")
      for name in ("negatives", "noise_exponent", "shared_negatives", "block_size")),
    *((name, lambda s: bool(s.fresh_negatives), "with --fresh-negatives, which shares no samples")
      for name in ("shared_negatives", "block_size")),
]  # fmt: skip
"""Setting, whether it has no effect with the other settings, and why."""


def refuse_unused(settings: Settings, **files: str | None) -> None:
    """Report as a usage error an option of the current command that has no effect.

    Args:
        settings: made from the options.
        files: ``vectors`` and ``dev`` as far as the command has them, None if not given.

    Raises:
        click.UsageError: it names the option and the reason.
    """
    for name, unused, reason in _RULES:
        if is_given(name) and unused(settings):
            _refuse(settings, name, reason)
    for name in filter(is_given, getattr(settings, "unused", ())):
        _refuse(settings, name, "on a linear model; needs --model network, blend or auto")
    if files.get("vectors") is not None and getattr(settings, "model", "") == "linear":
        raise click.UsageError("--vectors has no effect on a linear model; needs --model network, blend or auto")
    for name in ("keep_vectors", "keep_ngrams"):
        if "vectors" in files and files["vectors"] is None and is_given(name):
            _refuse(settings, name, "without pretrained vectors; needs --vectors FILE")
    if "vectors" in files and files["vectors"] is None and is_given("vector_scale") and settings.tune_vectors:  # type: ignore[attr-defined]
        _refuse(settings, "vector_scale", "without pretrained or frozen vectors; needs --vectors FILE")
    if "dev" in files and files["dev"] is not None and is_given("validation_fraction"):
        _refuse(settings, "validation_fraction", "with --dev, which gives the validation data; leave one out")
    for name in ("patience", "choose_by"):
        if files.get("dev") is None and getattr(settings, "validation_fraction", 1) == 0 and is_given(name):
            _refuse(settings, name, "without validation data; needs a validation fraction above 0, or --dev")
    if files.get("dev") is None and getattr(settings, "validation_fraction", 1) == 0 and _plateau(settings):
        raise click.UsageError("--schedule plateau needs validation data: a validation fraction above 0, or --dev")


def refuse_vector_size(path: str, vectors: Any) -> None:
    """Report ``--vector-size`` as a usage error if pretrained vectors have another size."""
    size, asked = vectors.vector_size, click.get_current_context().params.get("vector_size")
    if is_given("vector_size") and asked != size:
        raise click.UsageError(
            f"--vector-size {asked} has no effect: the vectors of {path} have {size} dimensions; leave it out"
        )


def refuse_without(option: str, value: Any, *names: str) -> None:
    """Report options as usage errors if the one that they belong to, ``option``, has no value."""
    for name in names:
        if not value and is_given(name):
            raise click.UsageError(f"--{name.replace('_', '-')} has no effect without {option}; leave it out")


def refuse_with(option: str, value: Any, *names: str) -> None:
    """Report options as usage errors if ``option``, which leaves them without an effect, has a value."""
    for name in names:
        if value and is_given(name):
            raise click.UsageError(f"{_flag(name)} has no effect with {option}; leave it out")


def given_among(names: Iterable[str]) -> list[str]:
    """Return the parameters of the current command that were given, rather than left at their defaults."""
    return [name for name in names if is_given(name)]


def _flag(name: str) -> str:
    """Return the option of a parameter of the current command."""
    found = [each for each in click.get_current_context().command.params if each.name == name]
    return found[0].opts[0]


def _plateau(settings: Settings) -> bool:
    return getattr(settings, "schedule", None) == "plateau"


def is_given(name: str) -> bool:
    """Return whether an option of the current command was given, by its parameter."""
    context = click.get_current_context()
    source = context.get_parameter_source(name)
    return name in context.params and source is not click.core.ParameterSource.DEFAULT


def _refuse(settings: Settings, name: str, reason: str) -> None:
    raise click.UsageError(f"{flags_of(field_of(type(settings), name))} has no effect {reason}")
