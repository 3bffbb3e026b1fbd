"""A function is cut out of its file with what it needs and no more."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize(
    "lines",
    [
        "TABLE[1] = 2.0",
        "TABLE[1:] += 2.0",
        "view = TABLE[2:]\nview[0] = 2.0",
        "np.add.at(TABLE, 0, 4.0)",
        "TABLE.fill(3.0)",
        "def filled(t):\n    t[2] = 3.0\nfilled(TABLE)",
        "def filled():\n    TABLE[2] = FACTOR\nFACTOR = 7.0\n_ = filled()",
        "for row in [TABLE]:\n    row[0] = 5.0",
        "Config.scale = 5.0",
        "setattr(Config, 'scale', 6.0)",
        "SCALE['k'] = 9.0",
        "del SCALE['more']",
        "SCALE.update(k=8.0)",
        "old = SCALE.pop('more')",
        "for i in range(3):\n    LIST.append(float(i))",
        "LIST.extend([1.0, 2.0])",
        "def setup():\n    global K\n    K = 7.0\nsetup()",
        "def setup():\n    global K\n    K = 7.0\ndef outer():\n    setup()\nouter()",
        "def keep(g):\n    LIST.append(3.0)\n    return g\n@keep\ndef other():\n    pass",
        "if K == 1.0:\n    SCALE['k'] = 2.0",
    ],
)
def test_what_changes_a_value_is_kept_with_what_it_uses(lines):
    text = f"{CHANGED}{lines}\n\n\n{FUNCTION}"
    cut = standalone(text, "f")
    assert cut is not None
    whole: dict[str, Any] = {}
    exec(text, whole)
    alone: dict[str, Any] = {}
    exec(cut, alone)
    before: dict[str, Any] = {}
    exec(CHANGED + FUNCTION, before)
    assert str(alone["f"](1.0)) == str(whole["f"](1.0)) != str(before["f"](1.0))
    assert "UNUSED" not in cut


CHANGED = """
import numpy as np

TABLE = np.zeros(4)
UNUSED = np.zeros(4)
UNUSED[0] = 1.0
SCALE = {"k": 1.0, "more": 2.0}
LIST = []
K = 1.0


class Config:
    scale = 1.0


"""

FUNCTION = """
def f(x):
    return x * TABLE, Config.scale, SCALE, LIST, K
"""


def test_draws_that_come_before_are_kept():
    text = (
        "import numpy as np\nnp.random.seed(3)\nFIRST = np.random.rand()\nW = np.random.rand()\ndef f(x):\n    return W"
    )
    assert "FIRST" in str(standalone(text, "f"))
    text = text.replace("np.random.seed(3)", "rng = np.random.default_rng(3)").replace("np.random.rand", "rng.random")
    assert "FIRST" in str(standalone(text, "f"))


@pytest.mark.parametrize(
    "line",
    [
        "print(f(TABLE), TABLE)",
        "shape = np.sum(TABLE), TABLE.shape, len(TABLE)",
        "example_args = (helper(TABLE), TABLE.tobytes())",
        "other = functools.partial(f, TABLE)",
        "if __name__ == '__main__':\n    TABLE[0] = f(2.0)",
        "@functools.lru_cache\ndef other():\n    return TABLE.sum()",
    ],
)
def test_what_only_looks_is_left_out(line):
    text = "import functools\nimport numpy as np\nTABLE = np.zeros(4)\ndef helper(x):\n    return x * 2\n"
    text += f"def f(x):\n    return functools.reduce(max, helper(TABLE))\n{line}\n"
    assert line.splitlines()[-1] not in str(standalone(text, "f"))


def test_rules_of_derivatives_are_kept():
    text = (
        "import jax\n@jax.custom_vjp\ndef f(x):\n    return x\ndef forward(x):\n    return x, None\n"
        "def backward(kept, ct):\n    return (ct,)\nf.defvjp(forward, backward)\n"
        "@jax.custom_jvp\ndef g(x):\n    return x\n@g.defjvp\ndef g_jvp(x, dx):\n    return x[0], dx[0]\n"
    )
    cut = str(standalone(text, "f"))
    assert "def backward" in cut
    assert "f.defvjp(forward, backward)" in cut
    assert "def g" not in cut
    assert "@g.defjvp\ndef g_jvp" in str(standalone(text, "g"))
