"""Linear-chain conditional random field over a packed batch: likelihood, gradients, marginals, Viterbi decoding.

Source: Lafferty, McCallum & Pereira 2001; as the last layer of a network: Collobert et al. 2011 (section 3.3.2), Lample
et al. 2016 (section 2.2). The score of a path y of a sequence of L tokens::

    score(y) = start[y_0] + sum_t e[t, y_t] + sum_(t>0) T[y_(t-1), y_t] + end[y_(L-1)]
    log Z    = log sum_y exp score(y)             loss = log Z - score(targets)
    d_e[t, j]   = p(y_t = j) - [targets_t = j]

Row ``starts[t] + s`` is token t of sequence s, see ``lstm.py``; an empty sequence has no rows and is ignored. The sums
over paths are in ``crf_scaled.py`` or, where scores differ by hundreds, in ``crf_log_space.py``, so scores may be
arbitrarily large but must be finite. Every array except labels and rows is float64, whatever the network's dtype:
labels are few, and one dtype compiles in half the time. Sums run over one sequence only, so results do not depend on
the batch.
"""

import numpy as np

from seqclf.kernels.crf_log_space import log_space_pass
from seqclf.kernels.crf_scaled import UNITS, in_reach, prepare, scaled_pass
from wordvec.kernels.simd import Sixteen, add, clamp, kernel, load, splat_as, store


@kernel(internal=True)
def _length(starts: np.ndarray, s: int) -> int:
    """Return the length of sequence s: the number of steps with a row for it."""
    length = 0
    while length + 1 < starts.size and starts[length + 1] - starts[length] > s:
        length += 1
    return length


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
    chain = prepare(transitions, start, end, longest)
    for s in range(first, last):
        length = _length(starts, s)
        losses[s] = 0.0
        if length == 0:
            continue
        weight = weights[s]
        if in_reach(chain, emissions, starts, s, length):
            log_z = scaled_pass(chain, length, weight, True)
        else:
            log_z = log_space_pass(
                emissions, starts, s, length, transitions, start, end, weight, chain.marginals, d_transitions
            )
        losses[s] = log_z - _target_score(
            emissions, starts, s, length, transitions, start, end, targets, weight, d_transitions, d_start, d_end
        )
        for t in range(length):
            row = starts[t] + s
            for k in range(classes):
                d_emissions[row, k] = weight * chain.marginals[t, k]
            d_emissions[row, targets[row]] -= weight
        for k in range(classes):
            d_start[k] += weight * chain.marginals[0, k]
            d_end[k] += weight * chain.marginals[length - 1, k]
    for i in range(classes):
        for j in range(classes):
            d_transitions[i, j] += chain.counts[i, j] * chain.moves[i, j]


@kernel(allocates=True)
def crf_marginals(
    emissions: np.ndarray, starts: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray,
    sequences: int, marginals: np.ndarray,
) -> None:  # fmt: skip
    """Compute marginals (R, C), p(label | all tokens), for every token of the first ``sequences`` sequences."""
    chain, unused = prepare(transitions, start, end, _length(starts, 0)), np.empty_like(transitions)
    for s in range(sequences):
        length = _length(starts, s)
        if length == 0:
            continue
        if in_reach(chain, emissions, starts, s, length):
            scaled_pass(chain, length, 0.0, False)
        else:
            log_space_pass(emissions, starts, s, length, transitions, start, end, 0.0, chain.marginals, unused)
        for t in range(length):
            for k in range(start.size):
                marginals[starts[t] + s, k] = chain.marginals[t, k]


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
    longest, width = max(_length(starts, 0), 1), (classes + UNITS - 1) // UNITS * UNITS
    moves, best = np.zeros((classes, width)), np.zeros((longest, width))
    for i in range(classes):
        for j in range(classes):
            moves[i, j] = transitions[i, j]
    for s in range(sequences):
        length = _length(starts, s)
        scores[s] = 0.0
        if length == 0:
            continue
        for k in range(classes):
            best[0, k] = start[k] + emissions[starts[0] + s, k]
        for t in range(1, length):
            for k in range(0, width, UNITS):
                store(best[t], k, _best_sums(best[t - 1], moves, k))
            for k in range(classes):
                best[t, k] += emissions[starts[t] + s, k]
        row, label = best[length - 1], 0
        for k in range(classes):
            row[k] += end[k]
            if row[k] > row[label]:
                label = k
        scores[s] = row[label]
        labels[starts[length - 1] + s] = label
        for t in range(length - 2, -1, -1):
            label = _best_before(best[t], transitions, label)
            labels[starts[t] + s] = label


@kernel(internal=True)
def _best_sums(values: np.ndarray, matrix: np.ndarray, column: int) -> Sixteen:
    """Return the largest values[i] + matrix[i] (C, W) over i, for sixteen columns from ``column`` on."""
    infinity = splat_as(load(values, 0), np.inf)
    top = add(splat_as(infinity, values[0]), load(matrix[0], column))
    for i in range(1, matrix.shape[0]):
        top = clamp(add(splat_as(infinity, values[i]), load(matrix[i], column)), top, infinity)
    return top


@kernel(internal=True)
def _best_before(values: np.ndarray, transitions: np.ndarray, label: int) -> int:
    """Return the first i with the largest values[i] + transitions[i, label], the same sums as in ``_best_sums``."""
    top, winner = values[0] + transitions[0, label], 0
    for i in range(1, transitions.shape[0]):
        score = values[i] + transitions[i, label]
        if score > top:
            top, winner = score, i
    return winner
