"""A source that sets out to leave the reference does not get out, and an honest one is not hindered."""

import pytest

from irsmith.frontends.jax.reference.reference import Reference
from irsmith.verify.ports import NotModelledError

ESCAPES = {
    "open": "open('{file}', 'w')",
    "eval": "eval('1')",
    "getattr": "getattr(x, 'shape')",
    "subclasses": "().__class__.__base__.__subclasses__()",
    "globals of a function": "f.__globals__",
    "frame of a generator": "(i for i in range(2)).gi_frame",
    "pattern": "[0 for _ in ()]\n    match x:\n        case object(__class__=c):\n            pass",
    "by name": "operator.attrgetter('__class__')(x)",
    "by a format": "string.Formatter().get_field('0.__class__', (x,), {{}})",
    "by a hint": "typing.get_type_hints(f)",
    "modules of a module": "typing.sys",
    "a file of numpy": "numpy.fromfile('{file}')",
    "a dump": "numpy.zeros(2).tofile('{file}')",
    "memory": "numpy.zeros(2).ctypes",
    "a hidden import": "__import__('os')",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_no_way_leads_out(name, tmp_path):
    file = tmp_path / "left"
    line = ESCAPES[name].format(file=file)
    source = f"import operator, string, typing\nimport numpy\n\n\ndef f(x):\n    {line}\n    return x\n\n\nf(1)\n"
    with pytest.raises(NotModelledError):
        Reference(source, "f")
    assert not file.exists()


@pytest.mark.parametrize(
    "statement", ["import os", "import subprocess", "from math import __loader__", "import numpy.lib"]
)
def test_no_other_module_is_there(statement):
    with pytest.raises(NotModelledError):
        Reference(f"{statement}\n\n\ndef f(x):\n    return x\n", "f")


def test_honest_code_is_not_hindered():
    source = """
from __future__ import annotations

import collections.abc
import functools
import math
from typing import NamedTuple

import numpy as np

import jax.numpy as jnp


class Pair(NamedTuple):
    left: float
    right: float


@functools.partial(lambda g, k: g, k=2)
def f(x):
    assert isinstance([1], collections.abc.Sequence)
    pair = Pair(math.pi, float(np.sqrt(2.0)))
    return jnp.sin(x) * pair.left + sum(v for v in range(3)) + pair.right
"""
    assert Reference(source, "f") is not None
