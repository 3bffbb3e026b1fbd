"""What `verify` asks of a frontend: the meaning of a source, and a way to run a stage's texts.

Arrays hold one *set* (for the reference: one *lane*) per index of their leading axis; behind it stand the
argument's own shape and then the components of its type. A struct is a structured dtype.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from irsmith.kernel import Kernel
from irsmith.types import ValueType

if TYPE_CHECKING:
    from irsmith.rng import Stream
    from irsmith.verify.mutants import Mutant

Array = NDArray[Any]
Sets = Mapping[str, Array]
"""Arrays by argument name, each with the same number of sets."""

Texts = Mapping[str, str | None]


class NotModelledError(Exception):
    """The source uses something that the reference gives no meaning to; the message says what and where.

    Attributes:
        what: What it is, without where.
    """

    def __init__(self, message: str, what: str = "") -> None:
        self.what = what or message
        super().__init__(message)


class Site(Protocol):
    """A place where a kernel decides."""

    @property
    def line(self) -> int:
        """The line of the source, from 1."""
        ...

    @property
    def column(self) -> int:
        """The column, from 0."""
        ...

    @property
    def kind(self) -> str:
        """``if``, ``ternary``, ``while`` or ``for``."""
        ...


class Ways(Protocol):
    """Which lanes went which way at a site."""

    @property
    def true(self) -> Array:
        """The lanes that went in."""
        ...

    @property
    def false(self) -> Array:
        """The lanes that did not."""
        ...


class Fault(Protocol):
    """The first undefined thing that a lane did."""

    @property
    def kind(self) -> Any:
        """An enumeration's member, whose name says what."""
        ...

    @property
    def line(self) -> int:
        """Where."""
        ...


class Result(Protocol):
    """What a run of the reference gave, lane by lane."""

    @property
    def outputs(self) -> dict[str, Array]:
        """The final contents of every array argument."""
        ...

    @property
    def faults(self) -> tuple[Fault | None, ...]:
        """A lane with a fault has no meaningful outputs."""
        ...

    @property
    def coverage(self) -> Mapping[Any, Ways]:
        """By `Site`, the ways taken there."""
        ...

    @property
    def path(self) -> Array:
        """Lanes with equal numbers computed the same smooth function, where that was traced."""
        ...

    @property
    def independent(self) -> bool:
        """Whether the order of threads was seen to matter to the rounding of sums alone."""
        ...

    @property
    def kink(self) -> Array:
        """The lanes at which a derivative has no one value (a tie in a minimum, a root of zero), where traced."""
        ...


class Reference(Protocol):
    """The meaning of one kernel, run in many lanes together."""

    def run(
        self,
        inputs: Sets,
        launch: tuple[int, ...] | None,
        *,
        precision: str = ...,
        order: Array | None = ...,
        perturb: Array | None = ...,
        epsilon: float | None = ...,
        seed: int = ...,
        trace: bool = ...,
        step_limit: int = ...,
    ) -> Result:
        """Run the whole launch in every lane.

        Args:
            inputs: Each argument's value.
            launch: The extents of the launch; None for a function, which is called.
            precision: ``declared``, or ``float64`` for every float.
            order: For each lane, the linear thread indices in the order in which they run.
            perturb: The lanes whose float operations are rounded at random. Whole numbers name groups that
                are rounded alike.
            epsilon: The relative size of those roundings, to be given for ``float64``.
            seed: Which roundings.
            trace: Whether the path is kept.
            step_limit: Loop iterations, over all threads, after which lanes that still loop are stopped; a function
                without threads may take as many as it does.
        """
        ...


@dataclass(frozen=True, slots=True)
class Adjoint:
    """The inputs of adjoint runs.

    Attributes:
        primal: Every argument, with the contents that the adjoint sees.
        adjoint: What the adjoints of the differentiable arrays hold before the run.
    """

    primal: Sets
    adjoint: Sets


