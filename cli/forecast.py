"""``forecast``: train, back-test and apply time-series forecasters."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from cli.shared import options
from cli.shared.checkpoints import Checkpointing, checkpoint_options
from cli.shared.compiling_ahead import compile_ahead
from cli.shared.epoch_logs import LOG_OPTIONS
from cli.shared.errors import Command, Group, note_output, usage_errors
from cli.shared.origins import origin_of
from cli.shared.reporting import Progress, log, print_json, show_epochs, table
from cli.shared.series_files import columns_ahead, output_kind, read_columns, read_future, rows_of, write_rows
from cli.shared.setting_options import all_setting_options
from cli.shared.signals import BestEpochOnInterrupt
from cli.shared.unused import given_among, refuse_unused, refuse_with
from seqclf import ForecasterSettings

if TYPE_CHECKING:
    from seqclf.forecasting.backtest import Backtest
    from seqclf.forecasting.series_model import SeriesModel

METHODS = ("auto", "network")

_columns_option = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME",
    help="Column to forecast; can be repeated.  [default: all numeric columns]",
)


_future_columns_option = click.option(
    "--future-column",
    "future_columns",
    multiple=True,
    metavar="NAME",
    help="Column whose values are known ahead, such as holidays: networks read it, and predict needs it for the steps "
    "to forecast (--future). Can be repeated.",
)

_by_option = click.option(
    "--by",
    metavar="NAME",
    help="Column that names the series of each record, such as a company; each becomes a column. See --related.",
)


@click.group(cls=Group, context_settings=options.HELP)
@options.version_option
def forecast() -> None:
    """Forecast time series, by networks or simpler methods, and back-test them against naive forecasts.

    DATA is a .csv file with a header and one row per time step, oldest first, optionally compressed.

    \b
    Examples:
      forecast train sales.csv --test 24 -o model.safetensors
      forecast predict model.safetensors --steps 6 -o forecast.svg
    """


@forecast.command(cls=Command, context_settings=options.HELP)
@click.argument("data", type=options.INPUT)
@options.output_option("Output model file (.safetensors).")
@_columns_option
@_future_columns_option
@_by_option
@click.option("--test", type=options.LEAST_1, metavar="N", help="First back-test on the last N values.")
@click.option(
    "--refits",
    type=int,
    metavar="N",
    help="Number of refits during the back-test.  [default: 1; every origin, if chosen for at most 50 values]",
)
@click.option(
    "--naive-season",
    "seasons",
    type=options.LEAST_1,
    multiple=True,
    metavar="N",
    help="Seasonal period of a seasonal-naive baseline in the back-test; can be repeated.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="Choose season, logarithm and method by a back-test, except for the options that are given; or train one "
    "network with the options as they are.  [default: auto; network with checkpoints or --quantiles]",
)
@all_setting_options(ForecasterSettings)
@checkpoint_options
@options.encoding_options
@options.threads_option
@options.json_option
@options.quiet_option
def train(
    data: str,
    output: str,
    columns: tuple[str, ...],
    future_columns: tuple[str, ...],
    by: str | None,
    test: int | None,
    refits: int | None,
    seasons: tuple[int, ...],
    method: str | None,
    encoding: str,
    encoding_errors: str,
    threads: int | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Train a forecaster on DATA and write it to a file.

    Exponential smoothing, Theta, autoregression, naive methods and networks forecast the end of DATA from earlier
    values only; the best of them, or its mean with exponential smoothing, is trained on all of DATA, with prediction
    intervals from its errors. With --test, all of that is first done on the values before the last N, which are then
    forecast and compared with naive forecasts.

    \b
    Example:
      forecast train data:series/airline-passengers -o model.safetensors --horizon 12
    """
    if test is None and (seasons or refits is not None):
        raise click.UsageError("--naive-season and --refits need --test N")

    from wordvec.system.atomic_files import check_target

    checkpointing = Checkpointing.take(given, output)
    method = method or ("auto" if checkpointing.path is None and not given["quantiles"] else "network")
    refuse_with("--method auto", method == "auto", "checkpoint", "checkpoint_every", "resume", *LOG_OPTIONS)
    with usage_errors():
        settings = ForecasterSettings(**given)
    refuse_unused(settings)
    check_target(output)
    compile_ahead("forecaster", settings.record(), threads)
    with origin_of(data=data) as origin:
        series, known, dates = read_columns(
            data, columns, future_columns, by, {"encoding": encoding, "encoding_errors": encoding_errors}
        )
    train_one = _train_network if method == "network" else _train_automatic
    how = Training(
        rows_of(series), list(series), known, None if dates is None else dates.calendar(), settings,
        {name: given[name] for name in given_among(given)}, test, refits, seasons, threads, quiet, checkpointing,
    )  # fmt: skip
    forecaster, report, finish = train_one(how)
    forecaster.calendar, forecaster.origin = how.calendar, origin
    forecaster.save(output)
    note_output(output)
    log(f"{output}: {_summary(forecaster)}", quiet)
    finish()
    checkpointing.remove()
    if as_json:
        about = {"columns": list(series), "values": len(how.values), "metrics": forecaster.metrics}
        print_json(about | ({"back_test": report.as_dict()} if report is not None else {}))
    elif report is not None:
        click.echo(_table(report.as_dict()))
        if report.coverage:
            shares = ", ".join(
                f"{100 * share:.1f} % at {100 * float(level):g} %" for level, share in report.coverage.items()
            )
            click.echo(f"coverage of the prediction intervals: {shares}")


