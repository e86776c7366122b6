"""SIMD primitives on vectors of sixteen float32 or float64, and the ``kernel`` decorator.

LLVM vectorizes a plain inner loop, but not the loops that matter here (several accumulators that must stay in
registers while rows of one table are read and written). So kernels vectorize explicitly: ``a = load(table, i)`` is one
``<16 x float>`` value, which LLVM maps to the registers of the target processor: one on AVX-512, two on AVX2, four on
SSE and NEON. Nothing here names an instruction set.

With ``NUMBA_DISABLE_JIT=1`` each primitive is replaced by a NumPy equivalent (an array of shape (16,)), so that kernels
can be debugged. ``kernel`` decorates every compiled function; its cache is invalidated by an edit of any kernel.
"""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias, TypeVar, cast, overload

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config
from numba.core.ccallback import CFunc
from numba.core.datamodel import models
from numba.core.extending import intrinsic, register_model

from wordvec.kernels.code_cache import KernelCache
from wordvec.kernels.compiling import collection_waits, interrupts_wait, told_when_slow
from wordvec.kernels.dividing import claims_released, recorded
from wordvec.kernels.inlining import KernelCompiler
from wordvec.kernels.quicker_numba import aligned_arrays, quicker_numba

WIDTH = 16

JIT_OFF: bool = config.DISABLE_JIT  # type: ignore[attr-defined]

Function = TypeVar("Function", bound=Callable[..., Any])
Parts: TypeAlias = Sequence[tuple[Any, tuple[Any, ...]]]
"""Kernels, and the types of their arguments."""

Sixteen: TypeAlias = np.ndarray
"""A vector of sixteen numbers: one value in a compiled kernel, an array of shape (16,) otherwise."""

Eight: TypeAlias = np.ndarray
"""A vector of eight numbers, likewise."""

Part: TypeAlias = np.ndarray
"""A vector of ``PART`` numbers: sixteen or eight."""

Int: TypeAlias = int | np.int64
"""An integer: in a compiled kernel all are int64, otherwise those read from arrays are NumPy's."""

Lowering: TypeAlias = tuple[Any, Callable[[Any, Any, Any, Any], Any]]
"""An intrinsic's Numba signature, and the function that emits its code."""


@overload
def kernel(
    function: Function, *, inline: bool = False, internal: bool = False, allocates: bool = False, needed: bool = False,
    parts: Callable[[Any], Parts] = ..., **options: Any,
) -> Function: ...  # fmt: skip


@overload
def kernel(
    *, inline: bool = False, internal: bool = False, allocates: bool = False, needed: bool = False,
    parts: Callable[[Any], Parts] = ..., **options: Any,
) -> Callable[[Function], Function]: ...  # fmt: skip


def kernel(
    function: Any = None, *, inline: bool = False, internal: bool = False, allocates: bool = False,
    needed: bool = False, parts: Callable[[Any], Parts] = lambda signature: (), **options: Any,
) -> Any:  # fmt: skip
    """Compile ``function`` on its first call, without the GIL, and cache the machine code on disk.

    ``fastmath`` is limited to contraction (a*b+c in one rounding): sums keep their written order, which makes results
    reproducible. ``inline`` inlines the function into its callers before compilation, which saves its own compilation,
    but ``x is not None`` is then pruned only if x is a field of a named tuple that the caller is called with.
    ``internal`` omits the Python entry point, which is slow to compile, of a function called only by other kernels.
    ``allocates`` enables array creation; Numba then counts references to every array that passes through the function,
    in atomic operations that slow training by a sixth. ``needed`` executes the function, in Python, where kernels are
    only recorded: others need its results. ``parts`` takes the types of the function's arguments and returns kernels
    that the function calls, with the types of theirs, which a helper compiles meanwhile.
    """
    if function is None:
        return lambda f: kernel(
            f, inline=inline, internal=internal, allocates=allocates, needed=needed, parts=parts, **options
        )
    settings: dict[str, Any] = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": {"contract"},
        "boundscheck": None,
        "_nrt": allocates,
        "no_cpython_wrapper": internal,
        "no_cfunc_wrapper": True,
        "pipeline_class": KernelCompiler,
    } | options
    if inline:
        settings["inline"] = "always"
    if JIT_OFF:
        return function
    dispatcher = njit(**settings)(function)
    cache = dispatcher._cache = KernelCache(dispatcher.py_func)
    compile_now = dispatcher.compile

    def compile_whole(signature: Any) -> Any:
        if recorded(dispatcher, signature):
            for part, kinds in parts(signature):
                recorded(part, kinds)
            return function if needed else lambda *arguments: 0.0
        with _compiling(cache):
            return compile_now(signature)

    dispatcher.compile = compile_whole
    return dispatcher


