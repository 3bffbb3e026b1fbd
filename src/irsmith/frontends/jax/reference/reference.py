"""The meaning of a JAX source: executed step by step on NumPy's float64, with no part of JAX or XLA in it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import SimpleNamespace
from typing import Any

import numpy as np

from irsmith.frontends.jax.dtypes import numpy_dtype
from irsmith.frontends.jax.reference import confined
from irsmith.frontends.jax.reference.array import FLOATS, Array, array
from irsmith.frontends.jax.reference.flow import leaves
from irsmith.frontends.jax.reference.machine import FILE_NAME, Current, Lane, Place
from irsmith.frontends.jax.reference.modules import MODULES, Module
from irsmith.verify import ports
from irsmith.verify.stream import digest

PLAIN = ("functools", "math", "typing", "numpy", "__future__", "collections.abc", "operator", "itertools", "string")
"""Modules that mean what they say."""


class FaultKind(Enum):
    """What may go wrong in a lane: the last two in a process of its own alone."""

    RAISED = auto()
    WRONG_RESULT = auto()
    TIMED_OUT = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that went wrong in a lane, and where."""

    kind: FaultKind
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Ways:
    """Which lanes went which way at a place."""

    true: ports.Array
    false: ports.Array


@dataclass(frozen=True, slots=True)
class Result:
    """What a run gave, lane by lane; see `irsmith.verify.ports.Result`."""

    outputs: dict[str, ports.Array]
    faults: tuple[Fault | None, ...]
    coverage: Mapping[Place, Ways]
    path: ports.Array
    kink: ports.Array
    independent: bool = True


