"""NVIDIA Warp: Python kernels that its JIT lowers to C++ for the CPU and CUDA for the GPU."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from irsmith.errors import UserError
from irsmith.frontends.base import Stage, Vary, Weighable
from irsmith.frontends.warp.stages import CPP, CUDA, PTX
from irsmith.frontends.warp.traits.features import FEATURES
from irsmith.traits import PATTERNS

if TYPE_CHECKING:
    from irsmith.coverage import Coverage
    from irsmith.frontends.warp.proving import WarpToolchain
    from irsmith.kernel import Kernel
    from irsmith.outcome import Lowering, Reject
    from irsmith.rng import Stream
    from irsmith.synth import Settings
    from irsmith.synth.ir import Program
    from irsmith.traits import Reading

# Each method imports what it needs: this module is imported to learn the stages' names.


class Warp:
    """The Warp frontend; see `irsmith.frontends.base.Frontend` for what each method answers."""

    name = "warp"
    stages: tuple[Stage, ...] = (CPP, CUDA, PTX)
    tags = FEATURES.union(PATTERNS)
    recorder = "irsmith.frontends.warp.recording"

    def toolchain(self) -> dict[str, str]:
        """Warp's version."""
        from irsmith.frontends.warp import compiler

        compiler.require()
        return {"warp-lang": compiler.TESTED_VERSION}

    def generator(self) -> int:
        """The version of the synthesiser of scalar kernels."""
        from irsmith.synth import GENERATOR_VERSION

        return GENERATOR_VERSION

    def categories(self) -> Mapping[str, float]:
        """The categories of scalar kernels."""
        from irsmith.synth import CATEGORIES

        return {name: category.weight for name, category in CATEGORIES.items()}

    def weighable(self) -> Weighable:
        """The types and builtins of scalar kernels."""
        from irsmith.synth.steering import BUILTINS, TYPES

        return Weighable(TYPES, BUILTINS)

    def synthesise(self, seed: int, index: int, settings: Settings, draw: int = 0) -> Kernel:
        """Grow a scalar kernel and print it as Warp Python."""
        from irsmith.frontends.warp.printer import print_program
        from irsmith.synth import synthesise

        return print_program(synthesise(seed, self.name, index, settings, draw))

    def express(self, program: Program) -> Kernel:
        """Any program, as a kernel over threads."""
        from irsmith.frontends.warp.printer import print_program

        return print_program(program)

    def variants(self) -> Mapping[str, Vary]:
        """Each grows the kernel again, changes its tree, and prints that."""
        from irsmith.synth.augment import KINDS

        return {kind: partial(self._vary, kind) for kind in KINDS}

    def _vary(self, kind: str, seed: int, index: int, settings: Settings, draw: int, rng: Stream) -> Kernel | None:
        from irsmith.frontends.warp.printer import print_program
        from irsmith.synth import synthesise
        from irsmith.synth.augment import KINDS

        changed = KINDS[kind](synthesise(seed, self.name, index, settings, draw), rng)
        return None if changed is None else print_program(changed)

    def lower(self, kernel: Kernel, stages: Sequence[Stage]) -> Lowering | Reject:
        """Lower a text with Warp's own code generator and, for PTX, its NVRTC."""
        from irsmith.frontends.warp.lower import lower

        return lower(kernel, stages)

    def derived(self, kernel: Kernel, stage: Stage, texts: Mapping[str, str | None]) -> dict[str, str | None] | Reject:  # noqa: ARG002
        """PTX of the texts for CUDA, with NVRTC."""
        from irsmith.frontends.warp.lower import derived
        from irsmith.frontends.warp.stages import CUDA

        return derived(kernel, {column: texts.get(column) for column in CUDA.columns()})

    def read(self, path: Path, kernel: str | None, arguments: str | None) -> list[Kernel | Reject]:
        """Import a file and find its kernels."""
        from irsmith.frontends.warp.read import read

        if arguments is not None:
            raise UserError("--args: a Warp kernel states its own types: leave it out")
        return read(path, kernel)

    def living(self, folder: Path) -> Iterator[tuple[Path, Kernel | Reject]]:
        """Ask Warp for the kernels that were registered."""
        from irsmith.frontends.warp.read import living

        return living(folder)

    def situated(self, kernel: Kernel) -> Kernel:
        """Try the kernel in the reference until it stays within its arrays."""
        from irsmith.frontends.warp.situation import situated

        return situated(kernel)

    def repro(self, kernel: Kernel, texts: Mapping[str, str | None], story: str) -> dict[str, bytes]:
        """A folder that needs Warp and no irsmith."""
        from irsmith.frontends.warp.repro import files

        return files(kernel, texts, story)

    def reading(self, kernel: Kernel) -> Reading:
        """Patterns, features and the cost of a thread, by syntax."""
        from irsmith.frontends.warp.traits.reading import read

        return read(kernel)

    def prover(self) -> WarpToolchain:
        """Warp's reference, its Clang and its NVRTC."""
        from irsmith.frontends.warp.proving import WarpToolchain

        return WarpToolchain()

    def coverage(self) -> tuple[Coverage, ...]:
        """Warp's builtins, from its registry."""
        from irsmith.frontends.warp.coverage import PROGRAMS, coverage

        return (coverage(PROGRAMS),)

    def accelerator(self) -> str | None:
        """The name of the first CUDA device, if Warp sees one."""
        from irsmith.frontends.warp import compiler

        devices = compiler.start().get_cuda_devices()
        return str(devices[0].name) if devices else None


FRONTEND = Warp()
