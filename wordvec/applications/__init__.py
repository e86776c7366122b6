"""Applications of word statistics and word vectors: summaries, spelling correction."""
