"""Options, errors and progress reporting shared by the commands."""