class Training(NamedTuple):
    """What a forecaster is trained on, and how."""

    values: list[tuple[float, ...]]
    names: list[str]
    known: dict[str, list[float]]
    calendar: dict[str, Any] | None
    settings: ForecasterSettings
    fixed: dict[str, Any]
    test: int | None
    refits: int | None
    seasons: tuple[int, ...]
    threads: int | None
    quiet: bool
    checkpointing: Checkpointing

    @property
    def ahead(self) -> dict[str, Any]:
        """The arguments for columns known ahead."""
        return {"known": rows_of(self.known), "known_names": list(self.known)} if self.known else {}


def _train_network(how: Training) -> "tuple[SeriesModel, Backtest | None, Callable[[], None]]":
    """Return one network with the settings as they are, its back-test, and what to do after it is saved."""
    from seqclf import backtest, train_forecaster

    report, quiet = None, how.quiet
    if how.test is not None:
        with Progress("back-test", quiet) as progress:
            report = backtest(
                how.values, how.settings, how.test, refits=how.refits or 1, seasons=how.seasons, threads=how.threads,
                known=how.ahead.get("known"), on_progress=lambda state: show_epochs(progress, state, quiet=True),
            )  # fmt: skip
    with (
        Progress("training", quiet) as progress,
        BestEpochOnInterrupt(
            lambda state: show_epochs(progress, state, quiet=True),
            how.checkpointing.path is not None,
            how.checkpointing.logs,
        ) as on_progress,
    ):
        forecaster = train_forecaster(
            how.values,
            settings=how.settings,
            names=how.names,
            threads=how.threads,
            on_progress=on_progress,
            **how.ahead,
            **how.checkpointing.arguments,
        )
    if report is not None:
        forecaster.calibrate(report)
    return forecaster, report, lambda: _finish(how, forecaster, on_progress)


def _finish(how: Training, forecaster: "SeriesModel", on_progress: BestEpochOnInterrupt) -> None:
    how.checkpointing.logs.finish(forecaster)
    on_progress.finish()


