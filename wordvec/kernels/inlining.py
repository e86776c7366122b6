"""Inlining of kernels into their callers: a pass of Numba's compiler that translates each inlined kernel once, and
fields of named tuples that are read once.

Numba's own pass translates a kernel again for each of its calls and copies all its variables twice for each of its
blocks, a fifth of the time to compile a kernel. Here, a translated kernel is kept, copied once, and reads the caller's
variables where it does not assign to its parameters.
"""

import copy
from collections import Counter
from typing import Any

from numba.core import ir, ir_utils, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.inline_closurecall import InlineWorker, _add_definitions, _get_callee_args
from numba.core.untyped_passes import InlineInlinables

_translated: dict[Any, Any] = {}
"""The intermediate code of each inlined kernel, in which its own calls are inlined."""


class _Worker(InlineWorker):
    """Translates a kernel with the pass below."""

    def __init__(self, other: InlineWorker) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            other.typingctx, other.targetctx, other.locals, other.pipeline, other.flags, other.validator
        )
        self._compiler_pipeline: Any = _untyped_passes


@register_pass(mutates_CFG=True, analysis_only=False)
class InlineKernels(InlineInlinables):
    """Inline the calls of functions with ``inline="always"``."""

    _name = "inline_kernels"

    def run_pass(self, state: Any) -> bool:
        """Inline all calls, then read fields of tuples once."""
        super().run_pass(state)  # type: ignore[no-untyped-call]
        _share_fields(state.func_ir, state.args)
        return True

    def _do_work(self, state: Any, work_list: Any, block: Any, i: int, expr: Any, inline_worker: Any) -> bool:
        """Inline the call in line ``i`` of a block, if it is one of a function to be inlined."""
        function: Any = getattr(state.func_ir.get_definition(expr.func), "value", None)
        if getattr(function, "targetoptions", {}).get("inline") != "always":
            return False
        key = function.py_func
        if key not in _translated:
            _translated[key] = _Worker(inline_worker).run_untyped_passes(key)  # type: ignore[no-untyped-call]
        work_list.append(_inline(state.func_ir, block, i, _translated[key]))
        return True


def _inline(caller: Any, block: Any, i: int, callee: Any) -> tuple[int, Any]:
    """Replace the call in line ``i`` of a block by the callee's blocks; return the block of the lines after the call,
    with its label."""
    scope, call = block.scope, block.body[i]
    first = max(ir_utils._the_max_label.next(), max(caller.blocks)) + 1
    rest_label = first + max(callee.blocks) + 1
    ir_utils._the_max_label.update(rest_label)
    arguments = _get_callee_args(call.value, callee.func_id.func, call.loc, caller)
    assigned = Counter(line.target.name for old in callee.blocks.values() for line in old.find_insts(ir.Assign))
    variables = {
        name: argument
        for name, argument in zip(callee.arg_names, arguments, strict=True)
        if assigned[name] == 1 and isinstance(argument, ir.Var)
    }
    shared = set(variables)

    def renamed(variable: Any, _: Any) -> Any:
        if variable.name not in variables:
            name = f"{callee.func_id.func_name}_{variable.name}".replace(".", "_").replace("$", "v")
            variables[variable.name] = scope.redefine(name, call.loc)
        return variables[variable.name]

    rest = ir.Block(scope, block.loc)
    rest.body = block.body[i + 1 :]
    block.body = [*block.body[:i], ir.Jump(first + min(callee.blocks), call.loc)]
    definitions = caller._definitions.get(call.target.name, [])
    if call.value in definitions:
        definitions.remove(call.value)
    for label, old in callee.blocks.items():
        new = ir.Block(scope, old.loc)
        for line in map(_copied, old.body):
            value = getattr(line, "value", None)
            if isinstance(value, ir.Arg) and line.target.name in shared:
                continue
            ir_utils.visit_vars_stmt(line, renamed, None)
            if isinstance(line, ir.Return):
                new.append(ir.Assign(line.value, call.target, line.loc))
                line = ir.Jump(rest_label, line.loc)
            elif isinstance(line, ir.Jump):
                line.target += first
            elif isinstance(line, ir.Branch):
                line.truebr, line.falsebr = line.truebr + first, line.falsebr + first
            elif isinstance(value, ir.Arg):
                line.value = arguments[value.index]
            elif isinstance(value, ir.Expr) and value.op == "cast":  # to the type of the result
                line.value = line.value.value
            new.append(line)
        _add_definitions(caller, new)
        caller.blocks[first + label] = new
    caller.blocks[rest_label] = rest
    return rest_label, rest


