"""``forecast``: train, back-test and apply time-series forecasters."""

from typing import TYPE_CHECKING, Any

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing, checkpoint_options
from cli.shared.errors import Command, Group, note_output, usage_errors
from cli.shared.origins import origin_of
from cli.shared.reporting import Progress, log, print_json, show_epochs, table
from cli.shared.setting_options import all_setting_options
from cli.shared.signals import BestEpochOnInterrupt
from cli.shared.unused import refuse_unused
from seqclf import ForecasterSettings

if TYPE_CHECKING:
    from seqclf import ForecasterModel

_columns_option = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME",
    help="Column to forecast; can be repeated.  [default: all numeric columns]",
)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def forecast() -> None:
    """Train recurrent networks that forecast time series, and back-test them against naive forecasts.

    DATA is a .csv file with a header and one row per time step, oldest first, optionally compressed.
    """


@forecast.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@options.output_option("Output model file (.safetensors).")
@_columns_option
@click.option("--test", type=options.LEAST_1, metavar="N", help="First back-test on the last N values.")
@click.option(
    "--refits", type=int, default=1, show_default=True, metavar="N", help="Number of refits during the back-test."
)
@click.option(
    "--naive-season",
    "seasons",
    type=options.LEAST_1,
    multiple=True,
    metavar="N",
    help="Seasonal period of a seasonal-naive baseline in the back-test; can be repeated.",
)
@all_setting_options(ForecasterSettings)
@checkpoint_options
@options.threads_option
@options.json_option
@options.quiet_option
def train(
    data: str,
    output: str,
    columns: tuple[str, ...],
    test: int | None,
    refits: int,
    seasons: tuple[int, ...],
    threads: int | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Train a forecaster on DATA and write it to a file.

    With --test, networks trained only on earlier values first forecast the last N values and are compared with naive
    forecasts; their errors are saved for prediction intervals. The final forecaster is then trained on all of DATA.

    \b
    Example:
      forecast train data:series/daily-min-temperatures -o model.safetensors --season 365 --epochs 10 --test 730
    """
    if test is None and (seasons or refits != 1):
        raise click.UsageError("--naive-season and --refits need --test N")

    from corpora import read_dated_series
    from seqclf import backtest, train_forecaster
    from wordvec.system.atomic_files import check_target

    checkpointing = Checkpointing.take(given, output)
    with usage_errors():
        settings = ForecasterSettings(**given)
    refuse_unused(settings)
    check_target(output)
    with origin_of(data=data) as origin:
        series, dates = read_dated_series(data, columns)
    values = list(zip(*series.values(), strict=True))
    report = None
    if test is not None:
        with Progress("back-test", quiet) as progress:
            report = backtest(
                values, settings, test, refits=refits, seasons=seasons, threads=threads,
                on_progress=lambda state: show_epochs(progress, state, quiet=True),
            )  # fmt: skip
    with (
        Progress("training", quiet) as progress,
        BestEpochOnInterrupt(
            lambda state: show_epochs(progress, state, quiet=True), checkpointing.path is not None, checkpointing.logs
        ) as on_progress,
    ):
        forecaster = train_forecaster(
            values,
            settings=settings,
            names=list(series),
            threads=threads,
            on_progress=on_progress,
            **checkpointing.arguments,
        )
    if report is not None:
        forecaster.calibrate(report)
    forecaster.calendar = None if dates is None else dates.calendar()
    forecaster.origin = origin
    forecaster.save(output)
    note_output(output)
    checkpointing.logs.finish(forecaster.history)
    log(f"{output}: {_summary(forecaster)}", quiet)
    on_progress.finish()
    checkpointing.remove()
    if as_json:
        about = {"columns": list(series), "values": len(values), "metrics": forecaster.metrics}
        print_json(about | ({"back_test": report.as_dict()} if report is not None else {}))
    elif report is not None:
        click.echo(_table(report.as_dict()))


@forecast.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("data", type=options.INPUT, required=False)
@_columns_option
@click.option("--steps", type=options.LEAST_1, metavar="N", help="Number of steps.  [default: the horizon trained for]")
@click.option(
    "--start",
    type=int,
    metavar="N",
    help="Position of DATA's first value in the training series.  [default: found by the dates, or 0]",
)
@click.option(
    "--level",
    type=float,
    metavar="X",
    help="Coverage probability of the prediction intervals.  [default: 0.9 if the model was back-tested]",
)
@options.json_option
def predict(
    model: str,
    data: str | None,
    columns: tuple[str, ...],
    steps: int | None,
    start: int | None,
    level: float | None,
    as_json: bool,
) -> None:
    """Print one line per forecast step: the step, the value, and the bounds of its prediction interval.

    Without DATA, the forecast continues the training series; with DATA, it continues DATA, whose time of the season
    follows from the dates of both, or else from --start. With several columns, each line starts with the column's name.

    \b
    Example:
      forecast predict model.safetensors --level 0.8
    """
    from corpora import read_dated_series
    from seqclf import load_model

    forecaster = load_model(model, "forecaster")
    series, place = None, 0
    if data is not None:
        found, dates = read_dated_series(data, columns or forecaster.names)
        series = list(zip(*found.values(), strict=True))
        if start is not None:
            place = start
        elif dates is not None:
            place = forecaster.start_of(dates.calendar())
    elif columns or start is not None:
        option = "--column selects columns" if columns else "--start is the position"
        raise click.UsageError(f"{option} of DATA, which was not given; pass DATA")
    values = forecaster.predict(steps, series=series, start=place).T.tolist()
    bounds = None
    if level is not None or len(forecaster.residuals):
        wanted = 0.9 if level is None else level
        bounds = [side.T.tolist() for side in forecaster.predict_interval(wanted, steps, series=series, start=place)]
    rows = []
    for column, name in enumerate(forecaster.names):
        for step, value in enumerate(values[column]):
            row = {"column": name, "step": step + 1, "value": value}
            if bounds is not None:
                row |= {"low": bounds[0][column][step], "high": bounds[1][column][step]}
            rows.append(row)
    if as_json:
        print_json(rows)
        return
    single = len(forecaster.names) == 1
    for row in rows:
        numbers = [f"{row[key]:.6g}" for key in ("value", "low", "high") if key in row]
        click.echo("\t".join([*([] if single else [row["column"]]), str(row["step"]), *numbers]))


def _summary(forecaster: "ForecasterModel") -> str:
    metrics, settings = forecaster.metrics, forecaster.settings
    best = f"best epoch {metrics['best_epoch']} of {len(forecaster.history)}"
    if "dev_loss" in metrics:
        best += f", by the error on the last {metrics['dev_windows']:,}"
    names = ", ".join(forecaster.names)
    return f"{names}: {settings.horizon} steps from {settings.window} values; {metrics['windows']:,} windows; {best}"


def _table(report: dict[str, Any]) -> str:
    rows = []
    for score in report["scores"]:
        errors = [f"{score[name]:.3f}" for name in ("mae", "rmse", "mase")]
        rows.append([score["name"], *errors, *(_difference(score[name]) for name in ("mae_margin", "rmse_margin"))])
    head = [f"{report['origins']:,} origins", "MAE", "RMSE", "MASE", "MAE reduction (95 %)", "RMSE reduction (95 %)"]
    return table(rows, head)


def _difference(margin: dict[str, Any] | None) -> str:
    """Return a difference with its interval, if it has one."""
    if margin is None:
        return ""
    bounds = "" if margin["low"] is None else f" ({margin['low']:.3f} to {margin['high']:.3f})"
    return f"{margin['value']:.3f}{bounds}"
