"""Naive recurrent networks: one text, one layer, one direction, one step at a time. Imports only NumPy."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_forward(x, w_input, w_hidden, bias, h=None, c=None, holds=None):
    """Run x (T, E) through an LSTM; the gates are in the rows of the weights in the order i, f, g, o.

    holds: two (T, H) arrays, the fractions of the old h and c kept in each step (zoneout).

    Returns a list with one dict per step: i, f, g, o, c, h, and the inputs x, c_before, h_before.
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
        hold_h, hold_c = (0, 0) if holds is None else (holds[0][t], holds[1][t])
        step["c_new"] = f * c + i * g
        c = hold_c * c + (1 - hold_c) * step["c_new"]
        h = hold_h * h + (1 - hold_h) * o * np.tanh(step["c_new"])
        steps.append({**step, "c": c, "h": h, "hold_h": hold_h, "hold_c": hold_c})
    return steps


def lstm_backward(steps, d_h_out, w_input, w_hidden):
    """Backpropagate through time; d_h_out (T, H) is the gradient of each state from the layer above.

    Returns d_x (T, E), d_w_input, d_w_hidden, d_bias.
    """
    d_x = np.zeros((len(steps), w_input.shape[1]))
    d_w_input, d_w_hidden, d_bias = np.zeros_like(w_input), np.zeros_like(w_hidden), np.zeros(len(w_input))
    d_h, d_c = np.zeros(w_hidden.shape[1]), np.zeros(w_hidden.shape[1])
    for t in reversed(range(len(steps))):
        step = steps[t]
        i, f, g, o = step["i"], step["f"], step["g"], step["o"]
        d_h = d_h + d_h_out[t]
        d_h_new, d_h_held = d_h * (1 - step["hold_h"]), d_h * step["hold_h"]
        squashed = np.tanh(step["c_new"])
        d_cell = d_c * (1 - step["hold_c"]) + d_h_new * o * (1 - squashed**2)
        d_z = np.concatenate(
            [
                d_cell * g * i * (1 - i),
                d_cell * step["c_before"] * f * (1 - f),
                d_cell * i * (1 - g**2),
                d_h_new * squashed * o * (1 - o),
            ]
        )
        d_w_input += np.outer(d_z, step["x"])
        d_w_hidden += np.outer(d_z, step["h_before"])
        d_bias += d_z
        d_x[t] = w_input.T @ d_z
        d_h = w_hidden.T @ d_z + d_h_held
        d_c = d_cell * f + d_c * step["hold_c"]
    return d_x, d_w_input, d_w_hidden, d_bias


def rnn_forward(x, w_input, w_hidden, bias, h=None, c=None, holds=None):
    """Run x (T, E) through a simple recurrent network; returns a list like that of ``lstm_forward``."""
    h = np.zeros(w_hidden.shape[1]) if h is None else h
    steps = []
    for t in range(len(x)):
        n = np.tanh(w_input @ x[t] + w_hidden @ h + bias)
        hold = 0 if holds is None else holds[0][t]
        step = {"n": n, "x": x[t], "h_before": h, "hold_h": hold}
        h = hold * h + (1 - hold) * n
        steps.append({**step, "h": h})
    return steps


def rnn_backward(steps, d_h_out, w_input, w_hidden):
    """Return d_x (T, E), d_w_input, d_w_hidden, d_bias."""
    d_x = np.zeros((len(steps), w_input.shape[1]))
    d_w_input, d_w_hidden, d_bias = np.zeros_like(w_input), np.zeros_like(w_hidden), np.zeros(len(w_input))
    d_h = np.zeros(w_hidden.shape[1])
    for t in reversed(range(len(steps))):
        step = steps[t]
        d_h = d_h + d_h_out[t]
        d_z = d_h * (1 - step["hold_h"]) * (1 - step["n"] ** 2)
        d_w_input += np.outer(d_z, step["x"])
        d_w_hidden += np.outer(d_z, step["h_before"])
        d_bias += d_z
        d_x[t] = w_input.T @ d_z
        d_h = w_hidden.T @ d_z + d_h * step["hold_h"]
    return d_x, d_w_input, d_w_hidden, d_bias


def gru_forward(x, w_input, w_hidden, bias, bias_hidden=None, h=None, c=None, holds=None):
    """Run x (T, E) through a GRU, gates r, z, n; with ``bias_hidden``, the reset gate acts after the product.

    Returns a list like that of ``lstm_forward``.
    """
    hidden = w_hidden.shape[1]
    h = np.zeros(hidden) if h is None else h
    steps = []
    for t in range(len(x)):
        x_r, x_z, x_n = np.split(w_input @ x[t] + bias, 3)
        w_r, w_z, w_n = np.split(w_hidden, 3)
        r, z = sigmoid(x_r + w_r @ h), sigmoid(x_z + w_z @ h)
        n = np.tanh(x_n + w_n @ (r * h)) if bias_hidden is None else np.tanh(x_n + r * (w_n @ h + bias_hidden))
        hold = 0 if holds is None else holds[0][t]
        step = {"r": r, "z": z, "n": n, "x": x[t], "h_before": h, "hold_h": hold}
        h = hold * h + (1 - hold) * ((1 - z) * n + z * h)
        steps.append({**step, "h": h})
    return steps


