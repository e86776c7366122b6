"""Loss and gradients of the softmax over a large vocabulary: three products that skip the columns dropout has zeroed.

For states x (R, F), word weights W (V, F) and biases b, with share_r = weight_r / R::

    s = x · Wᵀ + b        p = softmax(s)        loss = -sum_r share_r log p_r[target_r]
    d_s = share (p - onehot(target))     d_x = d_s · W     d_W = d_sᵀ · x     d_b = sum_r d_s

Label smoothing (Szegedy et al. 2016, section 7) replaces onehot by (1 - smoothing) onehot + smoothing / V.

Rows are processed in groups of 32, the *lanes* of all arrays, which share their nonzero columns: locked dropout (Gal &
Ghahramani 2016) zeroes the same columns of all states of a sequence. Scores are (G, V, 32), group by group, and stay
e = exp(s - max): the factors share / sum(e) multiply x and d_x instead, and the targets' part of d_s, which concerns
one word per row, is subtracted at the end.

The order of each sum depends on neither other rows nor the number of threads: threads split the groups, for d_W and d_b
the words.
"""

import math
from typing import NamedTuple

import numpy as np

from seqclf.kernels.activations import exponential
from seqclf.kernels.chosen import LANES, multiply_chosen
from seqclf.kernels.panels import UNITS
from seqclf.kernels.turning import turn_square
from wordvec.kernels.simd import add, clamp, kernel, load, multiply, multiply_add, splat, store, subtract

NEAR_WORDS = 96
"""Words whose weights stay in the L2 cache during the loop over groups."""
RUN = 4
"""Groups whose product with the same columns of x is one, so that sums stay in registers for longer."""
STRETCH = 32
"""Words per partial sum."""


class Groups(NamedTuple):
    """Rows by group and lane, and each group's columns. All lists are int64."""

    rows: np.ndarray  # (32 G,) the row of each lane, -1 for none
    bounds: np.ndarray  # (G + 1,)
    columns: np.ndarray  # group g's: columns[bounds[g] : bounds[g + 1]]; the last one is F, of ones for the biases
    offsets: np.ndarray  # 32 times the columns
    words: np.ndarray  # (NEAR_WORDS,) F times 0, 1, 2 ...: offsets of words in the weights
    steps: np.ndarray  # (at least NEAR_WORDS and F + 1,) 32 times 0, 1, 2 ...
    alike: np.ndarray  # (G,) bool, whether the next group has the same columns
    runs: np.ndarray  # (N + 1,) bounds of runs of at most ``RUN`` groups with the same columns


@kernel(inline=True)
def _together(groups: Groups, g: int, last: int) -> int:
    """Return how many groups from g on are multiplied together: two with the same columns, or one."""
    return 2 if g + 1 < last and groups.alike[g] else 1


@kernel
def output_pack(states: np.ndarray, groups: Groups, packed: np.ndarray) -> None:
    """Set packed (columns.size * 32,) to the groups' columns of the states (R, F), and to 1 where a column is F."""
    width = states.shape[1]
    for g in range(groups.bounds.size - 1):
        for lane in range(LANES):
            row = groups.rows[g * LANES + lane]
            for k in range(groups.bounds[g], groups.bounds[g + 1]):
                column = groups.columns[k]
                value = np.float32(0)
                if row >= 0:
                    value = states[row, column] if column < width else np.float32(1)
                packed[k * LANES + lane] = value


