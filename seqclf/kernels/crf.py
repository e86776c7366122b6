"""A linear-chain conditional random field over a packed ragged batch: likelihood, gradients, marginals, best paths.

Source: Lafferty, McCallum & Pereira 2001; as the last layer of a net: Collobert et al. 2011 (section 3.3.2), Lample et
al. 2016 (section 2.2). A path y of a sequence of L tokens scores::

    score(y) = start[y_0] + sum_t e[t, y_t] + sum_(t>0) T[y_(t-1), y_t] + end[y_(L-1)]
    log Z    = log sum_y exp score(y)             loss = log Z - score(targets)
    alpha[t, j] = e[t, j] + log sum_i exp(alpha[t-1, i] + T[i, j])       alpha[0] = start + e[0]
    beta[t, i]  = log sum_j exp(T[i, j] + e[t+1, j] + beta[t+1, j])      beta[L-1] = end
    d_e[t, j]   = p(y_t = j) - [targets_t = j],   p(y_t = j) = exp(alpha[t, j] + beta[t, j] - log Z)

Row ``starts[t] + s`` is token t of sequence s, see ``lstm.py``; a sequence without tokens has no rows and no share in
anything. All sums are taken in float64 and in log space, whatever the arrays hold: a score may be as large as its dtype
allows, but must be finite. A sequence's sums are its own, so batch mates never change them.
"""

import math

import numpy as np

from wordvec.kernels.simd import kernel

# exp(T - its largest) is taken once, so that a step costs C exponentials and C² multiplications. What that rounds to
# zero (a path that is all but forbidden and yet the only one) is summed again in log space.
VANISHING = 1e-280
LARGEST_EXPONENT = 600.0


@kernel
def _length(starts, s):
    """Tokens of sequence s: the steps that have a row for it."""
    length = 0
    while length + 1 < starts.size and starts[length + 1] - starts[length] > s:
        length += 1
    return length


@kernel
def _largest(values):
    top = values[0]
    for k in range(1, values.size):
        top = max(top, values[k])
    return top


@kernel
def _log_sum_exp(values):
    """log sum exp of the few, finite ``values``."""
    top = _largest(values)
    total = 0.0
    for k in range(values.size):
        total += math.exp(values[k] - top)
    return top + math.log(total)


@kernel
def _add(alpha, beta, joint):
    """joint = alpha + beta, written. Returns its log sum exp: log Z as this token rounds it, so that the token's
    marginals sum to one however long the sequence."""
    for k in range(joint.size):
        joint[k] = alpha[k] + beta[k]
    return _log_sum_exp(joint)


@kernel
def _exponentials(transitions, scores, moves):
    """scores = transitions, in float64; moves = exp(scores - their largest), which is returned. All (C, C)."""
    classes = scores.shape[0]
    top = np.float64(transitions[0, 0])
    for i in range(classes):
        for j in range(classes):
            scores[i, j] = transitions[i, j]
            top = max(top, scores[i, j])
    for i in range(classes):
        for j in range(classes):
            moves[i, j] = math.exp(scores[i, j] - top)
    return top


@kernel
def _transpose(matrix, transposed):
    for i in range(matrix.shape[0]):
        for j in range(matrix.shape[0]):
            transposed[j, i] = matrix[i, j]


@kernel
def _pass_on(before, scores, moves, top, shifted, after):
    """after[j] = log sum_i exp(before[i] + scores[i, j]), ``moves`` being exp(scores - top); ``shifted``: scratch."""
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
                shifted[i] = before[i] + scores[i, j]
            after[j] = _log_sum_exp(shifted)


@kernel
def _alphas(emissions, starts, s, length, scores, moves, top, start, alpha, shifted):
    """alpha (at least L, C) float64 of sequence s, written."""
    classes = start.size
    for k in range(classes):
        alpha[0, k] = np.float64(start[k]) + emissions[starts[0] + s, k]
    for t in range(1, length):
        _pass_on(alpha[t - 1], scores, moves, top, shifted, alpha[t])
        for k in range(classes):
            alpha[t, k] += emissions[starts[t] + s, k]


@kernel
def _add_pair_marginals(before, after, scores, moves, top, log_z, weight, left, right, d_scores):
    """d_scores[i, j] += weight * exp(before[i] + scores[i, j] + after[j] - log_z); left and right (C,): scratch."""
    classes = before.size
    top_before, top_after = _largest(before), _largest(after)
    scale = top_before + top + top_after - log_z
    if scale > LARGEST_EXPONENT:
        for i in range(classes):
            for j in range(classes):
                d_scores[i, j] += weight * math.exp(before[i] + scores[i, j] + after[j] - log_z)
        return
    for k in range(classes):
        left[k] = weight * math.exp(before[k] - top_before + scale)
        right[k] = math.exp(after[k] - top_after)
    for i in range(classes):
        for j in range(classes):
            d_scores[i, j] += left[i] * right[j] * moves[i, j]


