"""What every benchmark shares: turns with a peer, rows and tables, the machine, the report."""
