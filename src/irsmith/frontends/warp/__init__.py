"""NVIDIA Warp: Python kernels that its JIT lowers to C++ for the CPU and CUDA for the GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from irsmith.frontends.base import Stage
from irsmith.frontends.warp.stages import CPP, CUDA, PTX
from irsmith.frontends.warp.traits.features import FEATURES
from irsmith.traits import PATTERNS

if TYPE_CHECKING:
    from irsmith.frontends.warp.proving import WarpToolchain
    from irsmith.kernel import Kernel
    from irsmith.outcome import Lowering, Reject
    from irsmith.synth.ir import Program
    from irsmith.traits import Reading

# Each method imports what it needs: this module is imported to learn the stages' names.


class Warp:
    """The Warp frontend; see `irsmith.frontends.base.Frontend` for what each method answers."""

    name = "warp"
    stages: tuple[Stage, ...] = (CPP, CUDA, PTX)
    tags = FEATURES.union(PATTERNS)

    def toolchain(self) -> dict[str, str]:
        """Warp's version."""
        from irsmith.frontends.warp import compiler

        compiler.require()
        return {"warp-lang": compiler.TESTED_VERSION}

    def write(self, program: Program) -> Kernel:
        """Print a program as Warp Python."""
        from irsmith.frontends.warp.printer import print_program

        return print_program(program)

    def lower(self, kernel: Kernel, stages: Sequence[Stage]) -> Lowering | Reject:
        """Lower a text with Warp's own code generator and, for PTX, its NVRTC."""
        from irsmith.frontends.warp.lower import lower

        return lower(kernel, stages)

    def read(self, path: Path) -> list[Kernel | Reject]:
        """Import a file and find its kernels."""
        from irsmith.frontends.warp.read import read

        return read(path)

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

    def accelerator(self) -> str | None:
        """The name of the first CUDA device, if Warp sees one."""
        from irsmith.frontends.warp import compiler

        devices = compiler.start().get_cuda_devices()
        return str(devices[0].name) if devices else None


FRONTEND = Warp()
