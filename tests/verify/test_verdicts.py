"""What becomes of kernels that are right, of those that are no good, and of those that Warp differentiates wrongly.

All of them go through one verification: compiling in batches is what costs.
"""

import textwrap

import numpy as np
import pytest

from irsmith.outcome import Reject
from irsmith.types import Domain, Field, Scalar, Struct, Vector
from irsmith.verdict import Status
from irsmith.verify.derivative import agreeing

FLOAT = Scalar("float32")
BODY = Struct(
    "Body",
    (
        Field("mass", FLOAT, Domain(0.5, 2.0)),
        Field("place", Vector(3, FLOAT), Domain(-1.0, 1.0)),
        Field("kind", Scalar("int32"), Domain(0, 2)),
    ),
)
X, Y, OUT = "in x: float32 24 from -1 to 1", "in y: float32 24 from 0.5 to 2", "out o: float32 24"

RIGHT = {
    "arithmetic": ("o[i] = wp.sin(x[i]) * y[i] + wp.exp(x[i]) / y[i]", X, Y, OUT),
    "kinks": ("o[i] = wp.abs(x[i]) + wp.min(x[i], y[i]) * wp.clamp(y[i], 0.75, 1.5) + wp.max(x[i], -0.5)", X, Y, OUT),
    "branches on the numbers that inputs take": (
        "s = x[i]\nif x[i] > 0.25:\n    s = y[i] * 2.0\nelif x[i] <= -0.5:\n    s = x[i] * x[i]\no[i] = s * y[i]",
        X,
        Y,
        OUT,
    ),
    "cancellation": ("o[i] = ((x[i] + 1000.0) - 1000.0) * y[i]", X, Y, OUT),
    "what its adjoint must cancel": (
        "d = wp.vec3(x[i], 0.3, y[i]) * (y[i] - 0.5)\no[i] = wp.length(wp.normalize(d) + wp.vec3(x[i], y[i], 0.0))",
        X,
        Y,
        OUT,
    ),
    "a derivative that is nowhere known": (
        "o[i] = wp.sqrt(wp.log(wp.sqrt(x[i]) + 1.0)) * y[i]",
        "in x: float32 24 from 0 to 1",
        Y,
        OUT,
    ),
    "a comparison that rounding decides": (
        "t = (x[i] + 1000.0) - 1000.0\nif t > 0.25:\n    o[i] = y[i]\nelse:\n    o[i] = x[i]",
        X,
        Y,
        OUT,
    ),
    "a root close to zero": ("o[i] = wp.sqrt(wp.abs(x[i])) + wp.length(wp.vec2(x[i], y[i] - 1.0))", X, Y, OUT),
    "early return": (
        "if i >= n:\n    return\no[i] = x[i] * 3.0",
        X,
        "in n: int32 from 12 to 20",
        OUT,
    ),
    "float atomics": (
        "wp.atomic_add(s, b[i], x[i] * y[i])",
        X,
        Y,
        "in b: int32 24 from 0 to 3",
        "inout s: float32 4 from -1 to 1",
    ),
    "maximum by atomics": (
        "wp.atomic_max(s, b[i], wp.exp(x[i]) * y[i])",
        X,
        Y,
        "in b: int32 24 from 0 to 3",
        "inout s: float32 4 from -1 to -1",
    ),
    "half precision": (
        "o[i] = x[i] * y[i] + wp.sqrt(y[i])",
        "in x: float16 24 from -1 to 1",
        "in y: float16 24 from 0.5 to 2",
        "out o: float16 24",
    ),
    "double precision": (
        "o[i] = wp.tanh(x[i]) / y[i]",
        "in x: float64 24 from -1 to 1",
        "in y: float64 24 from 0.5 to 2",
        "out o: float64 24",
    ),
    "gather": ("o[i] = x[b[i]] * y[i]", X, Y, "in b: int32 24 from 0 to 23", OUT),
    "added to": ("o[i] += x[i] * y[i]", X, Y, "inout o: float32 24 from -1 to 1"),
    "sums that only the usual order leaves exact": (
        "k = i // 3\nif i % 3 == 0:\n    wp.atomic_add(s, k, x[k])\nelif i % 3 == 1:\n    "
        "wp.atomic_sub(s, k, x[k])\nelse:\n    wp.atomic_add(s, k, y[k])\no[i] = x[i]",
        "in x: float32 24 from 100 to 200",
        Y,
        "inout s: float32 8 from 0 to 0",
        OUT,
    ),
    "a first value that is always replaced": (
        "best = float(-100.0)\nat = int(0)\nfor j in range(n):\n    if w[4 * i + j] > best:\n"
        "        best = w[4 * i + j]\n        at = j\np[i] = at\no[i] = w[4 * i] * 2.0",
        "in w: float32 96 from 0.5 to 2",
        "in n: int32 from 4 to 4",
        "out p: int32 24",
        OUT,
    ),
}

