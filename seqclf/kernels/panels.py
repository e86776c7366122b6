"""Matrix products of all recurrent cells, with weights packed in *panels* of 16 columns.

A weight matrix with V panels is stored as (V, K, 16): panel v holds the columns 16 v .. 16 v + 15 of its K rows. A tile
of a few rows and panels keeps its accumulators in vector registers during the loop over K. Run-time strides let the
same loop multiply by a matrix or by its transpose.

Every sum starts from the value in ``out`` and adds its products in the order of K, whatever else is in the tile. So the
result does not depend on other rows or on how rows are assigned to tiles and threads.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from seqclf.kernels.turning import transpose, turn
from wordvec.kernels.simd import (
    JIT_OFF,
    Lowering,
    compiled_address,
    has_long_registers,
    kernel,
    load,
    primitive,
    store,
)

UNITS = 16
TILE_ROWS, TILE_PANELS = 6, 4
SUMS = 24 if has_long_registers() else 6
"""Accumulators of 16 numbers per tile, leaving registers for the operands."""
PANELS_BESIDE = (0, *(min(TILE_PANELS, max(1, SUMS // rows)) for rows in range(1, TILE_ROWS + 1)))
"""Panels per tile, by the number of rows."""
BLOCK = 2048
"""Panel rows per block: 128 KB. Tiles read it from the L2 cache, in streams long enough for the prefetcher: blocks of
16 KB, which stay in the L1 cache, multiply 2 to 8 % fewer numbers a second."""


class Weights(NamedTuple):
    """Weights of one direction of one layer, or their gradients: G gates of H units, gate by gate.

    E and H are multiples of 16; the caller pads with zeros, which stay zero.
    """

    w_input: np.ndarray  # (G H / 16, E, 16)
    w_hidden: np.ndarray  # (G H / 16, H, 16)
    bias: np.ndarray  # (G H,)
    bias_hidden: np.ndarray  # (H,) for a GRU with reset after the product, else (0,)


class State(NamedTuple):
    """Inputs and outputs of one pass of one direction, by packed row; B sequences."""

    projected: np.ndarray  # (U, G H), projected inputs of all gates; overwritten with their gradient
    gates: np.ndarray  # (R, columns of the cell), replaced by d_z in the backward pass; or (B, columns)
    c: np.ndarray  # (R, H) cells, or (2 B, H) if not kept; cell-specific
    h: np.ndarray  # (R, H) states
    h_first: np.ndarray  # (B, H) initial state, zeros if none is given
    c_first: np.ndarray  # (B, H)
    hold_h: np.ndarray  # (R, H) zoneout: retained share of the old state; (1, H) for all rows, (0, H) if off
    hold_c: np.ndarray
    product: int  # address of the compiled product, see ``product``
    width: int  # columns of the inputs before their padding


if JIT_OFF:

    def multiply_tile(
        a: np.ndarray, a_first: int, a_row: int, a_step: int,
        b: np.ndarray, b_first: int, b_step: int, b_panel: int,
        out: np.ndarray, out_first: int, out_row: int, out_panel: int, depth: int, rows: int, panels: int,
    ) -> None:  # fmt: skip
        def view(array: np.ndarray, first: int, shape: tuple[int, ...], steps: tuple[int, ...]) -> np.ndarray:
            strides = [step * array.itemsize for step in steps]
            return np.lib.stride_tricks.as_strided(array[first:], shape, strides)

        left = view(a, a_first, (rows, depth), (a_row, a_step))
        right = view(b, b_first, (depth, panels, UNITS), (b_step, b_panel, 1))
        target = view(out, out_first, (rows, panels, UNITS), (out_row, out_panel, 1))
        for k in range(depth):
            target += left[:, k, None, None] * right[k]

else:

    @primitive
    def multiply_tile(
        typingctx: Any,
        a: Any, a_first: Any, a_row: Any, a_step: Any, b: Any, b_first: Any, b_step: Any, b_panel: Any,
        out: Any, out_first: Any, out_row: Any, out_panel: Any, depth: Any, rows: Any, panels: Any,
    ) -> Lowering:  # fmt: skip
        """out (rows, panels, 16) += A (rows, depth) · B (depth, panels, 16), for 1..6 rows.

        ``a``, ``b`` and ``out`` are pointers. A's row r, column k is at ``a_first + r * a_row + k * a_step``; B's row k
        of panel v starts at ``b_first + k * b_step + v * b_panel``; out's row r at
        ``out_first + r * out_row + v * out_panel``. ``depth`` is at least 1 and ``panels`` is ``PANELS_BESIDE[rows]``
        or 1. The accumulators stay in registers for all k.
        """
        integers = [types.intp] * 3
        signature = types.void(a, *integers, b, *integers, out, *integers, *integers)

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            done = builder.append_basic_block("done")
            rows, panels = args[13:]
            switch = builder.switch(builder.add(builder.mul(rows, rows.type(8)), panels), done)
            for count in range(1, TILE_ROWS + 1):
                for width in {1, PANELS_BESIDE[count]}:
                    block = builder.append_basic_block(f"tile_{count}_{width}")
                    switch.add_case(rows.type(8 * count + width), block)
                    builder.position_at_end(block)
                    _write_tile(builder, args, a.dtype.bitwidth, count, width)
                    builder.branch(done)
            builder.position_at_end(done)
            return context.get_dummy_value()

        return signature, codegen


def _write_tile(builder: Any, args: Any, bits: int, rows: int, panels: int) -> None:
    """Emit the loop of ``multiply_tile`` for one tile size."""
    a, a_first, a_row, a_step, b, b_first, b_step, b_panel, out, out_first, out_row, out_panel, depth = args[:13]
    vector = ir.VectorType(a.type.pointee, UNITS)

    def places(first: Any, step: Any, count: int) -> list[Any]:
        """Return ``count`` pointers, ``step`` apart."""
        found = [first]
        for _ in range(count - 1):
            found.append(builder.gep(found[-1], [step]))
        return found

    def vectors(pointers: list[Any]) -> list[Any]:
        return [builder.bitcast(pointer, vector.as_pointer()) for pointer in pointers]

    def rights_at(k: Any) -> list[Any]:
        at = builder.mul(k, b_step)
        return vectors([builder.gep(place, [at]) for place in rights])

    targets = [
        target
        for row in places(builder.gep(out, [out_first]), out_row, rows)
        for target in vectors(places(row, out_panel, panels))
    ]
    lefts = [_separate(builder, place) for place in places(builder.gep(a, [a_first]), a_row, rows)]
    rights = [_separate(builder, place) for place in places(builder.gep(b, [b_first]), b_panel, panels)]
    write_sums(builder, bits, lefts, lambda k: builder.mul(k, a_step), rights_at, targets, depth)


def _separate(builder: Any, pointer: Any) -> Any:
    """Return the same pointer, whose origin LLVM does not know.

    LLVM would reach row r of A from row r - 1 by an addition in each step. These 11 additions take the ports of two of
    24 multiply-adds on Intel processors. With 10 pointers of unknown origin, it adds to two offsets instead.
    """
    same = ir.InlineAsm(ir.FunctionType(pointer.type, [pointer.type]), "", "=r,0")
    return builder.call(same, [pointer])


def write_sums(
    builder: Any,
    bits: int,
    lefts: list[Any],
    offset_at: Callable[[Any], Any],
    rights_at: Callable[[Any], list[Any]],
    targets: list[Any],
    depth: Any,
) -> None:
    """Emit the loop ``targets[t, v] += sum_k lefts[t][offset_at(k)] * rights_at(k)[v]`` over ``depth`` steps, with the
    sums in registers.

    Args:
        bits: of a number. lefts: pointers to numbers, by t.
        offset_at, rights_at: emit the offset, and the pointers to vectors, by v, of a step.
        targets: pointers to vectors, by t, then by v.
    """
    vector = targets[0].type.pointee
    name = f"llvm.fmuladd.v{UNITS}f{bits}"
    fused = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), UNITS), [0] * UNITS)
    starts = [builder.load(target, align=4) for target in targets]
    before, body, done = builder.block, builder.append_basic_block("deeper"), builder.append_basic_block("written")
    builder.branch(body)
    builder.position_at_end(body)
    k = builder.phi(depth.type)
    sums = [builder.phi(vector) for _ in targets]
    right = [builder.load(place, align=4) for place in rights_at(k)]
    offset = offset_at(k)
    found = []
    for t, left in enumerate(lefts):
        number = builder.load(builder.gep(left, [offset]))
        lane = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
        number = builder.shuffle_vector(lane, lane, everywhere)
        found += [builder.call(fused, [number, each, sums[t * len(right) + v]]) for v, each in enumerate(right)]
    following = builder.add(k, k.type(1))
    again = builder.cbranch(builder.icmp_signed("<", following, depth), body, done)
    again.set_metadata("llvm.loop", _never_unrolled(builder.module))
    for phi, start, end in zip([k, *sums], [k.type(0), *starts], [following, *found], strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(end, body)
    builder.position_at_end(done)
    for target, value in zip(targets, found, strict=True):
        builder.store(value, target, align=4)


def _never_unrolled(module: Any) -> Any:
    """Return loop metadata that disables unrolling: two iterations at once exceed the registers, and spilled
    accumulators make the loop two times slower, or three times if the stack is not aligned to a cache line."""
    disable = module.add_metadata(["llvm.loop.unroll.disable"])
    loop = module.add_metadata([disable])
    loop.operands = (loop, disable)  # loop metadata must refer to itself first
    return loop


def _multiply(
    a: np.ndarray, a_first: int, a_row: int, a_step: int, rows: int, depth: int, b: np.ndarray, b_first: int,
    b_step: int, b_panel: int, out: np.ndarray, out_first: int, out_row: int, out_panel: int, panels: int,
) -> None:  # fmt: skip
    """Compute out += A · B for any number of rows and panels, tile by tile; strides as in ``multiply_tile``."""
    if rows == 0:
        return
    # Tiles of nearly equal height, because a low one has too few accumulators to hide latency.
    tall = (rows + TILE_ROWS - 1) // TILE_ROWS
    wide = PANELS_BESIDE[(rows + tall - 1) // tall]
    v = 0
    while v < panels:
        width = wide if v + wide <= panels else 1
        step = BLOCK // width
        for k in range(0, depth, step):
            deep = min(step, depth - k)
            for i in range(tall):
                top, bottom = i * rows // tall, (i + 1) * rows // tall
                multiply_tile(
                    a, a_first + top * a_row + k * a_step, a_row, a_step,
                    b, b_first + v * b_panel + k * b_step, b_step, b_panel,
                    out, out_first + v * out_panel + top * out_row, out_row, out_panel,
                    deep, bottom - top, width,
                )  # fmt: skip
        v += width


@lru_cache
def product(dtype: str) -> int:
    """Return the address of ``_multiply`` compiled for ``float32`` or ``float64`` arrays.

    Called by address, the loop is compiled only once. Numba would recompile it into each kernel at every call site,
    which took a quarter of a minute.
    """
    if JIT_OFF:
        return 0
    number = types.CPointer(getattr(types, dtype))
    integers = [types.intp] * 5
    signature = types.void(number, *integers, number, *integers[:3], number, *integers[:4])
    return compiled_address(_multiply, signature)


if JIT_OFF:

    def multiply(
        address: int, a: np.ndarray, a_first: int, a_row: int, a_step: int, rows: int, depth: int,
        b: np.ndarray, b_first: int, b_step: int, b_panel: int,
        out: np.ndarray, out_first: int, out_row: int, out_panel: int, panels: int,
    ) -> None:  # fmt: skip
        _multiply(
            a, a_first, a_row, a_step, rows, depth, b, b_first, b_step, b_panel,
            out, out_first, out_row, out_panel, panels,
        )  # fmt: skip

else:

    @primitive
    def multiply(
        typingctx: Any,
        address: Any, a: Any, a_first: Any, a_row: Any, a_step: Any, rows: Any, depth: Any,
        b: Any, b_first: Any, b_step: Any, b_panel: Any,
        out: Any, out_first: Any, out_row: Any, out_panel: Any, panels: Any,
    ) -> Lowering:  # fmt: skip
        """Call ``_multiply`` on flat arrays of one dtype, at the address returned by ``product``."""
        integers = [types.intp] * 5
        signature = types.void(types.intp, a, *integers, b, *integers[:3], out, *integers[:4])

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values = list(args[1:])
            for place, kind in ((0, a), (6, b), (10, out)):
                values[place] = context.make_array(kind)(context, builder, values[place]).data
            function = ir.FunctionType(ir.VoidType(), [value.type for value in values])
            builder.call(builder.inttoptr(args[0], function.as_pointer()), values)
            return context.get_dummy_value()

        return signature, codegen


@kernel
def add_part(
    product: int, a: np.ndarray, a_row: int, a_column: int, rows: int, weights: np.ndarray, first: int, panels: int,
    out: np.ndarray, out_row: int, out_column: int,
) -> None:  # fmt: skip
    """Add columns of a · the panels ``first`` .. ``first + panels - 1`` of weights (V, K, 16) to columns of out."""
    _, depth, _ = weights.shape
    multiply(
        product, a.reshape(a.size), a_row * a.shape[1] + a_column, a.shape[1], 1, rows, depth,
        weights.reshape(weights.size), first * depth * UNITS, UNITS, depth * UNITS,
        out.reshape(out.size), out_row * out.shape[1] + out_column, out.shape[1], UNITS, panels,
    )  # fmt: skip


@kernel
def add_product(
    product: int, a: np.ndarray, a_row: int, rows: int, weights: np.ndarray, out: np.ndarray, out_row: int
) -> None:
    """Compute out[out_row : out_row + rows, : 16 V] += a[a_row : a_row + rows, : K] · weights (V, K, 16)."""
    add_part(product, a, a_row, 0, rows, weights, 0, weights.shape[0], out, out_row, 0)


@kernel(allocates=True)
def add_turned(
    product: int, turned: np.ndarray, d_out: np.ndarray, row: int, column: int, d_weights: np.ndarray
) -> None:
    """Compute d_weights (V, K, 16) += turned (K, R) · d_out[row : row + R, column : column + 16 V].

    ``turned`` may have fewer rows than K; the gradients of the others are left as they are. Columns of ``d_out`` are
    packed first: its rows are kilobytes apart and share so few lines of a cache that each tile would fetch them again.
    """
    panels, depth, _ = d_weights.shape
    rows, width = turned.shape[1], d_out.shape[1]
    left, right, out = turned.reshape(turned.size), d_out.reshape(d_out.size), d_weights.reshape(d_weights.size)
    first = row * width + column
    packed = np.empty(TILE_PANELS * rows * UNITS, dtype=d_out.dtype)
    for v in range(0, panels, TILE_PANELS):
        count = min(TILE_PANELS, panels - v)
        for r in range(rows):
            for k in range(count):
                store(packed, (k * rows + r) * UNITS, load(right, first + r * width + (v + k) * UNITS))
        multiply(
            product, left, 0, rows, 1, turned.shape[0], rows, packed, 0, UNITS, rows * UNITS,
            out, v * depth * UNITS, UNITS, depth * UNITS, count,
        )  # fmt: skip


@kernel(allocates=True)
def add_weight_gradient(product: int, a: np.ndarray, d_out: np.ndarray, column: int, d_weights: np.ndarray) -> None:
    """Compute d_weights (V, K, 16) += aᵀ (K, R) · d_out[:, column : column + 16 V] (R, ...)."""
    turned = np.empty((a.shape[1], a.shape[0]), dtype=a.dtype)
    turn(a, 0, a.shape[0], 0, turned, 0)
    add_turned(product, turned, d_out, 0, column, d_weights)


@kernel(allocates=True)
def add_hidden_gradient(product: int, state: State, starts: np.ndarray, carried: bool, d_weights: np.ndarray) -> None:
    """Compute d_weights (V, H, 16) += previous statesᵀ · the first columns of d_z, stored in ``state.gates``.

    Without an initial state the first step contributes nothing.
    """
    steps = starts.size - 1
    first = 0 if carried or steps == 0 else starts[1]
    turned = np.empty((state.h.shape[1], state.h.shape[0] - first), dtype=state.h.dtype)
    if carried and steps > 0:
        turn(state.h_first, 0, starts[1], 0, turned, 0)
    for t in range(1, steps):
        turn(state.h, starts[t - 1], starts[t + 1] - starts[t], 0, turned, starts[t] - first)
    add_turned(product, turned, state.gates, first, 0, d_weights)


@kernel(allocates=True)
def project_back(
    inputs: np.ndarray, rows: np.ndarray, weights: Weights, state: State, gradients: Weights, d_inputs: np.ndarray
) -> None:
    """Backward pass of ``project_inputs`` and ``gather``, from the d_z stored in ``state.gates``.

    Rows with the same input are summed first. ``d_inputs`` (U, E) is accumulated, unless it has no rows.
    """
    sum_by_input(state.gates, rows, state.projected, gradients.bias)
    turned = np.empty((state.width, inputs.shape[0]), dtype=inputs.dtype)
    turn(inputs, 0, inputs.shape[0], 0, turned, 0)
    add_turned(state.product, turned, state.projected, 0, 0, gradients.w_input)
    if d_inputs.shape[0] > 0:
        panels, width, _ = weights.w_input.shape
        transposed = np.empty((width // UNITS, panels * UNITS, UNITS), dtype=inputs.dtype)
        transpose(weights.w_input, transposed)
        add_product(state.product, state.projected, 0, inputs.shape[0], transposed, d_inputs, 0)


@kernel
def project(product: int, inputs: np.ndarray, weights: np.ndarray, bias: np.ndarray, projected: np.ndarray) -> None:
    """Compute projected (U, 16 V) = inputs (U, E) · weights (V, E, 16) + bias (16 V,)."""
    _project(product, inputs, inputs.shape[1], weights, bias, projected)


@kernel
def project_inputs(inputs: np.ndarray, weights: Weights, state: State) -> None:
    """Project the inputs, without the columns of padding, to ``state.projected``."""
    _project(state.product, inputs, state.width, weights.w_input, weights.bias, state.projected)


@kernel
def _project(
    product: int, inputs: np.ndarray, width: int, weights: np.ndarray, bias: np.ndarray, projected: np.ndarray
) -> None:
    """Compute ``project`` with the first ``width`` columns of the inputs."""
    for u in range(projected.shape[0]):
        for j in range(projected.shape[1]):
            projected[u, j] = bias[j]
    panels, depth, _ = weights.shape
    multiply(
        product, inputs.reshape(inputs.size), 0, inputs.shape[1], 1, inputs.shape[0], width,
        weights.reshape(weights.size), 0, UNITS, depth * UNITS,
        projected.reshape(projected.size), 0, projected.shape[1], UNITS, panels,
    )  # fmt: skip


@kernel
def gather(projected: np.ndarray, rows: np.ndarray, first: int, count: int, out: np.ndarray, at: int) -> None:
    """Copy projected[rows[first + s]] to the first columns of out[at + s], for s in 0 .. count - 1."""
    columns = projected.shape[1]
    for s in range(count):
        source, target = projected[rows[first + s]], out[at + s]
        for j in range(columns):
            target[j] = source[j]


@kernel
def sum_by_input(d_z: np.ndarray, rows: np.ndarray, d_projected: np.ndarray, d_bias: np.ndarray) -> None:
    """Set d_projected[u] to the sum of d_z[r] over the rows r with input u, and add the total to d_bias.

    Extra columns of d_z are ignored.
    """
    for u in range(d_projected.shape[0]):
        for j in range(d_bias.size):
            d_projected[u, j] = 0
    for row in range(rows.size):
        u = rows[row]
        for j in range(d_bias.size):
            d_projected[u, j] += d_z[row, j]
    for u in range(d_projected.shape[0]):
        for j in range(d_bias.size):
            d_bias[j] += d_projected[u, j]
