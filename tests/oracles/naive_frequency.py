"""Naive co-occurrence counts and association measures. Imports only NumPy."""

import itertools
from fractions import Fraction

import numpy as np


def cooccurrences(sentences, types, window, contexts="both", weighting="harmonic"):
    """Count co-occurrences exactly; None in a sentence is a position without a word.

    Returns:
        A dictionary from (word, context) to ``Fraction``.
    """
    weight = {
        "flat": lambda distance: Fraction(1),
        "harmonic": lambda distance: Fraction(1, distance),
        "dynamic": lambda distance: Fraction(window + 1 - distance, window),
    }[weighting]
    found = {}
    for sentence in sentences:
        for center, word in enumerate(sentence):
            for place, context in enumerate(sentence):
                distance = abs(place - center)
                side = "left" if place < center else "right"
                if 0 < distance <= window and contexts in ("both", side) and word is not None and context is not None:
                    found[word, context] = found.get((word, context), 0) + weight(distance)
    assert all(0 <= word < types and 0 <= context < types for word, context in found)
    return found


def dense(found, types):
    """Convert the dictionary to a (V, V) float32 array."""
    table = np.zeros((types, types), np.float32)
    for (word, context), value in found.items():
        table[word, context] = np.float32(float(value))
    return table


def subsampled(ids, offsets, is_kept, mode):
    """Return sentences of the tokens whose position ``is_kept``; "clean" replaces the others by None."""
    sentences = []
    for start, end in itertools.pairwise(offsets):
        tokens = [ids[p] if is_kept(p) else None for p in range(start, end)]
        sentences.append([t for t in tokens if t is not None] if mode == "dirty" else tokens)
    return sentences


def weighted(counts, weighting, smoothing=1.0, shift=1.0):
    """Weight (R, C) counts cell by cell; 0 where the count is 0."""
    counts = np.asarray(counts, float)
    joint, rows = counts / counts.sum(), counts.sum(axis=1)
    contexts = counts.sum(axis=0) ** smoothing / (counts.sum(axis=0) ** smoothing).sum()
    table = np.zeros(counts.shape)
    for w, c in zip(*np.nonzero(counts), strict=True):
        pmi = np.log(joint[w, c] / (joint[w].sum() * contexts[c]))
        table[w, c] = {
            "ppmi": max(0.0, pmi - np.log(shift)),
            "npmi": 1.0 if joint[w, c] == 1 else pmi / -np.log(joint[w, c]),
            "log": np.log(1 + counts[w, c]),
            "conditional": counts[w, c] / rows[w],
            "count": counts[w, c],
        }[weighting]
    return table
