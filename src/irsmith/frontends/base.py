"""What the rest of irsmith asks of a frontend, and the types that cross that boundary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from irsmith.errors import UserError, nearest
from irsmith.kernel import Kernel
from irsmith.outcome import Lowering, Reject
from irsmith.traits import Reading

if TYPE_CHECKING:
    from irsmith.coverage import Coverage
    from irsmith.rng import Stream
    from irsmith.synth import Settings
    from irsmith.synth.ir import Program
    from irsmith.verify.ports import Toolchain


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a stage's text with a column of its own, ``<stage>_<name>``.

    Attributes:
        name: The column's suffix.
        meaning: What the text holds, for the row format's documentation.
        backward: Whether only the backward direction needs it: null where a row has no backward.
        scaffold: Whether it stands around the functions, so that they compile or run: a header, types, an entry point.
    """

    name: str
    meaning: str
    backward: bool = False
    scaffold: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A named form of the code on its way down.

    Joining the parts in order with an empty line between them, nulls and empty texts left out, gives the
    unit that compiles; or each part is a unit of its own.

    Attributes:
        name: What recipes and columns call it.
        language: What its texts are written in.
        parts: Its pieces, in the order of the unit.
        default: Whether a row has it when nothing is said about stages.
        joined: Whether the parts together are the unit that compiles, and not each.
        of: The stage of whose texts a compiler makes it, without looking at the source; empty for one that is lowered.
        proves: Whether its text alone is enough to prove a row by: it is run, and others are held against it.
    """

    name: str
    language: str
    parts: tuple[Part, ...]
    default: bool = True
    joined: bool = True
    of: str = ""
    proves: bool = False

    def columns(self) -> tuple[str, ...]:
        """The column names, in the order of concatenation."""
        return tuple(f"{self.name}_{part.name}" for part in self.parts)

    def unit(self, texts: Mapping[str, str | None], *, backward: bool = True) -> str:
        """The compilable unit made of a row's columns, with or without what only the backward needs."""
        return self._joined(texts, (part for part in self.parts if backward or not part.backward))

    def functions(self, texts: Mapping[str, str | None], direction: str | None = None) -> str | None:
        """The functions of the kernel and its helpers, without what stands around them.

        Args:
            texts: A row's columns.
            direction: ``forward``, ``backward``, or None for both.

        Returns:
            The text; None where the row has none, as the backward of a kernel without an adjoint.
        """
        kept = [part for part in self.parts if not part.scaffold]
        if direction is not None:
            kept = [part for part in kept if part.backward == (direction == "backward")]
        return self._joined(texts, kept) or None

    def _joined(self, texts: Mapping[str, str | None], parts: Iterable[Part]) -> str:
        found = (texts[f"{self.name}_{part.name}"] for part in parts)
        return "\n".join(text for text in found if text)


@dataclass(frozen=True, slots=True)
class Weighable:
    """What a recipe may ask of a frontend's synthesiser.

    Attributes:
        types: The types that it may weigh.
        builtins: The builtins and operators that it may weigh.
    """

    types: tuple[str, ...] = ()
    builtins: tuple[str, ...] = ()


class Vary(Protocol):
    """One kind of augmentation."""

    def __call__(self, seed: int, index: int, settings: Settings, draw: int, rng: Stream) -> Kernel | None:
        """The kernel of a key written another way, with the same meaning; None where that would change nothing.

        Args:
            seed: The recipe's seed.
            index: The kernel's place in the dataset.
            settings: What was made.
            draw: Which of the kernels for that place.
            rng: What to choose by.
        """
        ...


