"""Growing expressions: operands in, one value of a wanted kind out, every operand used."""

from __future__ import annotations

from collections.abc import Mapping

from irsmith.synth.cancel import same
from irsmith.synth.errors import Discard
from irsmith.synth.ir import Expr
from irsmith.synth.sketch import Sketch

_FUNCTIONS = frozenset({
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "log", "log2", "log10", "sqrt",
    "cbrt", "floor", "ceil",
    "round", "frac", "sign", "degrees", "radians", "pow",
    "erf", "erfc", "erfinv", "erfcinv", "trunc", "rint", "step", "smoothstep",
    "qinverse", "qmatrix", "qfrom_matrix", "qto_rpy", "qto_euler", "qfrom_euler", "tinverse", "tposition", "trotation",
    "htransform", "transpose", "get_diag", "diag", "skew", "wtop", "wbottom", "normalize", "vabs", "vsign",
})  # fmt: skip
_ORDER = {kind: place for place, kind in enumerate("thqawmvfi")}
# What moves on one operand make of it, apart from its own kind.
_REACH = {"m": "f", "v": "f", "q": "vmf", "t": "vqmf", "h": "tqvf", "w": "vf"}


def grow(s: Sketch, operands: list[Expr], size: int, want: str) -> Expr:
    """Combine operands, all of them, into one value.

    Args:
        s: The kernel in the making.
        operands: What must be used.
        size: How many combinations to make at least, as far as the operands allow.
        want: The kind of the result.

    Raises:
        Discard: No legal way was found.
    """
    rng, al, repertoire = s.rng, s.al, s.repertoire
    work = list(operands)
    chance, below, functions = rng.chance, rng.below, _FUNCTIONS
    if want != "i":
        work = [al.real_of(value) if value.kind == "i" else value for value in work]
    elif any(value.kind != "i" for value in work):
        raise Discard("no way back to integers")
    elif any(value.type is not work[0].type for value in work):
        work = [value if value.type is al.whole else al.cast(value, al.whole) for value in work]
    failures = 0
    while len(work) > 1 or size > 0 or work[0].kind != want:
        many = len(work)
        if failures > (40 if al.chances else 14):
            raise Discard("grow")
        if many == 1:
            arity = 1
        elif many == 2:
            arity = 1 if size > 1 and chance(0.35) else 2
        elif size < many - 1:
            arity = 3 if chance(0.6) else 2
        else:
            arity = rng.pick((1, 2, 2, 3, 3))
        if many == 1:
            taken = [work.pop(below(1))]
            moves = repertoire.get(taken[0].kind)
        else:
            taken = [work.pop(below(len(work))) for _ in range(arity)]
            kinds = [value.kind for value in taken]
            if arity > 1 and kinds.count(kinds[0]) < arity:
                taken.sort(key=_rank)
                kinds = [value.kind for value in taken]
            moves = repertoire.get("".join(kinds))
        result = None
        if moves is not None:
            for _ in range(4):
                try:
                    result = moves.draw(rng)(al, rng, *taken)
                except Discard:
                    continue
                break
        if (
            result is not None
            and result.op in functions
            and any(arg.op in functions for arg in result.args)
            and not chance(0.2)
        ):
            # People seldom apply one function straight to another.
            result = None
        if result is not None and al.chances and not rng.chance(_chance(result, taken, al.chances)):
            result = None
        if result is None or (result.kind != want and len(work) == 0 and not _leads_to(result.kind, want)):
            work += taken
            failures += 1
            if failures == 8 and many == 1 and work[0].kind == want:
                return work[0]
            continue
        work.append(result)
        size -= 1
    return work[0]


def _chance(result: Expr, operands: list[Expr], chances: Mapping[str, float]) -> float:
    """How likely a combination is kept, where a recipe weighs operators: by its rarest, or else its favourite one."""
    found: list[float] = []
    queue = [result]
    while queue:
        e = queue.pop()
        if any(e is operand for operand in operands):
            continue
        if e.op in chances:
            found.append(chances[e.op])
        queue += e.args
    usual = chances[""]
    rare = [chance for chance in found if chance < usual]
    return min(rare) if rare else max(found, default=usual)


def _rank(value: Expr) -> int:
    return _ORDER[value.kind]


def _leads_to(kind: str, want: str) -> bool:
    """Whether moves on one operand can get from a kind to another."""
    return kind == want or want in _REACH.get(kind, "")


def operands(s: Sketch, count: int, kinds: str, *, fresh: float = 0.75) -> list[Expr]:
    """Values in scope to combine, unread ones first, no two the same; they count as read.

    Raises:
        Discard: There is none.
    """
    rng = s.rng
    unread = [value for value in s.fresh if value.kind in kinds]
    known = [value for value in s.pool if value.kind in kinds]
    chosen: list[Expr] = []
    for _ in range(count):
        if chosen and chosen[0].kind == "v" and rng.chance(0.5):
            # Vectors meet vectors more often than chance has it.
            known = [value for value in known if value.kind == "v"] or known
        source = unread if unread and rng.chance(fresh) else known
        if not source:
            break
        value = source[rng.below(len(source))]
        if any(value is other or same(value, other) for other in chosen):
            continue
        chosen.append(value)
        unread = [other for other in unread if other is not value]
    if not chosen:
        raise Discard("operands")
    for value in chosen:
        s.read(value)
    return chosen


# What becomes of the rarer kinds: themselves, or vectors where there are some.
_WISHES = (("t", "ttvv"), ("h", "hhvv"), ("w", "wwv"), ("q", "qqvv"))


def wanted_kind(s: Sketch, values: list[Expr]) -> str:
    """A kind that the values can be combined to."""
    kinds = {value.kind for value in values}
    for rare, wishes in _WISHES:
        if rare in kinds:
            return s.rng.pick(wishes if "v" in kinds else wishes[:2])
    if "m" in kinds:
        return s.rng.pick("mvf" if "v" in kinds else "mmf")
    if "v" in kinds:
        return "v" if s.rng.chance(0.6) else "f"
    return "i" if kinds == {"i"} else "f"


def size_of(s: Sketch) -> int:
    """How many operators the author puts in one statement."""
    return 1 + int(s.rng.random() * s.style.weight)
