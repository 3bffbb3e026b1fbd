"""A function being written: its arguments, its scopes with the values that live in them, and its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from irsmith.frontends.jax.synth.author import Author
from irsmith.frontends.jax.synth.expr import ATOM, Expr, Shape, broadcast, literal, name
from irsmith.rng import Stream
from irsmith.synth.errors import Discard
from irsmith.synth.names import Names
from irsmith.synth.themes import Quantity, Theme

LIMITS = {"float16": 60.0, "bfloat16": 200.0, "float32": 1e3, "float64": 1e4, "int32": 1e5}
"""How large values may grow, by dtype, so that nothing loses its digits."""


@dataclass(frozen=True, slots=True)
class Given:
    """An argument of the function."""

    name: str
    shape: Shape
    dtype: str
    low: float
    high: float


@dataclass
class Draft:
    """A function being written.

    Attributes:
        rng: Every choice.
        theme: The words of a field of work.
        author: The habits.
        real: The dtype of its floats.
        budget: The lines that are left.
        given: Its arguments.
        helpers: Functions that stand before it, as text.
        names: The names that are taken in the module.
        imports: The modules that it needs.
        results: What it returns, once that is written.
    """

    rng: Stream
    theme: Theme
    author: Author
    real: str
    budget: int
    given: list[Given] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    names: Names = field(default_factory=Names)
    imports: set[str] = field(default_factory=lambda: {"jnp"})
    results: list[Expr] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names.taken |= {"jax", "jnp", "lax", "partial", "self", "key", "args", "kwargs"}

    @property
    def limit(self) -> float:
        """How large floats may grow."""
        return LIMITS[self.real]

    @property
    def lax(self) -> str:
        """How the author writes ``jax.lax``."""
        if self.author.qualified:
            self.imports.add("jax")
            return "jax.lax"
        self.imports.add("lax")
        return "lax"

    @property
    def nn(self) -> str:
        """How the author writes ``jax.nn``."""
        self.imports.add("jax")
        return "jax.nn"

    @property
    def jax(self) -> str:
        """The module ``jax`` itself."""
        self.imports.add("jax")
        return "jax"

    @property
    def whole(self) -> str:
        """The dtype that JAX gives to counters and positions."""
        return "int64" if self.real == "float64" else "int32"

    def dtype_argument(self) -> str:
        """What is to be added to a call that makes an array, so that it is of the function's dtype."""
        return "" if self.real in ("float32", "float64") else f", dtype=jnp.{self.real}"


