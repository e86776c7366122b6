"""``classify-text``: train, evaluate and apply text classifiers."""

from dataclasses import replace
from functools import partial
from typing import Any

import click

from cli.classification.check import check
from cli.classification.continuing import continue_option, initial_model
from cli.classification.evaluate import evaluate
from cli.classification.evaluation import folds_table, learning_table, rival_table, set_measures
from cli.classification.examples import (
    evaluated,
    evaluated_sets,
    known_labels,
    read_examples,
    read_groups,
    read_training,
    read_weights,
)
from cli.classification.explain import explain
from cli.classification.export import export
from cli.classification.find_threshold import find_threshold
from cli.classification.info import info
from cli.classification.predict import predict
from cli.classification.report import check_report, report_option, write_report
from cli.classification.serve import serve
from cli.classification.tune import TuneStep, tune_option
from cli.shared import options
from cli.shared.checkpoints import Checkpointing
from cli.shared.class_weights import ClassWeight
from cli.shared.compiling_ahead import compile_ahead
from cli.shared.epoch_logs import LOG_OPTIONS
from cli.shared.errors import Command, Group, note_output, usage_errors
from cli.shared.pictures import check_picture
from cli.shared.reporting import log, table
from cli.shared.supervised import Trained, train_and_save, training_options, warn_if_seen
from seqclf import ClassifierSettings


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def classify_text() -> None:
    """Train, evaluate and apply text classifiers: recurrent networks on word vectors, and linear models on n-grams.

    DATA is labeled text: .tsv (label, tab, text), .csv (columns label and text), .jsonl, or fastText lines
    (__label__name text), optionally compressed; or sample:disasters and sample:disasters-test.

    With --multi-label, each text has any number of labels, possibly none.

    \b
    Examples:
      classify-text train sample:disasters -o model.safetensors
      classify-text predict model.safetensors "Forest fire near the village"
      classify-text evaluate model.safetensors sample:disasters-test
    """


