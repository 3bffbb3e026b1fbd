"""The categories that every frontend has, as they are written over arrays."""

from __future__ import annotations

from collections.abc import Callable

from irsmith.frontends.jax.synth import choices, loops, maps, shapes
from irsmith.frontends.jax.synth.draft import Draft, Scope, require
from irsmith.frontends.jax.synth.expr import Expr, add, called, mul, name
from irsmith.frontends.jax.synth.moves import MATH, MIXED, PLAIN, condition, grown
from irsmith.frontends.jax.synth.straight import fill, finish, opened, shape, statement
from irsmith.synth.errors import Discard

Phase = Callable[[Scope], object]


def must(scope: Scope, *phases: Phase, tries: int = 6) -> None:
    """Run one of some phases, and undo those that come to nothing."""
    for _ in range(tries):
        if attempt(scope, scope.rng.pick(phases)):
            return
    raise Discard("category")


def attempt(scope: Scope, phase: Phase) -> bool:
    """Run a phase; if it comes to nothing, leave everything as it was."""
    draft = scope.draft
    saved = (
        dict(scope.pool),
        list(scope.fresh),
        list(scope.lines),
        set(scope.names.taken),
        draft.budget,
        list(draft.given),
        set(draft.imports),
        list(draft.helpers),
    )
    try:
        phase(scope)
    except Discard:
        scope.pool, scope.fresh, scope.lines = saved[0], saved[1], saved[2]
        scope.names.taken, draft.budget = saved[3], saved[4]
        draft.given, draft.imports, draft.helpers = saved[5], saved[6], saved[7]
        return False
    return True


def arithmetic(scope: Scope) -> None:
    """Sums, products and quotients, element by element."""
    opened(scope, count=scope.rng.pick((2, 2, 3)))
    statement(scope, PLAIN, reshape=0)
    fill(scope, PLAIN, reshape=0.03)
    finish(scope, PLAIN)


def scalar_param(scope: Scope) -> None:
    """Arrays combined with numbers that are arguments."""
    whole = opened(scope)
    for _ in range(scope.rng.pick((1, 2, 2, 3))):
        x = scope.rng.pick([v for v in scope.visible() if v.shape == whole])
        made = scope.rng.pick((add, mul))(grown(scope, x, PLAIN, 1), scope.argument(()))
        require(made.reach <= scope.draft.limit)
        scope.assign(made)
    fill(scope, MIXED, reshape=0.08)
    finish(scope)


def math(scope: Scope) -> None:
    """The functions of a mathematics library."""
    opened(scope)
    statement(scope, MATH, reshape=0)
    fill(scope, MATH, reshape=0.05)
    finish(scope, MATH)


def control_flow(scope: Scope) -> None:
    """A choice between two ways."""
    opened(scope)
    _some(scope, (0, 1, 2))
    must(scope, choices.where, choices.conditional, choices.masked)
    _rest(scope, choices.where, choices.conditional, choices.masked)


def nested_branch(scope: Scope) -> None:
    """A choice within a choice."""
    opened(scope)
    _some(scope, (0, 1))
    must(scope, choices.nested_where, lambda s: choices.conditional(s, 1))
    _rest(scope, choices.where, choices.masked)


def multi_conditional(scope: Scope) -> None:
    """One of several cases."""
    opened(scope)
    _some(scope, (0, 1))
    must(scope, choices.select, choices.switched)
    _rest(scope, choices.where, choices.select)


def loop(scope: Scope) -> None:
    """A loop that carries a value."""
    opened(scope, (1, 2, 2, 3))
    _some(scope, (0, 0, 1))
    must(
        scope,
        loops.folded,
        loops.scanned,
        loops.folded,
        loops.scanned,
        loops.repeated,
        loops.polynomial_sum,
    )
    _rest(scope, loops.folded, loops.scanned, maps.mapped)


def nested_loop(scope: Scope) -> None:
    """A loop inside a loop."""
    opened(scope, (2, 2, 3))
    _some(scope, (0, 0, 1))
    must(scope, lambda s: loops.folded(s, depth=1), maps.mapped_fold)
    _rest(scope, loops.folded, choices.where)


def reduction(scope: Scope) -> None:
    """Many elements to one."""
    opened(scope, (1, 2, 2, 3, 4))
    _some(scope, (0, 1))
    must(scope, _reduce)
    while scope.budget > 3:
        if scope.rng.chance(0.4):
            attempt(scope, _reduce)
            scope.draft.budget -= 1
        else:
            statement(scope, reshape=0.1)
    finish(scope)


def _reduce(scope: Scope) -> None:
    x = choices.operand(scope)
    require(x.rank > 0)
    if scope.rng.chance(0.15):
        _counted(scope, x)
        return
    inner = grown(scope, x, MIXED, scope.rng.pick((0, 1, 1)))
    made = None
    for _ in range(6):
        made = made or shapes.reduced(scope, inner)
    require(made is not None)
    assert made is not None
    scope.assign(made)


