"""Input sets for a kernel, drawn from its signature's domains.

They are a function of the source and the kernel's name, so that whoever has a row can make them again. A set
has a mode, which says how its values spread over each domain: evenly, at the ends, on few values (so that
they tie), close to the numbers that stand in the source (where branches turn), and so on.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from irsmith.kernel import Argument, Direction, Kernel
from irsmith.types import ArrayType, Bvh, Domain, HashGrid, Mesh, Opaque, Struct, ValueType
from irsmith.verify import geometry
from irsmith.verify.ports import Array, Sets
from irsmith.verify.stream import Uniform
from irsmith.verify.values import is_float, parsed

_SCRATCH = Domain(-1.0, 1.0)
"""What stands in a pure output before the run, if it holds floats; whole numbers are 0 or 1."""


_LEAST_WIDE = 4
"""Bytes of a float that has room beyond a domain: squares of what lies there overflow half precision."""


class Mode(StrEnum):
    """How the values of a set spread over each domain."""

    EVEN = "even"
    FEW = "few"
    ENDS = "ends"
    NEAR = "near"
    EQUAL = "equal"
    LOW = "low"
    HIGH = "high"
    CLOSE = "close"
    MARKS = "marks"
    TURNS = "turns"
    BEYOND = "beyond"


BASES = (
    Mode.EVEN,
    Mode.EVEN,
    Mode.FEW,
    Mode.ENDS,
    Mode.EVEN,
    Mode.NEAR,
    Mode.LOW,
    Mode.HIGH,
    Mode.EQUAL,
    Mode.MARKS,
    Mode.TURNS,
    Mode.TURNS,
)
"""The modes of the sets that every kernel gets."""

SEARCH = (
    Mode.NEAR,
    Mode.MARKS,
    Mode.LOW,
    Mode.HIGH,
    Mode.EQUAL,
    Mode.TURNS,
    Mode.CLOSE,
    Mode.FEW,
    Mode.EVEN,
    Mode.ENDS,
)
"""The modes that a search for a missing branch goes through in turn."""


BEYOND = (Mode.BEYOND,) * 12
"""The modes of the sets that go beyond the domains, where a kernel may mean nothing."""

FARTHER = (5.0, 10.0)
"""How much larger the floats of such a set are than those of a domain, as powers of two."""


NOTHING_FOUND = "no inputs were found on which it stays within its arrays, is finite and writes something"


def missing(kernel: Kernel) -> str | None:
    """What the signature does not say although running the kernel needs it, or None."""
    for argument in kernel.signature.arguments:
        opaque = _opaque(argument.type)
        if opaque is not None:
            return f"no values can be made for {argument.name}, which is {opaque.name}"
        if argument.rank and isinstance(argument.type, Struct) and argument.type.arrays:
            return f"no values can be made for {argument.name}, whose elements hold arrays"
    if kernel.signature.launch == ():
        return "its launch is not known" if kernel.provenance is None else NOTHING_FOUND
    for argument in kernel.signature.arguments:
        if len(argument.shape) != argument.rank:
            return f"the shape of {argument.name} is not known"
        if argument.direction is not Direction.OUT and not _bounded(argument.type, argument.domain):
            return f"the domain of {argument.name} is not known"
    return None


def _opaque(type_: ValueType) -> Opaque | None:
    """What of a type no values can be made of."""
    if isinstance(type_, Struct):
        return next((found for field in type_.fields if (found := _opaque(field.type)) is not None), None)
    return type_ if isinstance(type_, Opaque) else None


def _bounded(type_: ValueType, domain: Domain | None) -> bool:
    if isinstance(type_, Struct):
        return all(_bounded(field.type, field.domain) for field in type_.fields)
    return isinstance(type_, ArrayType) or domain is not None or str(type_) == "bool"


class Inputs:
    """Draws the input sets of one kernel.

    Args:
        kernel: The kernel.
        dtype: The dtype of one value of a type.
    """

    def __init__(self, kernel: Kernel, dtype: Callable[[ValueType], np.dtype[Any]]) -> None:
        self._kernel = kernel
        self._dtype = dtype
        self._marks = _numbers(kernel.source)
        self._turns = _compared(kernel.source)

    def uniform(self, *salt: str) -> Uniform:
        """A stream of the kernel's own."""
        return Uniform(self._kernel.source, self._kernel.name, *salt)

    def sets(self, modes: Sequence[Mode], salt: str) -> dict[str, Array]:
        """One set for each mode."""
        return self._built({a.name: self._argument(a, modes, salt) for a in self._kernel.signature.arguments})

    def variants(self, base: Sets, names: Sequence[str], modes: Sequence[Mode], salt: str) -> dict[str, Array]:
        """For each named argument, the base sets with that argument drawn anew; name by name."""
        arguments = {a.name: a for a in self._kernel.signature.arguments}
        size = len(modes)
        result = {name: np.concatenate([array] * len(names)) for name, array in base.items()}
        for place, name in enumerate(names):
            result[name][place * size : (place + 1) * size] = self._argument(arguments[name], modes, f"{salt} anew")
        return self._built(result)

    def _built(self, sets: dict[str, Array]) -> dict[str, Array]:
        """Sets in which what is built of another argument is built of what that one holds."""
        for argument in self._kernel.signature.arguments:
            if isinstance(argument.type, HashGrid):
                sets[argument.name] = sets[argument.type.of].copy()
        return sets

    def free(self) -> list[str]:
        """The arguments that carry data in and have more than one value to take."""
        arguments = self._kernel.signature.arguments
        return [a.name for a in arguments if a.direction is not Direction.OUT and _free(a.type, a.domain)]

    def scale(self, name: str) -> dict[str, float]:
        """The width of the domain of each float leaf of an argument, by path; 1 where it has none."""
        argument = next(a for a in self._kernel.signature.arguments if a.name == name)
        return dict(_widths(argument.type, argument.domain))

    def _argument(self, argument: Argument, modes: Sequence[Mode], salt: str) -> Array:
        dtype = self._dtype(argument.type)
        array = np.zeros((len(modes), *argument.shape, *dtype.shape), dtype.base)
        output = argument.direction is Direction.OUT
        self._fill(array, argument.type, argument.domain, modes, self.uniform(salt, argument.name), output)
        return array

    def _fill(
        self, array: Array, type_: ValueType, domain: Domain | None, modes: Sequence[Mode], random: Uniform, out: bool
    ) -> None:
        if isinstance(type_, Struct):
            for field in type_.fields:
                if isinstance(field.type, ArrayType):
                    continue
                self._fill(array[field.name], field.type, field.domain, modes, random, out)
            return
        if isinstance(type_, Mesh | Bvh):
            assert domain is not None
            geometry.draw(array, type_, domain, random)
            return
        if array.dtype.kind == "b":
            array[...] = random.draw(array.shape) < 0.5
            return
        if out or domain is None:
            domain = _SCRATCH if is_float(array.dtype) else Domain(0, 1)
        marks = _marks(domain, self._marks)
        turns = np.array([number for number in self._turns if domain.low <= number <= domain.high])
        draws = _Draws(random.draw(array.shape), random.draw(array.shape), random.draw((len(modes), 4)))
        for mode in dict.fromkeys(modes):
            places = [place for place, other in enumerate(modes) if other is mode]
            spread = _spread(mode, draws.of(places), domain, marks, turns)
            if mode is Mode.BEYOND and array.dtype.itemsize >= _LEAST_WIDE:
                spread = spread * draws.of(places).beyond()
            array[places] = spread if is_float(array.dtype) else np.clip(np.round(spread), domain.low, domain.high)
        if out:
            array[1::2] = 0
        if domain.rising:
            array.sort(axis=-1)
        if is_float(array.dtype):
            within = np.array([mode is not Mode.BEYOND for mode in modes])
            array[within] = _pulled_in(array[within], domain)


