"""
A forecast with intervals
=========================

A network forecasts the next year of noisy monthly temperatures. The interval comes from its errors in a back-test on
the last twelve years. The same back-test shows that the mean of each month forecasts these data just as well.
"""

import numpy as np

from seqclf import Forecaster, ForecasterSettings, backtest
from seqclf.forecasting.plotting import plot_forecast

months = np.arange(240)
temperature = 10 - 8 * np.cos(2 * np.pi * months / 12) + np.random.default_rng(1).normal(size=240)

settings = {"window": 12, "horizon": 12, "season": 12, "hidden_size": 16, "epochs": 30, "learning_rate": 0.02}
report = backtest(temperature, ForecasterSettings(**settings), test=144)
for each in report.scores:
    print(f"{each.name:20} mean absolute error {each.mae:.2f}")

# %%
# The network sees everything for its forecast, and the errors of the back-test become its interval:
model = Forecaster(**settings, random_state=1).fit(temperature)
model.calibrate(report)

# Figure: a wave between 2 and 18 degrees, then a year of forecast with a band around it.
figure = plot_forecast(["temperature"], temperature[:, None], model.predict(), model.predict_interval(0.9), level=0.9)
