"""The forward passes of both directions at the same time, for short jobs: a second thread polls for the job.

A system call to wake a thread takes as long as the whole pass over a short text, so the second thread waits in
``help_out``, outside the interpreter, for some time after each job. The first thread posts one direction, computes the
other, and then takes the posted one back if nobody has begun it. So it never waits for a thread that sleeps.

``bell`` is an int64 array of ``SIZE`` numbers that both threads share.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types

from seqclf.kernels.panels import State, Weights
from wordvec.kernels.simd import JIT_OFF, Lowering, atomic_exchange, atomic_read, kernel, primitive, yield_processor

JOB, CODE, ARGUMENTS, AWAKE = 0, 8, 9, 16
"""Indices in ``bell``, on three cache lines: the number of the last job times ``PHASES``, plus its phase; the addresses
of the code that runs it and of its arguments; whether the second thread is in ``help_out``."""
SIZE = 24

PHASES = 4
POSTED, TAKEN, DONE = 1, 2, 3

COMPILED = not JIT_OFF
"""Whether these kernels can run; only compiled code has an address."""

POLLS = 1_000_000
"""Polls without a job until the second thread leaves ``help_out``: about 0.4 ms. So a thread that woke too late for one
text is there for the next."""

_MATRIX, _VECTOR = types.Array(types.float32, 2, "C"), types.Array(types.float32, 1, "C")
_PANELS = types.Array(types.float32, 3, "C")
_ARGUMENTS = (
    _MATRIX,
    types.Array(types.int32, 1, "C"),
    types.Array(types.int64, 1, "C"),
    types.NamedTuple([_PANELS, _PANELS, _VECTOR, _VECTOR], Weights),
    types.NamedTuple([_MATRIX] * 8 + [types.int64] * 2, State),
    types.boolean,
    types.boolean,
)
"""The types of a forward kernel's arguments: inputs, rows, starts, weights, state, carried, keep."""


def forward_address(forward: Any) -> int:
    """Return the address of a cell's forward kernel, compiled for float32."""
    forward.compile(_ARGUMENTS)
    compiled = forward.overloads[_ARGUMENTS]
    return int(compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name))


if COMPILED:

    def _call(context: Any, builder: Any, address: Any, values: list[Any]) -> None:
        """Emit a call of the forward kernel at an address, given its arguments as Numba passes them."""
        signature = context.call_conv.get_function_type(types.none, _ARGUMENTS)
        results = [cgutils.alloca_once(builder, place.pointee) for place in signature.args[:2]]
        builder.call(builder.inttoptr(address, signature.as_pointer()), [*results, *values])

    @primitive
    def _forward(
        typingctx: Any,
        address: Any, inputs: Any, rows: Any, starts: Any, weights: Any, state: Any, carried: Any, keep: Any,
    ) -> Lowering | None:  # fmt: skip
        """Call the forward kernel at ``address``."""
        if (inputs, rows, starts, weights, state, carried, keep) != _ARGUMENTS:
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            _call(context, builder, args[0], context.get_arg_packer(_ARGUMENTS).as_arguments(builder, args[1:]))
            return context.get_dummy_value()

        return types.void(types.intp, *_ARGUMENTS), codegen

    @primitive
    def _prepare(
        typingctx: Any, bell: Any,
        address: Any, inputs: Any, rows: Any, starts: Any, weights: Any, state: Any, carried: Any, keep: Any,
    ) -> Lowering | None:  # fmt: skip
        """Write to ``bell`` what calls the forward kernel at ``address``; valid until the calling kernel returns."""
        if (inputs, rows, starts, weights, state, carried, keep) != _ARGUMENTS:
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values = [args[1], *context.get_arg_packer(_ARGUMENTS).as_arguments(builder, args[2:])]
            record = cgutils.pack_struct(builder, values)
            kept = cgutils.alloca_once_value(builder, record)
            anything, number = ir.IntType(8).as_pointer(), ir.IntType(64)
            name = builder.module.get_unique_name("run_job")
            job = ir.Function(builder.module, ir.FunctionType(ir.VoidType(), [anything]), name)
            job.linkage = "internal"
            inner = ir.IRBuilder(job.append_basic_block())
            given = inner.load(inner.bitcast(job.args[0], record.type.as_pointer()))
            address, *others = (inner.extract_value(given, k) for k in range(len(values)))
            _call(context, inner, address, others)
            inner.ret_void()
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            for index, pointer in ((CODE, job), (ARGUMENTS, kept)):
                builder.store(builder.ptrtoint(pointer, number), builder.gep(data, [number(index)]))
            return context.get_dummy_value()

        return types.void(bell, types.intp, *_ARGUMENTS), codegen

    @primitive
    def _run(typingctx: Any, code: Any, arguments: Any) -> Lowering:
        """Run what ``_prepare`` has written."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            anything = ir.IntType(8).as_pointer()
            job = ir.FunctionType(ir.VoidType(), [anything]).as_pointer()
            builder.call(builder.inttoptr(args[0], job), [builder.inttoptr(args[1], anything)])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), codegen

    @primitive
    def _change(typingctx: Any, array: Any, index: Any, old: Any, new: Any) -> Lowering:
        """Atomically set ``array[index]`` to ``new`` if it is ``old``; return whether it was."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            found = builder.cmpxchg(builder.gep(data, [args[1]]), args[2], args[3], "seq_cst", "seq_cst")
            return builder.extract_value(found, 1)

        return types.boolean(array, types.intp, types.int64, types.int64), codegen


@kernel
def run_both(
    bell: np.ndarray, address: int, inputs: np.ndarray, starts: np.ndarray, rows: np.ndarray, weights: Weights,
    state: State, other_rows: np.ndarray, other_weights: Weights, other_state: State, carried: bool, keep: bool,
) -> bool:  # fmt: skip
    """Run the forward kernel at ``address`` for two directions; one caller at a time.

    Args:
        bell: see above.
        address: returned by ``forward_address``.
        inputs, starts, carried, keep: of both directions; see ``lstm_forward``.
        rows, weights, state: of the direction that this thread computes.
        other_rows, other_weights, other_state: of the other one; no array of ``other_state`` is in ``state``.

    Returns:
        Whether the second thread has computed the other direction, and without being interrupted for long.
    """
    job = bell[JOB] // PHASES * PHASES + PHASES
    _prepare(bell, address, inputs, other_rows, starts, other_weights, other_state, carried, keep)
    atomic_exchange(bell, JOB, job + POSTED)
    _forward(address, inputs, rows, starts, weights, state, carried, keep)
    if _change(bell, JOB, job + POSTED, job + DONE):
        _forward(address, inputs, other_rows, starts, other_weights, other_state, carried, keep)
        return False
    polls = 0
    while atomic_read(bell, JOB) != job + DONE:
        polls += 1
        if polls > POLLS:
            yield_processor()
    return polls <= POLLS


@kernel
def help_out(bell: np.ndarray, polls: int) -> None:
    """Run posted jobs until there has been none for that many polls."""
    idle = 0
    while idle < polls:
        job = atomic_read(bell, JOB)
        if job % PHASES == POSTED and _change(bell, JOB, job, job + TAKEN - POSTED):
            _run(bell[CODE], bell[ARGUMENTS])
            atomic_exchange(bell, JOB, job + DONE - POSTED)
            idle = 0
        else:
            idle += 1
    atomic_exchange(bell, AWAKE, 0)
