"""Inspection of networks: gates, states and gradients."""
