"""A naive tagger: one sentence, one token at a time. Imports only NumPy and the other naive oracles."""

import numpy as np

from tests.oracles import naive_characters, naive_heads, naive_recurrent


def inputs(parameters, word, features, characters=None):
    """Return a token's input: its word's vector, the sum of its features' vectors, and its characters' features."""
    parts = [parameters["embedding"][word], sum(parameters["features"][row] for row in features)]
    return np.concatenate(parts + ([] if characters is None else [naive_characters.features(parameters, characters)]))


def states(parameters, x):
    """Return the states (T, 2 H) of a one-layer bidirectional LSTM over a sentence's inputs (T, E)."""
    sides = []
    for direction in ("forward", "reverse"):
        weights = [parameters[f"layers.0.{direction}.{name}"] for name in ("w_input", "w_hidden", "bias")]
        read = x if direction == "forward" else x[::-1]
        h = np.array([step["h"] for step in naive_recurrent.lstm_forward(read, *weights)])
        sides.append(h if direction == "forward" else h[::-1])
    return np.concatenate(sides, axis=1)


def loss(parameters, sentences, tags):
    """Return the mean over all tokens of -log p(tags), from a CRF if there are transitions, else a softmax.

    Args:
        sentences: lists of (word, features) or (word, features, characters), as rows of the tables.
        tags: one list per sentence.
    """
    total, tokens = 0.0, 0
    for sentence, targets in zip(sentences, tags, strict=True):
        if not sentence:
            continue
        h = states(parameters, np.array([inputs(parameters, *token) for token in sentence]))
        scores = h @ parameters["head.weight"].T + parameters["head.bias"]
        if "head.transitions" in parameters:
            chain = [parameters[f"head.{name}"] for name in ("transitions", "start", "end")]
            paths, probabilities = naive_heads.all_paths(scores, *chain)
            total -= np.log(probabilities[paths.index(tuple(targets))])
        else:
            total -= np.log(naive_heads.softmax(scores)[np.arange(len(targets)), targets]).sum()
        tokens += len(targets)
    return total / tokens
