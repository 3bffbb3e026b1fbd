"""Arrays that a function makes for each thread."""

from __future__ import annotations

import ast

import numpy as np

from irsmith.frontends.warp.reference import expressions, types
from irsmith.frontends.warp.reference.errors import Unsupported
from irsmith.frontends.warp.reference.memory import Store
from irsmith.frontends.warp.reference.scope import ArrayView, Scope
from irsmith.frontends.warp.reference.values import Expr, components, scalar_of
from irsmith.types import FLOAT32, ArrayType, Matrix, Quaternion, Scalar, Transformation, Vector


def zeros(scope: Scope, node: ast.Call, expected: int) -> Expr:
    """``zeros(shape, dtype)``: an array of a thread's own, empty wherever the call is reached."""
    del expected
    options = {keyword.arg or "": keyword.value for keyword in node.keywords}
    options |= dict(zip(("shape", "dtype"), node.args, strict=False))
    if "shape" not in options or set(options) - {"shape", "dtype"}:
        raise Unsupported("arguments of zeros", node)
    shape = _extents(scope, options["shape"], node)
    element = types.named(scope, options["dtype"]) if "dtype" in options else FLOAT32
    if not isinstance(element, Scalar | Vector | Matrix | Quaternion | Transformation):
        raise Unsupported(f"local array of {element}", node)
    machine, precision = scope.machine, scope.ops.precision
    made = ArrayType(element, len(shape))
    name = scope.callables.new_local()
    empty = np.zeros((1, *shape, *components(element)), precision.dtype(scalar_of(element)))

    def clear() -> None:
        store = machine.stores.get(name)
        if store is None:
            machine.stores[name] = Store(machine, made, np.repeat(empty, machine.lanes, axis=0), precision)
        else:
            store.clear()

    return scope.array(made, ArrayView(name), (clear,))


def _extents(scope: Scope, node: ast.expr, call: ast.Call) -> tuple[int, ...]:
    """The extents that a call names: numbers that are known when the function is translated."""
    extents = node.elts if isinstance(node, ast.Tuple) else [node]
    result = []
    for extent in extents:
        number = expressions.expression(scope, extent).const
        if not isinstance(number, int) or number < 1:
            raise Unsupported("local array of computed extents", call)
        result.append(number)
    return tuple(result)
