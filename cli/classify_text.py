"""``classify-text``: train a text classifier, use it, measure it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cli import options
from cli.errors import Command, Group, usage_errors, written
from cli.reporting import Progress, percent, print_json, say, show_epochs, table

if TYPE_CHECKING:
    from seqclf import Score, SequenceModel

_model_argument = click.argument("model", type=click.Path())


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def classify_text() -> None:
    """Train text classifiers (LSTM and BiLSTM on word vectors), predict with them, and measure them.

    DATA is labelled text: .tsv (label, tab, text), .csv (with columns label and text), .jsonl, lines of fastText
    (__label__name text), any of them compressed; or sample:disasters and sample:disasters-test.
    """


@classify_text.command(cls=Command, context_settings=options.HELP)
@click.argument("data")
@options.output_option("Where the model goes (.safetensors).")
@options.vectors_options
@click.option("--dev", metavar="FILE", help="Labelled text that chooses the epoch.  [default: a tenth of DATA]")
@click.option("--test", metavar="FILE", help="Labelled text to measure the model on at the end.")
@click.option("--baselines", is_flag=True, help="Train simple models on DATA, too, and measure them on --test.")
@options.recurrent_options
@click.option(
    "--pooling",
    type=click.Choice(["max", "mean", "last", "attention"]),
    default="max",
    show_default=True,
    help="What stands for a text: maximum or mean of all steps, the last, or a mean by learnt weights.",
)
@options.training_options(dropout=0.5)
@click.option("--class-weight", type=click.Choice(["balanced"]), help="Rare labels count more.  [default: all alike]")
@options.tokenizer_of_vectors_option
@click.option("--lowercase/--keep-case", default=None, help="Casing of texts.  [default: that of the vectors]")
@options.columns_options
@options.encoding_errors_option
@options.seed_option
@options.threads_option
@options.quiet_option
def train(
    data: str,
    output: str,
    vectors: str | None,
    dev: str | None,
    test: str | None,
    baselines: bool,
    freeze_vectors: bool,
    threads: int | None,
    quiet: bool,
    text_column: str | None,
    label_column: str | None,
    encoding_errors: str,
    **given: Any,
) -> None:
    """Train a classifier on DATA and write it to a file.

    \b
    Example:
      classify-text train sample:disasters --vectors vectors.safetensors -o model.safetensors
    """
    if baselines and test is None:
        raise click.UsageError("--baselines needs --test FILE: texts that neither they nor the model have seen")

    from corpora import read_labelled
    from seqclf import ClassifierSettings, train_classifier
    from wordvec import check_target, load_vectors

    with usage_errors():
        settings = ClassifierSettings(tune_vectors=not freeze_vectors, **given).validate()
    check_target(output)
    columns: dict[str, Any] = {
        "text_column": text_column,
        "label_column": label_column,
        "encoding_errors": encoding_errors,
    }
    texts, labels = read_labelled(data, **columns)
    dev_data = None if dev is None else read_labelled(dev, **columns)
    test_data = None if test is None else read_labelled(test, **columns)
    pretrained = None if vectors is None else load_vectors(vectors)
    with Progress("training", quiet) as progress:
        model = train_classifier(
            texts,
            labels,
            settings=settings,
            vectors=pretrained,
            dev=dev_data,
            threads=threads,
            on_progress=lambda state: show_epochs(progress, state, quiet),
        )
    model.save(output)
    written(output)
    say(f"{output}: {_described(model)}", quiet)
    if test_data is not None:
        rows = [["this model", *_measures(_scored(model, *test_data, threads=threads))]]
        if baselines:
            rows += _baseline_rows((texts, labels), test_data, dev_data, model, settings.seed)
        click.echo(table(rows, [f"on {test}", "accuracy", "macro-F1"]))


@classify_text.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--input", "source", metavar="FILE", help="Read texts from a file, one a line; - for standard input.")
@options.encoding_errors_option
@options.threads_option
@options.json_option
def predict(
    model: str,
    texts: tuple[str, ...],
    source: str | None,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Print a line for each TEXT, in order: its label, a tab, the label's probability.

    A single - instead of TEXT reads standard input, one text a line; a blank line is a text as well. With --json a line
    is an object with the probabilities of all labels.

    \b
    Examples:
      classify-text predict model.safetensors "Forest fire near the village"
      classify-text predict model.safetensors --input texts.txt
    """
    if (source is None) == (not texts):
        raise click.UsageError("give TEXT, or --input FILE, or - for standard input")
    if texts == ("-",):
        source = "-"

    from corpora import read_lines
    from seqclf import load_model

    loaded = load_model(model)
    asked = list(texts) if source is None else read_lines(source, encoding_errors=encoding_errors)
    probabilities = loaded.predict_proba(asked, threads=threads)
    names = [str(label) for label in loaded.labels]
    lines = []
    for row, best in zip(probabilities.tolist(), probabilities.argmax(axis=1).tolist(), strict=True):
        if as_json:
            answer = {
                "label": names[best],
                "probability": row[best],
                "probabilities": dict(zip(names, row, strict=True)),
            }
            lines.append(json.dumps(answer, ensure_ascii=False))
        else:
            lines.append(f"{names[best]}\t{row[best]:.4f}")
    if lines:
        click.echo("\n".join(lines))


