"""From a recipe and an index to a row: synthesise, print, lower, describe, prove."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version

from irsmith import frontends
from irsmith.dataset.splits import Facts, split_of
from irsmith.drawing import Drawing, Kept, Lineage, Source
from irsmith.errors import UserError
from irsmith.frontends.base import Frontend, Stage, stage_named
from irsmith.kernel import Kernel
from irsmith.outcome import Reject
from irsmith.places import Place
from irsmith.real import group_of, id_of
from irsmith.recipe import Recipe
from irsmith.row import Row
from irsmith.structure import describe
from irsmith.traits import traits
from irsmith.verdict import Status
from irsmith.verify import Level, Measurements, Settings, Verified, Verifier


@dataclass(frozen=True)
class Pipeline:
    """What a recipe asks for, resolved once: its frontend, stages and settings.

    Attributes:
        recipe: The recipe.
        root: The dataset's folder, where a recipe of kernels that people wrote finds them.
    """

    recipe: Recipe
    root: Place | None = None

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
    def versions(self) -> dict[str, str]:
        """The versions of all that decides a dataset's bytes, by distribution name.

        Raises:
            UserError: The frontend is not installed, or not in the version that was tested.
        """
        ours = {"irsmith": version("irsmith"), "irsmith-generator": str(self.frontend.generator())}
        return ours | self.frontend.toolchain() | {name: version(name) for name in ("numpy", "pyarrow")}

    @cached_property
    def drawing(self) -> Source:
        """What draws the kernels."""
        if not self.recipe.real.kernels:
            return Drawing(self.recipe)
        assert self.root is not None
        return Kept(self.recipe, self.root)

    def row(self, index: int) -> Row | Reject:
        """The row of an index: a pure function of the recipe, the index and the toolchain."""
        drawn = self.drawing.drawn(index)
        if isinstance(drawn, Reject):
            return drawn
        seed = self.recipe.row_seed
        row_id = id_of(self.recipe.frontend, drawn.kernel) if seed is None else self._id(index)
        row = self.lowered(drawn.kernel, index, row_id, seed, drawn.lineage)
        return row if isinstance(row, Reject) or drawn.twins is None else self._twin(row, drawn.twins)

    def _twin(self, row: Row, twins: Mapping[str, Kernel]) -> Row:
        """A row in one group with its twin."""
        root = twins[min(twins)]
        of_root = describe(root.source, root.name)
        facts = Facts.of_kernel(row.kernel, row.structure, of_root.structure_id)
        return replace(
            row,
            group_id=of_root.structure_id,
            split=split_of(facts, self.recipe.splits),
            twin_id=f"{self.recipe.twin}-{self.recipe.seed}-{row.index}",
        )

    def _id(self, index: int) -> str:
        return f"{self.recipe.frontend}-{self.recipe.seed}-{index}"

    def lowered(
        self, kernel: Kernel, index: int, row_id: str, seed: int | None, lineage: Lineage | None = None
    ) -> Row | Reject:
        """The row of a kernel that stands, in the group and the split of the program that it is a variant of."""
        lowering = self.frontend.lower(kernel, self.stages)
        if isinstance(lowering, Reject):
            return lowering
        if self.recipe.real.kernels and kernel.recorded is None and self.recipe.verify == "full":
            kernel = self.frontend.situated(kernel)
        structure = describe(kernel.source, kernel.name)
        root = kernel if lineage is None else lineage.parent
        of_root = structure if lineage is None else describe(root.source, root.name)
        package = root.provenance.package if root.provenance is not None else None
        # Kernels of one structure are one program as far as a split is concerned, and so are those of one package.
        group_id = group_of(package) if package else of_root.structure_id
        return Row(
            id=row_id,
            index=index,
            seed=seed,
            frontend=self.frontend.name,
            kernel=kernel,
            texts=lowering.texts,
            lines=lowering.lines,
            structure=structure,
            traits=traits(structure, self.frontend.reading(kernel)),
            group_id=group_id,
            split=split_of(Facts.of_kernel(root, of_root, group_id), self.recipe.splits),
            toolchain=self.toolchain,
            parent_id=None if lineage is None else self._id(lineage.index),
            augmentation=None if lineage is None else lineage.augmentation,
        )

    def proved(self, rows: Sequence[Row]) -> list[tuple[Row | Reject, Measurements]]:
        """Rows with their verdicts, or why they are none, as the recipe's level of verification asks.

        The texts are compiled and run in processes that this pipeline keeps until the interpreter ends.
        """
        if self.recipe.verify == "none":
            return [(row, Measurements()) for row in rows]
        outcomes = self.verifier.verify(rows)
        return [
            (outcome, Measurements())
            if isinstance(outcome, Reject)
            else (self._with_verdicts(row, outcome), outcome.measurements)
            for row, outcome in zip(rows, outcomes, strict=True)
        ]

    def require_device(self) -> None:
        """See that there is an accelerator where the recipe's checks ask for one.

        Raises:
            UserError: There is none.
        """
        if self.recipe.checks.device and self.frontend.accelerator() is None:
            raise UserError(
                f"device: the {self.recipe.frontend} frontend finds no accelerator on this machine: "
                "leave --device out, or run where `irsmith doctor` names one"
            )

    @cached_property
    def verifier(self) -> Verifier:
        """What proves rows as the recipe asks. Its processes live until the interpreter ends."""
        # Until the process ends: a worker costs a second to start.
        toolchain = self._open.enter_context(self.frontend.prover())
        checks = self.recipe.checks
        settings = Settings(checks.twin_runs, checks.twin_compiles, checks.removals, checks.device)
        level: Level = "full" if self.recipe.verify == "full" else "compile"
        return Verifier(toolchain, level, settings)

    @cached_property
    def _open(self) -> ExitStack:
        stack = ExitStack()
        atexit.register(stack.close)
        return stack

    def _with_verdicts(self, row: Row, outcome: Verified) -> Row:
        row = replace(row, verdicts=outcome.verdicts, uncovered=outcome.uncovered)
        wrong = any(verdict.status is Status.COMPILER_WRONG for verdict in outcome.verdicts)
        if not wrong or self.recipe.checks.keep_wrong_adjoints:
            return row
        withheld = {f"{stage.name}_{part.name}" for stage in self.stages for part in stage.parts if part.backward}
        return replace(
            row,
            texts={column: None if column in withheld else text for column, text in row.texts.items()},
            lines=tuple(span for span in row.lines if span.column not in withheld),
        )
