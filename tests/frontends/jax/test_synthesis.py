"""Functions are the same for the same key, differ from each other, and say what they promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference import Reference
from irsmith.frontends.jax.synth import CATEGORIES, synthesise
from irsmith.frontends.jax.synth.author import draw_author
from irsmith.frontends.jax.synth.draft import Draft, Scope
from irsmith.frontends.jax.synth.expr import add, div, literal, mul, sub
from irsmith.frontends.jax.synth.expr import name as variable
from irsmith.frontends.jax.synth.idle import idle, undone
from irsmith.frontends.jax.synth.probe import alive
from irsmith.kernel import Direction
from irsmith.recipe import Recipe
from irsmith.rng import stream
from irsmith.structure import describe
from irsmith.synth import Settings, Sizes
from irsmith.synth.themes import THEMES
from irsmith.verify.inputs import SEARCH, Inputs

SHARED = {
    *("arithmetic", "scalar_param", "math", "control_flow", "nested_branch", "multi_conditional", "loop"),
    *("nested_loop", "reduction", "vector", "matrix", "multi_statement", "combined"),
}


def test_the_shared_categories_are_there():
    assert set(CATEGORIES) >= SHARED


@pytest.mark.parametrize("category", sorted(CATEGORIES))
def test_functions_of_a_category_differ(category):
    settings = Settings(((category, 1.0),), Sizes(median=12))
    made = [synthesise(5, index, settings) for index in range(12)]
    structures = {describe(kernel.source, kernel.name).structure_id for kernel in made}
    assert len(structures) >= 9
    for kernel in made:
        assert kernel.category == category
        assert not kernel.source[0].isspace()
        tree = ast.parse(kernel.source)
        function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == kernel.name)
        given = [a.name for a in kernel.signature.arguments if a.direction is Direction.IN]
        assert [argument.arg for argument in function.args.args] == given
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        assert set(given) <= read


def test_types_ranks_and_forms_are_drawn():
    dtypes, ranks, words = Counter(), Counter(), Counter()
    settings = Recipe(frontend="jax").settings
    for index in range(250):
        kernel = synthesise(2, index, settings)
        dtypes.update({str(a.type) for a in kernel.signature.arguments})
        ranks.update({a.rank for a in kernel.signature.arguments})
        words.update(word for word in ("fori_loop", "lax.scan", "lax.cond", "vmap", ".at[", "jnp.where", "while_loop")
                     if word in kernel.source)  # fmt: skip
    assert {"float32", "float16", "bfloat16", "float64", "int32", "bool"} <= set(dtypes)
    assert {0, 1, 2, 3, 4} <= set(ranks)
    assert len(words) == 7, words


def test_a_signature_over_several_lines_says_what_it_gives():
    made = (synthesise(9, index, Recipe(frontend="jax").settings).source for index in range(20, 60))
    heads = [re.search(r"def \w+\(\n(?:    .*\n)+\).*", source) for source in made]
    annotated = [head[0] for head in heads if head is not None and ": jax.Array" in head[0]]
    assert annotated
    assert all(head.endswith(") -> jax.Array:") for head in annotated)


def test_a_key_gives_the_same_function_in_any_process():
    code = (
        "from irsmith.frontends.jax.synth import synthesise\nfrom irsmith.recipe import Recipe\n"
        "s = Recipe(frontend='jax').settings\nprint(''.join(synthesise(3, i, s).source for i in (4, 0, 2)))"
    )
    settings = Recipe(frontend="jax").settings
    mine = "".join(synthesise(3, index, settings).source for index in (4, 0, 2))
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert fresh.stdout == mine + "\n"


def _idle(node):
    """What nobody writes in one expression: a function of its own result, and a number over a number."""
    match node:
        case ast.Call(func=ast.Attribute(attr=outer), args=[ast.Call(func=ast.Attribute(attr=inner)), *_]):
            return outer == inner and outer != "where"
        case ast.UnaryOp(op=ast.USub(), operand=ast.UnaryOp(op=ast.USub())):
            return True
        case ast.BinOp(op=ast.Sub() | ast.Div(), left=left, right=right):
            return ast.dump(left) == ast.dump(right)
        case ast.BinOp(op=ast.Pow(), left=ast.BinOp(op=ast.Pow())):
            return True
        case ast.Call(func=ast.Attribute(attr="maximum" | "minimum"), args=[left, right]):
            return ast.dump(left) == ast.dump(right)
    return False


def test_nobody_applies_a_function_to_its_own_result():
    settings = Settings((("combined", 0.4), ("math", 0.3), ("mlp", 0.3)), Sizes(median=24))
    for index in range(40):
        source = synthesise(19, index, settings).source
        assert not [ast.unparse(node) for node in ast.walk(ast.parse(source)) if _idle(node)], source


def _value(text, low, high, *made):
    return replace(variable(text, (4,), "float32", low, high), made=made)


@pytest.mark.parametrize(
    ("function", "x", "said"),
    [
        ("relu", _value("x", -1, 1), False),
        ("relu", _value("x", 0, 1), True),
        ("tanh", _value("x", -1, 1, "tanh"), True),
        ("tanh", _value("x", -1, 1, "relu"), True),
        ("tanh", _value("x", -1, 1, "clip"), False),
        ("logistic", _value("x", 0, 1, "sigmoid"), True),
        ("log", _value("x", 1, 2, "exp"), True),
        ("exp", _value("x", 1, 2, "log"), True),
        ("exp", _value("x", 1, 2, "tanh"), False),
        ("cos", _value("x", -1, 1, "neg"), True),
        ("sin", _value("x", -1, 1, "neg"), False),
        ("clip", _value("x", -1, 1, "clip", "y"), True),
        ("swap", _value("x", -1, 1, "transpose"), True),
        ("flip", _value("x", -1, 1, "transpose"), False),
    ],
)
def test_what_made_a_value_says_what_is_idle(function, x, said):
    assert idle(function, x) is said


def test_what_cancels_out_is_undone():
    x, y = _value("x", 1, 2), _value("y", 1, 2)
    total, share, shifted = add(x, y), div(x, y), sub(x, literal(1.0, "float32"))
    assert undone("sub", x, x)
    assert undone("sub", total, y)
    assert undone("sub", x, total)
    assert undone("mul", share, y)
    assert undone("sub", shifted, x)
    assert not undone("mul", total, y)
    assert not undone("sub", share, y)
    # Through a name, too.
    random = stream(1, "test")
    scope = Scope(Draft(random, THEMES.draw(random), draw_author(random), "float32", 9))
    held = scope.hold("h", total)
    assert undone("sub", held, y)
    assert idle("scale", mul(literal(2.0, "float32"), x))


CHOSEN = """
import jax.numpy as jnp