@classify_text.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("data")
@options.columns_options
@options.encoding_errors_option
@options.threads_option
@options.json_option
def evaluate(model: str, data: str, threads: int | None, as_json: bool, **reading: Any) -> None:
    """Compare MODEL's labels for DATA with the right ones.

    Prints accuracy, macro-F1, each label's scores, and how often each label is taken for which.

    \b
    Example:
      classify-text evaluate model.safetensors sample:disasters-test
    """
    from corpora import read_labelled
    from seqclf import load_model

    loaded = load_model(model)
    texts, labels = read_labelled(data, **reading)
    result = _scored(loaded, texts, labels, threads=threads)
    if as_json:
        print_json({"texts": len(texts), **result.as_dict()})
    else:
        click.echo(_report(result))


def _described(model: "SequenceModel") -> str:
    metrics = model.metrics
    chosen = f"epoch {metrics['best_epoch']} of {len(model.history)} kept"
    if "dev_accuracy" in metrics:
        chosen += f" for its dev accuracy of {percent(metrics['dev_accuracy'])} on {metrics['dev_texts']:,} texts"
    return (
        f"{chosen}; trained on {metrics['texts']:,} texts, {len(model.labels)} labels, {len(model.vocabulary):,} words"
    )


def _scored(model: "SequenceModel", texts: Sequence[str], labels: Sequence[str], *, threads: int | None) -> "Score":
    """The model's score; labels are compared as they are written, and one it does not know counts as an error."""
    from seqclf import score

    known = [str(label) for label in model.labels]
    predicted = [str(label) for label in model.predict(texts, threads=threads).tolist()]
    return score(labels, predicted, known + sorted(set(labels) - set(known)))


def _measures(result: "Score") -> list[str]:
    return [percent(result.accuracy), f"{result.macro_f1:.3f}"]


def _baseline_rows(
    data: tuple[list[str], list[str]],
    test: tuple[list[str], list[str]],
    dev: tuple[list[str], list[str]] | None,
    model: "SequenceModel",
    seed: int,
) -> list[list[str]]:
    from seqclf import compare_baselines

    found = compare_baselines(*data, *test, dev=dev, tokenizer=model.tokenizer, lowercase=model.lowercase, seed=seed)
    return [[baseline.name, *_measures(baseline.score)] for baseline in found]


def _report(result: "Score") -> str:
    """Accuracy beside that of always saying the most frequent label, the labels' table, and the confusion matrix."""
    total = sum(row.support for row in result.classes)
    most = max(row.support for row in result.classes)
    head = [
        ["texts", f"{total:,}"],
        ["accuracy", percent(result.accuracy)],
        ["  of always saying the most frequent label", percent(most / total)],
        ["macro-F1", f"{result.macro_f1:.3f}"],
        ["Matthews correlation", f"{result.matthews:.3f}"],
    ]
    classes = [
        [str(row.label), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}"]
        for row in result.classes
    ]
    names = [str(label) for label in result.labels]
    confusion = [[name, *map(str, row)] for name, row in zip(names, result.confusion.tolist(), strict=True)]
    return "\n\n".join(
        [
            table(head),
            table(classes, ["label", "precision", "recall", "F1", "texts"]),
            table(confusion, ["true label \\ predicted", *names]),
        ]
    )
