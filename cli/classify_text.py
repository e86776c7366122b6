"""``classify-text``: train, evaluate and apply text classifiers."""

import functools
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing
from cli.shared.errors import Command, Group, usage_errors
from cli.shared.map_options import MapStep, map_options
from cli.shared.reporting import percent, print_json, table
from cli.shared.streaming import Arriving
from cli.shared.supervised import (
    Trained,
    as_known,
    class_table,
    source_to_predict,
    train_and_save,
    training_options,
    warn_if_seen,
    warn_if_unknown,
)
from seqclf import ClassifierSettings

if TYPE_CHECKING:
    import numpy as np

    from seqclf import ClassifierModel, Score
    from seqclf.metrics import MultiLabelScore

_model_argument = click.argument("model", type=options.INPUT)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def classify_text() -> None:
    """Train, evaluate and apply text classifiers: recurrent networks on word vectors.

    DATA is labeled text: .tsv (label, tab, text), .csv (columns label and text), .jsonl, or fastText lines
    (__label__name text), optionally compressed; or sample:disasters and sample:disasters-test.

    With --multi-label, each text has any number of labels, possibly none.
    """


@classify_text.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@training_options(ClassifierSettings, "Labeled text", class_weight={"type": click.Choice(["balanced"])})
@click.option("--baselines", is_flag=True, help="Also train baselines on DATA and evaluate them on --test.")
@click.option(
    "--multi-label",
    "separator",
    metavar="SEP",
    help="Multi-label data: each text has any number of labels, separated by SEP, such as a comma.",
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
    subword_fallback: bool,
    dev: str | None,
    test: str | None,
    baselines: bool,
    separator: str | None,
    tune_thresholds: bool,
    threads: int | None,
    quiet: bool,
    text_column: str | None,
    label_column: str | None,
    encoding: str,
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
        raise click.UsageError("--baselines needs --test FILE to evaluate the baselines on")
    if tune_thresholds and separator is None:
        raise click.UsageError("--tune-thresholds needs --multi-label SEP: single-label classifiers have no thresholds")

    if separator is not None and given["class_weight"] is not None:
        raise click.UsageError("--class-weight has no effect with --multi-label; leave it out")

    from seqclf import train_classifier, train_multi_label

    checkpointing = Checkpointing.take(given, output)
    with usage_errors():
        settings = ClassifierSettings(**given)
    multi_label: dict[str, Any] = {} if separator is None else {"tune_thresholds": tune_thresholds}
    columns: dict[str, Any] = {
        "text_column": text_column,
        "label_column": label_column,
        "encoding": encoding,
        "encoding_errors": encoding_errors,
    }
    trained = train_and_save(
        train_classifier if separator is None else partial(train_multi_label, separator=separator, **multi_label),
        partial(_read, separator=separator, **columns),
        data=data, dev=dev, test=test, vectors=vectors, subword_fallback=subword_fallback, output=output,
        settings=settings, checkpointing=checkpointing, threads=threads, quiet=quiet, unit="texts",
    )  # fmt: skip
    if trained.test is not None:
        warn_if_seen(trained.training, trained.test, data, str(test), quiet)
        scores = {"this model": _scored(trained.model, *trained.test, threads=threads, quiet=quiet)}
        if baselines:
            scores |= _baselines(trained, settings.seed, multi_label)
        rows = [[name, *_measures(result).values()] for name, result in scores.items()]
        click.echo(table(rows, [f"on {test}", *_measures(scores["this model"])]))


@classify_text.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read texts from FILE; - for standard input."
)
@click.option("--text-column", metavar="NAME", help="With --input: name of the text column.  [default: text]")
@click.option(
    "--files",
    type=options.INPUT,
    metavar="FILES",
    help="Read texts from all files of a folder or glob, and write one file for each to --output-folder.",
)
@click.option("--output-folder", type=options.OUTPUT, metavar="FOLDER", help="Where --files writes NAME.predictions.")
@map_options
@options.encoding_options
@options.threads_option
@options.json_option
def predict(
    model: str,
    texts: tuple[str, ...],
    source: str | None,
    files: str | None,
    output_folder: str | None,
    text_column: str | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Print one line per TEXT: the predicted label, a tab, and its probability.

    For a multi-label MODEL: the predicted labels, a tab, and all labels with their probabilities, most probable first.

    --input reads tables by their extension, with or without labels: one text per record of a .csv, .tsv or .jsonl file,
    and one per line, including blank lines, of other files and of standard input, which a single - instead of TEXT
    names. Answers come in order, and as soon as the input pauses. With --json, each line is an object with the
    probabilities of all labels. Put -- before a TEXT of a single word that starts with a dash.

    \b
    Examples:
      classify-text predict model.safetensors "Forest fire near the village"
      classify-text predict model.safetensors --input texts.txt
      classify-text predict model.safetensors --files 'news/*.txt' --output-folder labels --local-cluster 4
    """
    mapped = MapStep(given, files, output_folder, [*texts, *filter(None, [source])])
    if files is not None:
        mapped.run(_FilePrediction(os.path.abspath(model), text_column, encoding, encoding_errors, as_json), threads)
        return
    source = source_to_predict(texts, source, "TEXT", ("--text-column", text_column))

    from corpora import iter_texts
    from seqclf import load_model

    loaded = load_model(model, "model", "multi-label model")
    asked = (
        texts
        if source is None
        else iter_texts(source, encoding=encoding, encoding_errors=encoding_errors, text_column=text_column)
    )
    for batch in Arriving(asked):
        click.echo("\n".join(_lines(loaded, batch, as_json, threads)))


def _lines(model: "ClassifierModel", texts: Sequence[str], as_json: bool, threads: int | None) -> list[str]:
    """Return a line for the prediction of each text."""
    names = [str(label) for label in model.labels]
    lines = []
    for row in model.predict_proba(texts, threads=threads):
        answer, line = _answer(model, names, row)
        if as_json:
            answer["probabilities"] = dict(zip(names, row.tolist(), strict=True))
            line = json.dumps(answer, ensure_ascii=False)
        lines.append(line)
    return lines


@dataclass(frozen=True)
class _FilePrediction:
    """The predictions for the texts of a file, wherever they are computed."""

    model: str
    text_column: str | None
    encoding: str
    encoding_errors: str
    as_json: bool

    def __call__(self, name: str) -> bytes:
        from corpora import read_texts

        texts = read_texts(
            name, encoding=self.encoding, encoding_errors=self.encoding_errors, text_column=self.text_column
        )
        lines = _lines(_loaded(self.model), texts, self.as_json, threads=1) if texts else []
        return "".join(f"{line}\n" for line in lines).encode()


@functools.lru_cache(maxsize=1)
def _loaded(path: str) -> "ClassifierModel":
    from seqclf import load_model

    model: ClassifierModel = load_model(path, "model", "multi-label model")
    return model


@classify_text.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("data", type=options.INPUT)
@options.columns_options
@options.encoding_options
@options.threads_option
@options.json_option
def evaluate(model: str, data: str, threads: int | None, as_json: bool, **reading: Any) -> None:
    """Evaluate MODEL on labeled DATA.

    Prints accuracy, macro-F1, the scores of each label and the confusion matrix. For a multi-label MODEL: micro- and
    macro-F1, subset accuracy, Hamming loss and the scores of each label.

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
    """Read texts and their labels: one per text or, with a separator, a list per text."""
    from corpora import read_label_sets, read_labelled

    examples: tuple[list[str], list[Any]] = (
        read_labelled(data, **reading) if separator is None else read_label_sets(data, separator, **reading)
    )
    return examples


def _answer(model: "ClassifierModel", names: list[str], probabilities: "np.ndarray") -> tuple[dict[str, Any], str]:
    """Return the prediction for a text as a JSON object and as a line."""
    from seqclf import MultiLabelModel

    if not isinstance(model, MultiLabelModel):
        best = int(probabilities.argmax())
        answer = {"label": names[best], "probability": float(probabilities[best])}
        return answer, f"{names[best]}\t{probabilities[best]:.4f}"
    chosen = [name for name, above in zip(names, probabilities >= model.thresholds, strict=True) if above]
    ranked = ", ".join(
        f"{names[label]} {probabilities[label]:.4f}" for label in (-probabilities).argsort(kind="stable")
    )
    return {"labels": chosen}, f"{model.separator.join(chosen)}\t{ranked}"


def _scored(
    model: "ClassifierModel", texts: Sequence[str], labels: Sequence[Any], *, threads: int | None, quiet: bool = False
) -> "Score | MultiLabelScore":
    """Score the model; labels are compared as strings, and labels unknown to the model count as errors."""
    from seqclf import MultiLabelModel, score, score_label_sets

    known = [str(label) for label in model.labels]
    found = model.predict(texts, threads=threads)
    if isinstance(model, MultiLabelModel):
        sets = [as_known(each, known) for each in labels]
        warn_if_unknown([label for each in sets for label in each], known, "labels", quiet)
        result: Score | MultiLabelScore = score_label_sets(sets, found, known)
    else:
        labels = as_known(labels, known)
        warn_if_unknown(labels, known, "labels", quiet)
        names = known + sorted(set(labels) - set(known))
        result = score(labels, [str(label) for label in found.tolist()], names)
    return result


def _measures(result: "Score | MultiLabelScore") -> dict[str, str]:
    """Return the measures of a summary table by name."""
    from seqclf import Score

    if isinstance(result, Score):
        return {"accuracy": percent(result.accuracy), "macro-F1": f"{result.macro_f1:.3f}"}
    return {
        "micro-F1": f"{result.micro_f1:.3f}",
        "macro-F1": f"{result.macro_f1:.3f}",
        "subset accuracy": percent(result.subset_accuracy),
        "Hamming loss": f"{result.hamming_loss:.4f}",
    }


def _baselines(trained: Trained, seed: int, multi_label: dict[str, Any]) -> dict[str, Any]:
    """Train the baselines and return their scores by name."""
    from seqclf import compare_baselines, compare_multi_label_baselines

    model, test = trained.model, trained.test or ()
    chosen: dict[str, Any] = {name: getattr(model, name) for name in ("tokenizer", "lowercase", "normalize")}
    chosen["seed"] = seed
    compare: Any = compare_multi_label_baselines if multi_label else compare_baselines
    found = compare(*trained.training, *test, dev=trained.dev, **chosen, **multi_label)
    return {baseline.name: baseline.score for baseline in found}


def _report(result: "Score | MultiLabelScore", truth: Sequence[Any]) -> str:
    """Return the measures, compared with a constant prediction, label scores and, if single, the confusion matrix."""
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
    """Return accuracy, with that of always predicting the majority class, and the other measures as a table."""
    total = sum(row.support for row in result.classes)
    most = max(row.support for row in result.classes)
    return table(
        [
            ["texts", f"{total:,}"],
            ["accuracy", percent(result.accuracy)],
            ["  of always predicting the most frequent label", percent(most / total)],
            ["macro-F1", f"{result.macro_f1:.3f}"],
            ["Matthews correlation", f"{result.matthews:.3f}"],
        ]
    )
