"""Where derivatives are compared, and what an adjoint is run on there.

What an adjoint run is given and leaves behind is one rule for all arrays, inputs and outputs: an array's
adjoint goes in as the weight of its final contents, and comes out as the derivative of the weighted sum with
respect to its initial contents. So an output that is overwritten loses its adjoint, one that is added to keeps
it, and gradients of inputs are added to what was there. The adjoint sees the contents that the forward left,
as on a tape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from irsmith.kernel import Direction, Kernel
from irsmith.verify.derivative import differentiable
from irsmith.verify.explore import Explored
from irsmith.verify.inputs import Inputs, Mode
from irsmith.verify.observe import Observed, taken
from irsmith.verify.ports import Adjoint, Array
from irsmith.verify.values import differs, floats, resolution, take

LEAST = 2
"""Input sets at which derivatives are compared along each array, unless branches ask for more."""

MOST = 4

LIGHT = 8
"""Further sets at which they are compared along all arrays together."""

WEIGHTINGS = 2
"""Adjoints of the outputs that are tried at each point. The first leaves the inputs' adjoints at zero."""

NUDGES = 3
"""Runs at each point whose inputs and weights are moved by a rounding error, to see how far that moves the adjoint."""

NUDGE = 2.0
"""The size of that error, in units of the last place."""

_EDGES = (Mode.TURNS, Mode.MARKS, Mode.FEW)
"""Modes that meet the very numbers at which branches turn; two such sets are points too, along each array:
what turns one comparison to the other side, moving all arrays together may turn another back."""

_BETWEEN = (Mode.EVEN, Mode.EQUAL, Mode.CLOSE)
"""Modes that meet none of them but by accident."""

_PREFERENCE = (
    Mode.EVEN,
    Mode.LOW,
    Mode.HIGH,
    Mode.CLOSE,
    Mode.NEAR,
    Mode.EQUAL,
    Mode.TURNS,
    Mode.ENDS,
    Mode.MARKS,
    Mode.FEW,
)


@dataclass(frozen=True, slots=True)
class Points:
    """Where derivatives are compared, and what the adjoint is run on.

    Attributes:
        places: The input sets.
        full: How many of them, the first ones, are compared along each array.
        observed: Those sets, and what the reference makes of them.
        between: The points that stand on no edge by design, so that nudging them crosses none.
        weights: For each differentiable array ``(points, weightings, *shape)``, in its own dtype.
        adjoint: The runs. First, for each point, each weighting on the contents that the forward left; then
            the first weighting of each on the contents from before; then, for each, that on nudged inputs, nudged
            itself: a sum of weights alone rounds too.
    """

    places: tuple[int, ...]
    full: int
    observed: Observed
    between: Array
    weights: dict[str, Array]
    adjoint: Adjoint

    def main(self, runs: Array) -> Array:
        """Of what each run gave: the runs to judge, ``(points, weightings, …)``."""
        count = len(self.places)
        return runs[: count * WEIGHTINGS].reshape(count, WEIGHTINGS, *runs.shape[1:])

    def before(self, runs: Array) -> Array:
        """Of what each run gave: those on the contents from before the launch, ``(points, …)``."""
        count = len(self.places)
        return runs[count * WEIGHTINGS : count * (WEIGHTINGS + 1)]

    def nudged(self, runs: Array) -> Array:
        """Of what each run gave: those on nudged inputs, ``(points, nudges, …)``."""
        count = len(self.places)
        first = count * (WEIGHTINGS + 1)
        return runs[first : first + count * NUDGES].reshape(count, NUDGES, *runs.shape[1:])

    def on_all(self, inputs: Inputs, sets: Mapping[str, Array], after: Mapping[str, Array]) -> Adjoint:
        """The runs, and behind them one on each of all sets, for texts that are compared with each other alone.

        Args:
            inputs: The kernel's random streams.
            sets: All sets.
            after: What the launch leaves of each array.
        """
        primal = {
            name: np.concatenate([array, after.get(name, sets[name])]) for name, array in self.adjoint.primal.items()
        }
        adjoint = {}
        for name, array in self.adjoint.adjoint.items():
            weight = np.zeros_like(sets[name])
            for _, leaf in floats(weight):
                leaf[...] = inputs.uniform("weights of all", name).signs(leaf.shape)
            adjoint[name] = np.concatenate([array, weight])
        return Adjoint(primal, adjoint)

    def saw(self, left: Mapping[str, Array]) -> bool:
        """Whether the adjoints saw, bit for bit, what a forward run left."""
        return not any(
            differs(self.main(self.adjoint.primal[name])[:, 0], array[list(self.places)]).any()
            for name, array in left.items()
        )


