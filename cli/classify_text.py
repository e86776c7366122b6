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

from cli.classification.check import check
from cli.classification.curves import curves_table, write_curves
from cli.classification.evaluation import evaluation_table, folds_table, rival_table, write_mistakes
from cli.classification.explain import explain
from cli.classification.find_threshold import find_threshold
from cli.shared import options
from cli.shared.checkpoints import Checkpointing
from cli.shared.class_weights import ClassWeight
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

    from seqclf import ClassifierModel, MultiLabelModel
    from seqclf.classification.evaluation import Evaluation
    from seqclf.classification.fasttext import FastTextClassifier
    from seqclf.metrics import MultiLabelScore

_model_argument = click.argument("model", type=options.INPUT)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def classify_text() -> None:
    """Train, evaluate and apply text classifiers: recurrent networks on word vectors, and linear models on n-grams.

    DATA is labeled text: .tsv (label, tab, text), .csv (columns label and text), .jsonl, or fastText lines
    (__label__name text), optionally compressed; or sample:disasters and sample:disasters-test.

    With --multi-label, each text has any number of labels, possibly none.
    """


classify_text.add_command(check)
classify_text.add_command(find_threshold)
classify_text.add_command(explain)


@classify_text.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@training_options(
    ClassifierSettings,
    "Labeled text",
    class_weight={
        "type": ClassWeight(),
        "metavar": "balanced|LABEL=WEIGHT,...",
        "help": "Weight of each label in the loss: balanced, inverse to its frequency, or numbers by label (1 if not "
        "named).  [default: all labels alike]",
    },
    model={
        "default": None,
        "show_default": False,
        "help": "The recurrent network, a linear model on n-grams of words and characters, their blend, or the best of "
        "these on validation data.  [default: auto; with --multi-label network]",
    },
)
@click.option("--baselines", is_flag=True, help="Also train baselines on DATA and evaluate them on --test.")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Also cross-validate on DATA with N folds, stratified by label; trains N more models.",
)
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
    folds: int | None,
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

    A recurrent network and a linear model on n-grams are trained, and blended with the weights that are best on the
    validation data; if one of them alone is better there by more than a standard error, it is kept instead.

    \b
    Examples:
      classify-text train sample:disasters --vectors vectors.safetensors -o model.safetensors
      classify-text train messages.tsv --multi-label , --dev dev.tsv -o model.safetensors
    """
    if baselines and test is None:
        raise click.UsageError("--baselines needs --test FILE to evaluate the baselines on")
    if tune_thresholds and separator is None:
        raise click.UsageError("--tune-thresholds needs --multi-label SEP: single-label classifiers have no thresholds")

    if separator is not None and folds is not None:
        raise click.UsageError("--folds has no effect with --multi-label; leave it out")

    from seqclf import train_classifier, train_multi_label

    if given["model"] is None:
        given["model"] = "auto" if separator is None else "network"
    elif separator is not None and given["model"] != "network":
        raise click.UsageError(f"--model {given['model']} has no effect with --multi-label, which trains a network")
    if given["model"] == "linear" and (given["resume"] or given["checkpoint"] or given["checkpoint_every"]):
        raise click.UsageError("a linear model is trained in one go; leave --checkpoint and --resume out")
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
    if folds is not None:
        from seqclf.classification.cross_validation import cross_validate

        texts, labels = trained.training
        found = cross_validate(
            texts, labels, folds, settings=settings, vectors=trained.vectors, dev=trained.dev, threads=threads
        )
        click.echo(folds_table(found) + ("\n" if test is not None else ""))
    if trained.test is not None:
        warn_if_seen(trained.training, trained.test, data, str(test), quiet)
        rivals = _baselines(trained, settings.seed, multi_label) if baselines else []
        if separator is None:
            own = _evaluated(trained.model, *trained.test, threads=threads, quiet=quiet)
            click.echo(rival_table(f"on {test}", own, rivals))
            return
        result = _scored(trained.model, *trained.test, threads=threads, quiet=quiet)
        scores = {"this model": result} | {baseline.name: baseline.score for baseline in rivals}
        rows = [[name, *_measures(each).values()] for name, each in scores.items()]
        click.echo(table(rows, [f"on {test}", *_measures(result)]))


@classify_text.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--input", "source", type=options.INPUT, metavar="FILE", help="Read texts from FILE; - for standard input."
)
@click.option("--text-column", metavar="NAME", help="With --input: name of the text column.  [default: text]")
@click.option(
    "-k",
    "--top-k",
    type=options.LEAST_1,
    metavar="K",
    help="Print the K most probable labels.  [default: 1; multi-label: all]",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Abstain from texts whose most probable label is less probable: print an empty label, or null with --json.",
)
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
    top_k: int | None,
    min_confidence: float | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Print one line per TEXT: the predicted label, a tab, and its probability; with -k K, K of these pairs.

    MODEL is a file of classify-text train, or a supervised model of fastText (.bin or .ftz), whose labels are printed
    without __label__.

    For a multi-label MODEL: the predicted labels, a tab, and all labels with their probabilities, most probable first.

    --input reads tables by their extension, with or without labels: one text per record of a .csv, .tsv or .jsonl
    file, and one per line, including blank lines, of other files and of standard input, which a single - instead of
    TEXT names. Answers come in order, and as soon as the input pauses. With --json, each line is an object with the
    probabilities of all labels, or of K, and the share of words that the model does not know. Put -- before a TEXT
    of a single word that starts with a dash.

    \b
    Examples:
      classify-text predict model.safetensors "Forest fire near the village"
      classify-text predict model.safetensors --input texts.txt
      classify-text predict model.safetensors --files 'news/*.txt' --output-folder labels --local-cluster 4
    """
    mapped = MapStep(given, files, output_folder, [*texts, *filter(None, [source])])
    if files is not None:
        predict_file = _FilePrediction(
            os.path.abspath(model), text_column, top_k, min_confidence, encoding, encoding_errors, as_json
        )
        mapped.run(predict_file, threads)
        return
    source = source_to_predict(texts, source, "TEXT", ("--text-column", text_column))

    from corpora import iter_texts

    loaded = _load(model)
    if min_confidence is not None and hasattr(loaded, "thresholds"):
        raise click.UsageError(f"--min-confidence needs a model of one label per text; {model} has several")
    asked = (
        texts
        if source is None
        else iter_texts(source, encoding=encoding, encoding_errors=encoding_errors, text_column=text_column)
    )
    for batch in Arriving(asked):
        click.echo("\n".join(_lines(loaded, batch, top_k, min_confidence, as_json, threads)))


