"""Candidates for the nearest rows of a direction, from rows rounded to eight bits: a quarter of the memory to read.

A unit row u is kept as s q, with whole numbers q from -127 to 127 and a scale s, and with the length e of the error
u - s q. A direction d of length 1 becomes t p, with whole numbers p of sixteen bits. The sums q . p are exact, and::

    | u . d  -  s q . t p |  <=  | u - s q | | d | + | s q | | d - t p |  <=  e + (1 + e) | d - t p |

A row whose upper bound is below the n-th largest lower bound is not among the n nearest; few remain, whose exact
scores decide. Rows lie in blocks of ``ROWS``, number by number in pairs, so that one sum is that of sixteen rows.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from wordvec.kernels.simd import JIT_OFF, Int, Lowering, kernel, prefetch_to_read, primitive

ROWS = 32
"""Rows of a block: two numbers of each are a cache line."""
AHEAD = 2
"""Blocks between the prefetched one and the one being multiplied."""

FAST = {"contract", "reassoc", "nnan", "nsz"}

if JIT_OFF:

    def block_products(blocks: np.ndarray, block: Int, direction: np.ndarray, products: np.ndarray) -> None:
        products[:] = np.einsum("prk,pk->r", blocks[block].astype(np.int32), direction.astype(np.int32))

else:

    @primitive
    def block_products(typingctx: Any, blocks: Any, block: Any, direction: Any, products: Any) -> Lowering:
        """Multiply the rows of one block of ``blocks`` (B, P, ROWS, 2) int8 by a ``direction`` (P, 2) int16, into
        ``products`` (ROWS,) int32. LLVM has one instruction for two products and their sum, where it exists."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            whole, number, pairs, sums = (
                context.make_array(kind)(context, builder, value) if isinstance(kind, types.Array) else value
                for kind, value in zip(signature.args, args, strict=True)
            )
            size = cgutils.unpack_tuple(builder, pairs.shape)[0]
            byte, int16, int32 = ir.IntType(8), ir.IntType(16), ir.IntType(32)
            sixteen, double = ir.VectorType(int32, 16), ir.VectorType(int32, 32)
            evens, odds = (ir.Constant(sixteen, list(range(k, 32, 2))) for k in (0, 1))
            zero = ir.Constant(int32, 0)

            def vector(data: Any, place: Any, kind: Any) -> Any:
                return builder.bitcast(builder.gep(data, [place]), kind.as_pointer())

            def times(value: Any, factor: int) -> Any:
                return builder.mul(value, ir.Constant(value.type, factor))

            totals = [cgutils.alloca_once(builder, sixteen) for _ in range(0, ROWS, 16)]
            for total in totals:
                builder.store(ir.Constant(sixteen, None), total)
            start = builder.mul(number, times(size, 2 * ROWS))
            with cgutils.for_range(builder, size) as loop:
                pair = builder.load(vector(pairs.data, times(loop.index, 2), int32), align=2)
                pair = builder.insert_element(ir.Constant(sixteen, ir.Undefined), pair, zero)
                pair = builder.shuffle_vector(pair, pair, ir.Constant(sixteen, [0] * 16))
                pair = builder.sext(builder.bitcast(pair, ir.VectorType(int16, 32)), double)
                for part, total in enumerate(totals):
                    place = builder.add(start, times(loop.index, 2 * ROWS))
                    place = builder.add(place, ir.Constant(place.type, 32 * part))
                    row = builder.load(vector(whole.data, place, ir.VectorType(byte, 32)), align=1)
                    product = builder.mul(builder.sext(row, double), pair)
                    halves = [builder.shuffle_vector(product, product, order) for order in (evens, odds)]
                    builder.store(builder.add(builder.load(total), builder.add(*halves)), total)
            for part, total in enumerate(totals):
                place = ir.Constant(int32, 16 * part)
                builder.store(builder.load(total), vector(sums.data, place, sixteen), align=4)
            return context.get_dummy_value()

        return types.void(blocks, types.intp, direction, products), codegen


