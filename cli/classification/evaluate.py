"""``classify-text evaluate``: scores of a classifier on labeled texts."""

from typing import Any

import click

from cli.classification.curves import curves_table, write_curves
from cli.classification.evaluation import evaluation_table, set_table, write_mistakes
from cli.classification.examples import evaluated, evaluated_sets, known_labels, load_classifier, read_examples
from cli.classification.report import check_report, report_option, write_report
from cli.shared import options
from cli.shared.errors import Command
from cli.shared.pictures import check_picture, draw_confusion, draw_f1
from cli.shared.reporting import print_json


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
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
@click.option(
    "--plot",
    type=options.OUTPUT,
    metavar="FILE",
    help="Draw the confusion matrix, or for several labels per text the F1 of each, to a .png, .svg or .pdf file.",
)
@report_option
@options.columns_options
@options.encoding_options
@options.threads_option
@options.json_option
def evaluate(
    model: str,
    data: str,
    mistakes: str | None,
    curves: str | None,
    plot: str | None,
    report: str | None,
    threads: int | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Evaluate MODEL on labeled DATA.

    Prints accuracy and macro-F1 with their 95 % bootstrap intervals, the expected calibration error, the scores of each
    label and the confusion matrix. For a multi-label MODEL: micro- and macro-F1, subset accuracy, Hamming loss, the
    calibration error and the scores of each label. MODEL may be a supervised model of fastText.

    \b
    Examples:
      classify-text evaluate model.safetensors sample:disasters-test
      classify-text evaluate model.safetensors test.tsv --report report
    """
    from wordvec.system.atomic_files import check_target

    loaded = load_classifier(model)
    separator = getattr(loaded, "separator", None)
    for path in (mistakes, curves):
        if path is not None:
            check_target(path)
    if report is not None:
        check_report(report)
    check_picture(plot)
    places, texts, labels = read_examples(data, separator, **reading)
    labels = known_labels(loaded, labels)
    measured = {} if curves is None else write_curves(curves, loaded, texts, labels, threads)
    evaluate_on: Any = evaluated if separator is None else evaluated_sets
    evaluation = evaluate_on(loaded, texts, labels, places=places, threads=threads)
    if mistakes is not None:
        write_mistakes(mistakes, texts, evaluation, separator)
    if plot is not None:
        (draw_confusion if separator is None else draw_f1)(evaluation.score, plot)
    if report is not None:
        write_report(report, loaded, model, data, texts, evaluation)
    if as_json:
        print_json(evaluation.as_dict() | measured)
    else:
        shown = evaluation_table(evaluation) if separator is None else set_table(evaluation, labels)
        click.echo(shown + curves_table(measured))
