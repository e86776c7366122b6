"""Subcommands of ``classify-text`` that have a module of their own."""
