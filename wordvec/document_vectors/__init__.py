"""Document vectors: n-gram counts and TF-IDF weights as sparse matrices."""