def chosen(a, b):
    return jnp.where(a > {edge}, b, a)
"""


@pytest.mark.parametrize(("edge", "why"), [(0.5, None), (1.5, "b does not matter")])
def test_an_argument_that_matters_at_few_inputs_matters(make, edge, why):
    kernel = make(CHOSEN.format(edge=edge), "chosen", [("a", "float32", ()), ("b", "float32", ())], [("float32", ())])
    assert alive(kernel) == why


BRANCHING = """
import jax.numpy as jnp
from jax import lax


def branching(a):
    def high(x):
        return x * 2.0

    def low(x):
        return jnp.where(x > 0.2, x + {added}, x)

    return lax.cond(jnp.mean(a) > {edge}, high, low, a)
"""


@pytest.mark.parametrize(
    ("edge", "added", "why"),
    [(0.0, 1.0, None), (2.5, 1.0, "line 13: next to no input goes one way"), (0.9, 1.0, None)],
)
def test_a_way_that_no_input_takes_is_not_written(make, edge, added, why):
    source = BRANCHING.format(edge=edge, added=added)
    kernel = make(source, "branching", [("a", "float32", (8,))], [("float32", (8,))])
    assert alive(kernel) == why


def test_nearly_every_way_of_what_is_written_is_taken():
    settings = Settings((("nested_branch", 0.5), ("control_flow", 0.5)))
    taken = []
    for index in range(12):
        kernel = synthesise(1, index, settings)
        inputs = Inputs(kernel, lambda type_: numpy_dtype(str(type_)))
        coverage = Reference(kernel.source, kernel.name).run(inputs.sets(SEARCH * 6, "other"), None).coverage
        taken += [lanes.any() for way in coverage.values() for lanes in (way.true, way.false)]
    assert len(taken) > 40
    assert np.mean(taken) > 0.95


SATURATED = """
import jax.numpy as jnp


def saturated(a):
    return jnp.tanh(jnp.exp({factor} * a))
"""


@pytest.mark.parametrize(("factor", "why"), [(2.0, None), (400.0, "something overflows")])
def test_what_overflows_inside_is_not_written_although_nothing_shows_of_it(make, factor, why):
    """Its gradient would be zero times infinity."""
    source = SATURATED.format(factor=factor)
    kernel = make(source, "saturated", [("a", "float32", (8,))], [("float32", (8,))])
    assert alive(kernel) == why
