"""From a recipe and an index to a kernel: what is drawn before anything is lowered.

An index holds a new program or, where the recipe asks for augmentation, a variant of an earlier one. Which it is
follows from a hash of the index alone, so that every index can be made without any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from irsmith import frontends, real
from irsmith.frontends.base import Frontend
from irsmith.kernel import Kernel
from irsmith.outcome import Reject, Step
from irsmith.places import Place
from irsmith.recipe import Recipe
from irsmith.rng import stream
from irsmith.synth import Discard
from irsmith.synth import Settings as SynthesisSettings
from irsmith.twins import Twins

DRAWS = 200
"""How many kernels are drawn for an index until one has the tags that a recipe asks for."""
PARENTS = 8
"""How many earlier programs are tried until an augmentation applies to one; else the index holds a new program."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a variant comes from.

    Attributes:
        index: The index of the program that it is a variant of.
        augmentation: What was done to it.
        parent: That program's kernel.
    """

    index: int
    augmentation: str
    parent: Kernel


@dataclass(frozen=True, slots=True)
class Drawn:
    """The kernel of an index, with where it comes from if it is a variant, and its twins if it has any.

    Attributes:
        kernel: The kernel.
        lineage: Where it comes from.
        twins: The same program by frontend, its own among them.
    """

    kernel: Kernel
    lineage: Lineage | None = None
    twins: Mapping[str, Kernel] | None = None


class Source(Protocol):
    """Where the kernels of a recipe come from."""

    def drawn(self, index: int) -> Drawn | Reject:
        """The kernel of an index with its lineage: a pure function of the recipe and the index."""
        ...


@dataclass(frozen=True)
class Kept:
    """Kernels that people wrote, which stand in the dataset's folder: an index is a place among them."""

    recipe: Recipe
    root: Place

    @cached_property
    def _gathered(self) -> real.Gathered:
        return real.read(self.root, self.recipe.real.kernels)

    def drawn(self, index: int) -> Drawn | Reject:
        """The kernel of an index, or why it could not be taken."""
        item = self._gathered.items[index]
        return item if isinstance(item, Reject) else Drawn(item)


@dataclass(frozen=True)
class Drawing:
    """What a recipe asks of kernels, resolved once."""

    recipe: Recipe

    @cached_property
    def frontend(self) -> Frontend:
        """The recipe's frontend."""
        return frontends.get(self.recipe.frontend)

    @cached_property
    def _settings(self) -> SynthesisSettings:
        return self.recipe.settings

    @cached_property
    def _twins(self) -> Twins | None:
        return None if self.recipe.twin is None else Twins.of(self.recipe.frontend, self.recipe.twin)

    def kernel(self, index: int) -> Kernel | Reject:
        """The kernel of an index: a pure function of the recipe and the index."""
        drawn = self.drawn(index)
        return drawn if isinstance(drawn, Reject) else drawn.kernel

    def drawn(self, index: int) -> Drawn | Reject:
        """The kernel of an index with its lineage: a pure function of the recipe and the index."""
        if self._twins is not None:
            return self._twin(index, self._twins)
        kind = self._kind(index)
        if kind is not None:
            variant = self._variant(index, kind)
            if variant is not None:
                return variant
        made = self._new(index)
        return made if isinstance(made, Reject) else Drawn(made[1])

    def _kind(self, index: int) -> str | None:
        """What an index is to hold: a kind of variant, or a new program."""
        if not self.recipe.augment.total or index == 0:
            return None
        return self.recipe.augment.draw(stream(self.recipe.seed, self.recipe.frontend, "augment", index))

    def _variant(self, index: int, kind: str) -> Drawn | None:
        """A variant of the nearest earlier program that the kind applies to."""
        rng = stream(self.recipe.seed, self.recipe.frontend, "variant", self.frontend.generator(), index)
        parents = (earlier for earlier in range(index - 1, -1, -1) if self._kind(earlier) is None)
        # A neighbour of the same kind takes the nearest: two variants should not come out alike.
        before = index - 1
        while self._kind(before) is not None:
            if self._kind(before) == kind:
                next(parents, None)
            before -= 1
        for earlier, _ in zip(parents, range(PARENTS), strict=False):
            made = self._new(earlier)
            if isinstance(made, Reject):
                continue
            draw, parent = made
            kernel = self.frontend.variants()[kind](self.recipe.seed, earlier, self._settings, draw, rng)
            if kernel is not None and kernel.source != parent.source and self._wanted(kernel):
                return Drawn(kernel, Lineage(earlier, kind, parent))
        return None

    def _twin(self, index: int, twins: Twins) -> Drawn | Reject:
        """The first program of an index that both frontends can print."""
        for draw in range(DRAWS):
            try:
                kernels = twins.drawn(self.recipe.seed, index, self._settings, draw)
            except Discard:
                continue
            mine = kernels[self.recipe.frontend]
            found = twins.difference(kernels)
            if found is not None:
                return Reject(Step.VERIFY, "TwinsDiffer", found, mine.name, mine.category, mine.source)
            return Drawn(mine, twins=kernels)
        return Reject(Step.SYNTHESISE, "NoTwin", f"none of {DRAWS} programs has a form in both", "", "", "")

    def _new(self, index: int) -> tuple[int, Kernel] | Reject:
        """The new kernel of an index, and which draw it was."""
        ended: Discard | None = None
        for draw in range(DRAWS):
            try:
                kernel = self.frontend.synthesise(self.recipe.seed, index, self._settings, draw)
            except Discard as dead_end:
                if ended is not None:
                    return Reject(Step.SYNTHESISE, "DeadEnd", str(dead_end), "", "", "")
                # Where many draws are made, one of them may end so; twice in a row, there is no way.
                ended = dead_end
                continue
            ended = None
            if self._wanted(kernel):
                return draw, kernel
        wanted = [*sorted(self.recipe.require), *(f"no {tag}" for tag in sorted(self.recipe.forbid))]
        return Reject(Step.SYNTHESISE, "Unsatisfied", f"none of {DRAWS} kernels had {', '.join(wanted)}", "", "", "")

    def _wanted(self, kernel: Kernel) -> bool:
        """Whether a kernel has the tags that the recipe asks for, and none that it forbids."""
        if not self.recipe.require and not self.recipe.forbid:
            return True
        tags = set(self.frontend.reading(kernel).tags)
        return tags.issuperset(self.recipe.require) and tags.isdisjoint(self.recipe.forbid)
