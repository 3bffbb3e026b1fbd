"""From a recipe and an index to a kernel: what is drawn before anything is lowered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from irsmith import frontends
from irsmith.frontends.base import Frontend
from irsmith.kernel import Kernel
from irsmith.outcome import Reject, Step
from irsmith.recipe import Recipe
from irsmith.synth import Discard, synthesise
from irsmith.synth import Settings as SynthesisSettings

DRAWS = 200
"""How many kernels are drawn for an index until one has the tags that a recipe asks for."""


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

    def kernel(self, index: int) -> Kernel | Reject:
        """The kernel of an index: a pure function of the recipe and the index."""
        required, forbidden = set(self.recipe.require), set(self.recipe.forbid)
        for draw in range(DRAWS):
            try:
                program = synthesise(self.recipe.seed, self.recipe.frontend, index, self._settings, draw)
            except Discard as dead_end:
                return Reject(Step.SYNTHESISE, "DeadEnd", str(dead_end), "", "", "")
            kernel = self.frontend.write(program)
            if not required and not forbidden:
                return kernel
            tags = set(self.frontend.reading(kernel).tags)
            if required <= tags and not forbidden & tags:
                return kernel
        wanted = [*sorted(required), *(f"no {tag}" for tag in sorted(forbidden))]
        return Reject(Step.SYNTHESISE, "Unsatisfied", f"none of {DRAWS} kernels had {', '.join(wanted)}", "", "", "")