def gru_backward(steps, d_h_out, w_input, w_hidden, bias_hidden=None):
    """Return d_x (T, E), d_w_input, d_w_hidden, d_bias, and d_bias_hidden if given ``bias_hidden``."""
    d_x = np.zeros((len(steps), w_input.shape[1]))
    d_w_input, d_w_hidden, d_bias = np.zeros_like(w_input), np.zeros_like(w_hidden), np.zeros(len(w_input))
    d_bias_hidden = np.zeros(w_hidden.shape[1])
    w_r, w_z, w_n = np.split(w_hidden, 3)
    d_h = np.zeros(w_hidden.shape[1])
    for t in reversed(range(len(steps))):
        step = steps[t]
        r, z, n, before = step["r"], step["z"], step["n"], step["h_before"]
        d_h = d_h + d_h_out[t]
        d_new, d_before = d_h * (1 - step["hold_h"]), d_h * step["hold_h"]
        d_n = d_new * (1 - z) * (1 - n**2)
        d_z = d_new * (before - n) * z * (1 - z)
        if bias_hidden is None:
            d_reset = w_n.T @ d_n
            d_r = d_reset * before * r * (1 - r)
            d_before = d_before + d_reset * r
            d_w_n = np.outer(d_n, r * before)
        else:
            d_r = d_n * (w_n @ before + bias_hidden) * r * (1 - r)
            d_before = d_before + w_n.T @ (d_n * r)
            d_w_n = np.outer(d_n * r, before)
            d_bias_hidden += d_n * r
        d_sums = np.concatenate([d_r, d_z, d_n])
        d_w_input += np.outer(d_sums, step["x"])
        d_w_hidden += np.concatenate([np.outer(d_r, before), np.outer(d_z, before), d_w_n])
        d_bias += d_sums
        d_x[t] = w_input.T @ d_sums
        d_h = d_before + d_new * z + w_r.T @ d_r + w_z.T @ d_z
    gradients = d_x, d_w_input, d_w_hidden, d_bias
    return gradients if bias_hidden is None else (*gradients, d_bias_hidden)


def run(weights, x, h=None, c=None, holds=None):
    """Run the cell that has these weights, by their number of gates; keys are the suffixes of array names in files."""
    gates = len(weights["w_input"]) // weights["w_hidden"].shape[1]
    forward = {1: rnn_forward, 3: gru_forward, 4: lstm_forward}[gates]
    return forward(x, **weights, h=h, c=c, holds=holds)


def run_back(weights, steps, d_h_out):
    """Return d_x, and the gradients of the weights by name."""
    gates = len(weights["w_input"]) // weights["w_hidden"].shape[1]
    backward = {1: rnn_backward, 3: gru_backward, 4: lstm_backward}[gates]
    more = [weights["bias_hidden"]] if "bias_hidden" in weights else []
    d_x, *gradients = backward(steps, d_h_out, weights["w_input"], weights["w_hidden"], *more)
    return d_x, dict(zip(("w_input", "w_hidden", "bias", "bias_hidden"), gradients, strict=False))


def layers_of(parameters):
    """Return [{direction: {name: weight}}], one dict per layer."""
    found = []
    while any(name.startswith(f"layers.{len(found)}.") for name in parameters):
        layer = {}
        for name, value in parameters.items():
            if name.startswith(f"layers.{len(found)}."):
                _, _, direction, what = name.split(".")
                layer.setdefault(direction, {})[what] = value
        found.append(layer)
    return found


def encode(parameters, x, *, merge="concatenate", between=None, first=None, holds=None):
    """Run a text through all layers.

    Args:
        parameters: name to array; only those of the layers are used.
        x: (T, E).
        between: for each layer but the last, (T, F) factors of its merged states (dropout masks).
        first: {(layer, direction): (h, c)}. holds: {(layer, direction): ((T, H), (T, H))}, in reading direction.

    Returns:
        (T, F) states, (F,) merged final states, and the tape for ``encode_back``.
    """
    tape = []
    for number, layer in enumerate(layers_of(parameters)):
        runs = {}
        for direction, weights in layer.items():
            turn = 1 if direction == "forward" else -1
            h, c = (first or {}).get((number, direction), (None, None))
            runs[direction] = run(weights, x[::turn], h, c, (holds or {}).get((number, direction)))
        hidden = next(iter(layer.values()))["w_hidden"].shape[1]
        states, finals = [], []
        for direction, steps in runs.items():
            turn = 1 if direction == "forward" else -1
            h = np.array([step["h"] for step in steps]).reshape(len(x), hidden)
            states.append(h[::turn])
            finals.append(h[-1] if len(h) else np.zeros(hidden))
        tape.append((layer, runs, states))
        x, final = merged(states, merge), merged(finals, merge)
        if between is not None and number < len(between):
            x = x * between[number]
    return x, final, tape