def _free(type_: ValueType, domain: Domain | None) -> bool:
    if isinstance(type_, Struct):
        return any(_free(field.type, field.domain) for field in type_.fields)
    if isinstance(type_, HashGrid | ArrayType):
        return False
    return domain is None or domain.low < domain.high


def _widths(type_: ValueType, domain: Domain | None, path: str = "") -> list[tuple[str, float]]:
    if isinstance(type_, Struct):
        return [item for f in type_.fields for item in _widths(f.type, f.domain, f"{path}.{f.name}")]
    if isinstance(type_, ArrayType):
        return []
    if domain is None or domain.low >= domain.high:
        return [(path, 1.0)]
    return [(path, domain.high - domain.low)]


def _numbers(source: str) -> list[float]:
    """The numbers that stand in a source, with either sign."""
    found = {0.0, 1.0}
    for node in parsed(source)[1]:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and abs(node.value) < 1e30:
            found |= {float(node.value), -float(node.value)}
    return sorted(found)


def _compared(source: str) -> list[float]:
    """The numbers that something is compared with, at which a branch turns and nothing else needs to."""
    found: set[float] = set()
    for node in parsed(source)[1]:
        for side in (node.left, *node.comparators) if isinstance(node, ast.Compare) else ():
            match side:
                case ast.Constant(int() | float() as number):
                    found.add(float(number))
                case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as number)):
                    found.add(-float(number))
    return sorted(found)


