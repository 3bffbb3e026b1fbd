"""The reference: what a Warp kernel means, given from its text.

The text is translated once into closures, one for each syntax node, and then run in many lanes together. A
lane is one independent execution of the whole launch: its own inputs, its own thread order, its own rounding.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from irsmith.frontends.warp.reference import statements
from irsmith.frontends.warp.reference.calls import Callables
from irsmith.frontends.warp.reference.errors import Fault, Site, Unsupported
from irsmith.frontends.warp.reference.expressions import indexed_view
from irsmith.frontends.warp.reference.machine import Machine
from irsmith.frontends.warp.reference.memory import Store, unpack
from irsmith.frontends.warp.reference.ops import RandomlyRounded
from irsmith.frontends.warp.reference.scope import ArrayView, Scope
from irsmith.frontends.warp.reference.source import Source
from irsmith.frontends.warp.reference.together import MOST_LANES, ConflictError, SharedStore, folded
from irsmith.frontends.warp.reference.values import Array, Precision, Type, Value, repeated
from irsmith.types import ArrayType, IndexedArray, Struct

STEP_LIMIT = 100_000
"""Loop iterations in one run, over all threads, before the lanes still looping are stopped."""


_BLUR = 8.0
"""How many roundings may part two numbers that are equal without them."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which lanes took which way at a site: one Boolean for each lane and way."""

    true: Array
    false: Array


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gave, lane by lane.

    Attributes:
        outputs: The final contents of every array argument, lane axis first.
        faults: The first undefined thing that each lane did, or None. Such a lane's outputs mean nothing.
        coverage: The ways taken at each ``if``, ternary and loop that was reached. A ``while`` counts each
            test of its condition, a ``for`` whether it ran at all; one with literal bounds is not listed.
        path: A hash of all discrete outcomes that depend on floats: comparisons, roundings, casts to
            integers, and which operand ``min``, ``abs`` and the like chose. Lanes of one run with equal
            paths computed the same smooth function. Zero unless asked for.
        margin: The smallest distance, relative to their size, of two floats that were compared (or of
            which one was chosen); 0 at a tie, and at a division or root of exactly 0. Infinite unless asked for.
        kink: Whether operands tied of which one was chosen, or a root or a divisor was 0: a derivative has no one
            value there. Operands that roundings of size ``epsilon`` could tie count too. False unless asked for.
        independent: Whether it was seen that no thread used what another one wrote, but to add something to it
            (or take its minimum, and the like), so that their order matters to the rounding of sums alone.
        wanted: For each array the extents that would have held what was accessed beyond its ends.
    """

    outputs: dict[str, Array]
    faults: tuple[Fault | None, ...]
    coverage: dict[Site, Coverage]
    path: Array
    margin: Array
    kink: Array
    independent: bool = False
    wanted: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Program:
    machine: Machine
    ops: RandomlyRounded
    scope: Scope
    body: Callable[[], None]


class Reference:
    """The meaning of one kernel.

    Attributes:
        arguments: The type of each argument, in order.
    """

    def __init__(self, source: str, kernel: str) -> None:
        """Read a module's text.

        Raises:
            Unsupported: The module or the kernel uses something that has no meaning here yet.
        """
        self.source = Source(source)
        if kernel not in self.source.kernels:
            raise Unsupported(f"kernel {kernel}, which the module does not declare")
        self.kernel = self.source.kernels[kernel]
        self.arguments: dict[str, Type] = {}
        given: list[ast.expr | None] = [argument.annotation for argument in self.kernel.args.args]
        # A generic kernel is the instance that its module makes.
        given = [*self.source.instances.get(kernel, given)]
        for argument, annotation in zip(self.kernel.args.args, given, strict=True):
            if annotation is None:
                raise Unsupported(f"argument {argument.arg} without annotation", argument)
            self.arguments[argument.arg] = self.source.type(annotation)
        self._arrays: dict[str, ArrayType] = {}
        for name, type in self.arguments.items():
            if isinstance(type, ArrayType):
                self._arrays[name] = type
            elif isinstance(type, Struct):
                self._arrays |= {f"{name}.{path}": array for path, array in type.arrays}
        self._programs: dict[str, _Program] = {}
        self._program("declared")

    def _program(self, precision: str) -> _Program:
        """The translation for a precision, made when first needed."""
        if precision not in self._programs:
            machine, kind = Machine(), Precision(precision)
            ops = RandomlyRounded(machine, kind)
            scope = Callables(self.source, machine, ops).scope(self.kernel, is_kernel=True)
            for name, type in self.arguments.items():
                variable = scope.declare(name, type, self.kernel)
                if isinstance(type, ArrayType):
                    variable.view = ArrayView(name)
                elif isinstance(type, IndexedArray):
                    variable.type = ArrayType(type.element, type.rank)
                    variable.view = indexed_view(type, name)
                elif isinstance(type, Struct) and type.arrays:
                    variable.holder = name
            self._programs[precision] = _Program(machine, ops, scope, statements.block(scope, self.kernel.body).run)
        return self._programs[precision]

    def run(
        self,
        inputs: Mapping[str, Array],
        launch: tuple[int, ...] | None,
        *,
        precision: str = "declared",
        order: Array | None = None,
        perturb: Array | None = None,
        epsilon: float | None = None,
        seed: int = 0,
        trace: bool = False,
        step_limit: int = STEP_LIMIT,
    ) -> Result:
        """Run the whole launch in every lane.

        Args:
            inputs: Each argument's value with the lane axis first, and that of each array that a struct among them
                holds, by its path, such as ``params.points``: ``(lanes, *array shape, *components)``, a
                structured array for structs, and ``(lanes, *components)`` for an argument passed by value.
            launch: The extents of the launch.
            precision: ``"declared"`` rounds every operation to its declared type; ``"float64"`` computes and
                keeps every float in float64, from literals of their declared type on.
            order: For each lane, the linear thread indices in the order in which they run; 0, 1, … when None.
            perturb: The lanes whose float operations are rounded at random. Whole numbers name groups: the
                lanes of a positive number are rounded alike, as one program with its own rounding errors.
            epsilon: The relative size of those roundings; by default that of each value's dtype, which in
                ``"float64"`` is not the declared one and so has to be given.
            seed: The seed of that rounding.
            trace: Whether to keep the path and the margin.
            step_limit: Loop iterations after which the lanes that are still looping are stopped.

        Raises:
            ValueError: The inputs do not fit the kernel's arguments or each other.
        """
        if precision not in ("declared", "float64"):
            raise ValueError(f"no such precision: {precision!r}")
        shaken = perturb is not None and bool(np.any(perturb))
        if shaken and precision != "declared" and epsilon is None:
            raise ValueError("a perturbation of float64 needs the size of the roundings")
        lanes = self._lanes(inputs)
        program = self._program(precision)
        machine = program.machine
        launch = launch or ()
        threads = int(np.prod(launch))
        noise = None if not shaken else (np.asarray(perturb), seed, epsilon)

        def ready(together: int) -> list[tuple[int, Value]]:
            machine.reset(lanes * together, step_limit, tracing=trace, threads=together, blur=_BLUR * (epsilon or 0.0))
            program.scope.callables.forget()
            if noise is None:
                program.ops.calm()
            else:
                program.ops.seed(*noise, threads=together)
            return self._bind(program, inputs, together)

        with np.errstate(all="ignore"):
            together = order is None and threads > 1 and self._together(program, ready, launch, lanes, threads)
            if not together:
                _run(program, ready(1), _threads(machine, launch, order))
        kind = program.ops.precision
        return Result(
            outputs={name: machine.stores[name].contents(kind) for name in self._arrays},
            faults=machine.faults(),
            coverage={site: Coverage(*seen) for site, seen in sorted(machine.seen.items())},
            path=machine.path,
            margin=machine.margin,
            kink=machine.kink,
            wanted={name: tuple(machine.stores[name].wanted) for name in self._arrays},
            independent=together and all(machine.stores[name].independent for name in self._arrays),
        )

    def _together(
        self,
        program: _Program,
        ready: Callable[[int], list[tuple[int, Value]]],
        launch: tuple[int, ...],
        lanes: int,
        threads: int,
    ) -> bool:
        """Run all threads at once; whether that is as good as one after the other."""
        if lanes * threads > MOST_LANES or len(launch) > 4:
            return False
        values = ready(threads)
        machine = program.machine
        places = np.unravel_index(np.arange(threads), launch)
        coordinates = [np.tile(place.astype(np.int32), lanes) for place in places]
        coordinates += [machine.integer(0)] * (4 - len(launch))
        try:
            _run(program, values, [coordinates])
        except ConflictError:
            return False
        if machine.steps < 0:
            return False
        folded(machine, lanes)
        return True

    def _lanes(self, inputs: Mapping[str, Array]) -> int:
        expected = {*self.arguments, *self._arrays}
        if set(inputs) != expected:
            raise ValueError(f"inputs {sorted(inputs)} for arguments {sorted(expected)}")
        counts = {len(value) for value in inputs.values()}
        if len(counts) != 1:
            raise ValueError(f"inputs with different numbers of lanes: {sorted(counts)}")
        return counts.pop()

    def _bind(self, program: _Program, inputs: Mapping[str, Array], threads: int) -> list[tuple[int, Value]]:
        """Store the arrays, and give the slots and values of the other arguments."""
        machine, kind = program.machine, program.ops.precision
        machine.stores.clear()
        values = []
        thread = np.tile(np.arange(threads, dtype=np.int32), machine.lanes // threads)
        for name, type in self.arguments.items():
            if not isinstance(type, ArrayType):
                value = unpack(type, inputs[name], kind)
                values.append((program.scope.variables[name].slot, repeated(value, threads)))
        for name, array in self._arrays.items():
            data = inputs[name]
            if threads == 1:
                machine.stores[name] = Store(machine, array, data, kind)
            else:
                machine.stores[name] = SharedStore(machine, array, data, kind, thread, written=name in machine.written)
        return values


def _run(program: _Program, values: list[tuple[int, Value]], threads: list[list[Array]]) -> None:
    machine = program.machine
    for coordinates in threads:
        machine.coordinates = coordinates
        machine.mask = None
        program.scope.assigned.clear()
        for slot, value in values:
            program.scope.frame[slot] = value
        program.body()
    machine.mask = None


def _threads(machine: Machine, launch: tuple[int, ...], order: Array | None) -> list[list[Array]]:
    """The coordinates of the running thread, step by step; missing dimensions are 0."""
    if not 1 <= len(launch) <= 4:
        raise ValueError(f"launch of {len(launch)} dimensions")
    count = int(np.prod(launch))
    zero = machine.integer(0)
    padding = [zero] * (4 - len(launch))
    if order is not None:
        order = np.asarray(order)
        if order.shape != (machine.lanes, count):
            raise ValueError(f"order of shape {order.shape} for {machine.lanes} lanes of {count} threads")
        if (order == order[0]).all():
            order = order[0]
    else:
        order = np.arange(count)
    places = [place.astype(np.int32) for place in np.unravel_index(order, launch)]
    if order.ndim == 1:
        return [[machine.integer(int(place[step])) for place in places] + padding for step in range(count)]
    return [[place[:, step] for place in places] + padding for step in range(count)]
