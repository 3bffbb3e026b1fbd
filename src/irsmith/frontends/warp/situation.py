"""Shapes, domains and a launch for a kernel that a person wrote, of which only the types are known.

They are found by trying: the kernel runs in the reference on inputs that spread as those of its verification will.
An array that is indexed beyond its end grows; domains are drawn narrower, from a short list, until the kernel stays
within its arrays, gives finite numbers and writes something. What needs a state that this does not find stays as it
is, and is not run.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from irsmith.frontends.warp.handles import with_handles
from irsmith.frontends.warp.reference import Reference, Unsupported
from irsmith.frontends.warp.runner import dtype_of
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.types import (
    PLACES,
    SHOWN,
    ArrayType,
    Domain,
    Field,
    Handle,
    HashGrid,
    IndexedArray,
    Opaque,
    Struct,
    ValueType,
    scalar_of,
)
from irsmith.verify.given import LEAST_DECIDED, RealInputs, decided, defined, races
from irsmith.verify.inputs import BASES, SEARCH
from irsmith.verify.values import differs

LAUNCHES = {1: (8,), 2: (4, 3), 3: (3, 2, 2), 4: (2, 2, 2, 2)}
"""The launch by the number of coordinates that the kernel asks for."""
MOST_ELEMENTS = 4096
"""Elements of an array before it grows no further."""
MOST_POINTS = 12
"""Points of a hash grid."""
GROWTHS = 8
STEPS = 1_500
"""Loop iterations in one run."""
ENOUGH = 0.75
"""The share of sets on which all must be defined, so that no other domains are tried."""
LEAST = 0.25
"""The share without which a kernel is not run at all."""


@dataclass(frozen=True, slots=True)
class _Domains:
    """Where floats and whole numbers are drawn from."""

    floats: Domain
    wholes: Domain


_TRIED = tuple(
    _Domains(Domain(*floats), Domain(*wholes))
    for floats, wholes in (
        ((-2.0, 2.0), (0, 3)),
        ((-2.0, 2.0), (0, 15)),
        ((0.1, 2.0), (0, 3)),
        ((0.1, 2.0), (0, 15)),
        ((-2.0, 2.0), (-1, 2)),
        ((-2.0, 2.0), (0, 1)),
        ((0.1, 1.0), (1, 2)),
        ((-2.0, 2.0), (0, 0)),
        ((-2.0, 2.0), (1, 8)),
    )
)


@dataclass(frozen=True, slots=True)
class _Trial:
    """A signature that was tried, with how well it served.

    Attributes:
        signature: The signature.
        defined: The share of sets on which all is defined.
        decided: The share of those on which the order of threads does not matter either.
        writes: Whether something is written.
        ways: How many ways of branches are taken.
    """

    signature: Signature
    defined: float
    decided: float
    writes: bool
    ways: int

    def of(self, kernel: Kernel) -> Kernel:
        """The kernel with the signature."""
        return replace(kernel, signature=self.signature)

    @property
    def serves(self) -> bool:
        """Whether the kernel can be proved so."""
        return self.writes and self.defined >= LEAST and self.decided >= LEAST_DECIDED

    @property
    def merit(self) -> tuple[bool, bool, bool, int, float, float]:
        """What speaks for it, the weightiest first."""
        return self.writes, self.decided >= LEAST_DECIDED, self.defined >= LEAST, self.ways, self.decided, self.defined


def situated(kernel: Kernel) -> Kernel:
    """The kernel with a signature that it runs on, or as it is where none is found."""
    if any(_opaque(argument.type) for argument in kernel.signature.arguments):
        return kernel
    try:
        reference = Reference(kernel.source, kernel.name)
    except Unsupported:
        return kernel
    launch = LAUNCHES[_coordinates(ast.parse(kernel.source))]
    kernel = with_handles(kernel, MOST_POINTS)
    of_grid = any(isinstance(argument.type, HashGrid) for argument in kernel.signature.arguments)
    if of_grid and len(launch) == 1:
        # In which order a grid names its points is open: together, as many threads see all of them.
        launch = (MOST_POINTS,)
    try:
        best = _best(reference, kernel, launch)
        if not of_grid and (not best.serves or (best.decided < ENOUGH and races(reference, best.of(kernel), dtype_of))):
            # Threads that race, or of which one or another always leaves its arrays: one alone may do neither.
            alone = _best(reference, kernel, launch, (1,) * len(launch))
            best = alone if alone.serves else best
    except Unsupported:
        # An id that no argument is: nobody knows what it stands for.
        return kernel
    if not best.writes or best.defined < LEAST:
        return kernel
    return best.of(kernel)


def _best(reference: Reference, kernel: Kernel, room: tuple[int, ...], launch: tuple[int, ...] | None = None) -> _Trial:
    """The domains that serve best: the first that serve well.

    Args:
        reference: The kernel's meaning.
        kernel: The kernel.
        room: What arrays' extents begin as.
        launch: The launch; by default as many threads as there is room for.
    """
    best: _Trial | None = None
    for domains in _TRIED:
        trial = _try(reference, kernel, room, launch or room, domains)
        if best is None or trial.merit > best.merit:
            best = trial
        if trial.writes and trial.decided >= ENOUGH:
            break
    assert best is not None
    return best


def _opaque(type_: ValueType) -> bool:
    if isinstance(type_, Struct):
        return any(_opaque(field.type) for field in type_.fields)
    return _opaque(type_.element) if isinstance(type_, ArrayType) else isinstance(type_, Opaque)


def _coordinates(tree: ast.Module) -> int:
    """How many coordinates ``wp.tid()`` is asked for."""
    most = 1
    for node in ast.walk(tree):
        match node:
            case ast.Assign([ast.Tuple(targets)], ast.Call(ast.Attribute(_, "tid"))):
                most = max(most, len(targets))
    return min(most, 4)


def _try(
    reference: Reference, kernel: Kernel, room: tuple[int, ...], launch: tuple[int, ...], domains: _Domains
) -> _Trial:
    grids = {a.type.of: (a.type.count,) for a in kernel.signature.arguments if isinstance(a.type, HashGrid)}
    shapes = {a.name: grids.get(a.name, (room * 4)[: a.rank]) for a in kernel.signature.arguments}
    for _ in range(GROWTHS):
        signature = _signature(kernel.signature, shapes, launch, domains)
        sets = RealInputs(replace(kernel, signature=signature), dtype_of).sets((*BASES, *SEARCH), "situation")
        result = reference.run(sets, launch, step_limit=STEPS)
        grown = {name: _grown(shapes[name], wanted) for name, wanted in result.wanted.items()}
        if all(shapes[name] == shape for name, shape in grown.items()):
            break
        shapes |= grown | grids
    clear = decided(reference, sets, launch, result)
    sound = clear if clear.mean() >= LEAST_DECIDED else defined(result)
    written = {name: differs(sets[name], array) & sound for name, array in result.outputs.items()}
    ways = sum(int((way & sound).any()) for seen in result.coverage.values() for way in (seen.true, seen.false))
    changed = {name for name, which in written.items() if which.any()}
    return _Trial(
        signature=_directed(signature, changed),
        defined=float(defined(result).mean()),
        decided=float(clear.mean()),
        writes=bool(changed),
        ways=ways,
    )


def _grown(shape: tuple[int, ...], wanted: Sequence[int]) -> tuple[int, ...]:
    """An array's extents with what was asked for beyond them, as far as it may grow."""
    result = tuple(max(extent, asked) for extent, asked in zip(shape, wanted, strict=True))
    return result if math.prod(result) <= MOST_ELEMENTS else shape


