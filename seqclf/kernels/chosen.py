"""Matrix products that read and write chosen rows and columns, 32 columns of the result at once.

    out[out_rows[t] : + 32] += sum_k a[a_rows[t] + a_columns[k]] * b[k * b_step : + 32]

and the same with 32 columns further on, if asked for both. Lists of offsets choose the elements of A and the rows of
the result, so that columns which dropout has set to zero cost nothing. Sums start from the value in ``out`` and add
their products in the order of k; so the result does not depend on how rows are assigned to tiles and threads, nor on
products with zero.

Meanwhile, lines of an array that is read or written next are fetched, some with every tile: all at once, they would
delay the tile's own reads.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from seqclf.kernels.panels import UNITS, write_sums
from wordvec.kernels.simd import JIT_OFF, Lowering, compiled_address, has_long_registers, prefetch, primitive

LANES = 32
TILE_ROWS, TILE_VECTORS = (8, 2) if has_long_registers() else (6, 1)
"""Accumulators of 16 numbers per tile, leaving registers for as many broadcast elements of A as rows."""
PAIR_ROWS = 6 if has_long_registers() else 0
"""Rows of a tile of all vectors of two places, which with 24 accumulators is a tenth faster; 0: no such tile."""
PAIR = 16
"""Added to the number of rows of such a tile."""

if not JIT_OFF:

    @primitive
    def _tile(
        typingctx: Any, a: Any, a_rows: Any, a_columns: Any, b: Any, b_step: Any, out: Any, out_rows: Any, depth: Any,
        rows: Any, b_apart: Any, out_apart: Any,
    ) -> Lowering:  # fmt: skip
        """Multiply 1 .. ``TILE_ROWS`` rows by ``TILE_VECTORS`` vectors, or ``PAIR`` + 1 .. ``PAIR_ROWS`` by those of
        both places; all but numbers are pointers."""
        number = types.intp
        signature = types.void(a, a_rows, a_columns, b, number, out, out_rows, *[number] * 4)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            done, rows = builder.append_basic_block("done"), args[8]
            switch = builder.switch(rows, done)
            sizes = [(count, False) for count in range(1, TILE_ROWS + 1)]
            for count, is_pair in sizes + [(count, True) for count in range(1, PAIR_ROWS + 1)]:
                block = builder.append_basic_block(f"tile_{count}_{is_pair}")
                switch.add_case(rows.type(count + PAIR * is_pair), block)
                builder.position_at_end(block)
                _write_tile(builder, args, count, is_pair)
                builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return signature, codegen

    @primitive
    def _after(typingctx: Any, pointer: Any, count: Any) -> Lowering:
        """Return the pointer moved by ``count`` elements."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.gep(args[0], [args[1]])

        return pointer(pointer, types.intp), codegen


def _write_tile(builder: Any, args: Any, rows: int, is_pair: bool) -> None:
    """Emit the loop of ``_tile`` for a number of rows."""
    a, a_rows, a_columns, b, b_step, out, out_rows, depth, _, b_apart, out_apart = args
    vector, i64 = ir.VectorType(a.type.pointee, UNITS), ir.IntType(64)

    def chosen(array: Any, offsets: Any, k: Any) -> Any:
        return builder.gep(array, [builder.load(builder.gep(offsets, [k]))])

    def vectors(first: Any, apart: Any) -> list[Any]:
        firsts = [first, builder.gep(first, [apart])] if is_pair else [first]
        places = [builder.gep(each, [i64(UNITS * v)]) for each in firsts for v in range(TILE_VECTORS)]
        return [builder.bitcast(place, vector.as_pointer()) for place in places]

    lefts = [chosen(a, a_rows, i64(t)) for t in range(rows)]
    targets = [target for t in range(rows) for target in vectors(chosen(out, out_rows, i64(t)), out_apart)]
    write_sums(
        builder, 32, lefts, lambda k: builder.load(builder.gep(a_columns, [k])),
        lambda k: vectors(builder.gep(b, [builder.mul(k, b_step)]), b_apart), targets, depth,
    )  # fmt: skip