@dataclass(frozen=True, slots=True)
class Trial:
    """One row's texts of one stage, and what to run them on.

    Attributes:
        key: Names the row.
        kernel: Its name, signature and launch count.
        stage: The stage that the texts are of.
        texts: The row's columns.
        forward: Every argument's contents before the kernel runs; None runs no forward.
        backward: None compiles and runs no backward.
        on_device: Whether it runs on the accelerator of this machine and not on the host.
    """

    key: str
    kernel: Kernel
    stage: str
    texts: Texts
    forward: Sets | None = None
    backward: Adjoint | None = None
    on_device: bool = False


@dataclass(frozen=True, slots=True)
class Ran:
    """The final contents of every array argument, and every adjoint that was given."""

    forward: Mapping[str, Array] | None
    backward: Mapping[str, Array] | None


@dataclass(frozen=True, slots=True)
class Failed:
    """A symptom to count by, such as ``compile_error`` or ``crashed``, and a message to read."""

    symptom: str
    message: str


COMPILE_ERROR = "compile_error"
"""The symptom of a text that does not compile."""

NOT_TAKEN = "not_taken"
"""The symptom of a text of a further stage that was read, and that the host cannot execute."""


@dataclass(frozen=True, slots=True)
class Wider:
    """A row's program in wider arithmetic, in which less of it is hidden by rounding.

    Attributes:
        toolchain: What runs it, and what it means.
        kernel: The kernel, of wider types.
        texts: The texts that there are of it.
    """

    toolchain: Toolchain
    kernel: Kernel
    texts: Texts


class Toolchain(Protocol):
    """A frontend as far as its rows can be proved.

    Attributes:
        host: The stage whose texts are compiled for this machine and run.
        twin: The stage whose text is to say the same, for another device or one step earlier.
        also: Further stages whose texts are executed on the host, as far as it takes them.
        constants: What the numbers in an adjoint that no source has are rounded by, as a share of them, where that is
            more than the arithmetic's own rounding.
        far: Whether rows are compared on sets from beyond their domains too. Not where the compiler writes functions
            out as formulas of its own, which overflow elsewhere than the reference's.
    """

    @property
    def host(self) -> str: ...  # noqa: D102

    @property
    def twin(self) -> str: ...  # noqa: D102

    @property
    def also(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def constants(self) -> float: ...  # noqa: D102

    @property
    def far(self) -> bool: ...  # noqa: D102

    def reference(self, source: str, name: str) -> Reference:
        """The meaning of a source.

        Raises:
            NotModelledError: It has none here.
        """
        ...

    def dtype(self, type_: ValueType) -> np.dtype[Any]:
        """The dtype of one value, components as its shape.

        Raises:
            ValueError: No values can be made of the type.
        """
        ...

    def submit(self, trials: Sequence[Trial]) -> Callable[[], list[Ran | Failed]]:
        """Begin to compile and run; calling what is returned waits for the outcomes, which are in order."""
        ...

    def compile_only(self, trials: Sequence[Trial]) -> list[Failed | None]:
        """See whether texts compile for the device of their stage, with their backward where one is given."""
        ...

    def spoiled(self, texts: Texts, stage: str, *, backward: bool, random: Stream) -> Iterator[Mutant]:
        """Spoiled texts of a stage, for checking the checker, with those of its backward where they can be told."""
        ...

    def meaningless(self, texts: Texts, stage: str) -> str | None:
        """Why a stage's adjoint means nothing, by its text alone, or None."""
        ...

    def difference(self, name: str, texts: Texts) -> str | None:
        """What the twin's text says other than the host's, or None if they say the same."""
        ...

    def in_float64(self, kernel: Kernel, texts: Sequence[Texts], stage: str) -> list[Wider] | None:
        """Versions of one stage's texts with float64 for the floats of the first; it rounds next to nothing.

        None where they cannot be written so, or where what one of them loses by converting values would be lost.
        """
        ...

    def wider(self, kernel: Kernel, texts: Texts) -> Wider | None:
        """The same program in wider arithmetic, if a row's own is too coarse to judge it by."""
        ...
