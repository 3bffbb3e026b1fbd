"""Structures do not depend on names: other names, chosen at random and as alike as scopes allow, change no identity."""

from __future__ import annotations

import ast
import importlib.util
import random
from pathlib import Path

import pytest

from irsmith.frontends.warp.printer import print_program
from irsmith.structure import describe
from irsmith.synth import synthesise
from irsmith.synth.synthesis import Settings

_COMPONENTS = set("xyzw")


def bound(function: ast.FunctionDef) -> set[str]:
    """What a function takes and assigns."""
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {argument.arg for argument in function.args.args}


class Renaming(ast.NodeTransformer):
    """Another name for every function, struct, field, constant, argument and variable of a module."""

    def __init__(self, tree: ast.Module, rng: random.Random) -> None:
        self.rng = rng
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        structs = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        constants = [
            n.targets[0].id for n in tree.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
        ]
        fields = {
            i.target.id
            for n in structs
            for i in n.body
            if isinstance(i, ast.AnnAssign) and isinstance(i.target, ast.Name)
        }
        locals_ = {name for function in self.functions.values() for name in bound(function)}
        # Names of the module may be those of variables in functions that do not mean the module's.
        members = [*self.functions, *(node.name for node in structs), *constants]
        self.module = dict(
            zip(
                members,
                rng.sample([*sorted(locals_), *(f"m{k}" for k in range(len(members)))], len(members)),
                strict=True,
            )
        )
        fresh = [f"f{k}" for k in range(len(fields))]
        self.fields = {field: field if field in _COMPONENTS else fresh.pop() for field in sorted(fields)}
        self.locals = {name: self._chosen(node) for name, node in self.functions.items()}
        self.current: dict[str, str] = {}

    def _chosen(self, function: ast.FunctionDef) -> dict[str, str]:
        own = bound(function)
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} - own
        meant = {self.module.get(name, name) for name in read}
        pool = {*self.module.values(), *(f"v{k}" for k in range(len(own) + len(meant)))}
        names = sorted((pool | {"sum", "max", "print", "range", "float", "len", "x", "tid"}) - meant)
        return dict(zip(sorted(own), self.rng.sample(names, len(own)), strict=True))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        outer, self.current = self.current, self.locals.get(node.name, {})
        node.decorator_list = [self.visit(item) for item in node.decorator_list]
        node.args = self.visit(node.args)
        node.body = [self.visit(item) for item in node.body]
        node.returns = self.visit(node.returns) if node.returns else None
        node.name = self.module.get(node.name, node.name)
        self.current = outer
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.arg = self.current.get(node.arg, node.arg)
        # An annotation is read in the module, not in the function.
        inner, self.current = self.current, {}
        node.annotation = self.visit(node.annotation) if node.annotation else None
        self.current = inner
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        called = self.locals.get(node.func.id, {}) if isinstance(node.func, ast.Name) else {}
        self.generic_visit(node)
        for keyword in node.keywords:
            keyword.arg = called.get(keyword.arg or "", keyword.arg)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = self.module[node.name]
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                item.target.id = self.fields[item.target.id]
                item.annotation = self.visit(item.annotation)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        node.attr = node.attr if _module(node) else self.fields.get(node.attr, node.attr)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.current.get(node.id) or self.module.get(node.id, node.id)
        return node


def _module(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in {"wp", "np", "math", "warp"}


def unchanged(source: str, kernels: list[str], seed: int) -> None:
    """Rename a module, and compare its kernels with what they were."""
    tree = ast.parse(source)
    renaming = Renaming(tree, random.Random(seed))
    other = ast.unparse(renaming.visit(tree))
    for kernel in kernels:
        before, after = describe(source, kernel), describe(other, renaming.module[kernel])
        assert (before.structure_id, before.skeleton_id) == (after.structure_id, after.skeleton_id), other


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_synthesised_kernels(first: int) -> None:
    for index in range(first, first + 50):
        kernel = print_program(synthesise(11, "warp", index, Settings()))
        unchanged(kernel.source, [kernel.name], index)


def test_kernels_that_people_wrote() -> None:
    spec = importlib.util.find_spec("warp")
    if spec is None or spec.origin is None:
        pytest.skip("needs the Warp package")
    tried = 0
    for path in sorted(Path(spec.origin).parent.glob("examples/*/example_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        # What a module holds besides is no part of any kernel.
        kept = [n for n in tree.body if isinstance(n, ast.Import | ast.FunctionDef) or _struct(n) or _constant(n)]
        source = ast.unparse(ast.Module(kept, []))
        kernels = [n.name for n in kept if isinstance(n, ast.FunctionDef) and "wp.kernel" in ast.unparse(n)[:12]]
        unchanged(source, kernels, tried)
        tried += len(kernels)
    assert tried > 60


def _struct(node: ast.stmt) -> bool:
    return isinstance(node, ast.ClassDef) and any("struct" in ast.unparse(d) for d in node.decorator_list)


def _constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)


def test_a_local_name_hides_the_modules() -> None:
    source = """
import warp as wp

scale = wp.constant(2.0)

@wp.func
def bend(x: float):
    return x * scale

@wp.func
def twist(x: float):
    {} = x + 1.0
    return {} * x

@wp.kernel
def k(a: wp.array[float]):
    i = wp.tid()
    a[i] = bend(a[i]) + twist(a[i])
"""
    plain = describe(source.format("y", "y"), "k")
    for name in ("bend", "scale", "sum", "k"):
        hiding = describe(source.format(name, name), "k")
        assert (hiding.structure_id, hiding.skeleton_id) == (plain.structure_id, plain.skeleton_id)
    # The module's constant is not a variable.
    assert describe(source.format("y", "scale"), "k").structure_id != plain.structure_id


def test_the_names_of_inner_functions_are_their_own() -> None:
    source = """
import jax

def f(x, y):
    def body({a}, b):
        return {a} * y + b
    g = lambda {c}: {c} + x
    return jax.lax.fori_loop(0, 3, body, g(x)) + sum([{d} * y for {d} in (x, y)])
"""
    plain = describe(source.format(a="p", c="q", d="r"), "f")
    for names in (("x", "y", "g"), ("g", "body", "b"), ("p", "p", "p")):
        other = describe(source.format(a=names[0], c=names[1], d=names[2]), "f")
        assert other.structure_id == plain.structure_id


def test_a_component_is_no_field() -> None:
    source = """
import warp as wp

@wp.struct
class Body:
    {field}: float

@wp.kernel
def k(bodies: wp.array[Body], v: wp.array[wp.vec3], out: wp.array[float]):
    i = wp.tid()
    body = bodies[i]
    out[i] = v[i].x * body.{field} + bodies[i].{field}
"""
    assert describe(source.format(field="x"), "k").structure_id == describe(source.format(field="m"), "k").structure_id


def test_keywords_of_a_helper_follow_its_parameters() -> None:
    source = """
import warp as wp

@wp.func
def f({0}: float, b: float):
    return {0} - b

@wp.kernel
def k(a: wp.array[float]):
    a[0] = f(b=a[1], {0}=a[2])
"""
    assert describe(source.format("p"), "k").structure_id == describe(source.format("q"), "k").structure_id


def test_what_is_imported_by_name_counts() -> None:
    source = "import warp as wp\nfrom warp import {}\n@wp.kernel\ndef k(a: wp.array[float]):\n    a[0] = {}(a[1])\n"
    sine = describe(source.format("sin", "sin"), "k")
    assert sine.structure_id != describe(source.format("cos", "cos"), "k").structure_id
    assert sine.structure_id == describe(source.format("sin as s", "s"), "k").structure_id