def _train_automatic(how: Training) -> "tuple[SeriesModel, Backtest | None, Callable[[], None]]":
    """Return the forecaster that is best in a back-test, the back-test of this choice, and nothing to do."""
    from seqclf.forecasting.automatic import backtest_automatic, train_automatic

    report, quiet = None, how.quiet
    about: dict[str, Any] = {"calendar": how.calendar, "threads": how.threads, **how.ahead, **how.fixed}
    if how.test is not None:
        with Progress("back-test", quiet) as progress:
            report = backtest_automatic(
                how.values, how.test, refits=how.refits, seasons=how.seasons,
                on_progress=lambda state: show_epochs(progress, state, quiet=True), **about,
            )  # fmt: skip
    with Progress("training", quiet) as progress:
        forecaster = train_automatic(
            how.values,
            names=how.names,
            on_progress=lambda state: show_epochs(progress, state, quiet=True),
            **about,
        )
    if report is not None:
        residuals = report.residuals_of(forecaster.settings.log)
        # Errors of values that chose nothing are better, unless there are fewer of them.
        if residuals is not None and len(residuals) >= len(forecaster.residuals):
            forecaster.residuals = residuals
    for line in _explanation(forecaster.metrics["choice"]):
        log(line, quiet)
    return forecaster, report, lambda: None


def _explanation(choice: dict[str, Any]) -> list[str]:
    """Return what was chosen, and why, a line each."""
    season = "no season" if choice["season"] is None else f"season of {choice['season']} steps"
    errors = ", ".join(f"{name} {error:.3f}" for name, error in choice["mase"].items())
    return [
        f"{season}: {choice['season_reason']}",
        f"{'logarithms' if choice['log'] else 'no logarithms'}: {choice['log_reason']}",
        f"MASE in {choice['origins']} forecasts of the last {choice['tested']:,} values: {errors}",
        f"{choice['forecast']}: {choice['reason']}",
    ]


