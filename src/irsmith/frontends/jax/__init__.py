"""JAX: Python functions over arrays, traced to a jaxpr and lowered to StableHLO and HLO, which XLA compiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irsmith.errors import UserError
from irsmith.frontends.base import Stage, Vary, Weighable
from irsmith.frontends.jax.features import FEATURES
from irsmith.frontends.jax.stages import STAGES
from irsmith.traits import PATTERNS

if TYPE_CHECKING:
    from irsmith.coverage import Coverage
    from irsmith.frontends.jax.proving import JaxToolchain
    from irsmith.kernel import Kernel
    from irsmith.outcome import Lowering, Reject
    from irsmith.synth import Settings
    from irsmith.synth.ir import Program
    from irsmith.traits import Reading

# Each method imports what it needs: this module is imported to learn the stages' names.


class Jax:
    """The JAX frontend; see `irsmith.frontends.base.Frontend` for what each method answers."""

    name = "jax"
    stages: tuple[Stage, ...] = STAGES
    tags = FEATURES.union(PATTERNS)
    recorder = "irsmith.frontends.jax.recording"

    def toolchain(self) -> dict[str, str]:
        """The versions of JAX and of its compiled half."""
        from irsmith.frontends.jax import compiler

        compiler.require()
        return {"jax": compiler.TESTED_VERSION, "jaxlib": compiler.TESTED_VERSION}

    def generator(self) -> int:
        """The version of the synthesiser of array functions."""
        from irsmith.frontends.jax.synth import GENERATOR_VERSION

        return GENERATOR_VERSION

    def categories(self) -> Mapping[str, float]:
        """The categories of array functions."""
        from irsmith.frontends.jax.synth import CATEGORIES

        return {name: category.weight for name, category in CATEGORIES.items()}

    def weighable(self) -> Weighable:
        """Nothing beside categories: the grammar of array functions has no such dials."""
        return Weighable()

    def synthesise(self, seed: int, index: int, settings: Settings, draw: int = 0) -> Kernel:
        """Grow a function over arrays."""
        from irsmith.frontends.jax.dtypes import require
        from irsmith.frontends.jax.synth import synthesise

        require()

        return synthesise(seed, index, settings, draw)

    def express(self, program: Program) -> Kernel:
        """A program of which a function over arrays can be made."""
        from irsmith.frontends.jax.printing import print_program

        return print_program(program)

    def variants(self) -> Mapping[str, Vary]:
        """None: array functions are grown as text, without a tree to change."""
        return {}

    def lower(self, kernel: Kernel, stages: Sequence[Stage]) -> Lowering | Reject:
        """Lower a text with JAX and, for optimised HLO, XLA's passes."""
        from irsmith.frontends.jax.lower import lower

        return lower(kernel, stages)

    def derived(self, kernel: Kernel, stage: Stage, texts: Mapping[str, str | None]) -> dict[str, str | None] | Reject:  # noqa: ARG002
        """Nothing: every stage is lowered from the source."""
        return {}

    def read(self, path: Path, kernel: str | None, arguments: str | None) -> list[Kernel | Reject]:
        """Import a file and find the functions whose arguments are known."""
        from irsmith.frontends.jax.read import read

        return read(path, kernel, arguments)

    def living(self, folder: Path) -> Iterator[tuple[Path, Kernel | Reject]]:
        """Nothing: JAX's functions state no types."""
        raise UserError(f"{folder}: JAX's functions do not state their types: use irsmith lower --args, file by file")

    def situated(self, kernel: Kernel) -> Kernel:
        """The kernel as it is: what lowered it had shapes."""
        return kernel

    def repro(self, kernel: Kernel, texts: Mapping[str, str | None], story: str) -> dict[str, bytes]:
        """A folder that needs JAX and no irsmith."""
        from irsmith.frontends.jax.repro import files

        return files(kernel, texts, story)

    def reading(self, kernel: Kernel) -> Reading:
        """Patterns and features, by syntax; a function has no threads."""
        from irsmith.frontends.jax.reading import read

        return read(kernel)

    def prover(self) -> JaxToolchain:
        """The NumPy reference, and XLA in a process of its own."""
        from irsmith.frontends.jax.proving import JaxToolchain

        return JaxToolchain()

    def coverage(self) -> tuple[Coverage, ...]:
        """The operations of `jax.lax`, and those of StableHLO."""
        from irsmith.frontends.jax.coverage import PROGRAMS, coverage

        return coverage(PROGRAMS)

    def accelerator(self) -> str | None:
        """None: texts are made for one CPU core, whatever else there is."""
        return None


FRONTEND = Jax()
