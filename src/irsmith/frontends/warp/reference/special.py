"""Builtins that are more than a formula: they ask for the thread, touch arrays, or change a variable."""

from __future__ import annotations

import ast
from collections.abc import Callable

import numpy as np

from irsmith.frontends.warp.reference import atomic, expressions, indexing, local_arrays, places, types
from irsmith.frontends.warp.reference.builtins.random import DRAWS, Draws
from irsmith.frontends.warp.reference.constructors import construct
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.geometry.meshes import MESHES
from irsmith.frontends.warp.reference.geometry.searches import SEARCHES
from irsmith.frontends.warp.reference.scope import ArrayExpr, Scope
from irsmith.frontends.warp.reference.tile_calls import TILES
from irsmith.frontends.warp.reference.values import (
    Expr,
    TupleType,
    Type,
    Value,
    components,
    is_composite,
    scalar_of,
    select,
)
from irsmith.types import FLOAT32, INT32, UINT32, ArrayType, Matrix, Quaternion, Scalar, Transformation, Vector

Handler = Callable[[Scope, ast.Call, int], Expr]
"""Translates a call whose result is unpacked to so many names."""


def _arguments(scope: Scope, node: ast.Call, *counts: int) -> list[Expr]:
    if node.keywords or len(node.args) not in counts:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    return [expressions.expression(scope, argument) for argument in node.args]


def _tid(scope: Scope, node: ast.Call, expected: int) -> Expr:
    if not scope.is_kernel or node.args or node.keywords or expected > 4:
        raise Unsupported("tid", node)
    machine = scope.machine
    if expected == 1:
        return Expr(INT32, lambda: machine.coordinates[0])
    return Expr(TupleType((INT32,) * expected), lambda: tuple(machine.coordinates[:expected]))