class Scope:
    """A function's body, or that of a function within it: lines of text and the values that live there.

    Attributes:
        draft: The function.
        pool: The named values, by name.
        fresh: The names that nobody has read.
        lines: The text.
    """

    def __init__(self, draft: Draft, indent: int = 1, outer: Scope | None = None) -> None:
        self.draft = draft
        self.outer = outer
        self.names: Names = draft.names if outer is None else Names(outer.names)
        self.pool: dict[str, Expr] = {}
        self.fresh: list[str] = []
        self.lines: list[str] = []
        self.indent = indent

    @property
    def rng(self) -> Stream:
        """Every choice."""
        return self.draft.rng

    @property
    def budget(self) -> int:
        """The lines that are left for the whole function."""
        return self.draft.budget

    # Text.

    def write(self, line: str) -> None:
        """Add a line."""
        self.lines.append("    " * self.indent + line)
        self.draft.budget -= 1

    def comment(self, text: str) -> None:
        """Add a comment, if the author writes any."""
        if self.rng.chance(self.draft.author.comments):
            self.write(f"# {text}")

    def put(self, block: Scope, head: str) -> None:
        """Add a function within this one, with an empty line above unless it comes first."""
        if self.lines and self.lines[-1]:
            self.lines.insert(len(self.lines) - self.lines[-1].lstrip().startswith("# "), "")
        self.lines.append("    " * self.indent + head)
        self.lines += block.lines
        self.draft.budget -= 1

    def inner(self) -> Scope:
        """The body of a function within this one, which sees the values of this one."""
        return Scope(self.draft, self.indent + 1, self)

    # Values.

    def use(self, *parts: Expr) -> None:
        """Note that expressions are read."""
        for part in parts:
            for read in part.names:
                scope: Scope | None = self
                while scope is not None:
                    if read in scope.fresh:
                        scope.fresh.remove(read)
                        break
                    if read in scope.pool:
                        break
                    scope = scope.outer

    def bind(self, wish: str, like: Expr) -> Expr:
        """A new local name for a value, such as a parameter of an inner function. Nothing is written."""
        taken = self.names.claim(wish)
        value = replace(name(taken, like.shape, like.dtype, like.low, like.high), tied=like.tied, made=like.made)
        self.pool[taken] = value
        self.fresh.append(taken)
        return value

    def assign(self, value: Expr, wish: str | None = None, *, keep: bool = False) -> Expr:
        """Write ``name = value``."""
        self.use(value)
        author = self.draft.author
        own = [read for read in value.names if read in self.pool and self.pool[read].shape == value.shape]
        if wish is None and not keep and own and self.rng.chance(author.rebind):
            taken = sorted(own)[0]
            if self.pool[taken].dtype != value.dtype:
                taken = self.names.claim(self._wish(value))
        else:
            taken = self.names.claim(wish or self._wish(value))
        self.write(f"{taken} = {value.text}")
        return self.rebind(taken, value)

    def rebind(self, taken: str, value: Expr) -> Expr:
        """A name that is claimed already for a value that the caller writes, in place of what it stood for."""
        held = name(taken, value.shape, value.dtype, value.low, value.high)
        held = replace(held, tied=value.tied, made=value.made)
        self.pool.pop(taken, None)
        self.pool[taken] = held
        if taken in self.fresh:
            self.fresh.remove(taken)
        self.fresh.append(taken)
        return held

    def hold(self, wish: str, value: Expr) -> Expr:
        """A name for a value that the caller writes, claimed."""
        return self.rebind(self.names.claim(wish), value)

    def _wish(self, value: Expr) -> str:
        rng = self.rng
        if value.dtype == "bool":
            return rng.pick(("mask", "keep", "is_large", "active", "valid", "above"))
        if value.rank == 0 and rng.chance(0.5):
            return rng.pick(("total", "scale", "level", "score", "norm", "avg", "coef"))
        return rng.pick(self.draft.theme.temps) if rng.chance(0.7) else rng.pick(_PLAIN)

    def argument(
        self,
        shape: Shape,
        wish: str | Sequence[str] | None = None,
        *,
        bounds: tuple[float, float] | None = None,
        dtype: str | None = None,
    ) -> Expr:
        """A new argument of the whole function."""
        draft, rng = self.draft, self.rng
        root = self
        while root.outer is not None:
            root = root.outer
        kind = dtype or draft.real
        quantity = _quantity(draft, rng, len(shape))
        if wish is None:
            wish = quantity.name
        elif not isinstance(wish, str):
            wish = rng.pick(wish)
        low, high = bounds or (quantity.low, quantity.high)
        chain: list[Scope] = [self]
        while (outer := chain[-1].outer) is not None:
            chain.append(outer)
        # Neither an outer name nor a parameter on the way may be the same.
        root.names.taken |= set().union(*(scope.names.taken for scope in chain))
        taken = root.names.claim(wish)
        for scope in chain:
            scope.names.taken.add(taken)
        draft.given.append(Given(taken, shape, kind, low, high))
        value = name(taken, shape, kind, low, high)
        root.pool[taken] = value
        root.fresh.append(taken)
        return value

    def visible(self) -> list[Expr]:
        """The values that can be read here, the nearest first."""
        found: list[Expr] = []
        scope: Scope | None = self
        seen: set[str] = set()
        while scope is not None:
            for value in reversed(scope.pool.values()):
                if value.text not in seen:
                    found.append(value)
                    seen.add(value.text)
            scope = scope.outer
        return found

    def unread(self) -> list[Expr]:
        """The values of this scope that nobody has read."""
        return [self.pool[taken] for taken in self.fresh]

    def number(self, value: float) -> Expr:
        """A number of the function's dtype."""
        return literal(value, self.draft.real)

    def partner(self, x: Expr, test: Callable[[Expr], bool] = lambda _: True) -> Expr | None:
        """Another float value that broadcasts to the shape of ``x``: unread ones first."""
        fits = [
            value
            for value in self.visible()
            if value.real
            and value.dtype == x.dtype
            and value.names != x.names
            and broadcast(value.shape, x.shape) == x.shape
            and test(value)
        ]
        unread = [value for value in fits if value.text in self.fresh]
        if unread and self.rng.chance(0.8):
            return self.rng.pick(unread)
        return self.rng.pick(fits) if fits else None


_PLAIN = ("h", "y", "z", "out", "tmp", "r", "u", "v", "a", "b", "res", "delta", "feat", "mixed")


def _quantity(draft: Draft, rng: Stream, rank: int) -> Quantity:
    theme = draft.theme
    if rank == 0:
        return rng.pick(theme.params)
    if rank >= 2 and rng.chance(0.4):
        return rng.pick(theme.matrices or theme.scalars)
    if rank == 1 and rng.chance(0.3):
        return rng.pick(theme.vectors or theme.scalars)
    return rng.pick(theme.scalars)


def require(holds: bool, why: str = "legal") -> None:
    """Give this attempt up unless something holds."""
    if not holds:
        raise Discard(why)


def atom(value: Expr, scope: Scope) -> Expr:
    """An expression that binds tightly and is cheap to repeat: a name, made if need be."""
    return value if value.binding == ATOM and value.size == 0 else scope.assign(value, keep=True)