REJECTED = {
    "fault": ("o[i] = x[b[i]]", X, "in b: int32 24 from 0 to 24", OUT),
    "not_finite": ("o[i] = 1.0 / x[i]", "in x: float32 24 from 0 to 1", OUT),
    "input_written": ("x[i] = x[i] * 2.0\no[i] = y[i]", X, Y, OUT),
    "output_unwritten": ("o[i] = o[i]", "inout o: float32 24 from 0 to 1"),
    "constant_output": ("o[i] = 2.0\nz[i] = x[i]", X, OUT, "out z: float32 24"),
    "ignored_input": ("o[i] = x[i] + 0.0 * y[i]", X, Y, OUT),
    "thread_order": (
        "if i > 0:\n    o[i] = o[i - 1] * 0.5 + x[i]",
        X,
        "inout o: float32 24 from -1 to 1",
    ),
    "undecided": (
        "t = (x[i] + 1000.0) - 1000.0\nif t > x[i]:\n    o[i] = y[i]\nelse:\n    o[i] = x[i]",
        X,
        Y,
        OUT,
    ),
    "dead_statement: of two first values": (
        "t = float(1.0)\nt = x[i]\nif y[i] > 0.0:\n    t = t * y[i]\no[i] = t",
        X,
        Y,
        OUT,
    ),
    "dead_statement": ("t = x[i] * 2.0\no[i] = x[i]", X, OUT),
    "dead_statement: the value never matters": (
        "t = x[i]\nt = t * y[i]\nif t > 0.0:\n    o[i] = y[i]\nelse:\n    o[i] = 1.0",
        X,
        Y,
        OUT,
    ),
}

WRONG = {
    "product in a dynamic loop": (
        "p = float(1.0)\nfor j in range(n):\n    p = p * y[j]\no[i] = p * x[i]",
        "is not the derivative",
        X,
        Y,
        "in n: int32 from 2 to 6",
        OUT,
    ),
    "recurrence": (
        "s = float(0.0)\nfor j in range(n):\n    s = s * x[i] + y[j]\no[i] = s",
        "is not the derivative",
        X,
        Y,
        "in n: int32 from 3 to 6",
        OUT,
    ),
    "while": (
        "s = x[i]\nwhile s < 40.0:\n    s = s * s * 0.5 + y[i] + 1.0\no[i] = s",
        "",
        X,
        Y,
        OUT,
    ),
    "in place": (
        "o[i] = o[i] * y[i]",
        "needs contents that the launch overwrote",
        Y,
        "inout o: float32 24 from -1 to 1",
    ),
    "the result of an atomic": (
        "old = wp.atomic_add(c, i, 1.0)\no[i] = x[i] * old",
        "reads the result of an atomic, which it does not replay",
        X,
        "inout c: float32 24 from 1 to 2",
        OUT,
    ),
    "finite nowhere": (
        "s = float(0.0)\nif i > 3:\n    s = x[i]\no[i] = wp.sqrt(wp.abs(s * y[i])) + y[i]",
        "is not finite",
        X,
        Y,
        OUT,
    ),
    "no adjoint at all": (
        "o[i] = wp.frac(x[i] * 3.0) * y[i]",
        "the adjoint of x is zero where the derivative is not",
        X,
        Y,
        OUT,
    ),
}

NOT_APPLICABLE = {
    "whole numbers": (
        "o[i] = a[i] * 3 - 1",
        "no array with a gradient carries data in",
        "in a: int32 24 from -9 to 9",
        "out o: int32 24",
    ),
    "whole outputs": ("o[i] = int(x[i] * 9.0)", "no output has a gradient", X, "out o: int32 24"),
}


def _parts(body, *arguments):
    names = ", ".join(_declared(argument) for argument in arguments)
    return f"@wp.kernel\ndef k({names}):\n    i = wp.tid()\n" + textwrap.indent(body, "    "), *arguments


def _declared(argument):
    _, name, type_, *rest = argument.replace(":", "").split()
    spelled = type_ if type_ == "Body" else f"wp.{type_}"
    return f"{name}: wp.array(dtype={spelled})" if rest and rest[0].isdigit() else f"{name}: {spelled}"