def _where(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``where(condition, value if true, value if false)``: both values are computed."""
    del expected
    condition, yes, no = _arguments(scope, node, 3)
    if yes.type != no.type or isinstance(yes.type, ArrayType):
        raise Unsupported(f"where of {yes.type} and {no.type}", node)
    test, run_yes, run_no = expressions.as_condition(scope, condition, node).run, yes.run, no.run
    guarded = condition.guarded or yes.guarded or no.guarded

    def run() -> Value:
        return select(test(), run_yes(), run_no())

    return Expr(yes.type, run, guarded=guarded)


def _len(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    (owner,) = _arguments(scope, node, 1)
    if isinstance(owner, ArrayExpr):
        return indexing.extent(scope, owner, 0, node)
    if is_composite(owner.type):
        return scope.constant(INT32, components(owner.type)[0])
    raise Unsupported(f"len of {owner.type}", node)


def _cast(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``cast(value, dtype)``: the same bits read as another type of the same size.

    Of a float they are those of its declared type, whatever it is computed with.
    """
    del expected
    options = {keyword.arg: keyword.value for keyword in node.keywords}
    if len(node.args) + len(options) != 2 or set(options) - {"dtype"} or not node.args:
        raise Unsupported("arguments of cast", node)
    value = expressions.expression(scope, node.args[0])
    kind = types.named(scope, options["dtype"] if "dtype" in options else node.args[1])
    if not (isinstance(value.type, Scalar) and isinstance(kind, Scalar)):
        raise Unsupported("cast of bits", node)
    of_float = value.type.is_float
    run, ops, of, to = value.run, scope.ops, np.dtype(value.type.name), np.dtype(kind.name)
    if of.itemsize != to.itemsize:
        raise Unsupported(f"cast of {value.type} to {kind}", node)

    def bits() -> Value:
        result = np.ascontiguousarray(run(), of).view(to).astype(ops.dtype(kind))
        if of_float:
            # What changes with them changes by jumps.
            ops.decide(result)
        return result

    return Expr(kind, bits, guarded=value.guarded)


def _identity(kind: Callable[[Scalar], Type], value: list[float]) -> Handler:
    """A constant of a quaternion or transform type, float32 unless a ``dtype`` says otherwise."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        scalar: Type = types.named(scope, given[0]) if given else FLOAT32
        if len(given) > 1 or not isinstance(scalar, Scalar):
            raise Unsupported("identity", node)
        constant = np.array([value], scope.ops.dtype(scalar))
        return Expr(kind(scalar), lambda: constant)

    return handler


def _identity_matrix(scope: Scope, node: ast.Call, expected: int) -> Expr:
    del expected
    options = {keyword.arg: keyword.value for keyword in node.keywords}
    options |= dict(zip(("n", "dtype"), node.args, strict=False))
    if set(options) != {"n", "dtype"}:
        raise Unsupported("arguments of identity", node)
    size, scalar = expressions.expression(scope, options["n"]).const, types.named(scope, options["dtype"])
    if not isinstance(size, int) or not isinstance(scalar, Scalar):
        raise Unsupported("identity", node)
    constant = np.eye(size, dtype=scope.ops.dtype(scalar))[None]
    return Expr(Matrix(size, size, scalar), lambda: constant)


def _draw(name: str) -> Handler:
    """A builtin that draws from a state variable and replaces it."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        if node.keywords or not node.args:
            raise Unsupported(f"arguments of {name}", node)
        place = places.place(scope, node.args[0])
        others = [expressions.expression(scope, argument) for argument in node.args[1:]]
        types = tuple(other.type for other in others)
        for draw in DRAWS[name]:
            if draw.arguments == types and place.type == UINT32:
                break
        else:
            raise Unsupported(f"{name} of {', '.join(map(str, types))}", node)
        formula, runs, ops, line = draw.formula, [other.run for other in others], scope.ops, node.lineno

        def run() -> Value:
            place.find()
            values = [other() for other in runs]
            draws = Draws(ops, place.load(), line)
            result = formula(draws, *values)
            place.save(draws.state)
            return result

        return Expr(draw.result, run, guarded=True)

    return handler


def _sample_cdf(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``sample_cdf(state, cdf)``: the place of a uniform draw in a sorted array of float32."""
    del expected
    state = places.place(scope, node.args[0]) if len(node.args) == 2 and not node.keywords else None
    cdf = expressions.expression(scope, node.args[1]) if state is not None else None
    if state is None or state.type != UINT32 or not isinstance(cdf, ArrayExpr) or cdf.type != ArrayType(FLOAT32, 1):
        raise Unsupported("arguments of sample_cdf", node)
    ops, line = scope.ops, node.lineno

    def draw() -> Value:
        state.find()
        draws = Draws(ops, state.load(), line)
        result = draws.unit()
        state.save(draws.state)
        return result

    return Expr(INT32, atomic.search(scope, cdf, draw, line), guarded=True)


def _set_part(kind: Callable[[Scalar], Type], cut: slice) -> Handler:
    """``transform_set_translation(t, p)`` and its like: a part of a variable is replaced."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        if len(node.args) != 2 or node.keywords or not isinstance(node.args[0], ast.Name):
            # Of an array's element Warp changes a copy that nobody sees.
            raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
        target, part = places.place(scope, node.args[0]), expressions.expression(scope, node.args[1])
        if not isinstance(target.type, Transformation) or part.type != kind(target.type.scalar):
            raise Unsupported(f"{ast.unparse(node.func)} of {target.type} and {part.type}", node)
        new = part.run

        def run() -> Value:
            value = new()
            target.find()
            target.save(indexing.replace(target.load(), (cut,), value))

        return Expr(TupleType(()), run, guarded=True)

    return handler


def _silent(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """Printing: its arguments are computed, and nothing that a run returns changes."""
    del expected
    values = [argument for argument in node.args if not isinstance(argument, ast.Constant)]
    runs = [expressions.expression(scope, value).run for value in values]

    def run() -> Value:
        for compute in runs:
            compute()

    return Expr(TupleType(()), run, guarded=True)


def _static(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``static(expression)``: computed by Python when the module is loaded."""
    del expected
    if len(node.args) != 1 or node.keywords:
        raise Unsupported("arguments of static", node)
    match node.args[0]:
        case ast.Call(ast.Name("len"), [ast.Name(name)]) if name in scope.variables:
            return _len(scope, node.args[0], 1)
    return expressions.static_value(scope, scope.source.meaning(node.args[0]), node)


def _block_dim(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``block_dim()``: how many threads a block has, which is one on a CPU."""
    del expected
    _arguments(scope, node, 0)
    one = scope.machine.integer(1)
    return Expr(INT32, lambda: one)


def _made(kind: Callable[[Scalar], Type]) -> Handler:
    """``quaternion(…, dtype=…)`` and its like: the scalar is what the parts are of, unless a ``dtype`` says another."""

    def handler(scope: Scope, node: ast.Call, expected: int) -> Expr:
        del expected
        options = {keyword.arg or "": keyword.value for keyword in node.keywords}
        given = options.pop("dtype", None)
        parts = indexing.spread(scope, node.args)
        named = {name: expressions.expression(scope, value) for name, value in options.items()}
        scalar: Type = FLOAT32
        if given is not None:
            scalar = types.named(scope, given)
        elif parts or named:
            scalar = scalar_of((parts or list(named.values()))[0].type)
        if not isinstance(scalar, Scalar):
            raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
        return construct(scope, kind(scalar), parts, named, node)

    return handler


def _shaped(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``vector(…, length=…, dtype=…)`` and ``matrix(…, shape=…, dtype=…)``; else a vector of what is given."""
    options = {keyword.arg or "": keyword.value for keyword in node.keywords}
    sizes = [options[name] for name in ("length", "shape") if name in options]
    extents = sizes[0].elts if sizes and isinstance(sizes[0], ast.Tuple) else sizes
    shape = [expressions.expression(scope, extent).const for extent in extents] or [len(node.args)]
    if not all(isinstance(extent, int) and extent > 0 for extent in shape) or len(shape) > 2:
        raise Unsupported(f"arguments of {ast.unparse(node.func)}", node)
    plain = ast.Call(node.func, node.args, [keyword for keyword in node.keywords if keyword.arg == "dtype"])
    first, *rest = (int(extent or 0) for extent in shape)
    made = _made(lambda scalar: Matrix(first, rest[0], scalar) if rest else Vector(first, scalar))
    return made(scope, ast.copy_location(plain, node), expected)


SPECIAL: dict[str, Handler] = {
    "tid": _tid,
    "where": _where,
    "len": _len,
    "cast": _cast,
    "static": _static,
    "zeros": local_arrays.zeros,
    "block_dim": _block_dim,
    "quaternion": _made(Quaternion),
    "transformation": _made(Transformation),
    "vector": _shaped,
    "matrix": _shaped,
    "expect_eq": _silent,
    "expect_neq": _silent,
    "expect_near": _silent,
    "print": _silent,
    "printf": _silent,
    "identity": _identity_matrix,
    "quat_identity": _identity(Quaternion, [0, 0, 0, 1]),
    "transform_identity": _identity(Transformation, [0, 0, 0, 0, 0, 0, 1]),
    "transform_set_translation": _set_part(lambda scalar: Vector(3, scalar), slice(0, 3)),
    "transform_set_rotation": _set_part(Quaternion, slice(3, 7)),
    "sample_cdf": _sample_cdf,
    **atomic.HANDLERS,
    **TILES,
    **SEARCHES,
    **MESHES,
    **{name: _draw(name) for name in DRAWS},
}
"""Builtins by name."""
