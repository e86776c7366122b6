"""A naive sequence-to-sequence model: one pair, one unit at a time. Imports only NumPy and the other naive oracles."""

import numpy as np

from tests.oracles import naive_decoder, naive_recurrent


def loss(parameters, sources, targets, *, smoothing=0.0):
    """Return the mean over all target units of the smoothed cross-entropy.

    Args:
        sources: lists of rows of the source embedding; or, without an encoder, vectors.
        targets: lists of units, each with its end.
    """
    total, count = 0.0, 0
    weight = parameters.get("head.weight", parameters["target_embedding"][:-1])
    bos = len(parameters["target_embedding"]) - 1
    for source, target in zip(sources, targets, strict=True):
        if "embedding" in parameters:
            states, final, _ = naive_recurrent.encode(parameters, parameters["embedding"][source])
        else:
            states, final = np.asarray(source)[None], np.asarray(source)
        found, _ = naive_decoder.decode(parameters, states, final, [bos, *target[:-1]])
        for state, unit in zip(found, target, strict=True):
            scores = weight @ state + parameters["head.bias"]
            logs = scores - scores.max() - np.log(np.exp(scores - scores.max()).sum())
            total -= (1 - smoothing) * logs[unit] + smoothing * logs.mean()
            count += 1
    return total / count
