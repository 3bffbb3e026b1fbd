"""Choosing the input sets of a kernel: until every branch is taken and every input matters, or tries run out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from irsmith.kernel import Direction, Kernel
from irsmith.verdict import Uncovered
from irsmith.verify.inputs import BASES, SEARCH, Inputs, Mode
from irsmith.verify.observe import Coverage, Observed, merged, observe, taken, ways_of
from irsmith.verify.ports import Array, Fault, Reference
from irsmith.verify.values import count, is_float, joined, leaves, resolution, take

EXTRA = 96
"""Sets on which the reference runs only once. They are the first round of the search for a missing branch."""

ROUNDS = (96, 384)
"""How many sets each further round tries."""

CANCELLED = 4.0
"""How many units in the last place an input may move the outputs without being one that they depend on."""

MOST_FOUND = 6
"""How many sets the search adds at most."""


@dataclass(frozen=True, slots=True)
class Plain:
    """Input sets, what the reference makes of them, and the first fault of each."""

    sets: dict[str, Array]
    exact: dict[str, Array]
    faults: tuple[Fault | None, ...]


@dataclass(frozen=True, slots=True)
class Explored:
    """The input sets of a kernel and what the reference makes of them.

    Attributes:
        observed: What the reference makes of them.
        modes: The mode of each set.
        uncovered: The ways that none of them took.
        ignored: Inputs whose change changed nothing.
        extra: Further sets, of which it is known only what they give.
        beyond: Sets with values from beyond the domains, on which the kernel is defined; it need not be finite there.
    """

    observed: Observed
    modes: tuple[Mode, ...]
    uncovered: tuple[Uncovered, ...]
    ignored: tuple[str, ...]
    extra: Plain
    beyond: Observed

    @property
    def all_observed(self) -> Observed:
        """The sets of the domains, and then those from beyond."""
        return merged(self.observed, self.beyond)

    def sets(self) -> dict[str, Array]:
        """All sets that compiled text runs on: those observed, and the others."""
        return joined(self.all_observed.sets, self.extra.sets)

    def exact(self) -> dict[str, Array]:
        """What all of them leave of every array."""
        return joined(self.all_observed.exact, self.extra.exact)


def explore(reference: Reference, kernel: Kernel, inputs: Inputs, seed: int, beyond: Sequence[Mode] = ()) -> Explored:
    """Choose the input sets of a kernel, and with them some from ``beyond`` its domains."""
    names = inputs.free()
    modes = list(BASES) + [Mode.EVEN] * len(names)
    bases = inputs.sets(BASES, "sets")
    sets = joined(bases, inputs.variants(take(bases, [0]), names, (Mode.EVEN,), "sets")) if names else bases
    everything = observe(reference, kernel, joined(sets, inputs.sets(beyond, "beyond")) if beyond else sets, seed=seed)
    observed = taken(everything, range(len(modes)))
    if beyond and any(observed.faults):
        # All sets share the steps that a run may take: one from beyond that never ends leaves none to the others.
        observed = observe(reference, kernel, sets, seed=seed)
    defined = [place for place in range(len(modes), everything.count) if everything.faults[place] is None]
    ignored = [
        name
        for place, name in enumerate(names, len(BASES))
        if not any(_changed(kernel, take(observed.exact, [0]), take(observed.exact, [place])))
    ]
    search = _Search(reference, kernel, inputs, ignored, set(ways(observed.coverage)))
    search.note(observed.coverage)
    extra = search.first()
    if not any(observed.faults):
        search.run()
    if search.found is not None:
        observed = merged(observed, observe(reference, kernel, search.found, seed=seed + 1))
        modes += search.modes
    missing = sorted(search.known - search.taken)
    return Explored(observed, tuple(modes), tuple(missing), tuple(search.ignored), extra, taken(everything, defined))


def ways(coverage: Coverage) -> dict[Uncovered, Array]:
    """The ways that there are, with the sets that took each. That a ``for`` never runs is not asked for."""
    found = {}
    for site, (true, false) in coverage.items():
        found[Uncovered(site.line, site.column, site.kind, True)] = true
        if site.kind != "for":
            found[Uncovered(site.line, site.column, site.kind, False)] = false
    return found


def _changed(kernel: Kernel, before: Mapping[str, Array], after: Mapping[str, Array]) -> Array:
    """The sets in which some output differs by more than what an input that cancels out leaves in rounding."""
    outputs = [a.name for a in kernel.signature.arrays if a.direction is not Direction.IN]
    changed = np.zeros(count(before), bool)
    for name in outputs:
        for (_, one), (_, two) in zip(leaves(before[name]), leaves(after[name]), strict=True):
            changed |= (_moved(one, two) if is_float(one.dtype) else one != two).reshape(len(changed), -1).any(axis=1)
    return changed


def _moved(one: Array, two: Array) -> Array:
    """Where two floats differ by more than some units in the last place of the largest of their set."""
    with np.errstate(all="ignore"):
        size = np.fmax(np.abs(one), np.abs(two)).astype(np.float64).reshape(len(one), -1).max(axis=1, initial=0.0)
        allowed = CANCELLED * float(resolution(one.dtype).eps) * size.reshape(-1, *(1,) * (one.ndim - 1))
        return np.asarray(~(np.abs(one.astype(np.float64) - two) <= allowed) & (one != two))


@dataclass
class _Search:
    """Looks for sets that take a missing way, or show that an input matters.

    Attributes:
        ignored: The inputs not yet seen to matter.
        known: The ways at every site that was reached.
        taken: Those that some set took.
        found: The sets that were kept.
        modes: Their modes.
    """

    reference: Reference
    kernel: Kernel
    inputs: Inputs
    ignored: list[str]
    known: set[Uncovered]
    taken: set[Uncovered] = field(default_factory=set)
    found: dict[str, Array] | None = None
    modes: list[Mode] = field(default_factory=list)

    def note(self, coverage: Coverage) -> None:
        """Remember which ways were taken."""
        found = ways(coverage)
        self.known |= set(found)
        self.taken |= {way for way, sets in found.items() if sets.any()}

    def first(self) -> Plain:
        """The round that is always run."""
        return self._round("extra", EXTRA)

    def run(self) -> None:
        """Search, round by round, for as long as something is missing."""
        for number, size in enumerate(ROUNDS):
            if (self.known <= self.taken and not self.ignored) or len(self.modes) >= MOST_FOUND:
                return
            self._round(f"search {number}", size)

    def _round(self, salt: str, size: int) -> Plain:
        modes = [SEARCH[place % len(SEARCH)] for place in range(size)]
        sets, names = self.inputs.sets(modes, salt), list(self.ignored)
        if names:
            sets = joined(sets, self.inputs.variants(sets, names, modes, salt))
        outputs, coverage, faults = ways_of(self.reference, self.kernel, sets)
        kept = [place for place, fault in enumerate(faults) if fault is not None][:1]
        kept += self._new_ways(coverage)
        self.note(coverage)
        for place, name in enumerate(names, 1):
            other = take(outputs, slice(place * size, (place + 1) * size))
            where = np.flatnonzero(_changed(self.kernel, take(outputs, slice(0, size)), other))
            if len(where):
                self.ignored.remove(name)
                kept += [int(where[0]), int(where[0]) + place * size]
        if kept:
            kept = list(dict.fromkeys(kept))
            chosen = take(sets, kept)
            self.found = chosen if self.found is None else joined(self.found, chosen)
            self.modes += [modes[place % size] for place in kept]
        tried = slice(0, size)
        return Plain(take(sets, tried), take(outputs, tried), faults[tried])

    def _new_ways(self, coverage: Coverage) -> list[int]:
        """Sets that take ways which none took before: those first that take most of them."""
        found = {way: taken for way, taken in ways(coverage).items() if way not in self.taken and taken.any()}
        places: list[int] = []
        while found and len(places) < MOST_FOUND:
            place = int(np.argmax(np.sum(list(found.values()), axis=0)))
            places.append(place)
            found = {way: taken for way, taken in found.items() if not taken[place]}
        return places