@contextlib.contextmanager
def _compiling(cache: KernelCache) -> Iterator[None]:
    with (
        interrupts_wait(),
        collection_waits(),
        told_when_slow(cache.lifetime),
        claims_released(),
        quicker_numba(),
        aligned_arrays(),
    ):
        yield


def compiled_address(function: Any, signature: Any) -> int:
    """Compile ``function`` (only pointers and numbers, no result) separately, cached on disk like a kernel.

    Other kernels can call it at the returned address; a kernel called by name would be recompiled into each caller.
    """
    compiled: Any = CFunc(
        function, (signature.args, signature.return_type), {}, {"fastmath": {"contract"}, "error_model": "numpy"}
    )
    cache = compiled._cache = KernelCache(function)
    with _compiling(cache):
        compiled.compile()
    _addresses.append(compiled)
    return int(compiled.address)


def has_long_registers() -> bool:
    """Whether kernels are compiled for a processor with 32 registers of sixteen float32 (AVX-512).

    Elsewhere a vector takes several registers, two of sixteen on AVX2, so six accumulators fit along with their
    operands. A loop with more spills to the stack and takes up to four times as long. Kernels that need more use a
    smaller tile on such processors, or parts of a vector (``PART``); the order of each sum, and so its bits, stay the
    same.
    """
    from numba.core.registry import cpu_target

    return "+avx512f" in cpu_target.target_context.codegen().magic_tuple()[2]


_addresses: list[Any] = []  # keeps the code behind each address alive


class Vector(types.Type):
    """Numba type of a vector of sixteen numbers, or eight: float32, or float64 for gradient checking."""

    def __init__(self, dtype: Any, width: int = WIDTH) -> None:
        self.dtype = dtype
        self.width = width
        super().__init__(name=f"{dtype}x{width}")


HALF = WIDTH // 2

float32x16 = Vector(types.float32)
float32x8 = Vector(types.float32, HALF)
_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        number = ir.FloatType() if fe_type.dtype == types.float32 else ir.DoubleType()
        super().__init__(dmm, fe_type, ir.VectorType(number, fe_type.width))  # type: ignore[no-untyped-call]


