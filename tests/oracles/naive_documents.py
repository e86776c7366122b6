"""Naive document counts and TF-IDF weights, one word at a time. Imports only NumPy."""

import math

import numpy as np


def ngrams(tokens, low, high):
    """Return all n-grams of low to high words, joined by spaces."""
    return [
        " ".join(tokens[start : start + size])
        for size in range(low, high + 1)
        for start in range(len(tokens) - size + 1)
    ]


def count(documents, low=1, high=1):
    """Return a dict for each document: n-gram -> count."""
    rows = []
    for tokens in documents:
        row = {}
        for feature in ngrams(tokens, low, high):
            row[feature] = row.get(feature, 0) + 1
        rows.append(row)
    return rows


def totals(rows):
    """Return feature -> total count, and feature -> document frequency."""
    counts, frequencies = {}, {}
    for row in rows:
        for feature, often in row.items():
            counts[feature] = counts.get(feature, 0) + often
            frequencies[feature] = frequencies.get(feature, 0) + 1
    return counts, frequencies


def ordered(counts, word_counts):
    """Sort features by descending count, then length, then the ranks of their words; words with ties by bytes.

    ``word_counts``: word -> count.
    """
    words = sorted(word_counts, key=lambda word: (-word_counts[word], word.encode()))
    place = {word: k for k, word in enumerate(words)}
    return sorted(counts, key=lambda f: (-counts[f], len(f.split(" ")), [place[word] for word in f.split(" ")]))


def chosen(rows, word_counts, min_count=1, min_df=1, max_df=1.0, max_features=None):
    """Return the selected features in order."""
    counts, frequencies = totals(rows)
    least = min_df if isinstance(min_df, int) else min_df * len(rows)
    most = max_df if isinstance(max_df, int) else max_df * len(rows)
    kept = [
        feature
        for feature in ordered(counts, word_counts)
        if counts[feature] >= min_count and least <= frequencies[feature] <= most
    ]
    return kept[:max_features]


def matrix(rows, features):
    """Return the counts as (documents, features) int64."""
    return np.array([[row.get(feature, 0) for feature in features] for row in rows], np.int64).reshape(
        -1, len(features)
    )


def idf(rows, features, formula):
    """Return one weight per feature."""
    documents = len(rows)
    found = []
    for feature in features:
        df = sum(feature in row for row in rows)
        found.append(
            {
                "smooth": lambda n, df: math.log((1 + n) / (1 + df)) + 1,
                "plain": lambda n, df: math.log(n / df) + 1,
                "textbook": lambda n, df: math.log(n / df),
                "none": lambda n, df: 1.0,
            }[formula](documents, df)
        )
    return np.array(found)


def tfidf(counts, weights, sublinear=False, norm="l2"):
    """Return (documents, features) float64 from counts and idf."""
    found = np.zeros(counts.shape)
    for d, row in enumerate(counts):
        for f, tf in enumerate(row):
            if tf:
                found[d, f] = (1 + math.log(tf) if sublinear else tf) * weights[f]
        length = {"l1": np.abs(found[d]).sum(), "l2": math.sqrt((found[d] ** 2).sum()), None: 1.0}[norm]
        if length:
            found[d] /= length
    return found


def one_hot(tokens, vocabulary):
    """Return (tokens, vocabulary) int64."""
    return np.array([[int(token == word) for word in vocabulary] for token in tokens], np.int64)
