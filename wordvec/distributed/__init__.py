"""Word vectors trained over shards of a corpus, by threads or by the workers of a Dask cluster."""