@kernel(fastmath=FAST)
def round_rows(units: np.ndarray, blocks: np.ndarray, scales: np.ndarray, errors: np.ndarray) -> None:
    """Round rows to eight bits.

    Args:
        units: (R, D) float32.
        blocks: (B, P, ROWS, 2) int8, zeros, output: number 2 p + k of row ROWS b + r in ``[b, p, r, k]``.
        scales, errors: (R,) float32, output: s, and e or a little more.
    """
    width = units.shape[1]
    for r in range(units.shape[0]):
        row, block = units[r], blocks[r // ROWS]
        top = np.float32(0)
        for k in range(width):
            top = max(top, abs(row[k]))
        scale = top / np.float32(127)
        inverse = np.float32(1) / scale if scale > 0 else np.float32(0)
        total = 0.0
        for k in range(width):
            whole = np.int8(np.rint(row[k] * inverse))
            error = np.float64(row[k]) - np.float64(scale) * np.float64(whole)
            total += error * error
            block[k // 2, r % ROWS, k % 2] = whole
        scales[r], errors[r] = scale, np.float32(np.sqrt(total) * 1.0001)


@kernel(fastmath=FAST)
def candidates(
    blocks: np.ndarray, scales: np.ndarray, errors: np.ndarray, direction: np.ndarray, step: np.float32,
    slack: np.float32, excluded: np.ndarray, lowest: np.ndarray, highest: np.ndarray, found: np.ndarray,
    products: np.ndarray,
) -> int:  # fmt: skip
    """Find the rows that can be among the n nearest to a direction.

    Args:
        blocks, scales, errors: see ``round_rows``, with -inf as the errors of rows that only fill the last block.
        direction: (P, 2) int16: p. step: t. slack: a bound on all other errors of a score.
        excluded: rows to leave out.
        lowest: (n,) float32, scratch. highest: (C,) float32, scratch.
        found: (C,) int64, output: rows, ascending.
        products: (ROWS,) int32, scratch.

    Returns:
        Their number; -1 if C is too small.
    """
    count, last = 0, lowest.size - 1
    numbers, size = blocks.reshape(blocks.size), blocks[0].size
    for k in range(lowest.size):
        lowest[k] = -np.inf
    for block in range(blocks.shape[0]):
        for k in range((block + AHEAD) * size, min((block + AHEAD + 1) * size, numbers.size), 2 * ROWS):
            prefetch_to_read(numbers, k)
        block_products(blocks, block, direction, products)
        least, possible = lowest[last] - slack, 0
        for r in range(ROWS):  # counted, which LLVM vectorizes, unlike the largest
            row = block * ROWS + r
            possible += np.float32(products[r]) * (scales[row] * step) + errors[row] >= least
        if possible == 0:
            continue
        for r in range(ROWS):
            row = block * ROWS + r
            score, error = np.float32(products[r]) * (scales[row] * step), errors[row] + slack
            if score + error < lowest[last] or error < 0:
                continue
            is_excluded = False
            for other in excluded:
                is_excluded = is_excluded or other == row
            if is_excluded:
                continue
            if score - error > lowest[last]:
                at = last
                while at > 0 and lowest[at - 1] < score - error:
                    lowest[at] = lowest[at - 1]
                    at -= 1
                lowest[at] = score - error
            if count == found.size:
                count = _still_possible(highest, found, count, lowest[last])
                if count == found.size:
                    return -1
            highest[count], found[count] = score + error, row
            count += 1
    return _still_possible(highest, found, count, lowest[last])


@kernel
def _still_possible(highest: np.ndarray, found: np.ndarray, count: int, least: float) -> int:
    """Drop the rows whose upper bound is below ``least``; return how many are left."""
    kept = 0
    for j in range(count):
        if highest[j] >= least:
            highest[kept], found[kept] = highest[j], found[j]
            kept += 1
    return kept
