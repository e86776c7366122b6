"""``classify-text find-threshold``: how many texts a classifier answers at a confidence, and how accurately."""

import math
from typing import Any

import click

from cli.classification.examples import evaluated, read_examples
from cli.shared import options
from cli.shared.errors import Command, note_output
from cli.shared.pictures import check_picture
from cli.shared.reporting import percent, print_json, table

_THRESHOLDS = [0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99]


@click.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("data", type=options.INPUT)
@click.option(
    "--accuracy",
    type=options.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Also find the lowest confidence at which this share of the answers is correct, such as 0.95.",
)
@click.option(
    "--plot",
    type=options.OUTPUT,
    metavar="FILE",
    help="Draw coverage and accuracy by confidence to a .png, .svg or .pdf file.",
)
@options.columns_options
@options.encoding_options
@options.threads_option
@options.json_option
def find_threshold(
    model: str, data: str, accuracy: float | None, plot: str | None, threads: int | None, as_json: bool, **reading: Any
) -> None:
    """Show coverage and accuracy of MODEL on labeled DATA, if it abstains below a confidence.

    The confidence is the probability of the predicted label; `predict --min-confidence` abstains below it. DATA should
    be neither training nor test data.

    \b
    Examples:
      classify-text find-threshold model.safetensors dev.tsv --accuracy 0.95
      classify-text find-threshold model.safetensors dev.tsv --plot coverage.svg
    """
    from seqclf import load_model
    from wordvec.plotting.charts import plot_lines

    check_picture(plot)
    places, texts, labels = read_examples(data, None, **reading)
    result = evaluated(load_model(model, "model"), texts, labels, places=places, threads=threads)
    found = result.coverage(_THRESHOLDS)
    best = None if accuracy is None else result.threshold_for(accuracy)
    if plot is not None:
        curve = result.coverage([place / 100 for place in range(101)])
        lines = {
            "answered": [each.coverage for each in curve],
            "accuracy of the answers": [math.nan if each.accuracy is None else each.accuracy for each in curve],
        }
        plot_lines(lines, "least confidence", "share", plot, x=[each.threshold for each in curve])
        note_output(plot)
    if as_json:
        print_json(
            {"thresholds": [vars(each) for each in found]}
            | ({} if accuracy is None else {"found": None if best is None else vars(best)})
        )
        return
    rows = [[f"{each.threshold:.2f}", percent(each.coverage), percent(each.accuracy)] for each in found]
    click.echo(table(rows, ["min. confidence", "answered", "accuracy"]))
    if best is not None:
        answers = f"{percent(best.coverage)} of the texts, {percent(best.accuracy)} of the answers correct"
        click.echo(f"\n--min-confidence {math.floor(1e6 * best.threshold) / 1e6:.6f} answers {answers}")
    elif accuracy is not None:
        click.echo(f"\nno confidence has an accuracy of {percent(accuracy)} on these {len(result.truth):,} texts")
