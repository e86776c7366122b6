"""Transposed matrices, in squares of 16 x 16 numbers: read and written row by row, transposed in registers.

Products read the transpose of a matrix instead of its columns: strided reads cause conflict misses in the L1 cache, and
take nearly twice as long.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from wordvec.kernels.simd import JIT_OFF, WIDTH, Lowering, has_long_registers, kernel, primitive

SQUARE = 16 if has_long_registers() else 8
"""Rows of a square that is transposed in registers."""


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """Emit the transposition of ``SQUARE`` vectors of as many numbers (Eklundh 1972).

    Each step exchanges one bit of the row's number with that of the column's. Its shuffles are single instructions on
    x86, unlike perfect shuffles, which LLVM turns into four times the code where registers are short.
    """
    kind, places = ir.VectorType(ir.IntType(32), SQUARE), range(SQUARE)
    for bit in (1 << k for k in range(SQUARE.bit_length() - 1)):
        upper = ir.Constant(kind, [SQUARE + c - bit if c & bit else c for c in places])
        lower = ir.Constant(kind, [SQUARE + c if c & bit else c + bit for c in places])
        pairs = [(rows[r & ~bit], rows[r | bit], lower if r & bit else upper) for r in places]
        rows = [builder.shuffle_vector(*pair) for pair in pairs]
    return rows


if JIT_OFF:

    def turn_square(
        values: np.ndarray, first: int, step: int, turned: np.ndarray, turned_first: int, turned_step: int
    ) -> None:
        places = np.arange(WIDTH)
        found = values[first + places[:, None] * step + places]
        turned[turned_first + places[:, None] * turned_step + places] = found.T

else:

    @primitive
    def turn_square(
        typingctx: Any, values: Any, first: Any, step: Any, turned: Any, turned_first: Any, turned_step: Any
    ) -> Lowering:
        """Transpose 16 x 16 numbers: turned[turned_first + j turned_step + i] = values[first + i step + j]."""
        number = types.intp
        signature = types.void(values, number, number, turned, number, number)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            def rows(place: int, row: int, column: int) -> list[Any]:
                """Return pointers to the rows of a square."""
                data = context.make_array(signature.args[place])(context, builder, args[place]).data
                first, step = args[place + 1], args[place + 2]
                vector, found = ir.VectorType(data.type.pointee, SQUARE).as_pointer(), []
                for i in range(row, row + SQUARE):
                    start = builder.add(first, builder.add(builder.mul(step, step.type(i)), step.type(column)))
                    found.append(builder.bitcast(builder.gep(data, [start]), vector))
                return found

            for i in range(0, WIDTH, SQUARE):
                for j in range(0, WIDTH, SQUARE):
                    values = [builder.load(row, align=4) for row in rows(0, i, j)]
                    for row, value in zip(rows(3, j, i), _turned(builder, values), strict=True):
                        builder.store(value, row, align=4)
            return context.get_dummy_value()

        return signature, codegen


@kernel
def turn(a: np.ndarray, first: int, rows: int, column: int, turned: np.ndarray, to: int) -> None:
    """Set turned[k, to + r] to a[first + r, column + k], for r in 0 .. rows - 1 and all k of ``turned``."""
    depth, width, length = turned.shape[0], a.shape[1], turned.shape[1]
    source, target = a.reshape(a.size), turned.reshape(turned.size)
    squares = depth // WIDTH * WIDTH if rows >= WIDTH else 0
    for block in range((rows + WIDTH - 1) // WIDTH):
        top = min(block * WIDTH, rows - WIDTH)  # the last square overlaps the one before
        for k in range(0, squares, WIDTH):
            turn_square(source, (first + top) * width + column + k, width, target, k * length + to + top, length)
    for k in range(squares, depth):
        for r in range(rows):
            turned[k, to + r] = a[first + r, column + k]


@kernel
def transpose(weights: np.ndarray, transposed: np.ndarray) -> None:
    """Transpose panels of weights (V, K, 16) to transposed (K / 16, 16 V, 16), the panels of the transposed matrix."""
    panels, depth, _ = weights.shape
    source, target = weights.reshape(weights.size), transposed.reshape(transposed.size)
    for v in range(panels):
        for q in range(depth // WIDTH):
            from_row, to_row = v * depth + q * WIDTH, (q * panels + v) * WIDTH
            turn_square(source, from_row * WIDTH, WIDTH, target, to_row * WIDTH, WIDTH)
