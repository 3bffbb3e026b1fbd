"""Patterns of access: which elements a thread reads and writes, told by where its subscripts come from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from irsmith.frontends.warp.traits.module import Module

_REDUCTIONS = frozenset({
    "tile_sum", "tile_min", "tile_max", "tile_reduce", "tile_argmin", "tile_argmax", "tile_dot", "tile_matmul",
})  # fmt: skip
_SCANS = frozenset({
    "tile_scan_inclusive", "tile_scan_exclusive", "tile_scan_max_inclusive", "tile_scan_min_inclusive",
})  # fmt: skip
_OF_ARRAYS = {"tile_load_indexed": "gather", "tile_store_indexed": "scatter", "tile_atomic_add_indexed": "scatter"}


class Origin(NamedTuple):
    """Where a subscript comes from.

    Attributes:
        sources: Any of ``thread``, ``counter``, ``data`` and ``value``: a coordinate of the thread, a loop's counter,
            what was read from an array, an argument by value.
        moved: Whether something was added to a coordinate.
        plain: Whether it is nothing but a name.
    """

    sources: frozenset[str]
    moved: bool = False
    plain: bool = False


_NOTHING = Origin(frozenset())
_DATA = Origin(frozenset({"data"}))
_VALUE = Origin(frozenset({"value"}))
_THREAD = Origin(frozenset({"thread"}), plain=True)


def patterns(module: Module) -> set[str]:
    """The patterns of a kernel; ``map`` where it stores to its own element and follows no other pattern."""
    walk = _Walk(module)
    walk.block(module.function.body)
    found = walk.found
    if walk.stores_own and not found:
        found.add("map")
    return found


class _Walk:
    """Follows a kernel's statements in order, with the origin of every variable."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.found: set[str] = set()
        self.stores_own = False
        self.arrays = {argument.name for argument in module.kernel.signature.arguments if argument.rank}
        self.origins: dict[str, Origin] = {
            argument.name: Origin(frozenset({"value"}), plain=True)
            for argument in module.kernel.signature.arguments
            if not argument.rank
        }
        self.counters: list[str] = []
        self.coordinates: list[str] = []
        # For each open loop, the variables whose new value is made from the old.
        self.folded: list[set[str]] = []

    # Statements.

    def block(self, body: list[ast.stmt]) -> None:
        for node in body:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            self.visit(node.value)
            for target in node.targets:
                self.assign(target, node.value)
        elif isinstance(node, ast.AugAssign):
            self.visit(node.value)
            self.assign(node.target, node.value, again=True)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self.visit(node.value)
            self.assign(node.target, node.value)
        elif isinstance(node, ast.If):
            self.visit(node.test)
            self.block(node.body)
            self.block(node.orelse)
        elif isinstance(node, ast.For):
            self.visit(node.iter)
            if isinstance(node.target, ast.Name):
                bounds = self.origin(node.iter).sources
                # A loop over what an array says walks through an index, as one over rows of a sparse matrix does.
                self.origins[node.target.id] = Origin(frozenset({"counter"}) | (bounds & {"data"}), plain=True)
                self.counters.append(node.target.id)
            self.loop(node.body)
            if isinstance(node.target, ast.Name):
                self.counters.pop()
        elif isinstance(node, ast.While):
            self.visit(node.test)
            self.loop(node.body)
        elif isinstance(node, ast.Expr | ast.Return) and node.value is not None:
            self.visit(node.value)

    def loop(self, body: list[ast.stmt]) -> None:
        folded = {name for node in body for name in _folded(node, self.module)}
        steps = {name for name, stepped in folded if stepped}
        results = {name for name, stepped in folded if not stepped}
        for name in steps:
            # A counter that the loop's body moves itself.
            self.origins[name] = Origin(frozenset({"counter"}), plain=True)
        if results:
            self.found.add("reduce")
        self.counters += steps
        self.folded.append(results)
        self.block(body)
        self.folded.pop()
        del self.counters[len(self.counters) - len(steps) :]

    def assign(self, target: ast.expr, value: ast.expr, *, again: bool = False) -> None:
        if isinstance(target, ast.Tuple) and self.module.builtin(value) == "tid":
            for item in target.elts:
                if isinstance(item, ast.Name):
                    self.origins[item.id] = _THREAD
                    self.coordinates.append(item.id)
        elif isinstance(target, ast.Name):
            if self.module.builtin(value) == "tid":
                self.origins[target.id] = _THREAD
                self.coordinates.append(target.id)
                return
            before = self.origins.get(target.id, _NOTHING)
            origin = self.origin(value)
            self.origins[target.id] = Origin(before.sources | origin.sources, True) if again else origin
        elif isinstance(target, ast.Subscript):
            owner = _owner(target)
            if owner in self.arrays:
                self.store(target, value)

    def store(self, target: ast.Subscript, value: ast.expr) -> None:
        subscripts = [self.origin(item) for item in _subscripts(target)]
        if self.folded:
            names = {node.id for node in self.module.below(value) if isinstance(node, ast.Name)}
            indices = {
                node.id
                for item in _subscripts(target)
                for node in self.module.below(item)
                if isinstance(node, ast.Name)
            }
            if names & self.folded[-1] and indices & set(self.counters):
                self.found.add("scan")
        places = [item.id for item in _subscripts(target) if isinstance(item, ast.Name) and item.id in self.coordinates]
        elsewhere = any(
            "data" in origin.sources or ("thread" in origin.sources and not origin.plain) for origin in subscripts
        )
        if elsewhere or places != [name for name in self.coordinates if name in places]:
            self.found.add("scatter")
        elif places:
            self.stores_own = True

    # Expressions.

    def visit(self, node: ast.expr) -> None:
        """Look at every read and every atomic below an expression."""
        for item in self.module.below(node):
            if isinstance(item, ast.Subscript) and _owner(item) in self.arrays and isinstance(item.value, ast.Name):
                self.load(item)
            elif isinstance(item, ast.Call):
                name = self.module.builtin(item)
                if name in _OF_ARRAYS:
                    self.found.add(_OF_ARRAYS[name])
                if name.startswith("tile_atomic"):
                    self.tile_atomic(item, name)
                elif name.startswith("atomic_"):
                    self.atomic(item)
                elif name == "tile_store":
                    self.stores_own = True
                elif name in _REDUCTIONS:
                    self.found.add("reduce")
                elif name in _SCANS:
                    self.found.add("scan")

    def load(self, node: ast.Subscript) -> None:
        origins = [self.origin(item) for item in _subscripts(node)]
        if any("data" in origin.sources for origin in origins):
            self.found.add("gather")
        elif any(origin.moved and "thread" in origin.sources for origin in origins):
            self.found.add("stencil")

    def atomic(self, call: ast.Call) -> None:
        self.found.add("atomic")
        origins = [self.origin(argument) for argument in call.args[1:-1]]
        if any("data" in origin.sources for origin in origins):
            self.found.add("scatter")
        elif not any("thread" in origin.sources for origin in origins):
            self.found.add("reduce")

    def tile_atomic(self, call: ast.Call, name: str) -> None:
        self.found.add("atomic")
        places = [*call.args[2:], *(keyword.value for keyword in call.keywords if keyword.arg == "offset")]
        if name == "tile_atomic_add" and not any("thread" in self.origin(place).sources for place in places):
            self.found.add("reduce")

    def origin(self, node: ast.expr) -> Origin:
        """Where a value comes from."""
        if isinstance(node, ast.Name):
            return self.origins.get(node.id, _NOTHING)
        if isinstance(node, ast.Constant):
            return _NOTHING
        if isinstance(node, ast.Subscript):
            if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
                # The extent of an array is as good as an argument by value.
                return _VALUE
            owner = _owner(node)
            return _DATA if owner in self.arrays else self.origin(node.value)
        if isinstance(node, ast.Attribute):
            return self.origin(node.value)
        if isinstance(node, ast.BinOp):
            left, right = self.origin(node.left), self.origin(node.right)
            sources = left.sources | right.sources
            near = isinstance(node.op, ast.Add | ast.Sub) and "thread" in sources
            return Origin(sources, left.moved or right.moved or (near and not _flat(node)))
        if isinstance(node, ast.Call):
            parts = [self.origin(argument) for argument in node.args]
            if self.module.builtin(node) == "tid":
                return Origin(frozenset({"thread"}))
            return Origin(frozenset().union(*(part.sources for part in parts)), any(part.moved for part in parts))
        parts = [self.origin(item) for item in ast.iter_child_nodes(node) if isinstance(item, ast.expr)]
        return Origin(frozenset().union(*(part.sources for part in parts)), any(part.moved for part in parts))


