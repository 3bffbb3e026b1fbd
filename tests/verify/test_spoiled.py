"""Each check fails when something is spoiled, and says what."""

from dataclasses import replace

import pytest

from irsmith.outcome import Reject
from irsmith.verdict import Status

BODY = """
@wp.func
def wave(a: float, b: float):
    return wp.sin(a) * b


@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float), scale: float, o: wp.array(dtype=float)):
    i = wp.tid()
    t = x[i] - y[i] * scale
    if x[i] < 0.25:
        t = wave(t, y[i])
    o[i] = t / y[i]
"""

STORE = r"wp::array_store\((?=var_o)"

SPOILED = {
    "operator": ("cpp_forward", r"wp::sub\(", "wp::add(", "verify: forward_differs"),
    "operands": ("cpp_forward", r"wp::div\((\w+), (\w+)\)", r"wp::div(\2, \1)", "verify: forward_differs"),
    "constant": ("cpp_forward", r"= 0\.25;", "= 0.26;", "verify: forward_differs"),
    "comparison at a tie": ("cpp_forward", r"(\w+) < (\w+)\)", r"\1 <= \2)", "verify: forward_differs"),
    "helper": ("cpp_functions_forward", r"wp::sin\(", "wp::cos(", "verify: forward_differs"),
    "store": ("cpp_forward", STORE, "// ", "verify: forward_differs"),
    "input": ("cpp_forward", STORE, "wp::array_store(var_x, var_0, 1.0f); wp::array_store(", "verify: forward_differs"),
    "syntax": ("cpp_forward", STORE, "wp::array_store((", "compile: compile_error"),
    "bounds": ("cpp_forward", STORE, "var_o.data[-1] = 1.0f; wp::array_store(", "run: out_of_bounds"),
    "crash": ("cpp_forward", STORE, "*(volatile int*)0 = 1; wp::array_store(", "run: crashed"),
    "python": ("python_source", r"y\[i\] \* scale", "y[i] + scale", "verify: forward_differs"),
    "python, at a tie": ("python_source", r"< 0\.25", "<= 0.25", "verify: forward_differs"),
    "cuda": ("cuda_forward", r"wp::sub\(", "wp::add(", "verify: twin_differs"),
    "cuda adjoint": ("cuda_backward", r"wp::adj_sub\(", "wp::adj_add(", "verify: twin_differs"),
    "cuda syntax": ("cuda_forward", STORE, "wp::array_store((", "compile: compile_error"),
}

WRONG = {
    "sign": (r"wp::adj_sub\(", "wp::adj_add(", "is not the derivative"),
    "dropped": (r"wp::adj_div\(", "// ", "is zero where the derivative is not"),
    "one load": (r"wp::adj_address\(var_y,", "// ", "the adjoint of y"),
    "twice": (r"(wp::adj_sub\(.*)", r"\1 \1", "is not the derivative"),
    "replay": (r"wp::sub\(", "wp::add(", "replays something else"),
    "comparison at a tie": (r"(\w+) < (\w+)\)", r"\1 <= \2)", "replays something else"),
    "infinite": (r"(wp::adj_address\(var_x,.*)", r"\1 adj_x.data[0] = 1.0f / 0.0f;", "the adjoint of x is not finite"),
    "syntax": (r"wp::adj_div\(", "wp::adj_div((", "the adjoint does not compile"),
    "crash": (r"// reverse", "*(volatile int*)0 = 1;", "the adjoint crashes"),
    "bounds": (r"// reverse", "adj_y.data[-1] = 1.0f;", "the adjoint writes outside its arrays"),
}


@pytest.fixture(scope="module")
def row(make_row):
    return make_row(
        BODY,
        "in x: float32 24 from -1 to 1",
        "in y: float32 24 from 0.5 to 2",
        "in scale: float32 from 0.5 to 1.5",
        "out o: float32 24",
    )


@pytest.fixture(scope="module")
def outcomes(verifier, row, edited):
    rows = {"": row}
    rows |= {name: edited(row, column, old, new) for name, (column, old, new, _) in SPOILED.items()}
    # Without the CUDA text, which still says what is right.
    alone = replace(row, texts={name: text for name, text in row.texts.items() if name.startswith("cpp")})
    rows |= {f"adjoint: {name}": edited(alone, "cpp_backward", old, new) for name, (old, new, _) in WRONG.items()}
    return dict(zip(rows, verifier.verify(list(rows.values())), strict=True))


def test_the_right_row_passes(outcomes):
    assert {verdict.status for verdict in outcomes[""].verdicts} == {Status.PASSED, Status.NOT_APPLICABLE}
    assert outcomes[""].verdict("backward").status is Status.PASSED


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_text_is_rejected(name, outcomes):
    outcome = outcomes[name]
    assert isinstance(outcome, Reject), outcome
    assert outcome.reason == SPOILED[name][3], outcome.message


@pytest.mark.parametrize("name", WRONG)
def test_a_spoiled_adjoint_is_wrong(name, outcomes):
    outcome = outcomes[f"adjoint: {name}"]
    assert not isinstance(outcome, Reject), outcome
    verdict = outcome.verdict("backward")
    assert verdict.status is Status.COMPILER_WRONG
    assert WRONG[name][2] in verdict.reason


def test_verdicts_hold_no_measured_number(outcomes):
    """They are compared between machines."""
    for outcome in outcomes.values():
        for verdict in getattr(outcome, "verdicts", ()):
            assert not any(character.isdigit() for character in verdict.reason)
