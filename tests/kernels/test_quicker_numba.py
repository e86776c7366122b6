import re

import numpy as np
import pytest
from numba import njit, types
from numba.core import ssa
from numba.core.base import BaseContext
from numba.core.postproc import PostProcessor
from numba.core.targetconfig import TargetConfig

from wordvec.kernels.inlining import KernelCompiler
from wordvec.kernels.quicker_numba import CACHE_LINE, quicker_numba
from wordvec.kernels.simd import JIT_OFF, kernel

pytestmark = pytest.mark.skipif(JIT_OFF, reason="nothing is compiled")


def _loops(values, start, halve):
    total, best, found = 0.0, values[0], start
    for i in range(values.size):
        step = values[i] if i % 3 else np.float32(i)
        if halve:
            step = step / 2
            halve = i < 9
        while step > 1:
            step -= 0.5
            if step > 7:
                break
        else:
            found = i
        best, total = max(best, step), total + step
    return total, best, found


def _pieces(values, start, halve):
    copy = np.empty_like(values)
    for i in range(values.size):
        part = (values[: i + 1], np.sqrt(values[i]))
        copy[i] = part[0].sum() + part[1] if halve else start
    return copy


def _generated(values, start, halve):
    last = values[0]
    for i in range(start, values.size):
        yield last
        last = values[i] / 2 if halve else values[i]


def _code(function, quick):
    """Return the LLVM code of a function without the names of others, which contain a number for each compilation."""
    compiled = njit(pipeline_class=KernelCompiler, error_model="numpy", fastmath={"contract"})(function)
    signature = (types.Array(types.float32, 1, "C"), types.int64, types.boolean)
    if quick:
        with quicker_numba():
            compiled.compile(signature)
    else:
        compiled.compile(signature)
    (code,) = compiled.inspect_llvm().values()
    return re.sub(r'@"[^"]*"|@[\w.$]+', "@", re.sub("^@.*", "", code, flags=re.MULTILINE))


@pytest.mark.parametrize("function", [_loops, _pieces, _generated])
def test_the_same_code(function):
    assert _code(function, quick=True) == _code(function, quick=False)


def test_numba_is_as_before():
    def functions():
        return [TargetConfig.values, PostProcessor.run, ssa._run_ssa, BaseContext.get_abi_sizeof]

    before = functions()
    with quicker_numba():
        with quicker_numba():
            assert not set(before) & set(functions())
        assert not set(before) & set(functions())
    assert functions() == before


@kernel(allocates=True)
def _places_of_arrays(sizes, places):
    for i in range(sizes.size):
        places[i] = np.zeros(sizes[i], np.float32).ctypes.data


def test_arrays_of_kernels_start_on_cache_lines():
    sizes = np.array([1, 5, 16, 100, 1000, 40_000])
    places = np.empty_like(sizes)
    _places_of_arrays(sizes, places)
    assert not (places % CACHE_LINE).any()
