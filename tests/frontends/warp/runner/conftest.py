"""Rows as Warp writes them, inputs for them, and compiled Warp to compare with."""

import hashlib
import importlib.util
import sys
import textwrap
from dataclasses import dataclass, replace

import numpy as np
import pytest

wp = pytest.importorskip("warp")

from irsmith.frontends.warp import compiler  # noqa: E402
from irsmith.frontends.warp.runner import Backward, Job, Limits, Runner, dtype_of  # noqa: E402
from irsmith.kernel import Argument, Direction, Signature  # noqa: E402
from irsmith.types import is_differentiable  # noqa: E402

SIMPLE = """
@wp.kernel
def k(x: wp.array(dtype=float), out: wp.array(dtype=float)):
    i = wp.tid()
    out[i] = x[i] * x[i] + 1.0
"""


def random(rng, type_, shape):
    dtype = dtype_of(type_)
    array = np.zeros(shape, dtype)
    _fill(rng, array)
    return array


def _fill(rng, array):
    if array.dtype.names:
        for name in array.dtype.names:
            _fill(rng, array[name])
    elif array.dtype.kind == "f":
        array[...] = rng.uniform(0.5, 2.0, array.shape)
    elif array.dtype.kind == "b":
        array[...] = rng.integers(0, 2, array.shape)
    else:
        array[...] = rng.integers(0, 9, array.shape)


@dataclass
class Row:
    source: str
    texts: dict
    signature: Signature
    name: str = "k"

    def inputs(self, shape, sets=2, seed=0, **fixed):
        rng = np.random.default_rng(seed)
        found = {}
        for argument in self.signature.arguments:
            extents = (sets, *shape[: argument.rank])
            found[argument.name] = fixed.get(argument.name, random(rng, argument.type, extents))
        return found

    def job(self, key="row", shape=(13,), stage="cpp", launch=None, sets=2, backward=True, **fixed):
        inputs = self.inputs(shape, sets, **fixed)
        adjoint = {}
        for argument in self.signature.arguments:
            if argument.rank and is_differentiable(argument.type):
                adjoint[argument.name] = random(
                    np.random.default_rng(7), argument.type, inputs[argument.name].shape[: 1 + argument.rank]
                )
        back = Backward(inputs, adjoint) if backward else None
        return Job(key, self.name, stage, self.texts, self.signature, launch or shape, inputs, back)


@pytest.fixture(scope="session")
def row():
    compiler.require()
    made = {}

    def make(source=SIMPLE, name="k"):
        text = "import warp as wp\n\n\n" + textwrap.dedent(source).lstrip()
        if (text, name) not in made:
            with compiler.declared(text) as module:
                kernel = compiler.kernel_of(module, name)
                devices = compiler.emit(kernel)
                arguments = tuple(Argument(n, t, rank, Direction.INOUT) for n, t, rank in compiler.arguments_of(kernel))
            texts = {f"cpp_{part}": text for part, text in devices["cpu"].items()}
            texts |= {f"cuda_{part}": text for part, text in devices["cuda"].items()}
            made[text, name] = Row(text, texts, Signature(arguments), name)
        return made[text, name]

    return make


@pytest.fixture(scope="session")
def runner():
    with Runner(Limits(run_seconds=6.0, memory=256 << 20), workers=1) as runner:
        yield runner


def edited(job, column, old, new):
    text = job.texts[column]
    assert old in text, (column, old)
    return replace(job, texts={**job.texts, column: text.replace(old, new, 1)})


@pytest.fixture
def spoiled():
    """A job whose C++ kernel does something first."""

    def spoil(job, statement, column="cpp_forward", key=None):
        marker = "    //---------\n    // forward\n"
        return replace(edited(job, column, marker, f"{marker}    {statement}\n"), key=key or statement)

    return spoil


@pytest.fixture
def edit():
    return edited


@pytest.fixture
def by_warp(tmp_path, request):
    """What `wp.launch` and `wp.Tape` make of the first set of a job."""

    def run(row, job):
        # A module of its own: Warp keeps what it compiled under a module's name.
        name = "by_warp_" + hashlib.sha256(row.source.encode()).hexdigest()[:8]
        path = tmp_path / f"{name}.py"
        path.write_text(row.source)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        request.addfinalizer(lambda: sys.modules.pop(name, None))
        spec.loader.exec_module(module)
        kernel = getattr(module, row.name)
        arguments = [_argument(kernel, job, place) for place in range(len(job.signature.arguments))]
        pairs = list(zip(job.signature.arguments, arguments, strict=True))
        tape = wp.Tape()
        with tape:
            wp.launch(kernel, job.launch, inputs=arguments, device="cpu")
        forward = _arrays(job, {a.name: value for a, value in pairs})
        # The adjoint kernel is to see the job's own contents, not what the launch left.
        for argument, value in pairs:
            if argument.rank:
                value.assign(job.backward.primal[argument.name][0])
            if argument.name in job.backward.adjoint:
                value.grad.assign(job.backward.adjoint[argument.name][0])
        tape.backward()
        return forward, _arrays(job, {a.name: v.grad for a, v in pairs if a.name in job.backward.adjoint})

    return run


def _arrays(job, values):
    ranks = {argument.name: argument.rank for argument in job.signature.arguments}
    return {name: value.numpy().copy() for name, value in values.items() if ranks[name]}


def _argument(kernel, job, place):
    argument = job.signature.arguments[place]
    type_ = kernel.adj.args[place].type
    value = job.forward[argument.name][0]
    if argument.rank:
        return wp.array(value.copy(), dtype=type_.dtype, device="cpu", requires_grad=is_differentiable(argument.type))
    return _value(type_, value)


def _value(type_, value):
    if value.dtype.names:
        instance = type_()
        for name in value.dtype.names:
            inner = type_.vars[name].type
            setattr(instance, name, _value(inner, value[name]))
        return instance
    return type_(*value.reshape(-1).tolist())