@kernel(inline=True)
def _ahead(groups: Groups, g: int, near: int, words: int, first: int, last: int) -> tuple[int, int, int]:
    """Return where the scores are that are used next, those of group g and of the words from ``near`` on, or, if g is
    ``last``, of the following words of group ``first``; how many cache lines they take, and how far on those of the
    second of two groups are."""
    if g == last:
        g, near = first, near + NEAR_WORDS
    count, apart = max(min(NEAR_WORDS, words - near), 0), (_together(groups, g, last) - 1) * words * LANES
    return (g * words + near) * LANES, count * (LANES // UNITS), apart


@kernel(inline=True)
def _score(
    product: int, packed: np.ndarray, groups: Groups, weight: np.ndarray, bias: np.ndarray, g: int, size: int,
    near: int, scores: np.ndarray, start: int, apart: int, ahead: int, lines: int, ahead_apart: int,
) -> None:  # fmt: skip
    """Compute the scores of group g, or of two from g on, for at most ``NEAR_WORDS`` words from ``near`` on; those of
    the first are at ``start``, those of the second ``apart`` further on. ``ahead``: see ``_ahead``."""
    begin, end = groups.bounds[g], groups.bounds[g + 1] - 1
    width, count = weight.size // bias.size, min(NEAR_WORDS, bias.size - near)
    for i in range(size):
        for v in range(count):
            own, at = splat(bias[near + v]), start + i * apart + v * LANES
            store(scores, at, own)
            store(scores, at + UNITS, own)
    multiply_chosen(
        product, weight, near * width, groups.words, groups.columns[begin:end], packed, begin * LANES, LANES,
        scores, start, groups.steps, end - begin, count, (size - 1) * (end + 1 - begin) * LANES, apart,
        scores, ahead, lines, ahead_apart,
    )  # fmt: skip


@kernel
def output_group_scores(
    product: int, packed: np.ndarray, groups: Groups, weight: np.ndarray, bias: np.ndarray, scores: np.ndarray,
    first: int, last: int,
) -> None:  # fmt: skip
    """Compute the scores of the groups ``first`` .. ``last``.

    Args:
        product: address returned by ``chosen_product``.
        packed: as ``output_pack`` writes it.
        weight: (V * F,). bias: (V,).
        scores: flat (G, V, 32), output.
    """
    words = bias.size
    for near in range(0, words, NEAR_WORDS):
        g = first
        while g < last:
            size, at = _together(groups, g, last), (g * words + near) * LANES
            ahead, lines, apart = _ahead(groups, g + size, near, words, first, last)
            _score(
                product, packed, groups, weight, bias, g, size, near, scores, at, words * LANES, ahead, lines, apart
            )  # fmt: skip
            g += size


LEAST = np.float32(-3e38)
"""Below every score."""


@kernel
def output_group_losses(
    product: int, packed: np.ndarray, groups: Groups, weight: np.ndarray, bias: np.ndarray, targets: np.ndarray,
    losses: np.ndarray, scores: np.ndarray, tops: np.ndarray, totals: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Compute -log p[target] of the rows of the groups ``first`` .. ``last``, without holding all scores.

    The sum of exp(s - top), where top is the largest score so far, is multiplied by exp(top - new top) when that grows
    (Milakov & Gimelshein 2018, arXiv 1805.02867).

    Args:
        product, packed, weight, bias: as for ``output_group_scores``.
        targets: (R,) int32. losses: (R,) float64, output.
        scores: (2 * NEAR_WORDS * 32,), tops and totals: (32 G,) float32, scratch; ``scores`` is private to the thread.
    """
    words, infinity = bias.size, splat(np.float32(np.inf))
    for k in range(first * LANES, last * LANES, UNITS):
        store(tops, k, splat(LEAST))
        store(totals, k, splat(np.float32(0)))
    for near in range(0, words, NEAR_WORDS):
        count = min(NEAR_WORDS, words - near)
        g = first
        while g < last:
            size = _together(groups, g, last)
            _score(product, packed, groups, weight, bias, g, size, near, scores, 0, NEAR_WORDS * LANES, 0, 0, 0)
            for part in range(0, size * LANES, UNITS):
                start, to = part // LANES * NEAR_WORDS * LANES + part % LANES, g * LANES + part
                before = top = load(tops, to)
                for k in range(start, start + count * LANES, LANES):
                    top = clamp(load(scores, k), top, infinity)
                total = multiply(load(totals, to), exponential(subtract(before, top)))
                for k in range(start, start + count * LANES, LANES):
                    total = add(total, exponential(subtract(load(scores, k), top)))
                store(tops, to, top)
                store(totals, to, total)
            for lane in range(size * LANES):
                row = groups.rows[g * LANES + lane]
                if row >= 0 and near <= targets[row] < near + count:
                    word = lane // LANES * NEAR_WORDS + np.int64(targets[row]) - near
                    losses[row] = -np.float64(scores[word * LANES + lane % LANES])
            g += size
    for k in range(first * LANES, last * LANES):
        row = groups.rows[k]
        if row >= 0:
            losses[row] += np.float64(tops[k]) + math.log(np.float64(totals[k]))


@kernel
def _subtract_means(
    scores: np.ndarray, start: int, words: int, share: float, rows: np.ndarray, losses: np.ndarray, part: np.ndarray
) -> None:
    """Subtract ``share`` times the mean score of each lane from its row's loss; ``part``: (32,) float32."""
    for near in range(0, words, STRETCH):
        part0 = part1 = splat(np.float32(0))
        for v in range(near, min(near + STRETCH, words)):
            part0 = add(part0, load(scores, start + v * LANES))
            part1 = add(part1, load(scores, start + v * LANES + UNITS))
        store(part, 0, part0)
        store(part, UNITS, part1)
        for lane in range(LANES):
            if rows[lane] >= 0:
                losses[rows[lane]] -= share / words * np.float64(part[lane])


@kernel
def output_exponentials(
    scores: np.ndarray, packed: np.ndarray, groups: Groups, words: int, targets: np.ndarray, shares: np.ndarray,
    smoothing: np.float32, losses: np.ndarray, factors: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Convert the scores of the groups ``first`` .. ``last`` to e, and multiply their ``packed`` by the factors.

    Args:
        scores: as computed by ``output_group_scores``; with smoothing, ``smoothing * sum(e) / V`` is subtracted from e.
        targets: (R,) int32. shares: (R,) float32, loss weight of a row.
        smoothing: float32, the share of the target distribution that is uniform.
        losses: (R,) float64, output: unweighted -log p[target], or the smoothed loss.
        factors: (32 G,) float32, output: share / sum(e), 0 for a lane without a row.
    """
    infinity, kept = splat(np.float32(np.inf)), np.float64(1) - np.float64(smoothing)
    for g in range(first, last):
        start, end, own = g * words * LANES, (g + 1) * words * LANES, g * LANES
        rows = groups.rows[own : own + LANES]
        top0, top1 = load(scores, start), load(scores, start + UNITS)
        for k in range(start + LANES, end, LANES):
            top0 = clamp(load(scores, k), top0, infinity)
            top1 = clamp(load(scores, k + UNITS), top1, infinity)
        store(factors, own, top0)
        store(factors, own + UNITS, top1)
        for lane in range(LANES):
            if rows[lane] >= 0:
                score = scores[start + np.int64(targets[rows[lane]]) * LANES + lane]
                losses[rows[lane]] = np.float64(factors[own + lane]) - kept * np.float64(score)
        if smoothing > 0:
            _subtract_means(scores, start, words, np.float64(smoothing), rows, losses, factors[own : own + LANES])
        total0 = total1 = splat(np.float32(0))
        for near in range(start, end, STRETCH * LANES):
            part0 = part1 = splat(np.float32(0))
            for k in range(near, min(near + STRETCH * LANES, end), LANES):
                e0 = exponential(subtract(load(scores, k), top0))
                e1 = exponential(subtract(load(scores, k + UNITS), top1))
                store(scores, k, e0)
                store(scores, k + UNITS, e1)
                part0, part1 = add(part0, e0), add(part1, e1)
            total0, total1 = add(total0, part0), add(total1, part1)
        store(factors, own, total0)
        store(factors, own + UNITS, total1)
        if smoothing > 0:
            uniform = splat(smoothing / np.float32(words))
            even0, even1 = multiply(total0, uniform), multiply(total1, uniform)
            for k in range(start, end, LANES):
                store(scores, k, subtract(load(scores, k), even0))
                store(scores, k + UNITS, subtract(load(scores, k + UNITS), even1))
        for lane in range(LANES):
            whole, row = factors[own + lane], rows[lane]
            factors[own + lane] = 0
            if row >= 0:
                losses[row] += math.log(np.float64(whole))
                factors[own + lane] = shares[row] / whole
        factor0, factor1 = load(factors, own), load(factors, own + UNITS)
        for k in range(groups.bounds[g] * LANES, groups.bounds[g + 1] * LANES, LANES):
            store(packed, k, multiply(load(packed, k), factor0))
            store(packed, k + UNITS, multiply(load(packed, k + UNITS), factor1))


@kernel
def output_d_states(
    product: int, scores: np.ndarray, groups: Groups, weight: np.ndarray, words: int, targets: np.ndarray,
    shares: np.ndarray, smoothing: np.float32, factors: np.ndarray, d_packed: np.ndarray, d_states: np.ndarray,
    first: int, last: int,
) -> None:  # fmt: skip
    """Set d_states (R, F) = d_s · W for the rows of the groups ``first`` .. ``last``; 0 in columns that they lack.

    ``scores`` and ``factors`` are as left by ``output_exponentials``; ``d_packed`` (columns.size * 32,) is scratch.
    """
    width = d_states.shape[1]
    for k in range(groups.bounds[first] * LANES, groups.bounds[last] * LANES, UNITS):
        store(d_packed, k, splat(np.float32(0)))
    for near in range(0, words, NEAR_WORDS):
        g = first
        while g < last:
            size, begin, end = _together(groups, g, last), groups.bounds[g], groups.bounds[g + 1] - 1
            ahead, lines, apart = _ahead(groups, g + size, near, words, first, last)
            multiply_chosen(
                product, weight, near * width, groups.columns[begin:end], groups.words, scores,
                (g * words + near) * LANES, LANES, d_packed, begin * LANES, groups.steps, min(NEAR_WORDS, words - near),
                end - begin, (size - 1) * words * LANES, (end + 1 - begin) * LANES,
                scores, ahead, lines, apart,
            )  # fmt: skip
            g += size
    for g in range(first, last):
        for lane in range(LANES):
            row = groups.rows[g * LANES + lane]
            if row < 0:
                continue
            factor, share = factors[g * LANES + lane], shares[row] * (np.float32(1) - smoothing)
            target = np.int64(targets[row]) * width
            for column in range(width):
                d_states[row, column] = 0
            for k in range(groups.bounds[g], groups.bounds[g + 1] - 1):
                column = groups.columns[k]
                d_states[row, column] = factor * d_packed[k * LANES + lane] - share * weight[target + column]


@kernel
def output_d_weight(
    product: int, scores: np.ndarray, packed: np.ndarray, groups: Groups, words: int, sums: np.ndarray,
    squares: np.ndarray, lanes: np.ndarray, d_weight: np.ndarray, d_bias: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Add d_sᵀ · x to d_weight (V * F,) and the sums of d_s to d_bias (V,), for the words ``first`` .. ``last``, but
    for the targets' part.

    Args:
        scores: as left by ``output_exponentials``, followed by room for 32 words.
        packed: x times the factors.
        sums: (2 * (F + 1) * 32,), squares: (2 * RUN * 32 * 32,), lanes: (RUN * 32,) int64, private to the thread.
        first: a multiple of 32. last: a multiple of 32 or V.
    """
    width = d_weight.size // words
    square, block = squares.size // 2, (width + 1) * LANES
    for v in range(first, last, 2 * LANES):
        count = 2 if v + LANES < last else 1
        for k in range(0, count * block, UNITS):
            store(sums, k, splat(np.float32(0)))
        for r in range(groups.runs.size - 1):
            begin, end = groups.bounds[groups.runs[r]], groups.bounds[groups.runs[r] + 1]
            depth = 0
            for g in range(groups.runs[r], groups.runs[r + 1]):
                for part in range(count):
                    at, to = (g * words + v + part * LANES) * LANES, part * square + depth * LANES
                    for i in range(0, LANES, UNITS):
                        for j in range(0, LANES, UNITS):
                            turn_square(scores, at + i * LANES + j, LANES, squares, to + j * LANES + i, LANES)
                for lane in range(LANES):
                    lanes[depth + lane] = (groups.bounds[g] - begin) * LANES + lane
                depth += LANES
            # The scores of the next run's first group are fetched meanwhile, or of the first run's for the next words.
            g, word = (groups.runs[r + 1], v) if r + 2 < groups.runs.size else (0, v + 2 * LANES)
            lines = max(min(2 * LANES, last - word), 0) * (LANES // UNITS)
            multiply_chosen(
                product, packed, begin * LANES, groups.steps, lanes, squares, 0, LANES, sums, 0,
                groups.offsets[begin:end], depth, end - begin, (count - 1) * square, block,
                scores, (g * words + word) * LANES, lines, 0,
            )  # fmt: skip
        for part in range(count):
            own, word = part * block, v + part * LANES
            live = min(LANES, last - word)
            for w in range(live):
                d_bias[word + w] += sums[own + width * LANES + w]
            for i in range(0, live, UNITS):
                for k in range(0, width, UNITS):
                    turn_square(sums, own + k * LANES + i, LANES, squares, 0, UNITS)
                    for w in range(min(UNITS, live - i)):
                        at = (word + i + w) * width + k
                        store(d_weight, at, add(load(d_weight, at), load(squares, w * UNITS)))


@kernel
def output_subtract_targets(
    states: np.ndarray, targets: np.ndarray, shares: np.ndarray, smoothing: np.float32, d_weight: np.ndarray,
    d_bias: np.ndarray,
) -> None:  # fmt: skip
    """Add the targets' part of all rows to d_weight (V * F,) and d_bias (V,): -share (1 - smoothing) x."""
    rows, width = states.shape
    flat = states.reshape(states.size)
    for row in range(rows):
        share = shares[row] * (np.float32(1) - smoothing)
        d_bias[targets[row]] -= share
        factor, target = splat(-share), np.int64(targets[row]) * width
        for k in range(0, width, UNITS):
            at = target + k
            store(d_weight, at, multiply_add(factor, load(flat, row * width + k), load(d_weight, at)))
