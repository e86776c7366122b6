"""The features of a word's characters, one character at a time. Imports only NumPy and the other naive oracles."""

import numpy as np

from tests.oracles import naive_recurrent


def features(parameters, characters):
    """Return the last state of each direction of an LSTM over a word's characters, given as rows of the table."""
    x = parameters["characters.embedding"][characters]
    last = []
    for direction, read in (("forward", x), ("reverse", x[::-1])):
        weights = [parameters[f"characters.layers.0.{direction}.{name}"] for name in ("w_input", "w_hidden", "bias")]
        steps = naive_recurrent.lstm_forward(read, *weights)
        last.append(steps[-1]["h"] if steps else np.zeros(weights[1].shape[1]))
    return np.concatenate(last)
