"""What an adjoint computes again has to be what the forward computed."""

import pytest

from irsmith.frontends.warp.runner.replayed import strays

FORWARD = """\
static void k_cpu_kernel_forward(int a)
{
    //---------
    // primal vars
    const wp::float32 var_1 = 2.0;
    wp::float32 var_2;
    wp::float32 var_3;
    //---------
    // forward
    // y = x * 2.0                                                              <L 3>
    var_2 = wp::mul(var_0, var_1);
    if (var_2) {
        var_3 = wp::sin(var_2);
        return;
    }
    start_for_0:;
        if (iter_cmp(var_4) == 0) goto end_for_0;
        var_5 = wp::iter_next(var_4);
        var_6 = wp::add(var_2, var_5);
        wp::assign(var_2, var_6);
        goto start_for_0;
    end_for_0:;
    var_7 = wp::atomic_add(var_o, var_2, var_2);
    wp::array_store(var_o, var_0, var_2);
}
"""

BACKWARD = """\
static void k_cpu_kernel_backward(int a)
{
    //---------
    // primal vars
    const wp::float32 var_1 = 2.0;
    wp::float32 var_2;
    wp::float32 var_3;
    //---------
    // dual vars
    wp::float32 adj_1 = {};
    //---------
    // forward
    // y = x * 2.0                                                              <L 3>
    var_2 = wp::mul(var_0, var_1);
    if (var_2) {
        var_3 = wp::sin(var_2);
        goto label0;
    }
    // var_7 = wp::atomic_add(var_o, var_2, var_2);
    // wp::array_store(var_o, var_0, var_2);
    //---------
    // reverse
    wp::adj_array_store(var_o, var_0, var_2, adj_o, adj_0, adj_2);
    var_4 = wp::iter_reverse(var_4);
    start_for_0:;
        if (iter_cmp(var_4) == 0) goto end_for_0;
        var_5 = wp::iter_next(var_4);
        var_6 = wp::add(var_2, var_5);
        wp::assign(var_2, var_6);
        wp::adj_add(var_2, var_5, adj_2, adj_5, adj_6);
        goto start_for_0;
    end_for_0:;
    label0:;
    wp::adj_mul(var_0, var_1, adj_0, adj_1, adj_2);
    return;
}
"""


def test_a_faithful_replay_is_let_through():
    assert strays(FORWARD, BACKWARD) is None


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("wp::mul(var_0, var_1);\n    if", "wp::div(var_0, var_1);\n    if", "var_2 = wp::div(var_0, var_1);"),
        ("var_1 = 2.0;", "var_1 = 2.5;", "var_1 = 2.5"),
        ("if (var_2) {", "if (!var_2) {", "if (!var_2) {"),
        ("    var_2 = wp::mul(var_0, var_1);\n", "", "var_2 = wp::mul(var_0, var_1);"),
        ("var_6 = wp::add(var_2, var_5);", "var_6 = wp::add(var_2, var_2);", "var_6 = wp::add(var_2, var_2);"),
        ("        wp::assign(var_2, var_6);\n", "", "wp::assign(var_2, var_6);"),
        ("    // wp::array_store(var_o", "    wp::array_store(var_p", "wp::array_store(var_p, var_0, var_2);"),
    ],
)
def test_what_is_changed_or_left_out_is_named(old, new, found):
    assert old in BACKWARD
    assert strays(FORWARD, BACKWARD.replace(old, new, 1)) == found


def test_statements_out_of_their_order_are_named():
    first, second = "    var_2 = wp::mul(var_0, var_1);\n", "    var_3 = wp::sin(var_2);\n"
    forward = FORWARD.replace(first, first + second, 1)
    right = BACKWARD.replace(first, first + second, 1)
    assert strays(forward, right) is None
    assert strays(forward, right.replace(first + second, second + first, 1)) is not None


def test_adjoints_of_helpers_are_held_against_their_own_forwards():
    other = FORWARD.replace("k_cpu_kernel_forward", "f_0").replace("wp::mul", "wp::sub")
    adjoint = BACKWARD.replace("k_cpu_kernel_backward", "adj_f_0").replace("wp::mul(var_0", "wp::sub(var_0", 1)
    assert strays(FORWARD + other, BACKWARD + adjoint) is None
    assert strays(FORWARD + other, BACKWARD + adjoint.replace("wp::sub", "wp::mul")) == "var_2 = wp::mul(var_0, var_1);"
    # Nothing is known of one whose forward is not there.
    assert strays(FORWARD, adjoint) is None


def test_what_an_author_has_called_in_place_of_a_helper_is_its_own_affair():
    forward = FORWARD.replace("wp::mul(var_0", "count_0(var_0", 1)
    assert strays(forward, BACKWARD.replace("wp::mul(var_0", "replay_count_0(var_0", 1)) is None
    assert strays(forward, BACKWARD.replace("wp::mul(var_0", "replay_other_0(var_0", 1)) is not None
