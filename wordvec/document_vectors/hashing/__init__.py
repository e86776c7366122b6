"""Document vectors whose columns are hashes of the features."""
