"""``classify-text``: train a text classifier, use it, measure it."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Group, usage_errors, written
from cli.shared.reporting import Progress, percent, print_json, say, show_epochs, table

if TYPE_CHECKING:
    import numpy as np

    from seqclf import ClassifierModel, MultiLabelScore, Score

_model_argument = click.argument("model", type=click.Path())


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def classify_text() -> None:
    """Train text classifiers (LSTM and BiLSTM on word vectors), predict with them, and measure them.

    DATA is labelled text: .tsv (label, tab, text), .csv (with columns label and text), .jsonl, lines of fastText
    (__label__name text), any of them compressed; or sample:disasters and sample:disasters-test.

    With --multi-label a text bears any number of labels, or none.
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
@click.option(
    "--multi-label",
    "separator",
    metavar="SEP",
    help="A text has any number of labels, with SEP (such as ,) between them.  [default: one label]",
)
@click.option(
    "--tune-thresholds",
    is_flag=True,
    help="With --multi-label: choose for each label, on --dev, the probability from which it is given.  [default: 0.5]",
)
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
    separator: str | None,
    tune_thresholds: bool,
    threads: int | None,
    quiet: bool,
    text_column: str | None,
    label_column: str | None,
    encoding_errors: str,
    **given: Any,
) -> None:
    """Train a classifier on DATA and write it to a file.

    \b
    Examples:
      classify-text train sample:disasters --vectors vectors.safetensors -o model.safetensors
      classify-text train messages.tsv --multi-label , --dev dev.tsv -o model.safetensors
    """
    if baselines and test is None:
        raise click.UsageError("--baselines needs --test FILE: texts that neither they nor the model have seen")
    if tune_thresholds and separator is None:
        raise click.UsageError("--tune-thresholds needs --multi-label SEP: a single label has no threshold")

    from seqclf import ClassifierSettings, train_classifier, train_multi_label
    from wordvec import check_target, load_vectors

    with usage_errors():
        settings = ClassifierSettings(tune_vectors=not freeze_vectors, **given).validate()
    check_target(output)
    columns = {"text_column": text_column, "label_column": label_column, "encoding_errors": encoding_errors}
    texts, labels = _read(data, separator, **columns)
    dev_data = None if dev is None else _read(dev, separator, **columns)
    test_data = None if test is None else _read(test, separator, **columns)
    several: dict[str, Any] = {} if separator is None else {"tune_thresholds": tune_thresholds}
    train_net = train_classifier if separator is None else partial(train_multi_label, separator=separator, **several)
    pretrained = None if vectors is None else load_vectors(vectors)
    with Progress("training", quiet) as progress:
        model = train_net(
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
        scores = {"this model": _scored(model, *test_data, threads=threads)}
        if baselines:
            scores |= _baselines((texts, labels), test_data, dev_data, model, settings.seed, several)
        rows = [[name, *_measures(result).values()] for name, result in scores.items()]
        click.echo(table(rows, [f"on {test}", *_measures(scores["this model"])]))


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

    Where MODEL gives any number of labels: these, a tab, and all labels with their probabilities, the likeliest first.

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
    for row in probabilities:
        answer, line = _answer(loaded, names, row)
        if as_json:
            answer["probabilities"] = dict(zip(names, row.tolist(), strict=True))
            line = json.dumps(answer, ensure_ascii=False)
        lines.append(line)
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

    Prints accuracy, macro-F1, each label's scores, and how often each label is taken for which. Where MODEL gives any
    number of labels: micro- and macro-F1, the share of texts whose labels are all right, that of wrong pairs of text
    and label (Hamming loss), and each label's scores.

    \b
    Example:
      classify-text evaluate model.safetensors sample:disasters-test
    """
    from seqclf import load_model

    loaded = load_model(model)
    texts, labels = _read(data, getattr(loaded, "separator", None), **reading)
    result = _scored(loaded, texts, labels, threads=threads)
    if as_json:
        print_json({"texts": len(texts), **result.as_dict()})
    else:
        click.echo(_report(result, labels))


def _read(data: str, separator: str | None, **reading: Any) -> tuple[list[str], list[Any]]:
    """Texts, and the label of each; with a separator the labels of each."""
    from corpora import read_label_sets, read_labelled

    return read_labelled(data, **reading) if separator is None else read_label_sets(data, separator, **reading)


def _answer(model: "ClassifierModel", names: list[str], probabilities: "np.ndarray") -> tuple[dict[str, Any], str]:
    """What a text is given, for programs and as a line."""
    from seqclf import MultiLabelModel

    if not isinstance(model, MultiLabelModel):
        best = int(probabilities.argmax())
        answer = {"label": names[best], "probability": float(probabilities[best])}
        return answer, f"{names[best]}\t{probabilities[best]:.4f}"
    given = [name for name, said in zip(names, probabilities >= model.thresholds, strict=True) if said]
    ranked = ", ".join(
        f"{names[label]} {probabilities[label]:.4f}" for label in (-probabilities).argsort(kind="stable")
    )
    return {"labels": given}, f"{model.separator.join(given)}\t{ranked}"


def _described(model: "ClassifierModel") -> str:
    metrics = model.metrics
    chosen = f"epoch {metrics['best_epoch']} of {len(model.history)} kept"
    if "dev_accuracy" in metrics:
        chosen += f" for its dev accuracy of {percent(metrics['dev_accuracy'])} on {metrics['dev_texts']:,} texts"
    if "dev_micro_f1" in metrics:
        chosen += f" for its dev micro-F1 of {metrics['dev_micro_f1']:.3f} on {metrics['dev_texts']:,} texts"
    return (
        f"{chosen}; trained on {metrics['texts']:,} texts, {len(model.labels)} labels, {len(model.vocabulary):,} words"
    )


def _scored(
    model: "ClassifierModel", texts: Sequence[str], labels: Sequence[Any], *, threads: int | None
) -> "Score | MultiLabelScore":
    """The model's score; labels are compared as they are written, and one it does not know counts as an error."""
    from seqclf import MultiLabelModel, score, score_label_sets

    known = [str(label) for label in model.labels]
    found = model.predict(texts, threads=threads)
    if isinstance(model, MultiLabelModel):
        return score_label_sets(labels, found, known)
    return score(labels, [str(label) for label in found.tolist()], known + sorted(set(labels) - set(known)))


def _measures(result: "Score | MultiLabelScore") -> dict[str, str]:
    """What stands for a score in a table."""
    from seqclf import Score

    if isinstance(result, Score):
        return {"accuracy": percent(result.accuracy), "macro-F1": f"{result.macro_f1:.3f}"}
    return {
        "micro-F1": f"{result.micro_f1:.3f}",
        "macro-F1": f"{result.macro_f1:.3f}",
        "subset accuracy": percent(result.subset_accuracy),
        "Hamming loss": f"{result.hamming_loss:.4f}",
    }


def _baselines(
    data: tuple[list[str], list[Any]],
    test: tuple[list[str], list[Any]],
    dev: tuple[list[str], list[Any]] | None,
    model: "ClassifierModel",
    seed: int,
    several: dict[str, Any],
) -> dict[str, Any]:
    """Each baseline's score, by its name."""
    from seqclf import compare_baselines, compare_multi_label_baselines

    options: dict[str, Any] = {"dev": dev, "tokenizer": model.tokenizer, "lowercase": model.lowercase, "seed": seed}
    compare: Any = compare_multi_label_baselines if several else compare_baselines
    return {baseline.name: baseline.score for baseline in compare(*data, *test, **options, **several)}


def _report(result: "Score | MultiLabelScore", truth: Sequence[Any]) -> str:
    """The measures beside those of a constant answer, the labels' table, and of single labels the confusion matrix."""
    from seqclf import Score, score_label_sets

    classes = table(
        [
            [str(row.label), f"{row.precision:.3f}", f"{row.recall:.3f}", f"{row.f1:.3f}", f"{row.support:,}"]
            for row in result.classes
        ],
        ["label", "precision", "recall", "F1", "texts"],
    )
    if isinstance(result, Score):
        names = [str(label) for label in result.labels]
        confusion = [[name, *map(str, row)] for name, row in zip(names, result.confusion.tolist(), strict=True)]
        return "\n\n".join([_head(result), classes, table(confusion, ["true label \\ predicted", *names])])
    sets = Counter(tuple(sorted(labels)) for labels in truth)
    constant = score_label_sets(truth, [sets.most_common(1)[0][0]] * len(truth))
    both = zip(_measures(result).items(), _measures(constant).values(), strict=True)
    rows = [[name, own, other] for (name, own), other in both]
    head = table(rows, [f"{len(truth):,} texts", "this model", "most frequent labels"])
    return f"{head}\n\n{classes}"


def _head(result: "Score") -> str:
    """Accuracy beside that of always saying the most frequent label, and the other measures."""
    total = sum(row.support for row in result.classes)
    most = max(row.support for row in result.classes)
    return table(
        [
            ["texts", f"{total:,}"],
            ["accuracy", percent(result.accuracy)],
            ["  of always saying the most frequent label", percent(most / total)],
            ["macro-F1", f"{result.macro_f1:.3f}"],
            ["Matthews correlation", f"{result.matthews:.3f}"],
        ]
    )