STRUCT = (
    """
@wp.struct
class Body:
    mass: float
    place: wp.vec3
    kind: int


@wp.func
def weight(b: Body, scale: float):
    if b.kind == 1:
        return b.mass * scale
    return wp.dot(b.place, b.place) + scale


@wp.kernel
def k(bodies: wp.array(dtype=Body), scale: float, o: wp.array(dtype=float)):
    i = wp.tid()
    o[i] = weight(bodies[i], scale) * bodies[i].place.x
""",
    "in bodies: Body 24",
    "in scale: float32 from 0.5 to 2",
    "out o: float32 24",
)


@pytest.fixture(scope="module")
def outcomes(verifier, make_row):
    rows = {name: make_row(*_parts(*parts)) for name, parts in (RIGHT | REJECTED).items()}
    rows |= {name: make_row(*_parts(body, *rest)) for name, (body, _, *rest) in (WRONG | NOT_APPLICABLE).items()}
    rows["struct"] = make_row(*STRUCT, structs={"Body": BODY})
    return dict(zip(rows, verifier.verify(list(rows.values())), strict=True))


@pytest.mark.parametrize("name", [*RIGHT, "struct"])
def test_what_is_right_passes(name, outcomes):
    outcome = outcomes[name]
    assert not isinstance(outcome, Reject), outcome.message
    statuses = {verdict.check: verdict.status for verdict in outcome.verdicts}
    assert statuses.pop("compile_cuda") is Status.NOT_APPLICABLE
    assert set(statuses.values()) == {Status.PASSED}, outcome.verdicts
    assert outcome.uncovered == ()
    assert outcome.verdict("cuda").reason == "same statements as the text that ran and executed on the host"
    assert outcome.measurements.forward.ratio <= 1.0
    assert outcome.measurements.backward.ratio <= 1.0


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_good_is_rejected_by_name(name, outcomes):
    outcome = outcomes[name]
    assert isinstance(outcome, Reject), outcome
    assert outcome.reason == f"verify: {name.partition(':')[0]}"
    assert outcome.source


def test_a_dead_statement_is_named_by_its_line(outcomes):
    assert "line 7: t = x[i] * 2.0" in outcomes["dead_statement"].message
    assert "line 8 changes nothing: t = t * y[i]" in outcomes["dead_statement: the value never matters"].message


@pytest.mark.parametrize("name", WRONG)
def test_where_the_compiler_is_wrong_the_forward_still_stands(name, outcomes):
    outcome = outcomes[name]
    assert not isinstance(outcome, Reject), outcome.message
    assert outcome.verdict("forward").status is Status.PASSED
    verdict = outcome.verdict("backward")
    assert verdict.status is Status.COMPILER_WRONG
    assert WRONG[name][1] in verdict.reason


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_what_has_no_gradient_says_so(name, outcomes):
    verdict = outcomes[name].verdict("backward")
    assert (verdict.status, verdict.reason) == (Status.NOT_APPLICABLE, NOT_APPLICABLE[name][1])


def test_a_branch_that_nothing_takes_is_named(verifier, make_row):
    row = make_row(
        *_parts("if x[i] > 2.0:\n    o[i] = 0.5\nelse:\n    o[i] = x[i]", X, OUT),
    )
    (outcome,) = verifier.verify([row])
    (way,) = outcome.uncovered
    assert (way.line, way.column, way.kind, way.way) == (7, 4, "if", True)


def test_a_row_that_cannot_be_run_is_compiled(verifier, make_row):
    row = make_row(*_parts("o[i] = x[i] * 2.0", "in x: float32 24", OUT))
    (outcome,) = verifier.verify([row])
    assert outcome.verdict("compile_cpp").status is Status.PASSED
    assert outcome.verdict("forward").reason == "the domain of x is not known"
    assert outcome.verdict("backward").status is Status.NOT_APPLICABLE


def test_points_where_the_precision_decides_are_told(toolchain, make_kernel):
    body = """
    @wp.kernel
    def k(x: wp.array(dtype=float), o: wp.array(dtype=float)):
        i = wp.tid()
        if 1.0 + x[i] <= 1.0:
            o[i] = x[i]
        else:
            o[i] = 2.0
    """
    kernel = make_kernel(body, "in x: float32 2 from -1 to 1", "out o: float32 2", launch=(2,))
    sets = {
        "x": np.array([[0.3, -0.3], [0.3, 1e-9], [0.3, -1e-9]], np.float32),
        "o": np.zeros((3, 2), np.float32),
    }
    assert agreeing(toolchain.reference(kernel.source, "k"), kernel, sets).tolist() == [True, False, True]