def choose(explored: Explored) -> tuple[list[int], int]:
    """Points that between them take every way that a set takes, evenly spread ones first, and then others.

    Returns:
        The points, and how many of them are those.
    """
    observed = explored.observed
    ranked = sorted(
        range(observed.count),
        key=lambda place: (bool(observed.singular[place]), _PREFERENCE.index(explored.modes[place])),
    )
    ranked = [place for place in ranked if observed.steady[place]]
    ways = [taken for pair in observed.coverage.values() for taken in pair]
    chosen: list[int] = []
    left = list(ways)
    while ranked and len(chosen) < MOST:
        gain = [sum(bool(taken[place]) for taken in left) for place in ranked]
        if len(chosen) >= LEAST and not max(gain):
            break
        place = ranked.pop(int(np.argmax(gain)))
        chosen.append(place)
        left = [taken for taken in left if not taken[place]]
    edges = [place for place in ranked if explored.modes[place] in _EDGES]
    chosen += edges[:2]
    # The last ones first: the modes that meet edges.
    others = [place for place in reversed(ranked) if place not in chosen]
    return chosen + others[:LIGHT], len(chosen)


def prepare(
    kernel: Kernel,
    inputs: Inputs,
    observed: Observed,
    modes: Sequence[Mode],
    places: Sequence[int],
    full: int,
    after: Mapping[str, Array] | None = None,
) -> Points:
    """Lay out the adjoint's runs.

    Args:
        kernel: The kernel.
        inputs: Its random streams.
        observed: The input sets.
        modes: Their modes.
        places: The points among them.
        full: How many of them, the first ones, are compared along each array.
        after: The final contents of every array for all sets, if not the reference's.
    """
    sets, after = observed.sets, after or observed.exact
    places = list(places)
    points = take(sets, places)
    by_name = {a.name: a for a in kernel.signature.arguments}
    weights = {}
    for name in differentiable(kernel):
        array = points[name]
        weight = np.zeros((len(places), WEIGHTINGS, *array.shape[1:]), array.dtype)
        random = inputs.uniform("weights", name)
        for _, leaf in floats(weight):
            leaf[...] = random.signs(leaf.shape)
            if by_name[name].direction is Direction.IN:
                leaf[:, 0] = 0
            else:
                # Half of the elements alone, so that no two errors can cancel in both.
                leaf[:, 1] *= random.draw(leaf[:, 1].shape) < 0.5
        weights[name] = weight
    left = {name: after.get(name, array)[places] for name, array in sets.items()}
    primal, adjoint = {}, {}
    for argument in kernel.signature.arguments:
        name = argument.name
        nudged = np.repeat(left[name], NUDGES, axis=0)
        if argument.direction is Direction.IN:
            # What the launch left is not moved: an adjoint may ask which thread it came from.
            _nudge(nudged, inputs)
        primal[name] = np.concatenate([np.repeat(left[name], WEIGHTINGS, axis=0), points[name], nudged])
    for name, weight in weights.items():
        first = weight[:, 0]
        nudged = np.repeat(first, NUDGES, axis=0)
        _nudge(nudged, inputs, "weights", name)
        adjoint[name] = np.concatenate([weight.reshape(-1, *weight.shape[2:]), first, nudged])
    between = np.array([modes[place] in _BETWEEN for place in places])
    return Points(tuple(places), full, taken(observed, places), between, weights, Adjoint(primal, adjoint))


def _nudge(array: Array, inputs: Inputs, *salt: str) -> None:
    for path, leaf in floats(array):
        random = inputs.uniform("nudges", path, str(leaf.shape), *salt)
        move = NUDGE * float(resolution(leaf.dtype).eps) * (2 * random.draw(leaf.shape) - 1)
        leaf[...] = leaf * (1 + move)
