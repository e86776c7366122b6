"""Linear-chain conditional random field in log space: exact for scores of any finite size; see ``crf.py``.

alpha[t, j] = e[t, j] + log sum_i exp(alpha[t-1, i] + T[i, j])       alpha[0] = start + e[0]
beta[t, i]  = log sum_j exp(T[i, j] + e[t+1, j] + beta[t+1, j])      beta[L-1] = end
p(y_t = j)  = exp(alpha[t, j] + beta[t, j] - log Z)
"""

import math

import numpy as np

from wordvec.kernels.simd import kernel

# exp(T - max T) is computed once, so that a step costs C exponentials and C² multiplications. Sums that underflow (an
# almost forbidden path that is nevertheless the only one) are recomputed in log space.
VANISHING = 1e-280
LARGEST_EXPONENT = 600.0


@kernel(internal=True)
def _largest(values: np.ndarray) -> float:
    top: float = values[0]
    for k in range(1, values.size):
        top = max(top, values[k])
    return top


@kernel(internal=True)
def _log_sum_exp(values: np.ndarray) -> float:
    """Return log sum exp of the finite ``values``."""
    top = _largest(values)
    total = 0.0
    for k in range(values.size):
        total += math.exp(values[k] - top)
    return top + math.log(total)


@kernel(internal=True)
def _marginals(alpha: np.ndarray, beta: np.ndarray, marginals: np.ndarray) -> float:
    """Set marginals (C,) to exp(alpha + beta - log Z) and return log Z as computed at this token, so that its marginals
    sum to one however long the sequence."""
    for k in range(marginals.size):
        marginals[k] = alpha[k] + beta[k]
    top, total = _largest(marginals), 0.0
    for k in range(marginals.size):
        marginals[k] = math.exp(marginals[k] - top)
        total += marginals[k]
    for k in range(marginals.size):
        marginals[k] /= total
    return top + math.log(total)


@kernel(internal=True)
def _exponentials(scores: np.ndarray, moves: np.ndarray, back_scores: np.ndarray, back_moves: np.ndarray) -> float:
    """Set moves = exp(scores - max scores) and the transposes back_*; return max scores. All (C, C)."""
    classes = scores.shape[0]
    top: float = scores[0, 0]
    for i in range(classes):
        top = max(top, _largest(scores[i]))
    for i in range(classes):
        for j in range(classes):
            moves[i, j] = back_moves[j, i] = math.exp(scores[i, j] - top)
            back_scores[j, i] = scores[i, j]
    return top


@kernel(internal=True)
def _pass_on(
    before: np.ndarray, scores: np.ndarray, moves: np.ndarray, top: float, shifted: np.ndarray, spare: np.ndarray,
    after: np.ndarray,
) -> float:  # fmt: skip
    """Set after[j] = log sum_i exp(before[i] + scores[i, j]), given ``moves`` = exp(scores - top); return max before.

    ``shifted``, output: exp(before - max before). ``spare``: scratch.
    """
    classes = before.size
    most = _largest(before)
    for k in range(classes):
        shifted[k] = math.exp(before[k] - most)
        after[k] = 0.0
    for i in range(classes):
        for j in range(classes):
            after[j] += shifted[i] * moves[i, j]
    for j in range(classes):
        if after[j] > VANISHING:
            after[j] = most + top + math.log(after[j])
        else:
            for i in range(classes):
                spare[i] = before[i] + scores[i, j]
            after[j] = _log_sum_exp(spare)
    return most


@kernel(internal=True)
def _alphas(
    emissions: np.ndarray, starts: np.ndarray, s: int, length: int, transitions: np.ndarray, moves: np.ndarray,
    top: float, start: np.ndarray, alpha: np.ndarray, shifted: np.ndarray, spare: np.ndarray,
) -> None:  # fmt: skip
    """Compute alpha (at least L, C) float64 of sequence s."""
    classes = start.size
    for k in range(classes):
        alpha[0, k] = start[k] + emissions[starts[0] + s, k]
    for t in range(1, length):
        _pass_on(alpha[t - 1], transitions, moves, top, shifted, spare, alpha[t])
        for k in range(classes):
            alpha[t, k] += emissions[starts[t] + s, k]


@kernel(internal=True)
def _add_pairs(
    before: np.ndarray, after: np.ndarray, shifted: np.ndarray, most: float, scores: np.ndarray, moves: np.ndarray,
    top: float, log_z: float, weight: float, spare: np.ndarray, d_scores: np.ndarray,
) -> None:  # fmt: skip
    """Add weight * exp(before[i] + scores[i, j] + after[j] - log_z) to d_scores[i, j].

    ``shifted`` is exp(after - most), ``moves`` exp(scores - top); ``spare``: scratch.
    """
    classes = before.size
    most_before = _largest(before)
    scale = most_before + top + most - log_z
    if scale > LARGEST_EXPONENT:
        for i in range(classes):
            for j in range(classes):
                d_scores[i, j] += weight * math.exp(before[i] + scores[i, j] + after[j] - log_z)
        return
    for i in range(classes):
        spare[i] = weight * math.exp(before[i] - most_before + scale)
    for i in range(classes):
        for j in range(classes):
            d_scores[i, j] += spare[i] * shifted[j] * moves[i, j]


@kernel(allocates=True)
def log_space_pass(
    emissions: np.ndarray, starts: np.ndarray, s: int, length: int, transitions: np.ndarray, start: np.ndarray,
    end: np.ndarray, weight: float, marginals: np.ndarray, d_transitions: np.ndarray,
) -> float:  # fmt: skip
    """Return log Z of sequence s, of at least one token; set the first C columns of its ``marginals`` (at least L, .).

    ``weight`` times the expected number of each transition is added to d_transitions (C, C).
    """
    classes = start.size
    alpha, squares, rows = np.empty((length, classes)), np.empty((3, classes, classes)), np.empty((4, classes))
    moves, back_transitions, back_moves = squares[0], squares[1], squares[2]
    top = _exponentials(transitions, moves, back_transitions, back_moves)
    beta, ahead, shifted, spare = rows[0], rows[1], rows[2], rows[3]
    _alphas(emissions, starts, s, length, transitions, moves, top, start, alpha, shifted, spare)
    for k in range(classes):
        beta[k] = end[k]
    whole: float = _marginals(alpha[length - 1], beta, marginals[length - 1, :classes])
    for t in range(length - 2, -1, -1):
        for k in range(classes):
            ahead[k] = emissions[starts[t + 1] + s, k] + beta[k]
        most = _pass_on(ahead, back_transitions, back_moves, top, shifted, spare, beta)
        log_z = _marginals(alpha[t], beta, marginals[t, :classes])
        _add_pairs(alpha[t], ahead, shifted, most, transitions, moves, top, log_z, weight, spare, d_transitions)
    return whole
