"""Bounds guards: what people put before everything else, so that a launch may be larger than the arrays."""

from __future__ import annotations

from irsmith.kernel import Argument, Direction
from irsmith.synth.algebra import exactly
from irsmith.synth.algebra import name as variable
from irsmith.synth.ir import Comment, Expr, If, Return, Span, Stmt
from irsmith.synth.phases.indexed import behind
from irsmith.synth.sketch import Sketch
from irsmith.types import INT32, Domain

_COUNTS = {
    1: ("n", "count", "num_items", "size", "n_points"),
    2: ("rows", "height", "ny", "n_rows"),
}
_SECOND = ("cols", "width", "nx", "n_cols")
_NOTES = ("skip threads beyond the data", "bounds check", "out of range")


def guard(s: Sketch) -> None:
    """Perhaps let threads beyond the bounds do nothing: by an argument, or by an array's shape."""
    rng = s.rng
    rank = len(s.coords)
    if s.guarded or rank > 2 or not rng.chance(0.22 if rank == 1 else 0.15) or s.budget < -12:
        return
    if rng.chance(0.6):
        bounds = _by_argument(s)
    else:
        hidden = behind(s.arguments)
        owner = next((a for a in s.arguments if a.rank == rank and a.shape == s.extents and a.name not in hidden), None)
        if owner is None:
            return
        bounds = [
            Expr("extent", "i", INT32, exactly(extent), (), owner.name, axis) for axis, extent in enumerate(s.extents)
        ]
        s.launch = (
            tuple(-(-extent // 8) * 8 + (8 if extent % 8 == 0 else 0) for extent in s.extents)
            if rank == 1
            else tuple(extent + rng.between(1, 2) for extent in s.extents)
        )
    body = s.body
    al = s.al
    if rng.chance(0.2):
        tests = [al.compare("lt", coord, bound) for coord, bound in zip(s.coords, bounds, strict=True)]
        test = tests[0] if rank == 1 else al.connect("both", *tests)
        s.body = [body[0], If(test, tuple(body[1:]))]
        return
    tests = [al.compare("ge", coord, bound) for coord, bound in zip(s.coords, bounds, strict=True)]
    test = tests[0] if rank == 1 else al.connect("either", *tests)
    added: list[Stmt] = [If(test, (Return(None),))]
    if rng.chance(s.style.comments):
        added.insert(0, Comment(rng.pick(_NOTES)))
    body[1:1] = added


def _by_argument(s: Sketch) -> list[Expr]:
    rank = len(s.coords)
    bounds = []
    for axis, extent in enumerate(s.extents):
        text = s.names.free(_COUNTS[rank] if axis == 0 else _SECOND, s.rng)
        low, high = max(1, extent * 3 // 4), extent - 1
        s.arguments.append(Argument(text, INT32, 0, Direction.IN, (), Domain(low, high)))
        bounds.append(variable(text, INT32, Span(low, high, low, high)))
    return bounds
