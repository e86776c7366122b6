"""Word vectors: dense and sparse, nearest-neighbor search, evaluation."""
