"""A slow, obvious tagger: one sentence, one token at a time. Imports numpy and the other slow oracles only."""

import numpy as np

from tests.oracles import naive_heads, naive_recurrent


def inputs(parameters, word, features):
    """One token's input: its word's vector, and beside it the sum of its features' vectors."""
    return np.concatenate([parameters["embedding"][word], sum(parameters["features"][row] for row in features)])


def states(parameters, x):
    """States (T, 2 H) of one sentence's inputs (T, E) through a bidirectional LSTM of one layer."""
    sides = []
    for direction in ("forward", "reverse"):
        weights = [parameters[f"layers.0.{direction}.{name}"] for name in ("w_input", "w_hidden", "bias")]
        read = x if direction == "forward" else x[::-1]
        h = np.array([step["h"] for step in naive_recurrent.lstm_forward(read, *weights)])
        sides.append(h if direction == "forward" else h[::-1])
    return np.concatenate(sides, axis=1)


def loss(parameters, sentences, tags):
    """The mean over all tokens of -log p(their tags); a CRF where there are transitions, else a softmax.

    Args:
        sentences: for each one a list of (word, features), as rows of the tables. tags: a list for each.
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