class Frontend(Protocol):
    """A Python kernel language and its JIT, behind the questions that irsmith asks of it."""

    name: str
    stages: tuple[Stage, ...]
    tags: frozenset[str]
    """Every tag that `reading` may find."""
    recorder: str
    """The module whose ``attach`` records a program that imports the language, whose module is called as the frontend
    is. It runs inside that program."""

    def toolchain(self) -> dict[str, str]:
        """The versions of what lowers, by distribution name.

        Raises:
            UserError: The frontend is not installed, or is not the version that irsmith was tested with.
        """
        ...

    def generator(self) -> int:
        """The version of the synthesiser, part of every random key: raised when a key gives another kernel."""
        ...

    def categories(self) -> Mapping[str, float]:
        """The shapes of program that can be synthesised, each with its default weight."""
        ...

    def weighable(self) -> Weighable:
        """What a recipe may weigh beside categories."""
        ...

    def synthesise(self, seed: int, index: int, settings: Settings, draw: int = 0) -> Kernel:
        """The kernel of a key: the same for the same arguments, in any process and any order.

        Args:
            seed: The recipe's seed.
            index: The kernel's place in the dataset.
            settings: What to make.
            draw: Tells several kernels for one place apart.

        Raises:
            Discard: Nothing came of it; the caller records it.
        """
        ...

    def express(self, program: Program) -> Kernel:
        """A program of `irsmith.synth` in this language.

        Raises:
            Discard: It has no form in it.
        """
        ...

    def variants(self) -> Mapping[str, Vary]:
        """What makes variants of kernels, by kind of augmentation; a recipe may ask for no other kind."""
        ...

    def lower(self, kernel: Kernel, stages: Sequence[Stage]) -> Lowering | Reject:
        """Lower a kernel's text to the stages' texts."""
        ...

    def derived(self, kernel: Kernel, stage: Stage, texts: Mapping[str, str | None]) -> dict[str, str | None] | Reject:
        """The texts of a stage that is made of another's: see `Stage.of`. No source is executed.

        Args:
            kernel: Whose.
            stage: The stage.
            texts: The columns of the other one.
        """
        ...

    def read(self, path: Path, kernel: str | None, arguments: str | None) -> list[Kernel | Reject]:
        """The kernels of a user's own file, in its order. The file is imported: call this in its own process.

        Args:
            path: The file.
            kernel: The one kernel that is wanted, if one is.
            arguments: The types and shapes of its arguments, where the language does not state them.

        Raises:
            UserError: None is called as the one that is wanted; or the language states its types, and some are given;
                or they cannot be read, or are missing.
        """
        ...

    def living(self, folder: Path) -> Iterator[tuple[Path, Kernel | Reject]]:
        """The kernels that the modules of a folder have defined in this process, each with its file.

        Raises:
            UserError: The language does not state a kernel's types, so that none can be lowered as it stands.
        """
        ...

    def situated(self, kernel: Kernel) -> Kernel:
        """A kernel that a person wrote, with shapes, domains and a launch that it runs on if such are found."""
        ...

    def repro(self, kernel: Kernel, texts: Mapping[str, str | None], story: str) -> dict[str, bytes]:
        """The files of a folder in which a stranger can build and run a kernel, by path.

        Args:
            kernel: The kernel. Its source is not executed.
            texts: Columns of the stages; empty if it does not lower.
            story: What is to be known of it, in Markdown.
        """
        ...

    def reading(self, kernel: Kernel) -> Reading:
        """What a kernel's source says of itself: its tags and, where there are threads, what one of them costs."""
        ...

    def prover(self) -> AbstractContextManager[Toolchain]:
        """What verification asks: the reference, and workers that compile and run texts, which it owns."""
        ...

    def coverage(self) -> tuple[Coverage, ...]:
        """Which of the language's builtins its programs use, and which are proved: one for each vocabulary."""
        ...

    def accelerator(self) -> str | None:
        """The name of the device that this machine has for the frontend beside the CPU, if any."""
        ...


def default_stages(frontend: Frontend) -> tuple[Stage, ...]:
    """The stages of a frontend that a row has when nothing is said about stages."""
    return tuple(stage for stage in frontend.stages if stage.default)


def stage_named(frontend: Frontend, name: str) -> Stage:
    """The stage of a frontend by name.

    Raises:
        UserError: It has none of that name.
    """
    for stage in frontend.stages:
        if stage.name == name:
            return stage
    raise UserError(
        f"unknown stage {name!r} of frontend {frontend.name}: {nearest(name, [s.name for s in frontend.stages])}"
    )
