"""Functions that replace Numba's own while a kernel is compiled.

Five of ``quicker_numba`` have the same results in less time, so that kernels compile in four fifths of it:

- options: for every call in a kernel, Numba compares the options it is compiled with, each read by way of a property;
- lifetimes of variables: Numba determines after most passes which variables live at the start of each block, though
  only generators and the last pass need to know;
- single assignment: for every variable with several assignments, Numba copies all lines of a function twice;
- ufuncs: for every operation, Numba searches the loops of NumPy's ufunc for the types of its operands;
- sizes: for every variable, Numba has LLVM parse a module to find out how many bytes its type takes.

The one of ``aligned_arrays`` starts the arrays that kernels make on cache lines.
"""

import contextlib
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from numba.core import postproc, ssa, transforms
from numba.core.base import BaseContext
from numba.core.compiler_lock import global_compiler_lock
from numba.core.targetconfig import TargetConfig
from numba.core.typing import npydecl
from numba.np import numpy_support

CACHE_LINE = 64
"""Bytes."""

_canonical: Any = transforms.canonicalize_cfg
_Lifetimes: Any = postproc.VariableLifetime
_post_process: Any = postproc.PostProcessor.run
_run_ssa: Any = ssa._run_ssa
_rewrite: Any = ssa._run_block_rewrite
_find_loop: Any = lru_cache(numpy_support.ufunc_find_matching_loop)
_measure: Any = BaseContext.get_abi_sizeof
_sizes: dict[Any, Any] = {}
_defaults: Any = lru_cache(lambda kind: {name: option.default for name, option in kind.options.items()})


def _values(options: Any) -> Any:
    return _defaults(type(options)) | options._values


def _without_lifetimes(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    function = self.func_ir
    if emit_dels or function.is_generator:
        _post_process(self, emit_dels, extend_lifetimes)
        return
    function.blocks = _canonical(function.blocks)
    function.variable_lifetime = _Lifetimes(function.blocks)  # found out when asked
    function.generator_info = None


def _single_assignment(blocks: dict[int, Any]) -> Any:
    # A variable only gets new names, and labels stay the same.
    names = {label: {v.name for line in block.body for v in line.list_vars()} for label, block in blocks.items()}

    def rewrite(blocks: dict[int, Any], states: dict[str, Any], handler: Any) -> dict[int, Any]:
        return {
            label: _rewrite({label: block}, states, handler)[label] if states["varname"] in names[label] else block
            for label, block in blocks.items()
        }

    with _replaced(ssa, "_run_block_rewrite", rewrite):
        return _run_ssa(blocks)


def _matching_loop(ufunc: Any, kinds: Any) -> Any:
    return _find_loop(ufunc, tuple(kinds))


def _size(context: Any, kind: Any) -> Any:
    if kind not in _sizes:
        _sizes[kind] = _measure(context, kind)
    return _sizes[kind]


@contextlib.contextmanager
def _replaced(holder: Any, name: str, function: Callable[..., Any]) -> Iterator[None]:
    before = getattr(holder, name)
    setattr(holder, name, function)
    try:
        yield
    finally:
        setattr(holder, name, before)


@contextlib.contextmanager
def quicker_numba() -> Iterator[None]:
    """Compile faster in this block; other threads do not compile meanwhile."""
    with (
        global_compiler_lock,
        _replaced(TargetConfig, "values", _values),
        _replaced(postproc.PostProcessor, "run", _without_lifetimes),
        _replaced(ssa, "_run_ssa", _single_assignment),
        _replaced(npydecl, "ufunc_find_matching_loop", _matching_loop),
        _replaced(BaseContext, "get_abi_sizeof", _size),
    ):
        yield


@contextlib.contextmanager
def aligned_arrays() -> Iterator[None]:
    """Kernels compiled in this block start their arrays on cache lines: Numba aligns them to half a line, from where
    each vector of 64 bytes takes two lines."""
    with (
        global_compiler_lock,
        _replaced(BaseContext, "get_preferred_array_alignment", lambda context, kind: CACHE_LINE),
    ):
        yield