@kernel(allocates=True)
def crf_forward_backward(
    emissions, starts, transitions, start, end, targets, weights, first, last, losses, d_emissions, d_transitions,
    d_start, d_end,
):  # fmt: skip
    """Loss and gradients of ``sum_s weights[s] * -log p(targets of s)`` over the sequences ``first`` .. ``last``.

    Args:
        emissions: (R, C) scores. starts: (T + 1,) int64.
        transitions: (C, C), from the row's label to the column's. start, end: (C,).
        targets: (R,) int32, in packed order. weights: (B,) float64.
        losses: (B,) float64, written for these sequences: -log p(targets), not weighted; 0 without tokens.
        d_emissions: (R, C), written in the rows of these sequences.
        d_transitions: (C, C), d_start, d_end: (C,), float64, added to.
    """
    classes = start.size
    longest = _length(starts, first) if first < last else 0
    alpha = np.empty((max(longest, 1), classes))
    scores, moves = np.empty((classes, classes)), np.empty((classes, classes))
    back_scores, back_moves = np.empty((classes, classes)), np.empty((classes, classes))
    top = _exponentials(transitions, scores, moves)
    _transpose(scores, back_scores)
    _transpose(moves, back_moves)
    beta, ahead, joint = np.empty(classes), np.empty(classes), np.empty(classes)
    shifted, right = np.empty(classes), np.empty(classes)
    for s in range(first, last):
        length = _length(starts, s)
        losses[s] = 0.0
        if length == 0:
            continue
        weight = weights[s]
        _alphas(emissions, starts, s, length, scores, moves, top, start, alpha, shifted)
        for k in range(classes):
            beta[k] = np.float64(end[k])
        log_z = _add(alpha[length - 1], beta, joint)
        # The target path's own score.
        here = targets[starts[length - 1] + s]
        own = np.float64(end[here])
        d_end[here] -= weight
        for t in range(length - 1, -1, -1):
            row = starts[t] + s
            here = targets[row]
            own += np.float64(emissions[row, here])
            if t > 0:
                before = targets[starts[t - 1] + s]
                own += scores[before, here]
                d_transitions[before, here] -= weight
        own += np.float64(start[here])
        d_start[here] -= weight
        losses[s] = log_z - own
        # Backwards: beta, and what every sum over paths says of the scores in it.
        for t in range(length - 1, -1, -1):
            row = starts[t] + s
            if t < length - 1:
                for k in range(classes):
                    ahead[k] = emissions[starts[t + 1] + s, k] + beta[k]
                _pass_on(ahead, back_scores, back_moves, top, shifted, beta)
            log_z = _add(alpha[t], beta, joint)
            for k in range(classes):
                p = weight * math.exp(joint[k] - log_z)
                if t == length - 1:
                    d_end[k] += p
                if t == 0:
                    d_start[k] += p
                d_emissions[row, k] = p - weight if k == targets[row] else p
            if t < length - 1:
                _add_pair_marginals(alpha[t], ahead, scores, moves, top, log_z, weight, shifted, right, d_transitions)


@kernel(allocates=True)
def crf_marginals(emissions, starts, transitions, start, end, sequences, marginals):
    """marginals (R, C), written: p(label | all tokens) of every token of the first ``sequences`` sequences."""
    classes = start.size
    longest = _length(starts, 0)
    alpha = np.empty((max(longest, 1), classes))
    scores, moves = np.empty((classes, classes)), np.empty((classes, classes))
    back_scores, back_moves = np.empty((classes, classes)), np.empty((classes, classes))
    top = _exponentials(transitions, scores, moves)
    _transpose(scores, back_scores)
    _transpose(moves, back_moves)
    beta, ahead, joint, shifted = np.empty(classes), np.empty(classes), np.empty(classes), np.empty(classes)
    for s in range(sequences):
        length = _length(starts, s)
        if length == 0:
            continue
        _alphas(emissions, starts, s, length, scores, moves, top, start, alpha, shifted)
        for k in range(classes):
            beta[k] = np.float64(end[k])
        for t in range(length - 1, -1, -1):
            row = starts[t] + s
            log_z = _add(alpha[t], beta, joint)
            for k in range(classes):
                marginals[row, k] = math.exp(joint[k] - log_z)
                ahead[k] = emissions[row, k] + beta[k]
            if t > 0:
                _pass_on(ahead, back_scores, back_moves, top, shifted, beta)


@kernel(allocates=True)
def crf_viterbi(emissions, starts, transitions, start, end, sequences, labels, scores):
    """The best path of each of the first ``sequences`` sequences, in float64.

    Of equal paths: the lowest label at the last token, then the lowest at the one before it, and so on.

    Args:
        labels: (R,) int32, written.
        scores: (B,) float64, written: the paths' scores; 0 without tokens.
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
            best[k] = np.float64(start[k]) + emissions[starts[0] + s, k]
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
        label = 0
        for k in range(classes):
            best[k] += np.float64(end[k])
            if best[k] > best[label]:
                label = k
        scores[s] = best[label]
        for t in range(length - 1, -1, -1):
            labels[starts[t] + s] = label
            label = np.int64(came_from[t, label]) if t > 0 else label
