"""Whether a text gives its functions the values that they have in a running program, which no second trace may disturb.

JAX traces a program's function once, and a further trace would show in the program. So the text is executed beside it,
and what its functions read is compared with what the program's own read. This runs inside the user's program.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from irsmith.frontends.jax.dtypes import content
from irsmith.frontends.jax.effects import read_inside
from irsmith.frontends.jax.standalone import configures

_MODULE = "irsmith_recorded"
_ATOMS = (bool, int, float, complex, str, bytes, type(None), type(...), np.dtype, range)

_DEFAULTS = ("__defaults__", "__kwdefaults__")
_PARTIAL = ("func", "args", "keywords")


def differing(text: str, program: Mapping[str, Any]) -> str | None:
    """The first name that functions of a text read and whose value is not the program's, or None.

    Args:
        text: The text, which only defines things.
        program: The values of the program's names.

    Raises:
        Exception: Whatever the text raises.
    """
    import jax

    tree = ast.parse(text)
    # JAX's options are the program's already, and are not to be changed under it.
    tree.body = [statement for statement in tree.body if not configures(statement)]
    module = types.ModuleType(_MODULE)
    sys.modules[_MODULE] = module
    try:
        # The program is within a trace, and the text's arrays are not to be part of that.
        with jax.ensure_compile_time_eval():
            exec(compile(tree, _MODULE, "exec"), module.__dict__)
            for name in sorted(read_inside(tree)):
                known = name in program and name in module.__dict__
                if known and not _same(module.__dict__[name], program[name], set()):
                    return name
    finally:
        sys.modules.pop(_MODULE, None)
    return None


def names_of(function: Callable[..., Any]) -> dict[str, Any]:
    """What the names that a function refers to stand for: those of its module, and those that it closes over."""
    inner = inspect.unwrap(function)
    found = dict(getattr(inner, "__globals__", {}))
    found.update(_closed_over(inner, set()))
    name = getattr(inner, "__name__", "")
    # One that stands in another function is taken out of it, whatever its module calls so.
    return found if inspect.unwrap(found.get(name, len)) is inner else found | {name: inner}


def _closed_over(function: Any, seen: set[int]) -> Iterator[tuple[str, Any]]:
    code = getattr(function, "__code__", None)
    if code is None or id(function) in seen:
        return
    seen.add(id(function))
    for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        value = cell.cell_contents
        yield from _closed_over(value, seen)
        yield variable, value


def _same(ours: Any, theirs: Any, seen: set[tuple[int, int]]) -> bool:
    """Whether two values are alike as far as can be seen: contents, code, attributes."""
    import jax

    if ours is theirs or (id(ours), id(theirs)) in seen:
        return True
    # What holds itself is compared once.
    seen.add((id(ours), id(theirs)))
    ours, theirs = _bare(ours), _bare(theirs)
    if isinstance(theirs, jax.core.Tracer):
        return False
    arrays = (np.ndarray, np.generic, jax.Array)
    if isinstance(ours, arrays) or isinstance(theirs, arrays):
        return isinstance(ours, arrays) and isinstance(theirs, arrays) and content(ours) == content(theirs)
    if isinstance(ours, type) and isinstance(theirs, type):
        own = {key: value for key, value in vars(ours).items() if not key.startswith("__")}
        return ours.__qualname__ == theirs.__qualname__ and _attributes_same(own, vars(theirs), seen)
    if type(ours).__qualname__ != type(theirs).__qualname__:
        return False
    match ours:
        case _ if isinstance(ours, _ATOMS):
            # One that is not a number equals nothing, itself included.
            return repr(ours) == repr(theirs)
        case dict():
            alike = list(map(repr, ours)) == list(map(repr, theirs))
            return alike and all(map(lambda a, b: _same(a, b, seen), ours.values(), theirs.values()))
        case list() | tuple():
            return len(ours) == len(theirs) and all(map(lambda a, b: _same(a, b, seen), ours, theirs))
        case set() | frozenset():
            return sorted(map(repr, ours)) == sorted(map(repr, theirs))
        case types.FunctionType():
            # What closes over something was taken out of its function, and has that as names of the module.
            alike = bool(theirs.__closure__) or _code(ours.__code__) == _code(theirs.__code__)
            return alike and all(_same(getattr(ours, d), getattr(theirs, d), seen) for d in _DEFAULTS)
        case functools.partial():
            return all(_same(getattr(ours, part), getattr(theirs, part), seen) for part in _PARTIAL)
        case staticmethod() | classmethod():
            return _same(ours.__func__, theirs.__func__, seen)
        case property():
            return _same(ours.fget, theirs.fget, seen)
    own = {key: value for key, value in getattr(ours, "__dict__", {}).items() if not key.startswith("__")}
    return _attributes_same(own, getattr(theirs, "__dict__", {}), seen)


def _attributes_same(ours: Mapping[str, Any], theirs: Mapping[str, Any], seen: set[tuple[int, int]]) -> bool:
    return all(name in theirs and _same(value, theirs[name], seen) for name, value in ours.items())


def _bare(value: Any) -> Any:
    """A function without what JAX or a decorator put around it."""
    jitted = hasattr(value, "trace") and hasattr(value, "__wrapped__")
    return inspect.unwrap(value) if jitted or isinstance(value, types.FunctionType) else value


def _code(code: types.CodeType) -> tuple[Any, ...]:
    """What a function does, wherever it stands."""
    constants = tuple(_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, constants
