"""Benchmarks of word vectors, compared with gensim, word2vec.c, fastText, GloVe and scikit-learn."""