def _marks(domain: Domain, numbers: Sequence[float]) -> Array:
    """Values of a domain at which something may turn: its ends, its middle and the source's numbers."""
    middle = 0.5 * (domain.low + domain.high)
    inside = [number for number in numbers if domain.low < number < domain.high]
    return np.array([domain.low, *inside, middle, domain.high])


@dataclass(frozen=True, slots=True)
class _Draws:
    """The random numbers of sets: two for each value ``(sets, *shape)``, and four for the whole ``(sets, 4)``."""

    first: Array
    second: Array
    whole: Array

    def of(self, places: list[int]) -> _Draws:
        """Those of some sets."""
        return _Draws(self.first[places], self.second[places], self.whole[places])

    def beyond(self) -> Array:
        """What the values of each set are multiplied with; some leave them as they are."""
        low, high = FARTHER
        return self.each(np.exp2(np.where(self.whole[:, 0] < 0.3, 0.0, low + (high - low) * self.whole[:, 1])))

    def each(self, values: Array) -> Array:
        """One value for each set, made to broadcast over its elements."""
        return values.reshape(-1, *(1,) * (self.first.ndim - 1))


def _spread(mode: Mode, draws: _Draws, domain: Domain, marks: Array, turns: Array) -> Array:
    """Values of a domain. Whole numbers are made of them by rounding."""
    low, width = domain.low, domain.high - domain.low
    u, v, whole = draws.first, draws.second, draws.whole
    spread: Array
    match mode:
        case Mode.EVEN | Mode.BEYOND:
            spread = low + width * u
        case Mode.FEW:
            few = marks[(whole[:, :3] * len(marks)).astype(int)]
            spread = few[draws.each(np.arange(len(few))), (u * few.shape[1]).astype(int)]
        case Mode.ENDS:
            spread = np.where(v < 0.35, low, np.where(v > 0.65, domain.high, low + width * u))
        case Mode.MARKS:
            spread = marks[(u * len(marks)).astype(int)]
        case Mode.TURNS:
            spread = low + width * u
            if len(turns):
                # One number of an array, so that all that tie stand on the same side, and more elements or fewer.
                turn = draws.each(turns[(whole[:, 0] * len(turns)).astype(int)])
                spread = np.where(v < draws.each(0.1 + 0.5 * whole[:, 1]), turn, spread)
        case Mode.NEAR:
            near = marks[(v * len(marks)).astype(int)]
            spread = near + width * 0.05 * (2 * u - 1) ** 5
        case Mode.EQUAL:
            spread = np.broadcast_to(draws.each(low + width * whole[:, 3]), u.shape)
        case Mode.LOW:
            spread = low + width * u**4
        case Mode.HIGH:
            spread = domain.high - width * u**4
        case Mode.CLOSE:
            centre = draws.each(low + width * whole[:, 3])
            spread = centre + width * 0.02 * (2 * u - 1)
    return spread


def _pulled_in(array: Array, domain: Domain) -> Array:
    """Values of a domain: what rounding to the dtype, or a draw close to an end, put outside is moved."""
    if domain.low >= domain.high:
        return array
    kind = array.dtype.type
    low, high = kind(domain.low), kind(domain.high)
    if float(low) < domain.low:
        low = np.nextafter(low, kind(np.inf))
    if float(high) > domain.high:
        high = np.nextafter(high, kind(-np.inf))
    return np.clip(array, low, high)