def _multiply(
    a: Any, a_rows: Any, a_columns: Any, b: Any, b_step: int, out: Any, out_rows: Any, depth: int, rows: int,
    b_apart: int, out_apart: int, ahead: Any, lines: int, ahead_apart: int,
) -> None:  # fmt: skip
    """The product for any number of rows, tile by tile; all but numbers are pointers."""
    if rows == 0 or depth == 0:
        return
    is_pair = b_apart != 0 and PAIR_ROWS > 0
    height, kind, wide = (PAIR_ROWS, PAIR, LANES) if is_pair else (TILE_ROWS, 0, UNITS * TILE_VECTORS)
    # Tiles of nearly equal height, because a low one has too few accumulators to hide latency.
    tall = (rows + height - 1) // height
    for place in range(1 if is_pair or b_apart == 0 else 2):
        for i in range(tall):
            top, bottom = i * rows // tall, (i + 1) * rows // tall
            for v in range(0, LANES, wide):
                _tile(
                    a, _after(a_rows, top), a_columns, _after(b, place * b_apart + v), b_step,
                    _after(out, place * out_apart + v), _after(out_rows, top), depth, bottom - top + kind,
                    b_apart, out_apart,
                )  # fmt: skip
            fetched = i * lines // tall if place == 0 else lines
            for line in range(fetched, (i + 1) * lines // tall):
                prefetch(ahead, line * UNITS)
                if ahead_apart != 0:
                    prefetch(ahead, ahead_apart + line * UNITS)


@lru_cache
def chosen_product() -> int:
    """Return the address of ``_multiply``, compiled once as ``panels.product`` is."""
    if JIT_OFF:
        return 0
    number, offsets, integer = types.CPointer(types.float32), types.CPointer(types.int64), types.intp
    return compiled_address(
        _multiply,
        types.void(number, offsets, offsets, number, integer, number, offsets, *[integer] * 4, number, *[integer] * 2),
    )


if JIT_OFF:

    def multiply_chosen(
        address: int, a: np.ndarray, a_first: int, a_rows: np.ndarray, a_columns: np.ndarray, b: np.ndarray,
        b_first: int, b_step: int, out: np.ndarray, out_first: int, out_rows: np.ndarray, depth: int, rows: int,
        b_apart: int, out_apart: int, ahead: np.ndarray, ahead_first: int, lines: int, ahead_apart: int,
    ) -> None:  # fmt: skip
        left = a[a_first + a_rows[:rows, None] + a_columns[None, :depth]]
        for place in range(2 if b_apart else 1):
            right = b[b_first + place * b_apart + np.arange(depth)[:, None] * b_step + np.arange(LANES)]
            places = out_first + place * out_apart + out_rows[:rows, None] + np.arange(LANES)
            for k in range(depth):
                out[places] += left[:, k, None] * right[k]

else:

    @primitive
    def multiply_chosen(
        typingctx: Any, address: Any, a: Any, a_first: Any, a_rows: Any, a_columns: Any, b: Any, b_first: Any,
        b_step: Any, out: Any, out_first: Any, out_rows: Any, depth: Any, rows: Any, b_apart: Any, out_apart: Any,
        ahead: Any, ahead_first: Any, lines: Any, ahead_apart: Any,
    ) -> Lowering:  # fmt: skip
        """Compute the product of this module's formula on flat float32 arrays, from ``a_first``, ``b_first`` and
        ``out_first`` on, and, unless ``b_apart`` is 0, a second one ``b_apart`` and ``out_apart`` further on, to the
        same bits as alone; lists of offsets are int64, and ``address`` is that of ``chosen_product``.

        So many cache ``lines`` of ``ahead`` are fetched, from ``ahead_first`` on, and, unless ``ahead_apart`` is 0, as
        many that much further on.
        """
        number = types.intp
        signature = types.void(
            number, a, number, a_rows, a_columns, b, number, number, out, number, out_rows, *[number] * 4,
            ahead, *[number] * 3,
        )  # fmt: skip

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            def pointer(place: int, first: Any = None) -> Any:
                data = context.make_array(signature.args[place])(context, builder, args[place]).data
                return data if first is None else builder.gep(data, [first])

            values = [
                pointer(1, args[2]), pointer(3), pointer(4), pointer(5, args[6]), args[7], pointer(8, args[9]),
                pointer(10), *args[11:15], pointer(15, args[16]), *args[17:],
            ]  # fmt: skip
            function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            builder.call(builder.inttoptr(args[0], function.as_pointer()), values)
            return context.get_dummy_value()

        return signature, codegen
