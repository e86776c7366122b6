"""A classifier behind HTTP: predictions, health, metrics and a description of the interface."""