def _counted(scope: Scope, x: Expr) -> None:
    """Whether all or any, or how many, are beyond a bound."""
    rng = scope.rng
    test = condition(scope, x)
    require(test is not None and test.shape == x.shape)
    assert test is not None
    axis = rng.below(x.rank)
    kind = rng.pick(("all", "any", "count_nonzero"))
    text = f"jnp.{kind}({test.text}, axis={axis})"
    rest = (*x.shape[:axis], *x.shape[axis + 1 :])
    dtype = scope.draft.whole if kind == "count_nonzero" else "bool"
    scope.assign(
        called(text, test, shape=rest, low=0, high=x.shape[axis], dtype=dtype), rng.pick(("flags", "hits", "passed"))
    )
    mean = called(f"jnp.mean({x.text}, axis={axis})", x, shape=rest, low=x.low, high=x.high)
    scope.assign(mean, rng.pick(("avg", "level", "typical")))


def vector(scope: Scope) -> None:
    """Vectors, their products and norms."""
    opened(scope, (1,), scope.rng.pick((2, 2, 3)))
    must(scope, _product)
    fill(scope, MIXED, reshape=0.35)
    finish(scope)


def matrix(scope: Scope) -> None:
    """Matrices, their products and transposes."""
    opened(scope, (2,), scope.rng.pick((1, 2)))
    must(scope, _product)
    fill(scope, MIXED, reshape=0.35)
    finish(scope)


def _product(scope: Scope) -> None:
    x = choices.operand(scope)
    made = shapes.product(scope, x)
    require(made is not None)
    assert made is not None
    scope.assign(made)


def multi_statement(scope: Scope) -> None:
    """Several intermediate values, one after the other."""
    opened(scope)
    scope.draft.budget = max(scope.draft.budget, 6)
    fill(scope, MIXED, reshape=0.25)
    finish(scope)


def combined(scope: Scope) -> None:
    """Loops, branches and products together."""
    opened(scope, (2, 2, 3))
    steps: list[tuple[Phase, ...]] = [
        (choices.where, choices.conditional, choices.masked),
        (loops.folded, loops.scanned, maps.mapped),
    ]
    for step in scope.rng.shuffled(steps):
        _some(scope, (0, 1))
        must(scope, *step)
    _rest(scope, choices.where, loops.folded, choices.select, loops.scanned, maps.mapped, _product)


def vectorised(scope: Scope) -> None:
    """A function of one example, mapped over many."""
    opened(scope, (2, 2, 3))
    _some(scope, (0, 1))
    must(scope, maps.mapped)
    _rest(scope, maps.mapped)


def update(scope: Scope) -> None:
    """Parts of an array replaced or changed."""
    opened(scope, (1, 2, 2, 3))
    must(scope, _update)
    _rest(scope, _update)


def _update(scope: Scope) -> None:
    x = choices.operand(scope)
    made = shapes.updated(scope, x)
    require(made is not None)
    assert made is not None
    scope.assign(made)


def _some(scope: Scope, counts: tuple[int, ...]) -> None:
    for _ in range(scope.rng.pick(counts)):
        if scope.budget > 6:
            statement(scope, reshape=0.05)


def _rest(scope: Scope, *phases: Phase) -> None:
    while scope.budget > 4:
        if scope.budget > 8 and scope.rng.chance(0.25):
            attempt(scope, scope.rng.pick(phases))
            scope.draft.budget -= 1
        else:
            statement(scope, reshape=0.12)
    finish(scope)


def helper(scope: Scope) -> None:
    """A function of the module's, called more than once."""
    rng, draft = scope.rng, scope.draft
    opened(scope, (1, 2, 2))
    label = scope.names.claim(rng.pick(("squash", "soften", "blend", "activate", "rescale", "warp_value", "response")))
    inside = Scope(Draft(rng, draft.theme, draft.author, draft.real, rng.pick((2, 3, 4)), imports=draft.imports))
    wide = shape(scope, 1)
    x = name(rng.pick(("x", "v", "z")), wide, draft.real, -4.0, 4.0)
    inside.names.taken.add(x.text)
    inside.pool[x.text] = x
    inside.fresh.append(x.text)
    while inside.budget > 1:
        statement(inside, reshape=0)
        require(not inside.draft.given or all(not given.shape for given in inside.draft.given))
    results = finish(inside, most=1)
    require(results[0].shape == wide and all(not given.shape for given in inside.draft.given))
    extra = [given.name for given in inside.draft.given]
    draft.helpers.append("\n".join([f"def {label}({', '.join([x.text, *extra])}):", *inside.lines]))
    for _ in range(rng.pick((1, 2, 2))):
        value = choices.operand(scope)
        if value.reach > 4:
            value = grown(scope, value, PLAIN, 1)
            require(value.reach <= 4)
        numbers = [scope.number(round(rng.uniform(given.low, given.high), 2)) for given in inside.draft.given]
        call = f"{label}({', '.join([value.text, *(item.text for item in numbers)])})"
        scope.assign(called(call, value, shape=value.shape, low=results[0].low, high=results[0].high))
    _rest(scope, choices.where)
