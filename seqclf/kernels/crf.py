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
from seqclf.kernels.crf_scaled import LANES, active_at, backward, forward, in_reach, prepare, read_group
from seqclf.kernels.panels import UNITS
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


@kernel(inline=True)
def _sum_over_paths(
    emissions: np.ndarray, starts: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray,
    weights: np.ndarray, first: int, last: int, log_z: np.ndarray, marginals: np.ndarray, d_transitions: np.ndarray,
) -> None:  # fmt: skip
    """Set ``log_z`` and the rows of ``marginals`` of the sequences ``first`` .. ``last``, and add the expected numbers
    of transitions, times ``weights``, to ``d_transitions``, unless there are no weights."""
    classes = start.size
    chain = prepare(transitions, start, end, _length(starts, first) if first < last else 0)
    for group in range(first, last, LANES):
        for s in range(group, min(group + LANES, last)):
            log_z[s] = 0.0
        count, length = active_at(0, starts, group, min(LANES, last - group)), _length(starts, group)
        if count == 0:
            continue
        read_group(chain, emissions, starts, group, count, length)
        forward(chain, starts, group, count, length, log_z)
        backward(chain, starts, group, count, length, weights, marginals)
        for lane in range(count):
            if in_reach(chain, lane):
                continue
            s = group + lane
            own = np.empty((_length(starts, s), classes))
            weight = weights[s] if weights.size else 0.0
            log_z[s] = log_space_pass(
                emissions, starts, s, len(own), transitions, start, end, weight, own, d_transitions
            )
            for t in range(len(own)):
                for k in range(classes):
                    marginals[starts[t] + s, k] = own[t, k]
    for i in range(classes):
        for j in range(classes):
            d_transitions[i, j] += chain.counts[i, j] * chain.moves[i, j]


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
    _sum_over_paths(
        emissions, starts, transitions, start, end, weights, first, last, losses, d_emissions, d_transitions
    )
    classes = start.size
    for s in range(first, last):
        length, weight = _length(starts, s), weights[s]
        if length == 0:
            continue
        losses[s] -= _target_score(
            emissions, starts, s, length, transitions, start, end, targets, weight, d_transitions, d_start, d_end
        )
        for t in range(length):
            row = starts[t] + s
            for k in range(classes):
                d_emissions[row, k] *= weight
            for k in range(classes if t == 0 else 0):
                d_start[k] += d_emissions[row, k]
            for k in range(classes if t == length - 1 else 0):
                d_end[k] += d_emissions[row, k]
            d_emissions[row, targets[row]] -= weight


@kernel(allocates=True)
def crf_marginals(
    emissions: np.ndarray, starts: np.ndarray, transitions: np.ndarray, start: np.ndarray, end: np.ndarray,
    sequences: int, marginals: np.ndarray,
) -> None:  # fmt: skip
    """Compute marginals (R, C), p(label | all tokens), for every token of the first ``sequences`` sequences."""
    _sum_over_paths(
        emissions, starts, transitions, start, end, np.empty(0), 0, sequences, np.empty(sequences),
        marginals, np.zeros_like(transitions),
    )  # fmt: skip


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