def _flat(node: ast.BinOp) -> bool:
    """Whether a sum flattens coordinates, as in ``i * width + j``, rather than moving one."""
    return any(isinstance(side, ast.BinOp) and isinstance(side.op, ast.Mult) for side in (node.left, node.right))


def _folded(node: ast.stmt, module: Module) -> Iterator[tuple[str, bool]]:
    """The variables that a statement makes from their old values, each with whether it only steps by a number."""
    for item in module.below(node):
        if isinstance(item, ast.AugAssign) and isinstance(item.target, ast.Name):
            yield item.target.id, isinstance(item.value, ast.Constant) and isinstance(item.value.value, int)
        elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            name, value = item.targets[0].id, item.value
            if isinstance(value, ast.BinOp | ast.Call) and any(
                isinstance(part, ast.Name) and part.id == name for part in module.below(value)
            ):
                yield name, False
        elif isinstance(item, ast.If) and isinstance(item.test, ast.Compare):
            # ``if x < best: best = x``
            tested = {part.id for part in module.below(item.test) if isinstance(part, ast.Name)}
            for inner in item.body:
                if isinstance(inner, ast.Assign) and isinstance(inner.targets[0], ast.Name):
                    name = inner.targets[0].id
                    if name in tested:
                        yield name, False


def _owner(node: ast.Subscript) -> str:
    """The variable that is subscripted, through fields and further subscripts."""
    inner: ast.expr = node
    while isinstance(inner, ast.Subscript | ast.Attribute):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) else ""


def _subscripts(node: ast.Subscript) -> list[ast.expr]:
    return list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
