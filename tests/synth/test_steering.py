"""What a recipe says about types, builtins and tags decides what is made."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from irsmith.drawing import Drawing
from irsmith.errors import UserError
from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.recipe import Recipe, evenly, parse
from irsmith.synth.errors import Discard


def sources(count: int, **settings) -> list[str]:
    drawing = Drawing(Recipe(seed=21, **settings))
    kernels = [drawing.kernel(index) for index in range(count)]
    assert all(isinstance(kernel, Kernel) for kernel in kernels)
    return [kernel.source for kernel in kernels]


def share(pattern: str, texts: list[str]) -> float:
    return sum(bool(re.search(pattern, text)) for text in texts) / len(texts)


def test_types_are_drawn_as_often_as_their_weights_say():
    usual = sources(120)
    doubles = sources(120, types=(("float64", 60.0), ("float16", 0.0)))
    assert share("float64|vec3d", doubles) > 0.6 > 0.3 > share("float64|vec3d", usual) > 0
    assert share("float16|vec3h", doubles) == 0
    only = sources(
        60, types=(("float32", 0.0), ("float16", 0.0), ("vec3", 0.0), ("vec4", 0.0)), categories=evenly(["vector"])
    )
    assert share("float64|vec2d", only) == 1.0
    assert share(r"vec[34]", only) == 0


def test_builtins_are_used_as_often_as_their_weights_say():
    def uses(name: str, texts: list[str]) -> float:
        return sum(text.count(f"wp.{name}(") for text in texts) / len(texts)

    arithmetic = {"categories": evenly(["math", "multi_statement"])}
    usual = sources(120, **arithmetic)
    steered = sources(120, **arithmetic, builtins=(("tanh", 20.0), ("exp", 0.0)))
    assert uses("tanh", steered) > 3 * uses("tanh", usual) > 0
    assert uses("exp", usual) > 0
    assert uses("exp", steered) == 0


def test_a_builtin_of_no_weight_is_used_nowhere():
    banned = tuple((name, 0.0) for name in ("sqrt", "length", "min", "max", "vmin", "vmax", "qlength", "vlow", "vhigh"))
    assert share(r"wp\.(sqrt|length|min|max)\(", sources(150, builtins=banned)) == 0


def test_one_dead_end_is_no_reject():
    drawing = Drawing(Recipe(seed=3, require=("branch",)))
    real, draws = drawing.frontend, []

    def ended(seed, index, settings, draw=0):
        draws.append(draw)
        if draw % 2 == 0:
            raise Discard("full")
        return real.synthesise(seed, index, settings, draw)

    vars(drawing)["frontend"] = _Ending(real, ended)
    assert isinstance(drawing.kernel(0), Kernel)
    assert draws[:2] == [0, 1]
    vars(drawing)["frontend"] = _Ending(real, _never)
    assert drawing.kernel(0).symptom == "DeadEnd"


class _Ending:
    """A frontend whose programs do not all come to an end."""

    def __init__(self, frontend, synthesise):
        self._frontend, self.synthesise = frontend, synthesise

    def __getattr__(self, name):
        return getattr(self._frontend, name)


def _never(*_):
    raise Discard("full")


def test_tags_are_required_and_forbidden():
    drawing = Drawing(Recipe(seed=3, require=("atomic", "branch"), forbid=("vector", "docstring")))
    for index in range(25):
        kernel = drawing.kernel(index)
        tags = set(drawing.frontend.reading(kernel).tags)
        assert {"atomic", "branch"} <= tags
        assert not {"vector", "docstring"} & tags
    # The kernels that satisfy at once are those of the recipe without tags.
    free = Drawing(Recipe(seed=3))
    again = Drawing(Recipe(seed=3, forbid=("float16",)))
    pairs = [(free.kernel(index), again.kernel(index)) for index in range(30)]
    assert Counter(a == b for a, b in pairs)[True] > 20


def test_what_no_kernel_has_is_a_reject():
    outcome = Drawing(Recipe(categories=evenly(["arithmetic"]), require=("stencil",))).kernel(0)
    assert isinstance(outcome, Reject)
    assert (outcome.symptom, "stencil" in outcome.message) == ("Unsatisfied", True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('require = ["stensil"]', "require: unknown tag 'stensil'.*stencil"),
        ('forbid = ["float23"]', "forbid: unknown tag"),
        ('forbid = ["map"]\nrequire = ["map"]', "'map' is in both"),
        ("[types]\nfloat23 = 1", "types: unknown name 'float23'.*float"),
        ("[types]\nfloat32 = -1", "weight of 'float32' is -1"),
        ("[types]\nfloat32 = 0\nfloat16 = 0\nfloat64 = 0", "one of float32, float64, float16 must"),
        ("[builtins]\nsine = 1", "builtins: unknown name 'sine'.*sin"),
        ("[builtins]\nadd = 0", "builtins: unknown name 'add'"),
        ("[builtins]\nsin = nan", "weight of 'sin' is nan"),
        ('require = "map"', "require: .* is not a list of names"),
        ("types = 3", "types: 3 is not a table of weights"),
    ],
)
def test_what_cannot_be_is_refused(text, message):
    with pytest.raises(UserError, match=message):
        parse(text, "recipe")


def test_steering_reads_back_from_its_own_text():
    recipe = Recipe(types=(("vec4", 2.0),), builtins=(("sin", 0.5),), require=("map",), forbid=("float16", "break"))
    assert parse(recipe.to_toml(), "again") == recipe
