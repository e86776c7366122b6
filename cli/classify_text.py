"""``classify-text``: train a text classifier, use it, measure it."""

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.errors import Command, Group, usage_errors
from cli.shared.reporting import percent, print_json, table
from cli.shared.supervised import Trained, class_table, lines_to_predict, train_and_save, training_options
from seqclf import ClassifierSettings

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
@training_options(ClassifierSettings, "Labeled text", class_weight={"type": click.Choice(["balanced"])})
@click.option("--baselines", is_flag=True, help="Train simple models on DATA too, and evaluate them on --test.")
@click.option(
    "--multi-label",
    "separator",
    metavar="SEP",
    help="Each text has any number of labels, separated by SEP (such as ,).  [default: one label]",
)
@click.option(
    "--tune-thresholds",
    is_flag=True,
    help="With --multi-label: tune a decision threshold per label on --dev.  [default: 0.5]",
)
@options.columns_options
def train(
    data: str,
    output: str,
    vectors: str | None,
    dev: str | None,
    test: str | None,
    baselines: bool,
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

    from seqclf import train_classifier, train_multi_label

    with usage_errors():
        settings = ClassifierSettings(**given)
    several: dict[str, Any] = {} if separator is None else {"tune_thresholds": tune_thresholds}
    columns: dict[str, Any] = {
        "text_column": text_column,
        "label_column": label_column,
        "encoding_errors": encoding_errors,
    }
    trained = train_and_save(
        train_classifier if separator is None else partial(train_multi_label, separator=separator, **several),
        partial(_read, separator=separator, **columns),
        data=data, dev=dev, test=test, vectors=vectors, output=output, settings=settings, threads=threads, quiet=quiet,
        unit="texts",
    )  # fmt: skip
    if trained.test is not None:
        scores = {"this model": _scored(trained.model, *trained.test, threads=threads)}
        if baselines:
            scores |= _baselines(trained, settings.seed, several)
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
    asked = lines_to_predict(texts, source, "TEXT", encoding_errors)

    from seqclf import load_model

    loaded = load_model(model, "model", "multi-label model")
    probabilities = loaded.predict_proba(list(asked), threads=threads)
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

    loaded = load_model(model, "model", "multi-label model")
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


def _baselines(trained: Trained, seed: int, several: dict[str, Any]) -> dict[str, Any]:
    """Each baseline's score, by its name."""
    from seqclf import compare_baselines, compare_multi_label_baselines

    model, test = trained.model, trained.test or ()
    chosen: dict[str, Any] = {"tokenizer": model.tokenizer, "lowercase": model.lowercase, "seed": seed}
    compare: Any = compare_multi_label_baselines if several else compare_baselines
    found = compare(*trained.training, *test, dev=trained.dev, **chosen, **several)
    return {baseline.name: baseline.score for baseline in found}


def _report(result: "Score | MultiLabelScore", truth: Sequence[Any]) -> str:
    """The measures beside those of a constant answer, the labels' table, and of single labels the confusion matrix."""
    from seqclf import Score, score_label_sets

    classes = class_table(result, "label", "texts")
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
