"""Slow, obvious recurrent nets: one text, one step, one gate at a time. Imports numpy only."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_forward(x, w_input, w_hidden, bias, h=None, c=None):
    """x (T, E) through one LSTM; gates stand in the rows of the weights in the order i, f, g, o.

    Returns a list with one dict a step: i, f, g, o, c, h, and what came in: x, c_before, h_before.
    """
    hidden = w_hidden.shape[1]
    h = np.zeros(hidden) if h is None else h
    c = np.zeros(hidden) if c is None else c
    steps = []
    for t in range(len(x)):
        z = w_input @ x[t] + w_hidden @ h + bias
        i, f, o = sigmoid(z[:hidden]), sigmoid(z[hidden : 2 * hidden]), sigmoid(z[3 * hidden :])
        g = np.tanh(z[2 * hidden : 3 * hidden])
        step = {"i": i, "f": f, "g": g, "o": o, "x": x[t], "c_before": c, "h_before": h}
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append({**step, "c": c, "h": h})
    return steps


def lstm_backward(steps, d_h_out, w_input, w_hidden):
    """Backpropagation through time; d_h_out (T, H) is each state's gradient from above.

    Returns d_x (T, E), d_w_input, d_w_hidden, d_bias.
    """
    d_x = np.zeros((len(steps), w_input.shape[1]))
    d_w_input, d_w_hidden, d_bias = np.zeros_like(w_input), np.zeros_like(w_hidden), np.zeros(len(w_input))
    d_h, d_c = np.zeros(w_hidden.shape[1]), np.zeros(w_hidden.shape[1])
    for t in reversed(range(len(steps))):
        step = steps[t]
        i, f, g, o = step["i"], step["f"], step["g"], step["o"]
        d_h = d_h + d_h_out[t]
        d_c = d_c + d_h * o * (1 - np.tanh(step["c"]) ** 2)
        d_o = d_h * np.tanh(step["c"])
        d_z = np.concatenate(
            [d_c * g * i * (1 - i), d_c * step["c_before"] * f * (1 - f), d_c * i * (1 - g**2), d_o * o * (1 - o)]
        )
        d_w_input += np.outer(d_z, step["x"])
        d_w_hidden += np.outer(d_z, step["h_before"])
        d_bias += d_z
        d_x[t] = w_input.T @ d_z
        d_h = w_hidden.T @ d_z
        d_c = d_c * f
    return d_x, d_w_input, d_w_hidden, d_bias


def pool(states, pooling):
    """(T, H) to (H,), and the share (T, H) of each state in each pooled number. No states pool to zeros."""
    if len(states) == 0:
        return np.zeros(states.shape[1]), np.zeros(states.shape)
    share = np.zeros(states.shape)
    if pooling == "max":
        share[states.argmax(axis=0), np.arange(states.shape[1])] = 1
    elif pooling == "mean":
        share[:] = 1 / len(states)
    else:
        share[-1] = 1
    return (states * share).sum(axis=0), share


def classifier(parameters, texts, targets, weights, *, pooling="max", word_masks=None, pooled_masks=None):
    """Loss, probabilities and every gradient of embedding ▶ LSTM (both ways if it has both) ▶ pool ▶ softmax.

    Args:
        parameters: name to array, canonical shapes.
        texts: lists of token ids. targets: classes. weights: one a text.
        word_masks: token id to (E,), the same for every text. pooled_masks: (B, F).

    Returns:
        loss ``-sum_b weights[b] log p_b[targets[b]] / B``, probabilities (B, C), gradients by name.
    """
    directions = [name for name in ("forward", "reverse") if f"layers.0.{name}.bias" in parameters]
    gradients = {name: np.zeros(np.shape(value)) for name, value in parameters.items()}
    probabilities, loss = [], 0.0
    for b, ids in enumerate(texts):
        ids = np.array(ids, dtype=int)
        mask = np.ones((len(ids), parameters["embedding"].shape[1]))
        for t, token_id in enumerate(ids):
            if word_masks is not None:
                mask[t] = word_masks[token_id]
        x = parameters["embedding"][ids] * mask
        runs = []
        for name in directions:
            w_input, w_hidden, bias = (parameters[f"layers.0.{name}.{k}"] for k in ("w_input", "w_hidden", "bias"))
            steps = lstm_forward(x if name == "forward" else x[::-1], w_input, w_hidden, bias)
            states = np.array([step["h"] for step in steps]).reshape(len(ids), w_hidden.shape[1])
            runs.append((name, steps, *pool(states, pooling)))
        pooled_mask = 1 if pooled_masks is None else pooled_masks[b]
        features = np.concatenate([pooled for *_, pooled, _ in runs]) * pooled_mask
        scores = parameters["head.weight"] @ features + parameters["head.bias"]
        p = np.exp(scores - scores.max())
        p /= p.sum()
        probabilities.append(p)
        loss -= weights[b] * np.log(p[targets[b]]) / len(texts)
        # backwards
        d_scores = p.copy()
        d_scores[targets[b]] -= 1
        d_scores *= weights[b] / len(texts)
        gradients["head.weight"] += np.outer(d_scores, features)
        gradients["head.bias"] += d_scores
        d_pooled = np.split((parameters["head.weight"].T @ d_scores) * pooled_mask, len(runs))
        for (name, steps, _, share), d in zip(runs, d_pooled, strict=True):
            w_input, w_hidden = parameters[f"layers.0.{name}.w_input"], parameters[f"layers.0.{name}.w_hidden"]
            d_x, *d_weights = lstm_backward(steps, d * share, w_input, w_hidden)
            for k, d_weight in zip(("w_input", "w_hidden", "bias"), d_weights, strict=True):
                gradients[f"layers.0.{name}.{k}"] += d_weight
            d_x = (d_x if name == "forward" else d_x[::-1]) * mask
            for t, token_id in enumerate(ids):
                gradients["embedding"][token_id] += d_x[t]
    return loss, np.array(probabilities), gradients