@forecast.command(cls=Command, context_settings=options.HELP)
@click.argument("model", type=options.INPUT)
@click.argument("data", type=options.INPUT, required=False)
@_columns_option
@_by_option
@click.option(
    "--future",
    type=options.INPUT,
    metavar="FILE",
    help="The columns known ahead (--future-column) of the steps to forecast: a .csv file with a record per step.",
)
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
    help="Coverage probability of the prediction intervals; 0.5, 0.8 or 0.9 for a model trained with --quantiles.  "
    "[default: 0.9, if there was a back-test, or with quantiles]",
)
@click.option(
    "-o",
    "--output",
    type=options.OUTPUT,
    metavar="FILE",
    help="Write the forecast to FILE instead, by its suffix: a picture (.png, .svg, .pdf), .csv or .json.",
)
@options.encoding_options
@options.json_option
def predict(
    model: str,
    data: str | None,
    columns: tuple[str, ...],
    by: str | None,
    future: str | None,
    steps: int | None,
    start: int | None,
    level: float | None,
    output: str | None,
    encoding: str,
    encoding_errors: str,
    as_json: bool,
) -> None:
    """Print one line per forecast step: its date or number, the value, and the bounds of its prediction interval.

    Without DATA, the forecast continues the training series; with DATA, it continues DATA, whose time of the season
    follows from the dates of both, or else from --start. With several columns, each line starts with the column's name.

    \b
    Example:
      forecast predict model.safetensors --level 0.8
    """
    from seqclf import load_model
    from seqclf.forecasting.dates import dates_after

    kind = None if output is None else output_kind(output)
    how = {"encoding": encoding, "encoding_errors": encoding_errors}
    refuse_with("--output", output, "as_json")
    forecaster = load_model(model, "forecaster")
    series, begin, calendar, length = None, 0, forecaster.calendar, forecaster.length
    names = [] if forecaster.known is None else forecaster.known.names
    before: dict[str, list[float]] = {}
    if data is not None:
        chosen = columns if by is not None else columns or forecaster.names
        ahead = columns_ahead(names, forecaster.names, by)
        found, before, dates = read_columns(data, chosen, ahead, by, how, names)
        if by is not None:
            if found.keys() != set(forecaster.names):
                own = ", ".join(forecaster.names)
                raise click.UsageError(f"--by {by} must name the series of the model, {own}, got {', '.join(found)}")
            found = {name: found[name] for name in forecaster.names}
        series = rows_of(found)
        calendar, length = None if dates is None else dates.calendar(), len(series)
        if start is not None:
            begin = start
        elif dates is not None:
            begin = forecaster.start_of(calendar)
    elif columns or (by is not None and future is None) or start is not None:
        option = "--start is the position" if start is not None else "--column and --by select columns"
        raise click.UsageError(f"{option} of DATA, which was not given; pass DATA")
    about = {"series": series, "start": begin, "known": None}
    if future is not None or names:
        about["known"] = [*rows_of(before), *read_future(future, names, forecaster.names, by, calendar, length, how)]
    forecast = forecaster.predict(steps, **about)
    bounds, probability = None, 0.9 if level is None else level
    if level is not None or (forecaster.has_intervals and len(forecast) <= forecaster.settings.horizon):
        bounds = forecaster.predict_interval(probability, steps, **about)
    elif len(forecaster.residuals):
        log(f"no prediction intervals: {len(forecast)} steps, but a horizon of {forecaster.settings.horizon}", False)
    coming = dates_after(calendar, length, len(forecast))
    if output is not None and kind not in ("csv", "json"):
        import numpy as np

        from seqclf.forecasting.plotting import plot_forecast

        history = forecaster.tail if series is None else np.array(series)
        all_dates = dates_after(calendar, length - len(history), len(history) + len(forecast))
        plot_forecast(forecaster.names, history, forecast, bounds, output, level=probability, dates=all_dates)
        return
    rows: list[dict[str, Any]] = []
    for column, name in enumerate(forecaster.names):
        for step, value in enumerate(forecast[:, column].tolist()):
            place = {"step": step + 1} if coming is None else {"step": step + 1, "date": coming[step]}
            sides = zip(("low", "high"), bounds or (), strict=False)
            interval = {side: float(bound[step, column]) for side, bound in sides}
            rows.append({"column": name, **place, "value": value, **interval})
    if output is not None:
        write_rows(output, kind, rows)
    elif as_json:
        print_json(rows)
    else:
        single = len(forecaster.names) == 1
        for row in rows:
            numbers = [f"{row[key]:.6g}" for key in ("value", "low", "high") if key in row]
            when = str(row["step"] if coming is None else row["date"])
            click.echo("\t".join([*([] if single else [row["column"]]), when, *numbers]))


def _summary(forecaster: "SeriesModel") -> str:
    metrics, settings = forecaster.metrics, forecaster.settings
    names = ", ".join(forecaster.names)
    if "choice" in metrics:
        return f"{names}: {settings.horizon} steps by {metrics['choice']['forecast']}"
    best = f"best epoch {metrics['best_epoch']} of {len(forecaster.history)}"
    if "dev_loss" in metrics:
        best += f", by the error on the last {metrics['dev_windows']:,}"
    return f"{names}: {settings.horizon} steps from {settings.window} values; {metrics['windows']:,} windows; {best}"


def _table(report: dict[str, Any]) -> str:
    rows = []
    for score in report["scores"]:
        errors = [f"{score[name]:.3f}" for name in ("mae", "rmse", "mase")]
        rows.append([score["name"], *errors, *(_difference(score[name]) for name in ("mae_margin", "rmse_margin"))])
    origins = "1 origin" if report["origins"] == 1 else f"{report['origins']:,} origins"
    head = [origins, "MAE", "RMSE", "MASE", "MAE reduction (95 %)", "RMSE reduction (95 %)"]
    return table(rows, head)


def _difference(margin: dict[str, Any] | None) -> str:
    """Return a difference with its interval, if it has one."""
    if margin is None:
        return ""
    bounds = "" if margin["low"] is None else f" ({margin['low']:.3f} to {margin['high']:.3f})"
    return f"{margin['value']:.3f}{bounds}"
