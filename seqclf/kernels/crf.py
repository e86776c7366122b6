"""Linear-chain conditional random field over a packed batch: likelihood, gradients, marginals, Viterbi decoding.

Source: Lafferty, McCallum & Pereira 2001; as the last layer of a network: Collobert et al. 2011 (section 3.3.2), Lample
et al. 2016 (section 2.2). The score of a path y of a sequence of L tokens::

    score(y) = start[y_0] + sum_t e[t, y_t] + sum_(t>0) T[y_(t-1), y_t] + end[y_(L-1)]
    log Z    = log sum_y exp score(y)             loss = log Z - score(targets)
    alpha[t, j] = e[t, j] + log sum_i exp(alpha[t-1, i] + T[i, j])       alpha[0] = start + e[0]
    beta[t, i]  = log sum_j exp(T[i, j] + e[t+1, j] + beta[t+1, j])      beta[L-1] = end
    d_e[t, j]   = p(y_t = j) - [targets_t = j],   p(y_t = j) = exp(alpha[t, j] + beta[t, j] - log Z)

Row ``starts[t] + s`` is token t of sequence s, see ``lstm.py``; an empty sequence has no rows and is ignored. Sums are
computed in log space, so scores may be arbitrarily large but must be finite. Every array except labels and rows is
float64, whatever the network's dtype: labels are few, and one dtype compiles in half the time. Sums run over one
sequence only, so results do not depend on the batch.
"""

import math

import numpy as np

from wordvec.kernels.simd import Int, kernel

# exp(T - max T) is computed once, so that a step costs C exponentials and C² multiplications. Sums that underflow (an
# almost forbidden path that is nevertheless the only one) are recomputed in log space.
VANISHING = 1e-280
LARGEST_EXPONENT = 600.0


@kernel(internal=True)
def _length(starts: np.ndarray, s: int) -> int:
    """Return the length of sequence s: the number of steps with a row for it."""
    length = 0
    while length + 1 < starts.size and starts[length + 1] - starts[length] > s:
        length += 1
    return length


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


@kernel(internal=True)
def _target_score(
    emissions: np.ndarray, starts: np.ndarray, s: int, length: int, transitions: np.ndarray, start: np.ndarray,
    end: np.ndarray, targets: np.ndarray, weight: float, d_transitions: np.ndarray, d_start: np.ndarray,
    d_end: np.ndarray,
) -> float:  # fmt: skip
    """Return the score of the target path of sequence s; subtract ``weight`` from the gradient of each of its scores
    except the emissions."""
    here = targets[starts[0] + s]
    total = start[here] + emissions[starts[0] + s, here]
    d_start[here] -= weight
    for t in range(1, length):
        row, before = starts[t] + s, here
        here = targets[row]
        total += transitions[before, here] + emissions[row, here]
        d_transitions[before, here] -= weight
    d_end[here] -= weight
    score: float = total + end[here]
    return score


