"""From a key to a function: draw what is wanted, let a category fill a scope, and print the module."""

from __future__ import annotations

from irsmith.folding import folded, quoted
from irsmith.frontends.jax.synth.author import draw_author
from irsmith.frontends.jax.synth.categories import CATEGORIES, Category
from irsmith.frontends.jax.synth.draft import Draft, Scope, require
from irsmith.frontends.jax.synth.probe import alive
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.rng import Stream, stream
from irsmith.synth import Settings
from irsmith.synth.choice import Choice
from irsmith.synth.errors import Discard
from irsmith.synth.synthesis import draw_lines
from irsmith.synth.themes import THEMES
from irsmith.types import SCALARS, Domain

GENERATOR_VERSION = 1
"""Raised by every change after which a key gives another function."""

_ATTEMPTS = 60
_SHORT = 30
_REALS: Choice[str] = Choice((("float32", 0.72), ("bfloat16", 0.09), ("float16", 0.08), ("float64", 0.11)))


def synthesise(seed: int, index: int, settings: Settings, draw: int = 0) -> Kernel:
    """The function of a key: the same for the same arguments, in any process and any order.

    Args:
        seed: The recipe's seed.
        index: The function's place in the dataset.
        settings: What to make.
        draw: Tells several functions for one place apart.

    Raises:
        Discard: No attempt came to an end; the caller records it.
    """
    rng = stream(seed, "jax", GENERATOR_VERSION, index, *((draw,) if draw else ()))
    names, weights = zip(*settings.categories, strict=True)
    label = rng.weighted(names, weights)
    category = CATEGORIES[label]
    lines = draw_lines(rng, settings.sizes, category.scale)
    for attempt in range(_ATTEMPTS):
        try:
            return _attempt(rng, label, category, lines)
        except Discard:
            # What keeps failing may be too much to ask.
            if attempt % 4 == 3:
                lines = max(settings.sizes.shortest, lines * 3 // 4)
    raise Discard(f"nothing grew in {_ATTEMPTS} attempts", label)


def _attempt(rng: Stream, label: str, category: Category, lines: int) -> Kernel:
    theme, author = THEMES.draw(rng), draw_author(rng)
    real = rng.pick(category.precisions) if category.precisions else _REALS.draw(rng)
    if lines > _SHORT and real in ("float16", "bfloat16"):
        # A long way with few digits forgets where it began.
        real = "float32"
    # The signature and the return take lines of their own.
    draft = Draft(rng, theme, author, real, lines - 2)
    scope = Scope(draft)
    category.make(scope)
    require(bool(draft.given) and not scope.unread() and bool(draft.results), "unread")
    name, description = _named(draft, scope, label)
    kernel = Kernel(name, label, description, _module(draft, scope, name, description), _signature(draft))
    problem = alive(kernel)
    require(problem is None, problem or "")
    return kernel


def _signature(draft: Draft) -> Signature:
    given = [
        Argument(
            a.name,
            SCALARS[a.dtype],
            len(a.shape),
            Direction.IN,
            a.shape,
            None if a.dtype == "bool" else Domain(a.low, a.high),
        )
        for a in draft.given
    ]
    return Signature((*given, *results_of([(r.dtype, r.shape) for r in draft.results])), None)


def results_of(found: list[tuple[str, tuple[int, ...]]]) -> list[Argument]:
    """Results as arguments that only carry data out, named as JAX names them."""
    names = ["result"] if len(found) == 1 else [f"result[{place}]" for place in range(len(found))]
    return [
        Argument(name, SCALARS[dtype], len(shape), Direction.OUT, shape)
        for name, (dtype, shape) in zip(names, found, strict=True)
    ]


_GENERIC = ("out", "result", "value", "score", "output")


def _named(draft: Draft, scope: Scope, label: str) -> tuple[str, str]:
    rng, theme = draft.rng, draft.theme
    verb = rng.pick(theme.verbs)
    subject = rng.pick((*theme.results, *_GENERIC)).removesuffix("_out").removeprefix("new_")
    name = scope.names.claim(f"{verb}_{subject}".lower() if rng.chance(0.8) else subject)
    words = [given.name.replace("_", " ") for given in draft.given[:4]]
    of = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    tail = _TAILS.get(label, "")
    return name, f"{verb.capitalize()} {subject.replace('_', ' ')} from {of}{tail}."


WIDTH = 120
"""The longest line."""

_TAILS = {
    "loop": ", step by step",
    "nested_loop": ", with a loop inside a loop",
    "control_flow": ", depending on its values",
    "nested_branch": ", depending on its values",
    "multi_conditional": ", case by case",
    "reduction": ", by reduction",
    "vmap": ", example by example",
}


def _module(draft: Draft, scope: Scope, name: str, description: str) -> str:
    author = draft.author
    body = "\n".join(scope.lines)
    decorated = author.decorated
    if decorated or draft.real == "float64":
        draft.imports.add("jax")
    annotated = author.annotated
    if annotated:
        draft.imports.add("jax")
    head = [
        line
        for word, line in (
            ("jax", "import jax"),
            ("jnp", "import jax.numpy as jnp"),
            ("lax", "from jax import lax"),
        )
        if word in draft.imports and _mentioned(word, body, draft, decorated=decorated, annotated=annotated)
    ]
    parts = ["\n".join(head)]
    if draft.real == "float64":
        parts.append('\njax.config.update("jax_enable_x64", True)')
    parts += [f"\n\n{helper}" for helper in draft.helpers]
    given = ", ".join(f"{g.name}: jax.Array" if annotated else g.name for g in draft.given)
    lines = ["@jax.jit"] if decorated else []
    gives = " -> jax.Array" if annotated and len(draft.results) == 1 else ""
    lines.append(f"def {name}({given}){gives}:")
    if len(lines[-1]) > 100:
        inside = "".join(f"    {item},\n" for item in given.split(", "))
        lines[-1] = f"def {name}(\n{inside}){gives}:"
    if author.docstring:
        lines += quoted(description, "    ", WIDTH)
    parts.append("\n\n" + "\n".join([*lines, body]))
    # A function that imports nothing begins its module.
    text = "\n".join(parts).lstrip("\n")
    return "".join(f"{part}\n" for line in text.split("\n") for part in folded(line, WIDTH))


def _mentioned(word: str, body: str, draft: Draft, *, decorated: bool, annotated: bool) -> bool:
    texts = [body, *draft.helpers]
    if word == "jax":
        return decorated or annotated or draft.real == "float64" or any("jax." in text for text in texts)
    return any(f"{word}." in text for text in texts)
