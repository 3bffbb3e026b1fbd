"""JAX's tests need JAX."""

from __future__ import annotations

import pytest

from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.types import SCALARS, Domain

pytest.importorskip("jax")


@pytest.fixture
def make():
    def kernel(source, name, given, results, domain=(-1.0, 1.0)):
        arguments = [
            Argument(label, SCALARS[dtype], len(shape), Direction.IN, shape, Domain(*domain))
            for label, dtype, shape in given
        ]
        labels = ["result"] if len(results) == 1 else [f"result[{place}]" for place in range(len(results))]
        arguments += [
            Argument(label, SCALARS[dtype], len(shape), Direction.OUT, shape)
            for label, (dtype, shape) in zip(labels, results, strict=True)
        ]
        return Kernel(name, "", "", source, Signature(tuple(arguments), None))

    return kernel