@kernel(allocates=True)
def crf_forward_backward(
    emissions: np.ndarray, starts: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray,
    targets: np.ndarray, weights: np.ndarray, first: int, last: int, losses: np.ndarray, d_emissions: np.ndarray,
    d_transitions: np.ndarray, d_start: np.ndarray, d_end: np.ndarray,
) -> None:  # fmt: skip
    """Compute loss and gradients of ``sum_s weights[s] * -log p(targets of s)`` for sequences ``first`` .. ``last``.

    Args:
        emissions: (R, C) scores. starts: (T + 1,) int64.
        transitions: (C, C), from the row's label to the column's. start, end: (C,).
        targets: (R,) int32, in packed order. weights: (B,).
        losses: (B,), output for these sequences: unweighted -log p(targets); 0 for an empty sequence.
        d_emissions: (R, C), output in the rows of these sequences.
        d_transitions: (C, C), d_start, d_end: (C,), accumulated.
    """
    classes = start.size
    longest = _length(starts, first) if first < last else 0
    alpha = np.empty((max(longest, 1), classes))
    squares, rows = np.empty((3, classes, classes)), np.empty((5, classes))
    moves, back_transitions, back_moves = squares[0], squares[1], squares[2]
    top = _exponentials(transitions, moves, back_transitions, back_moves)
    beta, ahead, shifted, spare, marginals = rows[0], rows[1], rows[2], rows[3], rows[4]
    for s in range(first, last):
        length = _length(starts, s)
        losses[s] = 0.0
        if length == 0:
            continue
        weight = weights[s]
        _alphas(emissions, starts, s, length, transitions, moves, top, start, alpha, shifted, spare)
        for k in range(classes):
            beta[k] = end[k]
        log_z = _marginals(alpha[length - 1], beta, marginals)
        losses[s] = log_z - _target_score(
            emissions, starts, s, length, transitions, start, end, targets, weight, d_transitions, d_start, d_end
        )
        # Backward recursion: beta, and the expected counts of emissions and transitions.
        for t in range(length - 1, -1, -1):
            row = starts[t] + s
            if t < length - 1:
                for k in range(classes):
                    ahead[k] = emissions[starts[t + 1] + s, k] + beta[k]
                most = _pass_on(ahead, back_transitions, back_moves, top, shifted, spare, beta)
                log_z = _marginals(alpha[t], beta, marginals)
                _add_pairs(alpha[t], ahead, shifted, most, transitions, moves, top, log_z, weight, spare, d_transitions)
            for k in range(classes):
                p = weight * marginals[k]
                if t == length - 1:
                    d_end[k] += p
                if t == 0:
                    d_start[k] += p
                d_emissions[row, k] = p - weight if k == targets[row] else p


@kernel(allocates=True)
def crf_marginals(
    emissions: np.ndarray, starts: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray,
    sequences: int, marginals: np.ndarray,
) -> None:  # fmt: skip
    """Compute marginals (R, C), p(label | all tokens), for every token of the first ``sequences`` sequences."""
    classes = start.size
    longest = _length(starts, 0)
    alpha = np.empty((max(longest, 1), classes))
    squares, rows = np.empty((3, classes, classes)), np.empty((5, classes))
    moves, back_transitions, back_moves = squares[0], squares[1], squares[2]
    top = _exponentials(transitions, moves, back_transitions, back_moves)
    beta, ahead, shifted, spare = rows[0], rows[1], rows[2], rows[3]
    for s in range(sequences):
        length = _length(starts, s)
        if length == 0:
            continue
        _alphas(emissions, starts, s, length, transitions, moves, top, start, alpha, shifted, spare)
        for k in range(classes):
            beta[k] = end[k]
        for t in range(length - 1, -1, -1):
            row = starts[t] + s
            _marginals(alpha[t], beta, marginals[row])
            for k in range(classes):
                ahead[k] = emissions[row, k] + beta[k]
            if t > 0:
                _pass_on(ahead, back_transitions, back_moves, top, shifted, spare, beta)


@kernel(allocates=True)
def crf_viterbi(
    emissions: np.ndarray, starts: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray,
    sequences: int, labels: np.ndarray, scores: np.ndarray,
) -> None:  # fmt: skip
    """Find the best path of each of the first ``sequences`` sequences.

    Ties are resolved by the lowest label at the last token, then at the token before it, and so on.

    Args:
        labels: (R,) int32, output.
        scores: (B,), output: path scores; 0 for an empty sequence.
    """
    classes = start.size
    longest = _length(starts, 0)
    came_from = np.empty((max(longest, 1), classes), dtype=np.int32)
    best, following = np.empty(classes), np.empty(classes)
    for s in range(sequences):
        length = _length(starts, s)
        scores[s] = 0.0
        if length == 0:
            continue
        for k in range(classes):
            best[k] = start[k] + emissions[starts[0] + s, k]
        for t in range(1, length):
            row = starts[t] + s
            for j in range(classes):
                top, winner = best[0] + transitions[0, j], 0
                for i in range(1, classes):
                    score = best[i] + transitions[i, j]
                    if score > top:
                        top, winner = score, i
                following[j] = top + emissions[row, j]
                came_from[t, j] = winner
            for k in range(classes):
                best[k] = following[k]
        label: Int = 0
        for k in range(classes):
            best[k] += end[k]
            if best[k] > best[label]:
                label = k
        scores[s] = best[label]
        for t in range(length - 1, -1, -1):
            labels[starts[t] + s] = label
            label = np.int64(came_from[t, label]) if t > 0 else label