def primitive(typing: Callable[..., Lowering | None]) -> Any:
    """Make an intrinsic. Type checkers see its NumPy equivalent: Numba declares every intrinsic as not callable."""
    return intrinsic(typing)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any, width: int = WIDTH) -> Any:
    """Return the pointer to ``array[index]`` as a pointer to a vector."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), ir.VectorType(data.type.pointee, width).as_pointer())


def _splat(builder: Any, value: Any, width: int = WIDTH) -> Any:
    nothing = ir.Constant(ir.VectorType(value.type, width), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return _shuffle(builder, first, first, [0] * width)


def _shuffle(builder: Any, a: Any, b: Any, order: list[int]) -> Any:
    """Return the vector whose lane k is lane ``order[k]`` of the concatenation of ``a`` and ``b``."""
    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
    return builder.shuffle_vector(a, b, mask)


def _is_float_array(array: Any) -> bool:
    return isinstance(array, types.Array) and array.dtype in (types.float32, types.float64) and array.ndim == 1


if JIT_OFF:

    def load(array: np.ndarray, index: Int) -> Sixteen:
        return array[index : index + WIDTH].copy()

    def store(array: np.ndarray, index: Int, value: Sixteen) -> None:
        array[index : index + len(value)] = value

    def splat(value: np.float32) -> Sixteen:
        return np.full(WIDTH, value, np.float32)

    def load_eight(array: np.ndarray, index: Int) -> Eight:
        return array[index : index + HALF].copy()

    def splat_eight(value: np.float32) -> Eight:
        return np.full(HALF, value, np.float32)

    def splat_as(vector: Sixteen, value: float) -> Sixteen:
        return np.full(WIDTH, value, vector.dtype)

    def multiply_add(a: Sixteen, b: Sixteen, c: Sixteen) -> Sixteen:
        return cast(Sixteen, a * b + c)

    def add(a: Sixteen, b: Sixteen) -> Sixteen:
        return cast(Sixteen, a + b)

    def subtract(a: Sixteen, b: Sixteen) -> Sixteen:
        return cast(Sixteen, a - b)

    def multiply(a: Sixteen, b: Sixteen) -> Sixteen:
        return cast(Sixteen, a * b)

    def divide(a: Sixteen, b: Sixteen) -> Sixteen:
        return cast(Sixteen, a / b)

    def reciprocal_square_root(a: Sixteen) -> Sixteen:
        return cast(Sixteen, np.float32(1) / np.sqrt(a))

    def clamp(a: Sixteen, low: Sixteen, high: Sixteen) -> Sixteen:
        return np.where(a < low, low, np.where(a > high, high, a))

    def sums(*vectors: Sixteen) -> Sixteen:
        return np.array([v.sum(dtype=np.float32) for v in vectors], np.float32)

    def sums_of_quarters(a: Sixteen, b: Sixteen, c: Sixteen, d: Sixteen) -> Sixteen:
        return np.stack([v.reshape(-1, 4).sum(axis=1) for v in (a, b, c, d)], axis=1).ravel()

    def join_halves(a: Eight, b: Eight) -> Sixteen:
        return np.concatenate([a, b])

    def sums_over_quarters(a: Sixteen, b: Sixteen, c: Sixteen, d: Sixteen) -> Sixteen:
        return np.concatenate([v.reshape(4, 4).sum(axis=0) for v in (a, b, c, d)])

    def holds(array: np.ndarray, index: Int, value: Int) -> np.bool_:
        return np.any(array[index : index + WIDTH] == value)

    def prefetch(array: np.ndarray, index: Int) -> None:
        pass

    def prefetch_to_read(array: np.ndarray, index: Int | np.uint64) -> None:
        pass

    def atomic_add(array: np.ndarray, index: Int, value: Int) -> int:
        array[index] += value
        return int(array[index])

    def atomic_read(array: np.ndarray, index: Int) -> int:
        return int(array[index])

    def atomic_exchange(array: np.ndarray, index: Int, value: Int) -> int:
        old = int(array[index])
        array[index] = value
        return old

    def yield_processor() -> None:
        time.sleep(0)

else:

    @primitive
    def load(typingctx: Any, array: Any, index: Any) -> Lowering | None:
        """Load ``array[index : index + 16]`` as one value."""
        if not _is_float_array(array):
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = _address(context, builder, signature.args[0], args[0], args[1])
            return builder.load(pointer, align=4)

        return Vector(array.dtype)(array, types.intp), codegen

    @primitive
    def load_eight(typingctx: Any, array: Any, index: Any) -> Lowering:
        """Load ``array[index : index + 8]`` (float32) as one value."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.load(_address(context, builder, signature.args[0], args[0], args[1], HALF), align=4)

        return float32x8(array, types.intp), codegen

    @primitive
    def store(typingctx: Any, array: Any, index: Any, value: Any) -> Lowering | None:
        """``array[index : index + 16] = value``, or eight, as many as the value has."""
        if not _is_float_array(array):
            return None

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = _address(context, builder, signature.args[0], args[0], args[1], value.width)
            builder.store(args[2], pointer, align=4)
            return context.get_dummy_value()

        return types.void(array, types.intp, Vector(array.dtype, value.width)), codegen

    @primitive
    def splat(typingctx: Any, value: Any) -> Lowering:
        """Broadcast the scalar to all sixteen lanes."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _splat(builder, args[0])

        return float32x16(types.float32), codegen

    @primitive
    def splat_eight(typingctx: Any, value: Any) -> Lowering:
        """Broadcast the scalar to eight lanes."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _splat(builder, args[0], HALF)

        return float32x8(types.float32), codegen

    @primitive
    def splat_as(typingctx: Any, vector: Any, value: Any) -> Lowering:
        """Broadcast the scalar to all sixteen lanes, with the dtype of ``vector``."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _splat(builder, args[1])

        return vector(vector, vector.dtype), codegen

    @primitive
    def multiply_add(typingctx: Any, a: Any, b: Any, c: Any) -> Lowering:
        """``a * b + c``, with one rounding if the processor supports it."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind, name = args[0].type, f"llvm.fmuladd.v{a.width}f{a.dtype.bitwidth}"
            function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)
            return builder.call(function, args)

        return a(a, a, a), codegen

    def _binary(name: str, doc: str) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, name)(*args)

        def typing(typingctx: Any, a: Any, b: Any) -> Lowering:
            return a(a, a), codegen

        typing.__doc__ = doc
        return primitive(typing)

    add = _binary("fadd", "``a + b``")
    subtract = _binary("fsub", "``a - b``")
    multiply = _binary("fmul", "``a * b``")
    divide = _binary("fdiv", "``a / b``")

    @primitive
    def reciprocal_square_root(typingctx: Any, a: Any) -> Lowering:
        """``1 / sqrt(a)``, or the processor's estimate of at least 11 bits where available. Applies to all reciprocal
        square roots of the function that contains it."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(_VECTOR, [_VECTOR]), "llvm.sqrt.v16f32"
            )
            may = ("afn", "arcp", "contract", "reassoc")
            # No Newton step on top. llvmlite has no attributes with values, but writes strings verbatim.
            set.add(builder.function.attributes, '"reciprocal-estimates"="vec-sqrtf:0"')
            root = builder.call(function, args, fastmath=may)
            return builder.fdiv(ir.Constant(_VECTOR, [1.0] * WIDTH), root, flags=may)

        return float32x16(float32x16), codegen

    @primitive
    def clamp(typingctx: Any, a: Any, low: Any, high: Any) -> Lowering:
        """Clamp ``a`` to ``low .. high``; NaN stays NaN."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value, lowest, highest = args
            value = builder.select(builder.fcmp_ordered("<", value, lowest), lowest, value)
            return builder.select(builder.fcmp_ordered(">", value, highest), highest, value)

        return a(a, a, a), codegen

    def _quarters(pattern: list[int], width: int) -> list[int]:
        return [4 * q + (p if p < 4 else p - 4 + width) for q in range(width // 4) for p in pattern]

    def _whole_quarters(pattern: list[int]) -> list[int]:
        return [4 * q + k for q in pattern for k in range(4)]

    def _halve(builder: Any, vectors: list[Any], first: list[int], second: list[int]) -> list[Any]:
        return [
            builder.fadd(_shuffle(builder, a, b, first), _shuffle(builder, a, b, second))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]

    def _sum_quarters(builder: Any, level: list[Any]) -> list[Any]:
        width = level[0].type.count
        level = _halve(builder, level, _quarters([0, 4, 1, 5], width), _quarters([2, 6, 3, 7], width))
        return _halve(builder, level, _quarters([0, 1, 4, 5], width), _quarters([2, 3, 6, 7], width))

    def _sum_over_quarters(builder: Any, level: list[Any]) -> list[Any]:
        level = _halve(builder, level, _whole_quarters([0, 1, 4, 5]), _whole_quarters([2, 3, 6, 7]))
        return _halve(builder, level, _whole_quarters([0, 2, 4, 6]), _whole_quarters([1, 3, 5, 7]))

    @primitive
    def sums(typingctx: Any, *vectors: Any) -> Lowering | None:
        """Horizontal sums of sixteen vectors: lane k holds the sum of ``vectors[k]``.

        A tree of shuffles: each step adds two halves of two vectors and keeps both in one, so 16 horizontal sums cost
        15 additions. The first two steps stay within quarters of 4 floats, which every processor shuffles cheaply.
        """

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            level = [builder.extract_value(args[0], k) for k in range(WIDTH)]
            return _sum_over_quarters(builder, _sum_quarters(builder, level))[0]

        if len(vectors) == 1 and isinstance(vectors[0], types.BaseTuple):
            vectors = tuple(cast(Any, vectors[0]))
        if len(vectors) != WIDTH:
            return None
        return float32x16(types.StarArgTuple(vectors)), codegen

    @primitive
    def sums_of_quarters(typingctx: Any, a: Any, b: Any, c: Any, d: Any) -> Lowering:
        """Lane 4 q + k holds the sum of lanes 4 q .. 4 q + 3 of the k-th vector: the first half of ``sums``."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _sum_quarters(builder, list(args))[0]

        return a(a, b, c, d), codegen

    @primitive
    def join_halves(typingctx: Any, a: Any, b: Any) -> Lowering:
        """The sixteen lanes of two vectors of eight."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _shuffle(builder, args[0], args[1], list(range(WIDTH)))

        return float32x16(a, b), codegen

    @primitive
    def sums_over_quarters(typingctx: Any, a: Any, b: Any, c: Any, d: Any) -> Lowering:
        """Lane 4 k + t holds the sum of lanes t, 4 + t, 8 + t and 12 + t of the k-th vector: the second half."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return _sum_over_quarters(builder, list(args))[0]

        return float32x16(a, b, c, d), codegen

    @primitive
    def holds(typingctx: Any, array: Any, index: Any, value: Any) -> Lowering:
        """Whether ``value`` is among ``array[index : index + 16]`` (int32)."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            values = builder.load(_address(context, builder, signature.args[0], args[0], args[1]), align=4)
            is_equal = builder.icmp_signed("==", values, _splat(builder, args[2]))
            return builder.icmp_unsigned("!=", builder.bitcast(is_equal, ir.IntType(WIDTH)), ir.IntType(WIDTH)(0))

        return types.boolean(array, types.intp, types.int32), codegen

    def _fetching(to_write: int, doc: str) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind, data = signature.args[0], args[0]
            if isinstance(kind, types.Array):
                data = context.make_array(kind)(context, builder, data).data
            byte = ir.IntType(8).as_pointer()
            pointer = builder.bitcast(builder.gep(data, [args[1]]), byte)
            i32 = ir.IntType(32)
            function = cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32]), "llvm.prefetch.p0"
            )
            builder.call(function, [pointer, ir.Constant(i32, to_write), ir.Constant(i32, 3), ir.Constant(i32, 1)])
            return context.get_dummy_value()

        def typing(typingctx: Any, array: Any, index: Any) -> Lowering | None:
            found = isinstance(array, types.Array | types.CPointer)
            return (types.void(array, types.intp), codegen) if found else None

        typing.__doc__ = doc
        return primitive(typing)

    prefetch = _fetching(1, "Prefetch the cache line of ``array[index]``, or of a pointer's, for writing.")
    prefetch_to_read = _fetching(
        0, "Prefetch the cache line of ``array[index]`` for reading, shared with other threads."
    )

    @primitive
    def atomic_add(typingctx: Any, array: Any, index: Any, value: Any) -> Lowering:
        """Atomically add ``value`` to ``array[index]`` (int64); return the new value."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            old = builder.atomic_rmw("add", builder.gep(data, [args[1]]), args[2], "seq_cst")
            return builder.add(old, args[2])

        return types.int64(array, types.intp, types.int64), codegen

    @primitive
    def atomic_read(typingctx: Any, array: Any, index: Any) -> Lowering:
        """Atomically read ``array[index]`` (int64)."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            return builder.load_atomic(builder.gep(data, [args[1]]), "seq_cst", 8)

        return types.int64(array, types.intp), codegen

    @primitive
    def atomic_exchange(typingctx: Any, array: Any, index: Any, value: Any) -> Lowering:
        """Atomically set ``array[index]`` (int64) to ``value``; return the old value."""

        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            data = context.make_array(signature.args[0])(context, builder, args[0]).data
            return builder.atomic_rmw("xchg", builder.gep(data, [args[1]]), args[2], "seq_cst")

        return types.int64(array, types.intp, types.int64), codegen

    # sched_yield would only let threads run that wait for this core. A core whose thread sleeps gets those of others.
    if sys.platform == "win32":
        _switch = types.ExternalFunction("SwitchToThread", types.int32())

        @njit
        def yield_processor() -> None:
            _switch()

    else:
        _sleep = types.ExternalFunction("usleep", types.int32(types.uint32))

        @njit
        def yield_processor() -> None:
            _sleep(np.uint32(20))  # type: ignore[call-overload]


PART, load_part, splat_part = (WIDTH, load, splat) if has_long_registers() else (HALF, load_eight, splat_eight)
"""The number of float32 that fit one register of AVX-512, or else of AVX2, and the primitives that load and broadcast
that many: for loops that would otherwise run out of registers."""
