"""Time-series forecasting and back-tests."""
