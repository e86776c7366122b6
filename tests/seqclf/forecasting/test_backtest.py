"""Back-tests: naive forecasts and scores by hand, no look-ahead, intervals, and a real series."""

from dataclasses import replace

import numpy as np
import pytest

from seqclf import ForecasterSettings, backtest, train_forecaster
from seqclf.forecasting.backtest import block_resamples, bootstrap_interval, naive_forecasts
from wordvec import InputError

SMALL = ForecasterSettings(window=4, horizon=2, season=5, hidden_size=8, epochs=2, batch_size=16)


def series(length=90):
    at = np.arange(length)
    return np.sin(at * 2 * np.pi / 5)[:, None] + np.random.default_rng(0).normal(0, 0.3, (length, 2))


def test_naive_forecasts_match_their_definitions():
    values = np.arange(20.0)[:, None] ** 2
    found = naive_forecasts(values, np.array([11, 14]), 4, 3, [5])
    assert list(found) == ["naive", "seasonal-naive 3", "seasonal-naive 5", "seasonal mean 3"]
    squares = [position**2 for position in range(20)]
    for row, origin in enumerate((11, 14)):
        naive = [squares[origin - 1]] * 4
        last_season = [squares[origin - 3 + step % 3] for step in range(4)]
        means = [np.mean(squares[(origin + step) % 3 : 11 : 3]) for step in range(4)]
        assert found["naive"][row, :, 0].tolist() == naive
        assert found["seasonal-naive 3"][row, :, 0].tolist() == last_season
        np.testing.assert_allclose(found["seasonal mean 3"][row, :, 0], means)


def test_scores_match_their_formulas():
    values = series()
    found = backtest(values, SMALL, test=30, threads=1)
    errors = np.array([found.forecasts[i] - values[o : o + 2] for i, o in enumerate(found.origins)])
    assert found.origins.tolist() == list(range(60, 89))
    np.testing.assert_array_equal(found.truth[3], values[63:65])
    np.testing.assert_allclose(found.residuals, -errors)
    own = found.scores[0]
    assert own.mae == pytest.approx(np.abs(errors).mean())
    assert own.rmse == pytest.approx(np.sqrt((errors**2).mean()))
    scale = np.abs(values[5:60] - values[:55]).mean(axis=0)
    assert own.mase == pytest.approx((np.abs(errors) / scale).mean())
    naive = found.scores[1]
    assert naive.name == "naive"
    assert naive.mae_margin.value == pytest.approx(naive.mae - own.mae)
    assert naive.rmse_margin.value == pytest.approx(naive.rmse - own.rmse)
    assert naive.mae_margin.low < naive.mae_margin.value < naive.mae_margin.high
    assert [row["name"] for row in found.as_dict()["scores"]][:2] == ["lstm, direct", "naive"]


@pytest.mark.parametrize("refits", [1, 3])
def test_networks_are_trained_only_on_earlier_values(refits):
    values = series()
    found = backtest(values, SMALL, test=21, refits=refits, threads=1)
    stretches = np.array_split(np.arange(20), refits)
    for stretch in stretches:
        known = values[: found.origins[stretch[0]]]
        net = train_forecaster(known, settings=SMALL, threads=1)
        np.testing.assert_array_equal(net.predict(), found.forecasts[stretch[0]])


def test_residuals_with_log_are_of_logarithms():
    values = np.exp(series())
    found = backtest(values, replace(SMALL, log=True), test=30, threads=1)
    np.testing.assert_allclose(found.residuals, np.log(found.truth) - np.log(found.forecasts))


def test_resampled_blocks_are_contiguous():
    drawn = block_resamples(10, 4, np.random.default_rng(1), resamples=50)
    assert drawn.shape == (50, 10)
    for start, stop in ((0, 4), (4, 8), (8, 10)):
        assert (np.diff(drawn[:, start:stop], axis=1) % 10 == 1).all()
    assert set(drawn[:, 0]) == set(range(10))


def test_interval_width_is_that_of_the_standard_error():
    """Twice 1.96 standard errors for independent errors; wider by sqrt(block) for errors constant within blocks."""
    random = np.random.default_rng(3)
    independent, block = random.standard_normal(400), 8
    correlated = np.repeat(random.standard_normal(50), block)
    drawn = block_resamples(400, block, random)
    for errors, deviation in ((independent, 1), (correlated, np.sqrt(block))):
        found = bootstrap_interval(errors + 1, np.zeros(400), drawn)
        assert found.value == pytest.approx(errors.mean() + 1)
        assert found.high - found.low == pytest.approx(2 * 1.96 * deviation / 20, rel=0.3)


def test_no_interval_with_too_few_origins(caplog):
    found = backtest(series(), SMALL, test=12, threads=1)
    assert found.scores[1].mae_margin.low is None
    assert "11 origins are too few for confidence intervals" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"test": 1}, "test must be at least 2 for a horizon of 2 and 1 refits, got 1"),
        ({"test": 4, "refits": 4}, "test must be at least 5"),
        ({"test": 90}, "test must be below 90, the length of the series, got 90"),
        ({"test": 84}, "6 values are too few: a window of 6"),
        ({"test": 30, "seasons": [61]}, "a season must be at most 60, the values before the test part, got 61"),
        ({"test": 30, "seasons": [0]}, "season must be at least 1, got 0"),
        ({"test": 30, "refits": 0}, "refits must be at least 1, got 0"),
    ],
)
def test_invalid_arguments_are_rejected(options, message):
    with pytest.raises(InputError, match=message):
        backtest(series(), replace(SMALL, window=6), threads=1, **options)


def test_daily_temperatures_are_forecast_better_than_by_naive_methods(public_data):
    """Daily minima in Melbourne: one week ahead, over the last of ten years."""
    from corpora import read_series

    values = read_series("data:series/daily-min-temperatures")["Temp"]
    settings = ForecasterSettings(window=14, season=365, hidden_size=16, epochs=2, batch_size=64)
    found = backtest(values, settings, test=365, seasons=[7], threads=1)
    names = ["naive", "seasonal-naive 365", "seasonal-naive 7", "seasonal mean 365"]
    assert [score.name for score in found.scores[1:]] == names
    for score in found.scores[1:4]:
        assert score.mae_margin.low > 0.2
        assert score.rmse_margin.low > 0.2
    assert found.scores[0].mase < 0.75
