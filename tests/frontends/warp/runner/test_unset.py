"""Variables that an adjoint reads and nobody sets are named, and no others."""

import pytest

from irsmith.frontends.warp.runner.unset import unset

ADJOINT = """\
static void k(int a)
{
    wp::int32 var_0;
    wp::float32 var_1;
    wp::float32 var_2;
    wp::float32 adj_1 = {};
    // var_9 = x * 2                                                            <L 3>
    var_0 = wp::add(a, a);
    // var_1 = wp::atomic_add(var_o, var_0, var_0);
    REST
}
"""


@pytest.mark.parametrize(
    "rest",
    ["var_2 = wp::mul(var_0, var_1);", "wp::adj_array_store(var_o, var_1, adj_o);", "if (var_1) {"],
)
def test_what_is_read_is_named(rest):
    assert unset(ADJOINT.replace("REST", rest)) == "var_1"


@pytest.mark.parametrize(
    "rest",
    [
        "var_2 = wp::mul(var_0, var_0);",
        "// wp::array_store(var_o, var_0, var_1);",
        "wp::adj_add(var_0, var_0, adj_0, adj_1, var_11);",
        "var_1 = wp::float32(3.0); var_2 = wp::mul(var_1, var_1);",
        "}\nstatic void other()\n{\n    var_2 = wp::mul(var_1, var_9);",
    ],
)
def test_what_is_not_read_or_is_set_is_not_named(rest):
    text = ADJOINT.replace("REST", rest)
    assert unset(text.replace("    }", "}")) is None
