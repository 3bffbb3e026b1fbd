"""Dead statements are found, and nothing that lives is taken for one."""

import pytest

from irsmith.verify.liveness import dead_lines

CASES = {
    "alive": ("t = x[i]\no[i] = t", []),
    "never read": ("t = x[i]\no[i] = x[i]", [7]),
    "overwritten": ("t = x[i]\nt = 2.0\no[i] = t", [7]),
    "chain": ("a = x[i]\nb = a * 2.0\no[i] = x[i]", [7, 8]),
    "last update": ("t = x[i]\no[i] = t\nt += 1.0", [9]),
    "one branch": ("t = 0.0\nif x[i] > 0.0:\n    t = 1.0\no[i] = t", []),
    "both branches": ("t = 0.0\nif x[i] > 0.0:\n    t = 1.0\nelse:\n    t = 2.0\no[i] = t", [7]),
    "read in the next turn": ("t = 0.0\ns = 0.0\nfor j in range(3):\n    s = s + t\n    t = x[j]\no[i] = s", []),
    "never read in any turn": ("t = 0.0\nfor j in range(3):\n    t = x[j]\no[i] = x[i]", [7, 9]),
    "read after a break": ("t = 0.0\nfor j in range(3):\n    t = x[j]\n    if t > 1.0:\n        break\no[i] = t", []),
    "condition of a while": ("n = int(0)\nwhile n < 3:\n    n += 1\no[i] = x[i]", []),
    "behind a return": ("o[i] = x[i]\nreturn\no[i] = 1.0", [9]),
    "component": ("v = wp.vec3()\nv[0] = x[i]\no[i] = wp.length(v)", []),
    "component of nothing": ("v = wp.vec3()\nv[0] = x[i]\no[i] = x[i]", [7, 8]),
    "result of an atomic": ("old = wp.atomic_add(o, i, x[i])", []),
    "drawn number": ("state = wp.rand_init(3)\nu = wp.randf(state)\no[i] = wp.randf(state)", []),
    "part of a tuple": ("a, b = pair(x[i])\no[i] = a", []),
    "helper that stores": ("t = keep(o, i)\no[i] = x[i]", []),
    "row of an array": ("row = m[i]\nrow[0] = x[i]", []),
    "dead in a helper": ("o[i] = sloppy(x[i])", [23]),
}
HELPERS = """


@wp.func
def pair(a: float):
    return a, a + 1.0


@wp.func
def keep(o: wp.array(dtype=float), i: int):
    o[i] = 1.0
    return 2.0


@wp.func
def sloppy(a: float):
    b = a * 2.0
    return a
"""


@pytest.mark.parametrize("name", CASES)
def test_dead_lines(name, make_kernel):
    body, lines = CASES[name]
    indented = "\n".join("    " + line for line in body.splitlines())
    head = "@wp.kernel\ndef k(x: wp.array(dtype=float), m: wp.array2d(dtype=float), o: wp.array(dtype=float)):\n"
    kernel = make_kernel(
        f"{head}    i = wp.tid()\n{indented}{HELPERS}", "in x: float32 9", "inout m: float32 9x9", "out o: float32 9"
    )
    assert dead_lines(kernel) == lines
