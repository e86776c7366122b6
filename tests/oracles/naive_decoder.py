"""A naive decoder with attention: one target, one unit at a time. Imports only NumPy and the other naive oracles."""

import numpy as np

from tests.oracles import naive_recurrent


def softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum()


def scores_of(parameters, h, states):
    """Return the attention's score of each state: additive with a scorer, general with a matrix, else dot.

    A single state has all the attention, whatever its score.
    """
    if len(states) == 1:
        return np.zeros(1)
    if "decoder.attention.scorer" in parameters:
        query = parameters["decoder.attention.w_query"] @ h + parameters["decoder.attention.bias"]
        keys = [parameters["decoder.attention.w_source"] @ state for state in states]
        return np.array([parameters["decoder.attention.scorer"] @ np.tanh(query + key) for key in keys])
    if "decoder.attention.w_source" in parameters:
        return np.array([h @ parameters["decoder.attention.w_source"] @ state for state in states])
    return np.array([h @ state for state in states])


def decode(parameters, states, final, units, *, words=None, between=None, holds=None):
    """Run a decoder over a target.

    Args:
        states: (S, F) of the source. final: (F,).
        units: the rows of the target embedding that are read.
        words: (V, E) factors of the embeddings. between: (L - 1, T, H) factors of what upper layers read.
        holds: for each layer two (T, H) arrays, zoneout.

    Returns:
        (T, H) attentional states and (T, S) attention weights.
    """
    layers = []
    while f"decoder.layers.{len(layers)}.w_hidden" in parameters:
        prefix = f"decoder.layers.{len(layers)}."
        layers.append({name.removeprefix(prefix): each for name, each in parameters.items() if name.startswith(prefix)})
    feed = layers[0].pop("w_feed", None)
    hidden = layers[0]["w_hidden"].shape[1]
    if feed is not None:
        layers[0]["w_input"] = np.concatenate([layers[0]["w_input"], feed], axis=1)
    first = np.tanh(parameters["decoder.bridge.weight"] @ final + parameters["decoder.bridge.bias"])
    first = first.reshape(-1, hidden)
    h, c = list(first[: len(layers)]), list(first[len(layers) :]) or [None] * len(layers)
    fed, found, attention = np.zeros(hidden), [], []
    for t, unit in enumerate(units):
        x = parameters["target_embedding"][unit] * (1 if words is None else words[unit])
        x = x if feed is None else np.concatenate([x, fed])
        for layer, weights in enumerate(layers):
            held = None if holds is None else [each[t : t + 1] for each in holds[layer]]
            step = naive_recurrent.run(weights, x[None], h[layer], c[layer], held)[0]
            h[layer], c[layer] = step["h"], step.get("c")
            x = step["h"]
            if between is not None and layer + 1 < len(layers):
                x = x * between[layer][t]
        shares = softmax(scores_of(parameters, x, states))
        context = sum(share * state for share, state in zip(shares, states, strict=True))
        fed = np.tanh(
            parameters["decoder.combine.w_context"] @ context
            + parameters["decoder.combine.w_state"] @ x
            + parameters["decoder.combine.bias"]
        )
        found.append(fed)
        attention.append(shares)
    return np.array(found), np.array(attention)
