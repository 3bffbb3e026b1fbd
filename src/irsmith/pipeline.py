"""From a recipe and an index to a row: synthesise, print, lower, describe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from irsmith import frontends
from irsmith.frontends.base import Frontend, Stage, stage_named
from irsmith.kernel import Kernel
from irsmith.outcome import Reject, Step
from irsmith.recipe import Recipe
from irsmith.row import Row
from irsmith.structure import describe
from irsmith.synth import Discard, Settings, synthesise


@dataclass(frozen=True)
class Pipeline:
    """What a recipe asks for, resolved once: its frontend, stages and settings."""

    recipe: Recipe

    @cached_property
    def frontend(self) -> Frontend:
        """The recipe's frontend."""
        return frontends.get(self.recipe.frontend)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The recipe's stages, in the frontend's order."""
        return tuple(stage_named(self.frontend, name) for name in self.recipe.stages)

    @cached_property
    def toolchain(self) -> str:
        """What lowers, as ``name version`` joined by commas.

        Raises:
            UserError: The frontend is not installed, or not in the version that was tested.
        """
        return ", ".join(f"{name} {version}" for name, version in self.frontend.toolchain().items())

    @cached_property
    def _settings(self) -> Settings:
        return self.recipe.settings

    def kernel(self, index: int) -> Kernel | Reject:
        """The kernel of an index."""
        try:
            program = synthesise(self.recipe.seed, self.recipe.frontend, index, self._settings)
        except Discard as dead_end:
            return Reject(Step.SYNTHESISE, "DeadEnd", str(dead_end), "", "", "")
        return self.frontend.write(program)

    def row(self, index: int) -> Row | Reject:
        """The row of an index: a pure function of the recipe, the index and the toolchain."""
        kernel = self.kernel(index)
        if isinstance(kernel, Reject):
            return kernel
        return self.lowered(kernel, index, f"{self.recipe.frontend}-{self.recipe.seed}-{index}", self.recipe.seed)

    def lowered(self, kernel: Kernel, index: int, row_id: str, seed: int | None) -> Row | Reject:
        """The row of a kernel that stands."""
        lowering = self.frontend.lower(kernel, self.stages)
        if isinstance(lowering, Reject):
            return lowering
        structure = describe(kernel.source, kernel.name)
        return Row(
            id=row_id,
            index=index,
            seed=seed,
            frontend=self.frontend.name,
            kernel=kernel,
            texts=lowering.texts,
            lines=lowering.lines,
            structure=structure,
            # Kernels of one structure are one program as far as a split is concerned.
            group_id=structure.structure_id,
            toolchain=self.toolchain,
        )

    def rows(self, first: int, last: int) -> Iterator[tuple[int, Row | Reject]]:
        """The outcomes of the indices from ``first`` up to but without ``last``."""
        for index in range(first, last):
            yield index, self.row(index)