def _share_fields(function: Any, kinds: Any) -> None:
    """Read a field of a named tuple once, where the tuple is set, not at each use; a field of type None is a constant.

    Each use would load the parts of all arrays in the tuple, a hundred numbers, for LLVM to discard all but a few. A
    constant lets Numba's next pass prune ``if x is not None``.

    Args:
        function: the intermediate code, changed in place.
        kinds: the types of its arguments.
    """
    lines = [(block, line) for block in function.blocks.values() for line in block.find_insts(ir.Assign)]
    assigned = Counter(line.target.name for _, line in lines)
    tuples: dict[str, Any] = {}
    aliases: dict[str, str] = {}
    for block, line in lines:
        if assigned[line.target.name] == 1:
            if isinstance(line.value, ir.Var):
                aliases[line.target.name] = line.value.name
            elif _is_named_tuple(line.value, function, kinds):
                tuples[line.target.name] = block, line
    uses: dict[tuple[str, str], list[Any]] = {}
    for _, line in lines:
        if isinstance(line.value, ir.Expr) and line.value.op == "getattr":
            name = line.value.value.name
            while name in aliases:
                name = aliases[name]
            if name in tuples:
                uses.setdefault((name, line.value.attr), []).append(line)
    for (name, field), readers in uses.items():
        block, line = tuples[name]
        shared = block.scope.redefine(f"{name}_{field}".replace("$", "v").replace(".", "_"), line.loc)
        place = next(i for i, other in enumerate(block.body) if other is line)
        value = ir.Expr.getattr(line.target, field, line.loc)
        if _is_none(line.value, field, kinds):
            value = ir.Const(None, line.loc)
        block.body.insert(place + 1, ir.Assign(value, shared, line.loc))
        for reader in readers:
            reader.value = shared
    function._definitions = ir_utils.build_definitions(function.blocks)


def _is_named_tuple(value: Any, function: Any, kinds: Any) -> bool:
    """Whether a value is a named tuple for certain: an argument of such a type, or one made by its class."""
    if isinstance(value, ir.Arg):
        return isinstance(kinds[value.index], types.BaseNamedTuple)
    if not isinstance(value, ir.Expr) or value.op != "call":
        return False
    made = ir_utils.guard(ir_utils.get_definition, function, value.func)
    return hasattr(getattr(made, "value", None), "_fields")


def _is_none(value: Any, field: str, kinds: Any) -> bool:
    """Whether a field of a named tuple, an argument, is None by its type."""
    if not isinstance(value, ir.Arg):
        return False
    kind = kinds[value.index]
    return isinstance(kind[kind.fields.index(field)], types.NoneType)


def _copied(line: Any) -> Any:
    """Copy a line and the expression in it, which ``visit_vars_stmt`` changes in place, but no variable."""
    line = copy.copy(line)
    if isinstance(line, ir.Assign) and isinstance(line.value, ir.Expr):
        line.value = copy.copy(line.value)
        line.value._kws = dict(line.value._kws)
    return line


def _with_this_pass(manager: Any) -> Any:
    manager.passes = [(InlineKernels if kind is InlineInlinables else kind, text) for kind, text in manager.passes]
    return manager


def _untyped_passes(state: Any) -> Any:
    return _with_this_pass(DefaultPassBuilder.define_untyped_pipeline(state))


class KernelCompiler(CompilerBase):
    """Numba's compiler with this pass in place of its own."""

    def define_pipelines(self) -> list[Any]:
        return [_with_this_pass(DefaultPassBuilder.define_nopython_pipeline(self.state))]
