"""Count-based models: co-occurrence counts, association measures, truncated SVD and GloVe."""
