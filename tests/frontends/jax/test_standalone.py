"""A function is cut out of its file with what it needs and no more."""

from irsmith.frontends.jax.standalone import standalone

FILE = """
from __future__ import annotations
import jax
import jax.numpy as jnp
import os

jax.config.update("jax_enable_x64", True)
SCALE, UNUSED = 2.0, 3.0
OTHER = os.getcwd()


def helper(x):
    return x * SCALE


def f(x):
    return jnp.sum(helper(x))


def g(x):
    return x
"""


def test_a_function_keeps_what_it_refers_to():
    cut = standalone(FILE, "f")
    assert cut is not None
    imports = ("from __future__", "import jax\n", "import jax.numpy as jnp")
    for kept in (*imports, "jax_enable_x64", "SCALE, UNUSED", "def helper", "def f"):
        assert kept in cut
    for left_out in ("import os", "OTHER", "def g"):
        assert left_out not in cut


def test_a_function_that_is_not_there():
    assert standalone(FILE, "absent") is None