def _lines(
    model: "ClassifierModel | FastTextClassifier",
    texts: Sequence[str],
    top_k: int | None,
    min_confidence: float | None,
    as_json: bool,
    threads: int | None,
) -> list[str]:
    """Return a line for the prediction of each text."""
    names = [str(label) for label in model.labels]
    lines = []
    unknown = model.unknown_share(texts) if as_json and hasattr(model, "unknown_share") else None
    found = model.predict_proba(texts, threads=threads)
    for place, (row, ranked) in enumerate(zip(found, model.ranking(found), strict=True)):
        answer, line = _answer(model, names, row, ranked, top_k, min_confidence)
        if as_json:
            chosen = range(len(names)) if top_k is None else ranked[:top_k].tolist()
            answer["probabilities"] = {names[label]: float(row[label]) for label in chosen}
            if unknown is not None:
                answer["unknown_words"] = round(float(unknown[place]), 4)
            line = json.dumps(answer, ensure_ascii=False)
        lines.append(line)
    return lines


@dataclass(frozen=True)
class _FilePrediction:
    """The predictions for the texts of a file, wherever they are computed."""

    model: str
    text_column: str | None
    top_k: int | None
    min_confidence: float | None
    encoding: str
    encoding_errors: str
    as_json: bool

    def __call__(self, name: str) -> bytes:
        from corpora import read_texts

        texts = read_texts(
            name, encoding=self.encoding, encoding_errors=self.encoding_errors, text_column=self.text_column
        )
        if not texts:
            return b""
        model = _loaded(self.model)
        lines = _lines(model, texts, self.top_k, self.min_confidence, self.as_json, threads=1)
        return "".join(f"{line}\n" for line in lines).encode()