def _signature(
    given: Signature, shapes: Mapping[str, tuple[int, ...]], launch: tuple[int, ...], domains: _Domains
) -> Signature:
    places = _places(given, shapes)
    arguments = tuple(
        a
        if isinstance(a.type, Handle)
        else replace(
            a,
            type=_bounded(a.type, domains),
            domain=places.get(a.name) or _domain(a.type, domains),
            shape=shapes[a.name],
        )
        for a in given.arguments
    )
    return Signature(arguments, launch)


def _places(given: Signature, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Domain]:
    """Where the places that indexed arrays show are drawn from: their arrays' own axes."""
    return {
        f"{a.name}.{PLACES}{axis}": Domain(0, extent - 1)
        for a in given.arguments
        if isinstance(a.type, IndexedArray)
        for axis, extent in enumerate(shapes[f"{a.name}.{SHOWN}"])
    }


def _bounded(type_: ValueType, domains: _Domains) -> ValueType:
    """A struct with domains for its fields; any other type as it is."""
    if not isinstance(type_, Struct) or isinstance(type_, IndexedArray):
        return type_
    fields = (Field(f.name, _bounded(f.type, domains), _domain(f.type, domains)) for f in type_.fields)
    return Struct(type_.name, tuple(fields))


def _domain(type_: ValueType, domains: _Domains) -> Domain | None:
    scalar = scalar_of(type_)
    if scalar is None or scalar.name == "bool":
        return None
    if scalar.is_float:
        return domains.floats
    return Domain(max(0.0, domains.wholes.low), domains.wholes.high) if scalar.name[0] == "u" else domains.wholes


def _directed(signature: Signature, changed: set[str]) -> Signature:
    """A signature in which what was seen to be written is no mere input."""
    return replace(signature, arguments=tuple(_seen(a, a.name in changed) for a in signature.arguments))


def _seen(argument: Argument, written: bool) -> Argument:
    if written and argument.direction is Direction.IN:
        return replace(argument, direction=Direction.INOUT)
    return argument
