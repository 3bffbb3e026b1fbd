"""Kernels do what was promised of them: run in plain Python with a stand-in for the frontend's module.

The stand-in knows scalars only, which is enough for most kernels; the others are skipped here.
"""

from __future__ import annotations

import ast
import math
import random
import struct
import types
from typing import Any

import numpy as np
import pytest

from irsmith.frontends.warp.printer import print_program
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.synth import Settings, Sizes, synthesise
from irsmith.synth.spans import erfcinv, erfinv
from irsmith.types import FLOAT32, Domain, Scalar

SETS = 4
FUNCTIONS = (
    "sqrt", "cbrt", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "exp", "log",
    "log2", "log10", "floor", "ceil", "degrees", "radians", "erf", "erfc", "trunc", "copysign",
)  # fmt: skip


class _BeyondError(Exception):
    """Something that the stand-in does not know."""


class _Wp(types.SimpleNamespace):
    def __getattr__(self, name: str) -> Any:
        raise _BeyondError(name)


def _standin(where: list[tuple[int, ...]], hits: dict[int, int]) -> _Wp:
    def atomic(fold: Any) -> Any:
        def update(array: Any, *rest: Any) -> None:
            *place, value = rest
            assert all(0 <= i < n for i, n in zip(place, array.shape, strict=True))
            array[tuple(place)] = fold(array[tuple(place)], value)

        return update

    def swap(array: Any, *rest: Any) -> None:
        *place, expected, value = rest
        atomic(lambda a, b: b if a == expected else a)(array, *place, value)

    def hit(branch: int) -> None:
        hits[branch] = hits.get(branch, 0) + 1

    functions = {name: getattr(math, name) for name in FUNCTIONS}
    floats = {f"float{bits}": float for bits in (16, 32, 64)}
    wholes = {f"{sign}int{bits}": int for sign in ("", "u") for bits in (8, 16, 32, 64)}
    return _Wp(
        tid=lambda: where[0] if len(where[0]) > 1 else where[0][0],
        kernel=lambda f: f,
        func=lambda f: f,
        constant=lambda x: x,
        static=lambda x: x,
        cast=lambda x, _: struct.unpack("<i", struct.pack("<f", x))[0],
        printf=lambda *_: None,
        array=_Annotation(),
        array2d=_Annotation(),
        array3d=_Annotation(),
        min=min,
        max=max,
        abs=abs,
        round=round,
        pow=math.pow,
        sign=lambda x: math.copysign(1, x),
        clamp=lambda x, low, high: min(max(x, low), high),
        lerp=lambda a, b, t: a * (1 - t) + b * t,
        where=lambda test, a, b: a if test else b,
        rint=round,
        lower_bound=lambda array, x: min(int(np.searchsorted(array, x)), len(array) - 1),
        smoothstep=_smoothstep,
        step=lambda x: 1.0 if x < 0 else 0.0,
        div_approx=lambda a, b: a / b,
        erfinv=erfinv,
        erfcinv=erfcinv,
        nonzero=lambda k: int(k != 0),
        bit_count=lambda k: k.bit_count(),
        frac=lambda x: x - math.floor(x),
        atomic_add=atomic(lambda a, b: a + b),
        atomic_sub=atomic(lambda a, b: a - b),
        atomic_min=atomic(min),
        atomic_max=atomic(max),
        atomic_and=atomic(lambda a, b: a & b),
        atomic_or=atomic(lambda a, b: a | b),
        atomic_xor=atomic(lambda a, b: a ^ b),
        atomic_exch=atomic(lambda _, b: b),
        atomic_cas=swap,
        _hit=hit,
        **functions,
        **floats,
        **wholes,
    )