def merged(arrays, merge):
    if len(arrays) == 1:
        return arrays[0]
    if merge == "concatenate":
        return np.concatenate(arrays, axis=-1)
    a, b = arrays
    return {"sum": a + b, "average": (a + b) / 2, "multiply": a * b}[merge]


def split(d_merged, arrays, merge):
    """Split the gradient of ``merged`` into those of its arrays."""
    if len(arrays) == 1:
        return [d_merged]
    if merge == "concatenate":
        return np.split(d_merged, 2, axis=-1)
    a, b = arrays
    return {
        "sum": [d_merged, d_merged],
        "average": [d_merged / 2, d_merged / 2],
        "multiply": [d_merged * b, d_merged * a],
    }[merge]


def encode_back(tape, d_states, d_final, *, merge="concatenate", between=None):
    """Return d_x (T, E), and the gradients of the layers' parameters by name."""
    gradients = {}
    d_merged = d_states
    for number in reversed(range(len(tape))):
        layer, runs, states = tape[number]
        if between is not None and number < len(between):
            d_merged = d_merged * between[number]
        last = number == len(tape) - 1
        finals = [h[-1] if d == "forward" else h[0] for d, h in zip(runs, states, strict=True) if len(h)]
        d_finals = split(d_final, finals, merge) if last and len(states[0]) else [0] * len(states)
        d_x = 0
        for place, (direction, steps) in enumerate(runs.items()):
            turn = 1 if direction == "forward" else -1
            d_h = split(d_merged, states, merge)[place][::turn].copy()
            if last and len(d_h):
                d_h[-1] += d_finals[place]
            d_read, found = run_back(layer[direction], steps, d_h)
            d_x = d_x + d_read[::turn]
            gradients |= {f"layers.{number}.{direction}.{name}": value for name, value in found.items()}
        d_merged = d_x
    return d_merged, gradients


def pool(states, pooling):
    """Pool (T, H) to (H,); also returns d pooled / d states (T, H). No states pool to zeros."""
    if len(states) == 0:
        return np.zeros(states.shape[1]), np.zeros(states.shape)
    share = np.zeros(states.shape)
    if pooling == "max":
        share[states.argmax(axis=0), np.arange(states.shape[1])] = 1
    else:
        share[:] = 1 / len(states)
    return (states * share).sum(axis=0), share


def classifier(
    parameters, texts, targets, weights, *, pooling="max", merge="concatenate", word_masks=None, pooled_masks=None
):
    """Return loss, probabilities and all gradients of embedding ▶ recurrent layers ▶ pool ▶ softmax.

    Args:
        parameters: name to array, canonical shapes.
        texts: lists of token ids. targets: classes. weights: one per text.
        word_masks: token id to (E,), the same for all texts. pooled_masks: (B, F).

    Returns:
        loss ``-sum_b weights[b] log p_b[targets[b]] / B``, probabilities (B, C), gradients by name.
    """
    gradients = {name: np.zeros(np.shape(value)) for name, value in parameters.items()}
    probabilities, loss = [], 0.0
    for b, ids in enumerate(texts):
        ids = np.array(ids, dtype=int)
        mask = np.ones((len(ids), parameters["embedding"].shape[1]))
        for t, token_id in enumerate(ids):
            if word_masks is not None:
                mask[t] = word_masks[token_id]
        states, final, tape = encode(parameters, parameters["embedding"][ids] * mask, merge=merge)
        pooled, share = (final, None) if pooling == "last" else pool(states, pooling)
        pooled_mask = 1 if pooled_masks is None else pooled_masks[b]
        features = pooled * pooled_mask
        scores = parameters["head.weight"] @ features + parameters["head.bias"]
        p = np.exp(scores - scores.max())
        p /= p.sum()
        probabilities.append(p)
        loss -= weights[b] * np.log(p[targets[b]]) / len(texts)
        # backward
        d_scores = p.copy()
        d_scores[targets[b]] -= 1
        d_scores *= weights[b] / len(texts)
        gradients["head.weight"] += np.outer(d_scores, features)
        gradients["head.bias"] += d_scores
        d_pooled = (parameters["head.weight"].T @ d_scores) * pooled_mask
        d_states = np.zeros(states.shape) if pooling == "last" else d_pooled * share
        d_x, found = encode_back(tape, d_states, d_pooled if pooling == "last" else 0 * final, merge=merge)
        for name, gradient in found.items():
            gradients[name] += gradient
        for t, token_id in enumerate(ids):
            gradients["embedding"][token_id] += d_x[t] * mask[t]
    return loss, np.array(probabilities), gradients
