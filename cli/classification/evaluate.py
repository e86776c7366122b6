"""``classify-text evaluate``: scores of a classifier on labeled texts."""

from typing import Any

import click

from cli.classification.evaluation import evaluation_table, set_table, write_mistakes
from cli.classification.examples import evaluated, load_classifier, read_examples, scored
from cli.classification.report import check_report, report_option, write_report
from cli.shared import options
from cli.shared.errors import Command
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
@report_option
@options.columns_options
@options.encoding_options
@options.threads_option
@options.json_option
def evaluate(
    model: str,
    data: str,
    mistakes: str | None,
    report: str | None,
    threads: int | None,
    as_json: bool,
    **reading: Any,
) -> None:
    """Evaluate MODEL on labeled DATA.

    Prints accuracy and macro-F1 with their 95 % bootstrap intervals, the expected calibration error, the scores of each
    label and the confusion matrix. For a multi-label MODEL: micro- and macro-F1, subset accuracy, Hamming loss and the
    scores of each label. MODEL may be a supervised model of fastText.

    \b
    Examples:
      classify-text evaluate model.safetensors sample:disasters-test
      classify-text evaluate model.safetensors test.tsv --report report
    """
    from wordvec.system.atomic_files import check_target

    loaded = load_classifier(model)
    separator = getattr(loaded, "separator", None)
    for option, value, check in (("--mistakes", mistakes, check_target), ("--report", report, check_report)):
        if value is not None:
            if separator is not None:
                raise click.UsageError(f"{option} needs a model of one label per text; {model} has several")
            check(value)
    texts, labels = read_examples(data, separator, **reading)
    if separator is None:
        evaluation = evaluated(loaded, texts, labels, threads=threads)
        if mistakes is not None:
            write_mistakes(mistakes, texts, evaluation)
        if report is not None:
            write_report(report, loaded, model, data, texts, evaluation)
        if as_json:
            print_json(evaluation.as_dict())
        else:
            click.echo(evaluation_table(evaluation))
        return
    result = scored(loaded, texts, labels, threads=threads)
    if as_json:
        print_json({"texts": len(texts), **result.as_dict()})
    else:
        click.echo(set_table(result, labels))