for _command in (check, explain, evaluate, export, find_threshold, info, predict, serve):
    classify_text.add_command(_command)


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
        "these on validation data.  [default: auto; with --multi-label or --continue-from network]",
    },
)
@click.option("--baselines", is_flag=True, help="Also train baselines on DATA and evaluate them on --test.")
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Also cross-validate on DATA with N folds, stratified by label; trains N more models. With --tune, the score "
    "of a trial is the mean over the folds.",
)
@click.option(
    "--group-column",
    metavar="NAME",
    help="With --folds: texts with the same value in this column of DATA, such as an author, stay in one fold.",
)
@click.option(
    "--weight-column",
    metavar="NAME",
    help="Column of DATA with the weight of each text in the loss, a number of at least 0.  [default: all alike]",
)
@click.option(
    "--learning-curve",
    is_flag=True,
    help="Also train on an eighth, a quarter and a half of DATA; evaluate these models and baselines on --test.",
)
@click.option(
    "--learning-curve-plot", type=options.OUTPUT, help="Draw the --learning-curve to a .png, .svg or .pdf file."
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
@continue_option
@tune_option
@report_option
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
    group_column: str | None,
    weight_column: str | None,
    learning_curve: bool,
    learning_curve_plot: str | None,
    separator: str | None,
    tune_thresholds: bool,
    continue_from: str | None,
    tune: float | None,
    report: str | None,
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
    validation data; if one of them alone is better there by more than two standard errors, it is kept instead.

    \b
    Examples:
      classify-text train sample:disasters --vectors vectors.safetensors -o model.safetensors
      classify-text train messages.tsv --multi-label , --dev dev.tsv -o model.safetensors
    """
    if baselines and test is None:
        raise click.UsageError("--baselines needs --test FILE to evaluate the baselines on")
    if report is not None and test is None:
        raise click.UsageError("--report needs --test FILE to evaluate the model on")
    if tune_thresholds and separator is None:
        raise click.UsageError("--tune-thresholds needs --multi-label SEP: single-label classifiers have no thresholds")

    if learning_curve and (test is None or separator is not None):
        raise click.UsageError("--learning-curve needs --test FILE to evaluate the models on, and one label per text")
    if learning_curve_plot is not None and not learning_curve:
        raise click.UsageError("--learning-curve-plot needs --learning-curve")
    check_picture(learning_curve_plot)
    if separator is not None and folds is not None:
        raise click.UsageError("--folds has no effect with --multi-label; leave it out")
    if group_column is not None and (folds is None or tune is not None or data == "-"):
        raise click.UsageError("--group-column needs --folds, a file that can be read twice, and no --tune")
    if weight_column is not None and data == "-":
        raise click.UsageError("--weight-column needs a file that can be read twice, not standard input")

    from seqclf import train_classifier, train_multi_label

    initial = None if continue_from is None else initial_model(continue_from)
    if given["model"] is None:
        given["model"] = "auto" if separator is None and initial is None else "network"
    elif separator is not None and given["model"] != "network":
        raise click.UsageError(f"--model {given['model']} has no effect with --multi-label, which trains a network")
    if given["model"] == "linear" and (given["resume"] or given["checkpoint"] or given["checkpoint_every"]):
        raise click.UsageError("a linear model is trained in one go; leave --checkpoint and --resume out")
    if given["model"] == "linear" and any(given[name] for name in LOG_OPTIONS):
        raise click.UsageError("a linear model has no epochs to log; leave --log-csv, --tensorboard and --plot out")
    if tune is not None and given["model"] == "linear":
        raise click.UsageError("--tune has no effect with --model linear; leave it out")
    multi_label: dict[str, Any] = {}
    if separator is not None:
        multi_label = {"tune_thresholds": tune_thresholds, "separator": separator}
    search = None if tune is None else TuneStep(tune, given, output, multi_label, folds)
    checkpointing = Checkpointing.take(given, output) if search is None else search.checkpointing
    if report is not None:
        check_report(report)
    with usage_errors():
        settings = ClassifierSettings(**given)
    if separator is None and settings.model != "linear":
        compile_ahead("classifier", settings.record(), threads)
    reading = {"text_column": text_column, "encoding": encoding, "encoding_errors": encoding_errors}
    groups = None if group_column is None else read_groups(data, group_column, **reading)
    weights = None if weight_column is None else read_weights(data, weight_column, **reading)
    columns: dict[str, Any] = reading | {"label_column": label_column}
    places: dict[str, list[str]] = {}

    def read(source: str) -> tuple[list[str], list[Any]]:
        if source == data:
            return read_training(source, separator, quiet, **columns)
        places[source], texts, labels = read_examples(source, separator, **columns)
        return texts, labels

    train_one: Any = partial(train_classifier, initial=initial)
    if separator is not None:
        train_one = partial(train_multi_label, **multi_label)
    trained = train_and_save(
        partial(train_one if search is None else search.train, sample_weight=weights),
        read,
        data=data, dev=dev, test=test, vectors=vectors, subword_fallback=subword_fallback, output=output,
        settings=settings, checkpointing=checkpointing, threads=threads, quiet=quiet, unit="texts",
    )  # fmt: skip
    if search is not None:
        search.finish()
        settings = replace(settings, **search.best)
    elif folds is not None:
        from seqclf.classification.cross_validation import cross_validate

        texts, labels = trained.training
        found = cross_validate(
            texts, labels, folds, settings=settings, vectors=trained.vectors, dev=trained.dev, groups=groups,
            sample_weight=weights, threads=threads,
        )  # fmt: skip
        click.echo(folds_table(found) + ("\n" if test is not None else ""))
    if trained.test is not None:
        tested = trained.test[0], known_labels(trained.model, trained.test[1])
        trained = trained._replace(test=tested)
        warn_if_seen(trained.training, tested, data, str(test), quiet)
        thresholds = {} if separator is None else {"tune_thresholds": tune_thresholds}
        if baselines:
            log("training the baselines, each with seven strengths of regularization", quiet)
        rivals = _baselines(trained, settings, thresholds) if baselines else []
        evaluate_on: Any = evaluated if separator is None else evaluated_sets
        own = evaluate_on(trained.model, *tested, places=places.get(str(test), ()), threads=threads, quiet=quiet)
        if separator is None:
            click.echo(rival_table(f"on {test}", own, rivals))
        else:
            scores = {"this model": own.score} | {baseline.name: baseline.score for baseline in rivals}
            rows = [[name, *set_measures(each).values()] for name, each in scores.items()]
            click.echo(table(rows, [f"on {test}", *set_measures(own.score)]))
        if report is not None:
            write_report(report, trained.model, output, str(test), tested[0], own, rivals, quiet)
        if learning_curve:
            _show_learning_curve(trained, weights, settings, threads, learning_curve_plot)


def _baselines(trained: Trained, settings: ClassifierSettings, multi_label: dict[str, Any]) -> list[Any]:
    """Train the baselines and return them."""
    from seqclf import compare_baselines
    from seqclf.classification.baselines import compare_multi_label_baselines

    model, test = trained.model, trained.test or ()
    chosen: dict[str, Any] = {name: getattr(model, name) for name in ("tokenizer", "lowercase", "normalize")}
    chosen |= {"validation_fraction": settings.validation_fraction, "seed": settings.seed}
    compare: Any = compare_multi_label_baselines if multi_label else compare_baselines
    return list(compare(*trained.training, *test, dev=trained.dev, **chosen, **multi_label))


def _show_learning_curve(
    trained: Trained, weights: list[float] | None, settings: ClassifierSettings, threads: int | None, plot: str | None
) -> None:
    """Print the learning curve, and draw it if there is a file for it."""
    from seqclf.classification.cross_validation import learning_curve

    assert trained.test is not None
    points = learning_curve(
        *trained.training, *trained.test, whole=trained.model, settings=settings, vectors=trained.vectors,
        dev=trained.dev, sample_weight=weights, threads=threads,
    )  # fmt: skip
    click.echo("\n" + learning_table(points))
    if plot is not None:
        from wordvec.plotting.curves import plot_learning_curve

        names = points[0].scores
        scores = {name: [point.scores[name].accuracy for point in points] for name in names}
        plot_learning_curve([point.texts for point in points], scores, plot)
        note_output(plot)