@classify_text.command(cls=Command, context_settings=options.HELP)
@_model_argument
@click.argument("data", type=options.INPUT)
@click.option(
    "--mistakes",
    type=options.OUTPUT,
    metavar="FILE",
    help="Write the texts with a wrong prediction to FILE (.tsv or .jsonl), the most confident first.",
)
@click.option(
    "--precision-recall",
    "curves",
    type=options.OUTPUT,
    metavar="FILE",
    help="Write each label's precision and recall at every threshold to FILE (.tsv), and print average precisions.",
)
@options.columns_options
@options.encoding_options
@options.threads_option
@options.json_option
def evaluate(
    model: str,
    data: str,
    mistakes: str | None,
    curves: str | None,
    threads: int | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Evaluate MODEL on labeled DATA.

    Prints accuracy and macro-F1 with their 95 % bootstrap intervals, the expected calibration error, the scores of each
    label and the confusion matrix. For a multi-label MODEL: micro- and macro-F1, subset accuracy, Hamming loss and the
    scores of each label. MODEL may be a supervised model of fastText.

    \b
    Example:
      classify-text evaluate model.safetensors sample:disasters-test
    """
    from wordvec.system.atomic_files import check_target

    loaded = _load(model)
    separator = getattr(loaded, "separator", None)
    if mistakes is not None:
        check_target(mistakes)
        if separator is not None:
            raise click.UsageError(f"--mistakes needs a model of one label per text; {model} has several")
    if curves is not None:
        check_target(curves)
    texts, labels = _read(data, separator, **reading)
    measured: dict[str, Any] = {}
    if curves is not None:
        measured = write_curves(curves, loaded, texts, labels, threads)
    if separator is None:
        evaluation = _evaluated(loaded, texts, labels, threads=threads)
        if mistakes is not None:
            write_mistakes(mistakes, texts, evaluation)
        if as_json:
            print_json(evaluation.as_dict() | measured)
        else:
            click.echo(evaluation_table(evaluation) + curves_table(measured))
        return
    result = _scored(loaded, texts, labels, threads=threads)
    if as_json:
        print_json({"texts": len(texts), **result.as_dict()} | measured)
    else:
        click.echo(_report(result, labels) + curves_table(measured))


def _read(data: str, separator: str | None, **reading: Any) -> tuple[list[str], list[Any]]:
    """Read texts and their labels: one per text or, with a separator, a list per text."""
    from corpora import read_label_sets, read_labelled

    examples: tuple[list[str], list[Any]] = (
        read_labelled(data, **reading) if separator is None else read_label_sets(data, separator, **reading)
    )
    return examples


def _load(path: str) -> "ClassifierModel | FastTextClassifier":
    from seqclf import load_model

    loaded: ClassifierModel | FastTextClassifier = load_model(path, "model", "multi-label model", "fastText classifier")
    return loaded


_loaded = functools.lru_cache(maxsize=1)(_load)
"""For a process that predicts many files."""


def _answer(
    model: "ClassifierModel | FastTextClassifier",
    names: list[str],
    probabilities: "np.ndarray",
    ranked: "np.ndarray",
    top_k: int | None,
    least: float | None,
) -> tuple[dict[str, Any], str]:
    """Return the prediction for a text as a JSON object and as a line, with the ``top_k`` most probable labels."""
    from seqclf import MultiLabelModel

    if not isinstance(model, MultiLabelModel):
        if not probabilities.any():  # fastText knows nothing of the text
            return {"label": None, "probability": 0.0}, "\t0.0000"
        best, *others = [(names[label], float(probabilities[label])) for label in ranked[: top_k or 1].tolist()]
        if least is not None and best[1] < least:
            best = "", best[1]
        line = "\t".join(f"{label}\t{probability:.4f}" for label, probability in (best, *others))
        return {"label": best[0] or None, "probability": best[1]}, line
    chosen = [name for name, above in zip(names, probabilities >= model.thresholds, strict=True) if above]
    listed = ", ".join(f"{names[label]} {probabilities[label]:.4f}" for label in ranked[:top_k])
    return {"labels": chosen}, f"{model.separator.join(chosen)}\t{listed}"


def _evaluated(
    model: "ClassifierModel | FastTextClassifier",
    texts: Sequence[str],
    labels: Sequence[Any],
    *,
    threads: int | None,
    quiet: bool = False,
) -> "Evaluation":
    """Evaluate a model of one label per text; labels unknown to the model count as errors."""
    known = [str(label) for label in model.labels]
    labels = as_known(labels, known)
    warn_if_unknown(labels, known, "labels", quiet)
    result: Evaluation = model.evaluate(texts, labels, threads=threads)
    return result


def _scored(
    model: "MultiLabelModel", texts: Sequence[str], labels: Sequence[Any], *, threads: int | None, quiet: bool = False
) -> "MultiLabelScore":
    """Score a multi-label model; labels are compared as strings, and labels unknown to the model count as errors."""
    from seqclf import score_label_sets

    known = [str(label) for label in model.labels]
    sets = [as_known(each, known) for each in labels]
    warn_if_unknown([label for each in sets for label in each], known, "labels", quiet)
    result: MultiLabelScore = score_label_sets(sets, model.predict(texts, threads=threads), known)
    return result


def _measures(result: "MultiLabelScore") -> dict[str, str]:
    """Return the measures of a summary table by name."""
    return {
        "micro-F1": f"{result.micro_f1:.3f}",
        "macro-F1": f"{result.macro_f1:.3f}",
        "subset accuracy": percent(result.subset_accuracy),
        "Hamming loss": f"{result.hamming_loss:.4f}",
    }


def _baselines(trained: Trained, seed: int, multi_label: dict[str, Any]) -> list[Any]:
    """Train the baselines and return them."""
    from seqclf import compare_baselines
    from seqclf.classification.baselines import compare_multi_label_baselines

    model, test = trained.model, trained.test or ()
    chosen: dict[str, Any] = {name: getattr(model, name) for name in ("tokenizer", "lowercase", "normalize")}
    chosen["seed"] = seed
    compare: Any = compare_multi_label_baselines if multi_label else compare_baselines
    return list(compare(*trained.training, *test, dev=trained.dev, **chosen, **multi_label))


def _report(result: "MultiLabelScore", truth: Sequence[Any]) -> str:
    """Return the measures of label sets, compared with a constant prediction, and label scores."""
    from seqclf import score_label_sets

    classes = class_table(result, "label", "texts")
    sets = Counter(tuple(sorted(labels)) for labels in truth)
    constant = score_label_sets(truth, [sets.most_common(1)[0][0]] * len(truth))
    both = zip(_measures(result).items(), _measures(constant).values(), strict=True)
    rows = [[name, own, other] for (name, own), other in both]
    head = table(rows, [f"{len(truth):,} texts", "this model", "most frequent labels"])
    return f"{head}\n\n{classes}"
