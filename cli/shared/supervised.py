"""Training, prediction input and score tables for the commands that learn from labeled examples."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing, checkpoint_options
from cli.shared.errors import note_output
from cli.shared.origins import Files, origin_of, shown_files
from cli.shared.reporting import Progress, dev_measures, log, percent, show_epochs, table
from cli.shared.setting_options import all_setting_options
from cli.shared.signals import BestEpochOnInterrupt
from cli.shared.unused import refuse_unused, refuse_vector_size
from wordvec.system.settings import Settings

if TYPE_CHECKING:
    from seqclf.metrics import EntityScore, MultiLabelScore, Score
    from wordvec import WordVectors


_PLACES = 5
"""Lines that a warning names."""


class Trained(NamedTuple):
    """A trained and saved model, its data, each inputs and targets, or None, and the vectors it started from."""

    model: Any
    training: tuple[Any, ...]
    dev: tuple[Any, ...] | None
    test: tuple[Any, ...] | None
    vectors: "WordVectors | None"


def training_options(
    kind: type[Settings], data: str, *, several: bool = False, vectors: str = "word", **changed: Any
) -> options.Decorator:
    """Return ``-o``, ``--vectors``, ``--dev``, ``--test`` and the options of all settings of ``kind``.

    Args:
        kind: a settings class.
        data: kind of the data, such as "Labeled text".
        several: ``--dev`` and ``--test`` may be given twice.
        vectors: what they are vectors of.
        changed: by setting, keywords of ``click.option`` that replace the derived ones.
    """
    return options.together(
        options.output_option("Output model file (.safetensors)."),
        click.option(
            "--vectors",
            type=options.INPUT,
            metavar="FILE",
            help=f"Pretrained {vectors} vectors.  [default: random]",
        ),
        options.subword_fallback_option,
        click.option(
            "--dev",
            type=options.INPUT,
            metavar="FILE",
            help=f"{data} to select the best epoch on.  [default: a part of DATA]",
            multiple=several,
        ),
        click.option(
            "--test",
            type=options.INPUT,
            metavar="FILE",
            help=f"{data} to evaluate the trained model on.",
            multiple=several,
        ),
        all_setting_options(kind, **changed),
        checkpoint_options,
        options.encoding_options,
        options.threads_option,
        options.quiet_option,
    )


def train_and_save(
    train: Callable[..., Any],
    read: Callable[[Any], tuple[Any, ...]],
    *,
    data: Files,
    dev: Files | None,
    test: Files | None,
    vectors: str | None,
    subword_fallback: bool,
    output: str,
    settings: Settings,
    checkpointing: Checkpointing,
    threads: int | None,
    quiet: bool,
    unit: str,
    summary: Callable[[Any], str] | None = None,
    measures: Callable[[Mapping[str, float]], str] = dev_measures,
) -> Trained:
    """Read the examples, train a model on them and save it.

    Args:
        train: ``train_classifier`` or a similar function.
        read: reads inputs and targets, given ``data``, ``dev`` or ``test``.
        unit: plural noun for the examples.
        summary: describes a trained model. measures: the metrics of an epoch.
    """
    from wordvec import load_vectors
    from wordvec.system.atomic_files import check_target

    refuse_unused(settings, vectors=vectors, dev=None if dev is None else shown_files(dev))
    if vectors is None and not subword_fallback:
        raise click.UsageError("--no-subword-fallback has no effect without --vectors FILE; leave it out")
    check_target(output)
    with origin_of(data=data, dev=dev, vectors=vectors) as origin:
        training = read(data)
        dev_data, test_data = (None if name is None else read(name) for name in (dev, test))
        pretrained = None if vectors is None else load_vectors(vectors, subword_fallback=subword_fallback)
    if pretrained is not None:
        refuse_vector_size(str(vectors), pretrained)
    with (
        Progress("training", quiet) as progress,
        BestEpochOnInterrupt(
            lambda state: show_epochs(progress, state, quiet, measures),
            checkpointing.path is not None,
            checkpointing.logs,
        ) as on_progress,
    ):
        model = train(
            *training,
            settings=settings,
            vectors=pretrained,
            dev=dev_data,
            threads=threads,
            on_progress=on_progress,
            **checkpointing.arguments,
        )
    model.origin = origin
    model.save(output)
    note_output(output)
    checkpointing.logs.finish(model)
    log(f"{output}: {_summary(model, unit) if summary is None else summary(model)}", quiet)
    on_progress.finish()
    checkpointing.remove()
    return Trained(model, training, dev_data, test_data, pretrained)


def source_to_predict(given: Sequence[str], source: str | None, name: str, column: tuple[str, Any]) -> str | None:
    """Return the file of ``--input``, ``-`` if that is the only argument, or None if there are others.

    Args:
        given: the arguments. source: the value of ``--input``.
        name: of the arguments in messages.
        column: an option that applies to files only, and its value.

    Raises:
        click.UsageError: neither or both were given, or arguments and the option.
    """
    if (source is None) == (not given):
        raise click.UsageError(f"give {name}, or --input FILE, or - for standard input")
    if tuple(given) == ("-",):
        source = "-"
    if source is None and column[1] is not None:
        raise click.UsageError(f"{column[0]} needs --input FILE")
    return source


def as_known(labels: Sequence[Any], known: Sequence[str]) -> list[str]:
    """Return labels as strings, those that equal a known label as numbers (1 and 1.0) as it is written.

    Example:
        >>> as_known(["1.0", "0", "x"], ["0", "1"])
        ['1', '0', 'x']
    """
    written = {_without_zero(label): label for label in known} | {label: label for label in known}
    return [written.get(label, written.get(_without_zero(label), label)) for label in map(str, labels)]


def _without_zero(label: str) -> str:
    return re.sub(r"^(-?\d+)\.0$", r"\1", label)


def warn_if_unknown(
    labels: Sequence[str], known: Sequence[str], what: str, quiet: bool, places: Sequence[str] = ()
) -> None:
    """Print a warning that counts and names the test labels that the model does not know, with the first places.

    Args:
        places: of the labels; none are printed if it is empty.
    """
    from wordvec.system.wording import some

    unknown = Counter(labels)
    for label in known:
        del unknown[label]
    if unknown:
        names = some([f"{label:.40} ({count:,})" for label, count in unknown.most_common()], 10)
        log(
            f"Warning: {unknown.total():,} of {len(labels):,} {what} are unknown to the model and count as errors: "
            f"{names}{_at([place for place, label in zip(places, labels, strict=False) if label in unknown])}",
            quiet,
        )


def _at(places: Sequence[str]) -> str:
    from wordvec.system.wording import some

    places = list(dict.fromkeys(places))
    return f", in {some(places, _PLACES)}" if places else ""


def warn_if_seen(training: tuple[Any, ...], test: tuple[Any, ...], data: str, name: str, quiet: bool) -> None:
    """Print a warning if all test examples are among the training examples.

    Args:
        training, test: inputs and targets. data, name: their files.
    """
    seen = {repr(example) for example in zip(*training, strict=True)}
    if all(repr(example) in seen for example in zip(*test, strict=True)):
        log(f"Warning: everything in {name} is also in {data}: the scores are not those of unseen data", quiet)


def class_table(result: "Score | MultiLabelScore | EntityScore", label: str, unit: str) -> str:
    """Return precision, recall, F1 and support of each class as a table."""
    rows = [
        [str(row.label), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}"]
        for row in result.classes
    ]
    return table(rows, [label, "precision", "recall", "F1", unit])


def _summary(model: Any, unit: str) -> str:
    from wordvec.system.wording import counted

    metrics = model.metrics
    text = f"best epoch {metrics['best_epoch']} of {len(model.history)}" if model.history else ""
    parts = getattr(model, "parts", "network")
    if parts != "network":
        kept = "linear model" if parts == "linear" else "blend of network and linear model"
        text = f"{kept}; {text}" if text and parts == "blend" else kept
    measures = (
        ("dev_accuracy", "dev accuracy", percent),
        ("dev_entity_f1", "dev entity F1", _decimals),
        ("dev_macro_f1", "dev macro-F1", _decimals),
        ("dev_micro_f1", "dev micro-F1", _decimals),
    )
    shown = [f"{label} {form(metrics[name])}" for name, label, form in measures if name in metrics]
    if shown:
        text += f", {', '.join(shown)} on {counted(metrics[f'dev_{unit}'], unit[:-1])}"
    tokens = "" if unit == "texts" else f", {counted(metrics['tokens'], 'token')}"
    if "majority_share" in metrics:
        tokens += f", {percent(metrics['majority_share'])} of them with the most frequent label"
    labels = counted(len(model.labels), "label" if unit == "texts" else "tag")
    sizes = [] if parts == "linear" else [counted(len(model.vocabulary), "word")]
    if parts != "network":
        sizes.append(counted(len(model.linear.features), "n-gram"))
    return f"{text}; trained on {counted(metrics[unit], unit[:-1])}{tokens}, {labels}, {', '.join(sizes)}"


def _decimals(value: float) -> str:
    return f"{value:.3f}"
