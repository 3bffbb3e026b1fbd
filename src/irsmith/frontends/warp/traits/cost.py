"""What one thread costs: arithmetic operations and bytes of arrays, estimated from the source.

A loop counts as often as it turns: a bound that is a number or an array's extent is exact, an argument stands for the
middle of its domain, and what only the data knows for a few turns. The arms of a branch count half each. Arithmetic
on subscripts is not counted; a function counts about the instructions that it takes on a device.
"""

from __future__ import annotations

import ast
import math

from irsmith.frontends.warp.traits.module import Module
from irsmith.kernel import Argument
from irsmith.types import FLOAT32, INT32, SCALARS, Matrix, Quaternion, Scalar, Struct, Transformation, ValueType, Vector

UNKNOWN_TURNS = 8
"""Turns of a loop whose bound only the data knows."""
_DEEPEST = 8
"""Calls of helpers within helpers that are followed."""

_DEAR = {
    **dict.fromkeys(("sin", "cos", "exp", "log", "log2", "log10", "tanh"), 8),
    **dict.fromkeys(("tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "pow", "cbrt", "erf", "erfc"), 16),
    **dict.fromkeys(("sqrt",), 4), **dict.fromkeys(("lerp", "clamp"), 3), "smoothstep": 8,
    **dict.fromkeys(("randf", "randi", "randu", "rand_init"), 8), "randn": 40, "noise": 80, "pnoise": 80,
    "curlnoise": 240,
}  # fmt: skip
"""Operations a component of functions that take more than one."""
_FREE = frozenset({"tid", "float", "int", "bool", "len", "where", "select", "static", "printf", "print", "zeros"})
_SIZES = {"bool": 1, "8": 1, "16": 2, "32": 4, "64": 8}


def cost(module: Module) -> tuple[int, int]:
    """Operations and bytes of one thread."""
    walk = _Walk(module)
    arguments = {argument.name: argument for argument in module.kernel.signature.arguments}
    scope: dict[str, ValueType | None] = {name: None if a.rank else a.type for name, a in arguments.items()}
    walk.block(module.function.body, scope, arguments, 1.0, 0)
    moved = sum(size * times for size, times in walk.touched.values())
    return round(walk.operations), round(moved)


def size_of(type: ValueType | None) -> int:
    """The bytes of a value; a float's where the type is not known."""
    if isinstance(type, Scalar):
        return next(size for ending, size in _SIZES.items() if type.name.endswith(ending))
    if isinstance(type, Struct):
        return sum(size_of(field.type) for field in type.fields)
    if isinstance(type, Vector | Matrix | Quaternion):
        return components(type) * size_of(type.scalar)
    return 4


def components(type: ValueType | None) -> int:
    """How many numbers a value has; 1 where the type is not known."""
    if isinstance(type, Vector):
        return type.length
    if isinstance(type, Matrix):
        return type.rows * type.columns
    return 4 if isinstance(type, Quaternion) else 1


class _Walk:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.operations = 0.0
        # The bytes of an element and how often it is touched, by its text.
        self.touched: dict[str, tuple[int, float]] = {}
        self.times = 1.0
        self.depth = 0
        self.scope: dict[str, ValueType | None] = {}
        self.arguments: dict[str, Argument] = {}
        self.returned: ValueType | None = None

    def block(
        self,
        body: list[ast.stmt],
        scope: dict[str, ValueType | None],
        arguments: dict[str, Argument],
        times: float,
        depth: int,
    ) -> ValueType | None:
        """Count a function's body; the type that it returns."""
        saved = self.scope, self.arguments, self.times, self.depth, self.returned
        self.scope, self.arguments, self.times, self.depth, self.returned = scope, arguments, times, depth, None
        self.statements(body)
        returned = self.returned
        self.scope, self.arguments, self.times, self.depth, self.returned = saved
        return returned

    def statements(self, body: list[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            type = self.visit(node.value)
            for target in node.targets:
                self.assign(target, type)
        elif isinstance(node, ast.AugAssign):
            type = self.visit(node.value)
            self.arithmetic(node.op, self.visit(node.target), type)
            if not isinstance(node.target, ast.Name):
                self.assign(node.target, type)
        elif isinstance(node, ast.If):
            self.visit(node.test)
            times = self.times
            self.times = times / 2
            self.statements(node.body)
            self.statements(node.orelse)
            self.times = times
        elif isinstance(node, ast.For | ast.While):
            self.loop(node)
        elif isinstance(node, ast.Return) and node.value is not None:
            self.returned = self.visit(node.value)
        elif isinstance(node, ast.Expr):
            self.visit(node.value)

    def loop(self, node: ast.For | ast.While) -> None:
        turns = float(UNKNOWN_TURNS)
        if isinstance(node, ast.For):
            turns = self.turns(node.iter)
            if isinstance(node.target, ast.Name):
                self.scope[node.target.id] = INT32
        else:
            self.operations += self.times * turns
        times = self.times
        self.times = times * turns
        self.statements(node.body)
        self.times = times

    def turns(self, node: ast.expr) -> float:
        """How often ``range`` turns."""
        if not isinstance(node, ast.Call) or not node.args:
            return UNKNOWN_TURNS
        if isinstance(node.func, ast.Name) and node.func.id == "reversed":
            return self.turns(node.args[0])
        bounds = [self.number(argument) for argument in node.args]
        if None in bounds:
            return UNKNOWN_TURNS
        known = [bound for bound in bounds if bound is not None]
        start, stop = (0.0, known[0]) if len(known) == 1 else (known[0], known[1])
        step = known[2] if len(known) > 2 else 1.0
        return max(0.0, (stop - start) / step) if step else UNKNOWN_TURNS

    def number(self, node: ast.expr) -> float | None:
        """A bound's value, as far as the signature tells."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.number(node.operand)
            return None if inner is None else -inner
        if isinstance(node, ast.Call) and self.module.builtin(node) == "static" and node.args:
            return self.number(node.args[0])
        if isinstance(node, ast.Name):
            argument = self.arguments.get(node.id)
            if argument and argument.domain and not argument.rank:
                return (argument.domain.low + argument.domain.high) / 2
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
            left, right = self.number(node.left), self.number(node.right)
            if left is not None and right is not None:
                return (
                    left + right
                    if isinstance(node.op, ast.Add)
                    else (left - right if isinstance(node.op, ast.Sub) else left * right)
                )
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            owner, axis = node.value.value, node.slice
            if isinstance(owner, ast.Name) and isinstance(axis, ast.Constant) and isinstance(axis.value, int):
                argument = self.arguments.get(owner.id)
                if argument and axis.value < len(argument.shape):
                    return float(argument.shape[axis.value])
        return None

    def assign(self, target: ast.expr, type: ValueType | None) -> None:
        if isinstance(target, ast.Name):
            self.scope[target.id] = type
        elif isinstance(target, ast.Subscript):
            self.element(target, "store")

    # Expressions. Each gives its type, as far as it is known.

    def visit(self, node: ast.expr) -> ValueType | None:
        if isinstance(node, ast.Name):
            return self.scope.get(node.id)
        if isinstance(node, ast.Constant):
            return FLOAT32 if isinstance(node.value, float) else INT32
        if isinstance(node, ast.BinOp):
            left, right = self.visit(node.left), self.visit(node.right)
            return self.arithmetic(node.op, left, right)
        if isinstance(node, ast.UnaryOp):
            type = self.visit(node.operand)
            if not isinstance(node.operand, ast.Constant):
                self.count(components(type))
            return type
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.element(node, "load")
        if isinstance(node, ast.Attribute):
            owner = self.visit(node.value)
            if isinstance(owner, Struct) and node.attr in owner.by_name:
                return owner.by_name[node.attr].type
            return owner.scalar if isinstance(owner, Vector | Quaternion) else None
        if isinstance(node, ast.Compare):
            types = [self.visit(item) for item in (node.left, *node.comparators)]
            self.count(len(node.ops))
            return types[0]
        if isinstance(node, ast.IfExp):
            self.visit(node.test)
            times, self.times = self.times, self.times / 2
            type, _ = self.visit(node.body), self.visit(node.orelse)
            self.times = times
            return type
        for item in ast.iter_child_nodes(node):
            if isinstance(item, ast.expr):
                self.visit(item)
        return None

    def count(self, operations: float) -> None:
        self.operations += operations * self.times

    def arithmetic(self, op: ast.operator, left: ValueType | None, right: ValueType | None) -> ValueType | None:
        """Count a binary operator, and give its result's type."""
        wide, narrow = (left, right) if components(left) >= components(right) else (right, left)
        if isinstance(left, Matrix) and isinstance(right, Matrix) and isinstance(op, ast.Mult | ast.MatMult):
            self.count(left.rows * right.columns * (2 * left.columns - 1))
            return Matrix(left.rows, right.columns, left.scalar)
        if isinstance(wide, Matrix) and isinstance(narrow, Vector):
            self.count(wide.rows * (2 * wide.columns - 1))
            return narrow
        if isinstance(left, Quaternion) and isinstance(right, Quaternion) and isinstance(op, ast.Mult):
            self.count(28)
            return left
        dear = isinstance(op, ast.Div | ast.Mod | ast.FloorDiv | ast.Pow)
        self.count(components(wide) * (4 if dear else 1))
        return wide if wide is not None else narrow

    def element(self, node: ast.Subscript, way: str) -> ValueType | None:
        """An element of an array, or a component of a value."""
        inner: ast.expr = node.value
        if isinstance(inner, ast.Name) and (argument := self.arguments.get(inner.id)) and argument.rank:
            text = f"{way} {self.module.text(node)}"
            size, times = self.touched.get(text, (size_of(argument.type), 0.0))
            # One text in one place is one element: a compiler reads it once.
            self.touched[text] = size, max(times, self.times)
            for index in node.slice.elts if isinstance(node.slice, ast.Tuple) else (node.slice,):
                self.indices(index)
            return argument.type
        owner = self.visit(inner)
        return owner.scalar if isinstance(owner, Vector | Matrix | Quaternion) else owner

    def indices(self, node: ast.expr) -> None:
        """What a subscript itself loads; its arithmetic is not counted."""
        for item in self.module.below(node):
            if isinstance(item, ast.Subscript):
                operations = self.operations
                self.element(item, "load")
                self.operations = operations

    def call(self, node: ast.Call) -> ValueType | None:
        name = self.module.builtin(node)
        if name.startswith("atomic_"):
            return self.atomic(node)
        if name == "tid":
            return INT32
        if name.startswith("tile"):
            return self.of_tiles(node, name)
        types = [self.visit(argument) for argument in node.args]
        if isinstance(node.func, ast.Name) and node.func.id in self.module.helpers and self.depth < _DEEPEST:
            helper = self.module.helpers[node.func.id]
            names = [argument.arg for argument in helper.args.args]
            scope = dict(zip(names, types, strict=False))
            return self.block(helper.body, scope, {}, self.times, self.depth + 1)
        first = types[0] if types else None
        return self.builtin(name, first, types)

    def atomic(self, node: ast.Call) -> ValueType | None:
        target, *subscripts = node.args[:-1]
        self.visit(node.args[-1])
        argument = self.arguments.get(target.id) if isinstance(target, ast.Name) else None
        size = size_of(argument.type) if argument else 4
        text = f"atomic {self.module.text(target)} {[self.module.text(item) for item in subscripts]}"
        # Read and written.
        self.touched[text] = 2 * size, max(self.touched.get(text, (0, 0.0))[1], self.times)
        for item in subscripts:
            self.indices(item)
        self.count(components(argument.type) if argument else 1)
        return argument.type if argument else None

    def of_tiles(self, node: ast.Call, name: str) -> ValueType | None:
        """Count a builtin of tiles, of which a thread has all elements: a tile goes for a vector."""
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in {"tile_map", "tile_reduce"}:
            types = [self.visit(argument) for argument in node.args[1:]]
            sizes = components(types[0])
            helper = self.module.helpers.get(node.args[0].id) if isinstance(node.args[0], ast.Name) else None
            if helper is not None and self.depth < _DEEPEST:
                names = [argument.arg for argument in helper.args.args]
                scalars = [_scalar(type) for type in types] * (1 if name == "tile_map" else 2)
                scope = dict(zip(names, scalars, strict=False))
                self.block(helper.body, scope, {}, self.times * sizes, self.depth + 1)
            else:
                self.count(_DEAR.get(self.module.builtin(node.args[0]), 1) * sizes)
            return types[0] if name == "tile_map" else _scalar(types[0])
        if name in {"tile_load", "tile_load_indexed", "tile_store", "tile_store_indexed"} or "atomic" in name:
            return self.moved(node, name, named)
        types = [self.visit(argument) for argument in node.args if not isinstance(argument, ast.Tuple)]
        first = types[0] if types else None
        if name in {"tile_zeros", "tile_ones", "tile_full", "tile_arange"}:
            return self.tile(named.get("shape", node.args[0] if node.args else None), FLOAT32)
        if name == "tile_broadcast":
            return self.tile(named.get("shape", node.args[-1]), _scalar(first) or FLOAT32)
        if name == "tile_matmul":
            # Whose shared extent is not known here: as many products for each element as a side is long.
            size = max(components(type) for type in types)
            self.count(2 * size * round(size**0.5))
            return types[-1]
        if name in {"tile_sum", "tile_min", "tile_max", "tile_dot", "tile_argmin", "tile_argmax"}:
            self.count(components(first) * (2 if name == "tile_dot" else 1))
            return _scalar(first)
        if name in {"tile_axpy", "tile_diag_add", "tile_sort"} or name.startswith("tile_scan"):
            self.count(components(first) * (2 if name == "tile_axpy" else 1))
        return _scalar(first) if name == "tile_extract" else first

    def moved(self, node: ast.Call, name: str, named: dict[str | None, ast.expr]) -> ValueType | None:
        """A tile that is loaded or stored: how many bytes it has."""
        target = node.args[0]
        owner = target.value if isinstance(target, ast.Subscript) else target
        argument = self.arguments.get(owner.id) if isinstance(owner, ast.Name) else None
        element = argument.type if argument else FLOAT32
        indexed = "indexed" in name
        tile: ValueType | None
        if "load" in name:
            place = 2 if indexed else 1
            tile = self.tile(named.get("shape", node.args[place] if len(node.args) > place else None), element)
        else:
            tile = self.visit(named["t"] if "t" in named else node.args[2 if indexed else 1])
        size = size_of(element) * components(tile) // max(1, components(element)) * (2 if "atomic" in name else 1)
        text = f"{name} {ast.dump(node)}"
        self.touched[text] = size, max(self.touched.get(text, (0, 0.0))[1], self.times)
        if "atomic" in name:
            self.count(components(tile))
        return tile

    def tile(self, shape: ast.expr | None, element: ValueType) -> ValueType:
        """The vector that a tile of a shape goes for; one element where an extent is not known."""
        extents = shape.elts if isinstance(shape, ast.Tuple) else [] if shape is None else [shape]
        known = [self.number(extent) or self.module.constant(extent) or 1 for extent in extents]
        size = components(element) * round(math.prod(known))
        scalar = _scalar(element)
        return Vector(size, scalar) if isinstance(scalar, Scalar) and size > 1 else element

    def builtin(self, name: str, first: ValueType | None, types: list[ValueType | None]) -> ValueType | None:
        """Count a builtin, and give its result's type."""
        n = components(first)
        scalar = first.scalar if isinstance(first, Vector | Matrix | Quaternion) else first
        if name in _FREE or not name:
            return FLOAT32 if name == "float" else INT32 if name in {"int", "len"} else first
        if name in SCALARS:
            return SCALARS[name]
        if name in {"dot", "ddot", "length_sq"}:
            self.count(2 * n - 1)
            return scalar
        if name == "length":
            self.count(2 * n + 3)
            return scalar
        if name == "normalize":
            self.count(3 * n + 7)
            return first
        if name == "cross":
            self.count(9)
            return first
        if isinstance(first, Matrix) and name in {"determinant", "inverse", "trace"}:
            self.count({"trace": first.rows, "determinant": first.rows**3, "inverse": 2 * first.rows**3}[name])
            return first if name == "inverse" else scalar
        if name == "outer" and isinstance(first, Vector):
            self.count(n * n)
            return Matrix(n, n, first.scalar)
        if name.startswith(("quat_rotate", "transform_")):
            self.count(30)
            return types[-1] if types else Transformation(FLOAT32)
        if name.startswith("quat_"):
            self.count(20)
            return first
        if name.startswith(("vec", "mat", "transpose", "diag", "identity")):
            return _constructed(name) or first
        self.count(_DEAR.get(name, 1) * n)
        return first


def _scalar(type: ValueType | None) -> ValueType | None:
    """What a value is made of; itself where it is one number."""
    return type.scalar if isinstance(type, Vector | Matrix | Quaternion) else type


def _constructed(name: str) -> ValueType | None:
    """The type that a constructor such as ``vec3`` or ``mat33d`` makes."""
    family, digits = name[:3], "".join(character for character in name if character.isdigit())
    scalar = SCALARS["float64"] if name.endswith("d") else SCALARS["float16"] if name.endswith("h") else FLOAT32
    if family == "vec" and digits:
        return Vector(int(digits), scalar)
    return Matrix(int(digits[0]), int(digits[1]), scalar) if family == "mat" and len(digits) == 2 else None