def _smoothstep(low: float, high: float, x: float) -> float:
    t = min(max((x - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


class _Annotation:
    def __getitem__(self, _: Any) -> None: ...

    def __call__(self, **_: Any) -> None: ...


class _Checked(np.ndarray):  # type: ignore[type-arg]
    """An array that refuses indices outside its bounds, negative ones too."""

    def _inside(self, place: Any) -> None:
        subscripts = place if isinstance(place, tuple) else (place,)
        assert len(subscripts) == self.ndim
        assert all(0 <= i < n for i, n in zip(subscripts, self.shape, strict=True)), (place, self.shape)

    def __getitem__(self, place: Any) -> Any:
        self._inside(place)
        return np.asarray(self)[place].item()

    def __setitem__(self, place: Any, value: Any) -> None:
        self._inside(place)
        np.asarray(self)[place] = value


class _Marks(ast.NodeTransformer):
    """Puts a mark into either side of every conditional statement."""

    def __init__(self) -> None:
        self.tests: list[str] = []

    def visit_If(self, node: ast.If) -> ast.If:
        test = ast.unparse(node.test)
        marks = []
        for side in ("holds", "fails"):
            marks.append(ast.parse(f"wp._hit({len(self.tests)})").body[0])
            self.tests.append(f"{test} {side}")
        self.generic_visit(node)
        node.body.insert(0, marks[0])
        node.orelse.insert(0, marks[1])
        return node


def _draw(argument: Argument, rng: random.Random) -> Any:
    domain = argument.domain
    assert isinstance(argument.type, Scalar)

    def one() -> float:
        if argument.direction is Direction.OUT or domain is None:
            return 0
        if argument.type.name == "bool":  # type: ignore[union-attr]
            return rng.random() < 0.5
        if argument.type.is_integer:  # type: ignore[union-attr]
            return rng.randint(int(domain.low), int(domain.high))
        return rng.uniform(domain.low, domain.high)

    if argument.rank == 0:
        return one()
    values = np.array([one() for _ in range(math.prod(argument.shape))])
    if domain is not None and domain.rising:
        values.sort()
    return values.reshape(argument.shape).astype(int if argument.type.is_integer else float)


def run(kernel: Kernel, rng: random.Random) -> tuple[list[Any], list[Any], dict[int, int], list[str]]:
    marks = _Marks()
    tree = ast.parse(kernel.source)
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import)]
    tree = ast.fix_missing_locations(marks.visit(tree))
    where: list[tuple[int, ...]] = [(0,)]
    hits: dict[int, int] = {}
    module: dict[str, Any] = {"wp": _standin(where, hits)}
    exec(compile(tree, kernel.name, "exec"), module)
    given = [_draw(argument, rng) for argument in kernel.signature.arguments]
    values = [v.copy().view(_Checked) if isinstance(v, np.ndarray) else v for v in given]
    for place in np.ndindex(*kernel.signature.launch):
        where[0] = place
        module[kernel.name](*values)
    return given, [np.asarray(v) for v in values], hits, marks.tests


def scalar_kernels(categories: str, count: int) -> list[Kernel]:
    settings = Settings(tuple((name, 1.0) for name in categories.split()), Sizes(median=14))
    kernels = []
    for index in range(count * 4):
        kernel = print_program(synthesise(21, "warp", index, settings))
        # Where a number may not be finite, Python raises an error.
        if not any(word in kernel.source for word in ("vec", "mat", "struct", "wp.is")) and len(kernels) < count:
            kernels.append(kernel)
    return kernels


KERNELS = scalar_kernels(
    "arithmetic scalar_param math control_flow nested_branch multi_conditional loop nested_loop atomic reduction "
    "multi_statement combined stencil scan histogram gather scatter helper_function while_loop early_exit",
    200,
)


def test_kernels_run_in_bounds_finitely_and_vary() -> None:
    missed, tests, flat, outputs, deaf, inputs = 0, 0, 0, 0, 0, 0
    for number, kernel in enumerate(KERNELS):
        rng = random.Random(number)
        union: dict[int, int] = {}
        constant = None
        changed = False
        for _ in range(SETS):
            given, after, hits, names = run(kernel, rng)
            union |= hits
            written = [
                (a, b, v)
                for a, b, v in zip(kernel.signature.arguments, given, after, strict=True)
                if a.direction is not Direction.IN
            ]
            assert written, kernel.source
            for argument, _, values in written:
                assert np.isfinite(values).all(), (argument.name, kernel.source)
            same = {argument.name for argument, _, values in written if values.size > 1 and np.ptp(values) == 0}
            constant = same if constant is None else constant & same
            changed = changed or any(not np.array_equal(before, values) for _, before, values in written)
        assert changed, kernel.source
        tests += len(names)
        missed += sum(position not in union for position in range(len(names)))
        outputs += len(written)
        flat += len(constant or ())
        for position, argument in enumerate(kernel.signature.arguments):
            if argument.direction is Direction.IN:
                inputs += 1
                deaf += not _felt(kernel, position, number)
    assert len(KERNELS) > 80
    # Imagined threads promise much, not everything: a share that hundreds of kernels keep to.
    assert missed <= 0.02 * tests
    assert flat <= 0.01 * outputs
    assert deaf <= 0.03 * inputs


def _felt(kernel: Kernel, position: int, number: int) -> bool:
    """Whether other values of one argument change some result."""
    for attempt in range(6):
        rng = random.Random(f"{number} {attempt}")
        given = [_draw(argument, rng) for argument in kernel.signature.arguments]
        other = list(given)
        other[position] = _draw(kernel.signature.arguments[position], rng)
        results = []
        for values in (given, other):
            held = iter(values)
            results.append(_outcome(kernel, held))
        if any(not np.allclose(a, b, rtol=1e-4, atol=1e-9) for a, b in zip(*results, strict=True)):
            return True
    return False


def _outcome(kernel: Kernel, held: Any) -> list[Any]:
    where: list[tuple[int, ...]] = [(0,)]
    module: dict[str, Any] = {"wp": _standin(where, {})}
    exec(compile(kernel.source.replace("import warp as wp\n", "", 1), kernel.name, "exec"), module)
    values = [v.copy().view(_Checked) if isinstance(v, np.ndarray) else v for v in held]
    for place in np.ndindex(*kernel.signature.launch):
        where[0] = place
        module[kernel.name](*values)
    arguments = kernel.signature.arguments
    return [np.asarray(v) for a, v in zip(arguments, values, strict=True) if a.direction is not Direction.IN]


def test_the_order_of_threads_does_not_matter() -> None:
    for number, kernel in enumerate(KERNELS[:60]):
        rng = random.Random(number)
        given = [_draw(argument, rng) for argument in kernel.signature.arguments]
        results = []
        for backward in (False, True):
            where: list[tuple[int, ...]] = [(0,)]
            module: dict[str, Any] = {"wp": _standin(where, {})}
            exec(compile(kernel.source.replace("import warp as wp\n", "", 1), kernel.name, "exec"), module)
            values = [v.copy().view(_Checked) if isinstance(v, np.ndarray) else v for v in given]
            places = list(np.ndindex(*kernel.signature.launch))
            for place in reversed(places) if backward else places:
                where[0] = place
                module[kernel.name](*values)
            results.append([np.asarray(v) for v in values])
        for forward, back in zip(*results, strict=True):
            assert np.allclose(forward, back, rtol=1e-9, atol=1e-9), kernel.source


def test_the_checks_can_fail() -> None:
    source = (
        "import warp as wp\n\n\n@wp.kernel\ndef k(x: wp.array[float], out: wp.array[float]):\n"
        "    i = wp.tid()\n    out[i + 1] = x[i]\n"
    )
    x = Argument("x", FLOAT32, 1, Direction.IN, (4,), Domain(0.0, 1.0))
    out = Argument("out", FLOAT32, 1, Direction.OUT, (4,))
    with pytest.raises(AssertionError):
        run(Kernel("k", "user", "", source, Signature((x, out), (4,))), random.Random(0))
    kernel = Kernel(
        "k", "user", "", source.replace("i + 1", "i").replace("x[i]", "x[i] * 0.0"), Signature((x, out), (4,))
    )
    run(kernel, random.Random(0))
    assert not _felt(kernel, 0, 0)


def _own_jumps(body):
    for statement in body:
        if isinstance(statement, ast.Continue):
            yield statement
        elif isinstance(statement, ast.If):
            yield from _own_jumps([*statement.body, *statement.orelse])


def test_no_while_loop_skips_its_own_step():
    settings = Settings((("nested_loop", 1.0),))
    for index in range(700):
        tree = ast.parse(print_program(synthesise(99, "warp", index, settings)).source)
        for loop in ast.walk(tree):
            assert not isinstance(loop, ast.While) or not list(_own_jumps(loop.body)), index


def test_a_stencil_does_not_overwrite_what_its_neighbours_read():
    settings = Settings((("stencil", 1.0),))
    for index in range(150):
        kernel = print_program(synthesise(99, "warp", index, settings))
        written = {a.name for a in kernel.signature.arguments if a.direction is not Direction.IN}
        for node in ast.walk(ast.parse(kernel.source)):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in written:
                assert not any(isinstance(part, ast.BinOp) for part in ast.walk(node.slice)), (index, ast.unparse(node))
