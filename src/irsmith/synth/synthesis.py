"""From a key to a program: draw what is wanted, let a category fill a sketch, and close it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from irsmith.errors import UserError
from irsmith.kernel import Argument, Direction
from irsmith.rng import Stream, stream
from irsmith.synth.algebra import Algebra
from irsmith.synth.categories import CATEGORIES
from irsmith.synth.describe import describe
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Atomic, Expr, For, If, Program, Stmt, While
from irsmith.synth.phases.bounds import name_bounds
from irsmith.synth.phases.guards import guard
from irsmith.synth.phases.unread import refuse_unread
from irsmith.synth.phases.watching import watched
from irsmith.synth.rehearsal import rehearse
from irsmith.synth.sketch import Sketch
from irsmith.synth.steering import Weights, chances, types
from irsmith.synth.style import draw_style
from irsmith.synth.themes import THEMES

GENERATOR_VERSION = 1
"""Raised by every change after which a key gives another program."""

_ATTEMPTS = 40
# Where a category cannot be written in so few lines, these are drawn again, and after a few times the category too:
# so weights are kept as far as the sizes allow. A kernel may be a little shorter than is usual for its shape.
_FITTINGS = 24
_SAME = 2
_SQUEEZED = 0.9
# Where all kernels are to be small, one that is longer than so many times what was asked, and than half of all are to
# be, is made again, so often; the shortest is taken. Elsewhere lengths are as people's are.
_SMALL = 40
_OVER = 1.3
_SHORTENED = 8
# About how wide an argument's annotation is, and a line.
_ANNOTATION, _WIDTH = 22, 95
# How likely an author has left a line in that prints.
_WATCHED = 0.012
# How likely an author gives fixed loop bounds names.
_NAMED_BOUNDS = 0.2


@dataclass(frozen=True, slots=True)
class Sizes:
    """How long kernels are: log-normal about the median, as real ones are, and cut at both ends.

    Attributes:
        shortest: The fewest lines to aim for.
        median: The lines that half of all kernels stay below.
        longest: The most lines to aim for.
        spread: The standard deviation of the logarithm of the lines.
    """

    shortest: int = 5
    median: int = 18
    longest: int = 120
    spread: float = 0.95

    def __post_init__(self) -> None:
        if not 3 <= self.shortest <= self.median <= self.longest <= 400:
            raise UserError("sizes: shortest, median and longest must rise, from 3 to 400 lines")
        if not 0.0 <= self.spread <= 3.0:
            raise UserError(f"sizes: a spread of {self.spread:g} is not from 0 to 3")


def _default_categories() -> tuple[tuple[str, float], ...]:
    return tuple((name, entry.weight) for name, entry in sorted(CATEGORIES.items()))


@dataclass(frozen=True, slots=True)
class Settings:
    """What a recipe decides about synthesis.

    Attributes:
        categories: Category names with their weights, relative to each other.
        sizes: How long the kernels are.
        types: Types with how much more often than by default each is drawn.
        builtins: Operators with how much more often than by default each is used; 0 for never.
    """

    categories: tuple[tuple[str, float], ...] = field(default_factory=_default_categories)
    sizes: Sizes = Sizes()
    types: Weights = ()
    builtins: Weights = ()


def synthesise(seed: int, frontend: str, index: int, settings: Settings, draw: int = 0) -> Program:
    """The program of a key: the same for the same arguments, in any process and any order.

    Args:
        seed: The recipe's seed.
        frontend: Whose programs these are; part of the key, no more.
        index: The program's place in the dataset.
        settings: What to make.
        draw: Tells several programs for one place apart.

    Raises:
        Discard: No attempt came to an end; the caller records it.
    """
    rng = stream(seed, frontend, GENERATOR_VERSION, index, *((draw,) if draw else ()))
    for last in (False, False, False, True):
        category, lines = _draw_category(rng, settings)
        try:
            return _of_category(rng, category, lines, settings)
        except Discard:
            # Some categories cannot do without a builtin that the recipe rules out.
            if last or not settings.builtins:
                raise
    raise AssertionError


def _draw_category(rng: Stream, settings: Settings) -> tuple[str, int]:
    """A category, and how many lines its kernel is to have."""
    names, weights = zip(*settings.categories, strict=True)
    for fitting in range(_FITTINGS):
        if fitting % _SAME == 0:
            category = rng.weighted(names, weights)
        lines = draw_lines(rng, settings.sizes, CATEGORIES[category].scale)
        if lines >= CATEGORIES[category].floor * _SQUEEZED:
            break
    return category, lines


def _of_category(rng: Stream, category: str, lines: int, settings: Settings) -> Program:
    """A program of one category, from a stream.

    Raises:
        Discard: No attempt came to an end.
    """
    shortest: Program | None = None
    too_long = 0
    for attempt in range(_ATTEMPTS):
        try:
            with np.errstate(all="ignore"):
                program = _attempt(rng, category, lines, settings)
        except Discard:
            # What keeps failing may be too much to ask.
            if attempt % 4 == 3:
                lines = max(settings.sizes.shortest, lines * 3 // 4)
            continue
        if shortest is None or _length(program) < _length(shortest):
            shortest = program
        too_long += 1
        if settings.sizes.longest > _SMALL or too_long == _SHORTENED:
            return shortest
        if _length(program) <= max(settings.sizes.median, lines * _OVER):
            return shortest
    if shortest is not None:
        return shortest
    raise Discard(f"nothing grew in {_ATTEMPTS} attempts", category)


def _length(program: Program) -> int:
    """About how many lines a kernel has: its statements, and what stands around them.

    Arguments that do not fit into a line have one each.
    """
    given = [argument.name for argument in program.arguments if not argument.held]
    width = len(program.name) + sum(len(name) + _ANNOTATION for name in given)
    header = 1 if width <= _WIDTH else len(given) + 2
    return _statements(program.body) + 1 + header + bool(program.docstring)


def _statements(body: tuple[Stmt, ...]) -> int:
    count = 0
    for statement in body:
        count += 1
        if isinstance(statement, If):
            count += _statements(statement.then) + _statements(statement.orelse) + bool(statement.orelse)
        elif isinstance(statement, For | While):
            count += _statements(statement.body)
    return count


def draw_lines(rng: Stream, sizes: Sizes, scale: float) -> int:
    """How many lines to aim for: log-normal, as the lengths of real kernels are."""
    normal = math.sqrt(-2.0 * math.log(1.0 - rng.random())) * math.cos(math.tau * rng.random())
    lines = sizes.median * scale * math.exp(sizes.spread * normal)
    return int(min(max(lines, sizes.shortest), sizes.longest))


def _attempt(rng: Stream, category: str, lines: int, settings: Settings) -> Program:
    themes = CATEGORIES[category].themes
    theme, style = rng.pick(themes) if themes else THEMES.draw(rng), draw_style(rng)
    numbers = types(settings.types)
    al = Algebra(numbers.reals.draw(rng), numbers.wholes.draw(rng), chances(settings.builtins))
    # The decorator, the signature and the stores take lines of their own.
    sketch = Sketch(rng, theme, style, al, numbers.lengths.draw(rng), lines - 3)
    CATEGORIES[category].make(sketch)
    if sketch.fresh or not sketch.arguments:
        raise Discard("unread")
    if al.chances:
        _refuse_banned(sketch)
    refuse_unread(sketch)
    guard(sketch)
    if rng.chance(_NAMED_BOUNDS):
        name_bounds(sketch)
    name, description = describe(sketch, category)
    program = Program(
        name=name,
        category=category,
        description=description,
        arguments=_ordered(sketch),
        launch=sketch.launch,
        body=tuple(sketch.body),
        docstring=description if style.docstring else "",
        constants=tuple(sketch.constants),
        structs=tuple(sketch.structs),
        helpers=tuple(sketch.helpers),
        accent=rng.below(2**30),
    )
    rehearse(program)
    return watched(program, rng) if rng.chance(_WATCHED) else program


def _refuse_banned(s: Sketch) -> None:
    """Refuse a kernel that holds an operator of no weight: phases write some without asking.

    Raises:
        Discard: It does.
    """
    queue: list[object] = [*s.body, *(helper.body for helper in s.helpers)]
    queue += [helper.gradient.body for helper in s.helpers if helper.gradient is not None]
    while queue:
        node = queue.pop()
        if isinstance(node, Expr | Atomic) and s.al.chances.get(node.op) == 0.0:
            raise Discard(node.op)
        if isinstance(node, tuple):
            queue += node


def _ordered(s: Sketch) -> tuple[Argument, ...]:
    """The arguments as the author orders them: results last, except where they came up."""
    order = s.style.order
    if order == "made":
        return tuple(s.arguments)

    def rank(argument: Argument) -> int:
        if argument.held:
            # It follows the struct that holds it.
            return 1 if order == "values" else 2
        if argument.direction is Direction.OUT:
            return 3
        return 1 if (argument.rank == 0) == (order == "values") else 2

    return tuple(sorted(s.arguments, key=rank))