class Reference:
    """The meaning of one function.

    Args:
        source: A module's text.
        name: The function.
        narrow: A half precision whose values are kept, given and returned as float32. Numbers in the source are
            rounded to it as ever.

    Attributes:
        declared: The dtypes that the arguments are declared with, which a run in float64 does not say.
        overflowed: Whether something in any run was too large for its dtype.

    Raises:
        NotModelledError: It uses something that has no meaning here.
    """

    def __init__(self, source: str, name: str, narrow: str | None = None) -> None:
        self._narrow = narrow
        self.declared: dict[str, str] = {}
        self.overflowed = False
        Current.lane = Lane()
        try:
            code = compile(source, FILE_NAME, "exec")
            tree = ast.parse(source)
            confined.check(tree)
            _check(tree)
            names: dict[str, Any] = {"__builtins__": {**confined.BUILTINS, "__import__": _import}, "__name__": "kernel"}
            exec(code, names)
            self._function = names[name]
        except ports.NotModelledError:
            raise
        except Exception as error:
            raise ports.NotModelledError(f"{type(error).__name__}: {error}") from error
        self._x64 = Current.lane.x64

    def run(
        self,
        inputs: ports.Sets,
        launch: tuple[int, ...] | None,
        *,
        precision: str = "declared",
        order: ports.Array | None = None,
        perturb: ports.Array | None = None,
        epsilon: float | None = None,
        seed: int = 0,
        trace: bool = False,
        step_limit: int = 0,
    ) -> Result:
        """Call the function once for every lane; see `irsmith.verify.ports.Reference.run`."""
        del launch, order, step_limit
        count = len(next(iter(inputs.values())))
        wide = precision == "float64"
        if not wide:
            # In float64 too, numbers in the source are rounded to what they meet.
            self.declared = {name: values.dtype.name for name, values in inputs.items()}
        outputs = {name: _room(values, wide=wide) for name, values in inputs.items()}
        parameters = [name for name in inputs if not name.startswith("result")]
        results = [name for name in inputs if name.startswith("result")]
        faults: list[Fault | None] = []
        path, kink = np.zeros(count, np.int64), np.zeros(count, bool)
        ways: dict[Place, tuple[ports.Array, ports.Array]] = {}
        for place in range(count):
            lane = Current.lane = Lane(self._x64, _errors(perturb, place, seed), epsilon, trace, self._narrow)
            given = [self._taken(name, inputs[name], place) for name in parameters]
            fault, found = self._call(given)
            if fault is None:
                fault = self._misfit([inputs[name] for name in results], found)
            faults.append(fault)
            path[place], kink[place] = lane.path, lane.kink
            self.overflowed |= lane.overflowed
            for site, (true, false) in lane.ways.items():
                pair = ways.setdefault(site, (np.zeros(count, bool), np.zeros(count, bool)))
                pair[0][place], pair[1][place] = true, false
            if fault is None:
                # What is too large for the declared dtype is infinite there, and seen as that.
                with np.errstate(over="ignore"):
                    for name, value in zip(results, found, strict=True):
                        outputs[name][place] = value.value
        return Result(outputs, tuple(faults), {site: Ways(*pair) for site, pair in ways.items()}, path, kink)

    def _call(self, given: list[Array]) -> tuple[Fault | None, list[Array]]:
        try:
            with np.errstate(all="ignore", over="call", call=self._overflow):
                return None, [array(leaf) for leaf in leaves(self._function(*given))]
        except Exception as error:  # noqa: BLE001  (what the source raises is its own affair)
            line, trace = 0, error.__traceback__
            while trace is not None:
                if trace.tb_frame.f_code.co_filename == FILE_NAME:
                    line = trace.tb_lineno
                trace = trace.tb_next
            return Fault(FaultKind.RAISED, line, f"{type(error).__name__}: {error}"), []

    @staticmethod
    def _overflow(_error: str, _flag: int) -> None:
        Current.lane.overflowed = True

    def _taken(self, name: str, values: ports.Array, place: int) -> Array:
        dtype = self.declared.get(name, values.dtype.name)
        return Array(values[place], self._narrow if self._narrow and dtype in FLOATS else dtype)

    def _misfit(self, promised: list[ports.Array], found: list[Array]) -> Fault | None:
        """Whether results are other than the signature says."""
        if len(promised) != len(found):
            return Fault(FaultKind.WRONG_RESULT, 0, f"{len(found)} results")
        for like, value in zip(promised, found, strict=True):
            name = "float32" if value.dtype_name == self._narrow else value.dtype_name
            kinds = {like.dtype.name, numpy_dtype(name).name}
            if (
                like.shape[1:] != value.shape
                or len(kinds - {"float64"}) > 1
                or (len(kinds) > 1 and value.dtype_name == "float64")
            ):
                return Fault(FaultKind.WRONG_RESULT, 0, f"{value.dtype_name}{list(value.shape)}")
        return None


def _errors(perturb: ports.Array | None, place: int, seed: int) -> int | None:
    """The key of a lane's rounding errors, if it has any: lanes of one group have the same."""
    if perturb is None or not perturb[place]:
        return None
    group = place if perturb.dtype == bool else int(perturb[place])
    return digest("rounding", str(seed), str(group)) >> 64


def _room(values: ports.Array, *, wide: bool) -> ports.Array:
    """An array for the final contents of an argument, which an input keeps."""
    name = values.dtype.name
    return values.astype(np.float64) if wide and name in FLOATS else values.copy()


def _import(name: str, _globals: Any = None, _locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    if name in MODULES:
        return MODULES[name] if fromlist else MODULES["jax"]
    if name in PLAIN and level == 0:
        _, _, within = name.partition(".")
        found = confined.module(name)
        return SimpleNamespace(**{within: found}) if within and not fromlist else found
    raise ports.NotModelledError(f"import {name}")


def _check(tree: ast.Module) -> None:
    """See that every name of a modelled module that a source mentions is there."""
    modules: dict[str, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in MODULES:
                    top = MODULES[alias.name] if alias.asname else MODULES["jax"]
                    modules[alias.asname or alias.name.partition(".")[0]] = top
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                modules[alias.asname or alias.name] = getattr(MODULES[node.module], alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            _resolved(node, modules)


def _resolved(node: ast.expr, modules: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return modules.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _resolved(node.value, modules)
        if isinstance(owner, Module):
            return getattr(owner, node.attr)
    return None
