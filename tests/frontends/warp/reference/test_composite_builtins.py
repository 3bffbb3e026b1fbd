"""Vectors, matrices, quaternions and transforms against compiled Warp, for each dtype, on edges and at random."""

import numpy as np
import pytest

SUFFIX = {"float16": "h", "float32": "f", "float64": "d", "int32": "i", "int64": "l", "uint8": "ub"}
SHAPES = {"v2": (2,), "v3": (3,), "v4": (4,), "m2": (2, 2), "m3": (3, 3), "m4": (4, 4), "q": (4,), "t": (7,), "s": ()}
SHAPES |= {"m6": (6, 6), "v6": (6,), "v5": (5,), "m23": (2, 3), "m32": (3, 2), "i": (), "b": ()}


def spelled(kind, dtype):
    suffix = SUFFIX[dtype]
    if kind == "s":
        return f"wp.{dtype}"
    if kind in ("i", "b"):
        return {"i": "wp.int32", "b": "wp.bool"}[kind]
    if kind == "u":
        return "wp.uint32"
    if kind == "v6":
        return f"wp.spatial_vector{suffix}"
    if kind == "m6":
        return f"wp.spatial_matrix{suffix}"
    if kind in ("v5", "m23", "m32"):
        return kind + suffix
    if kind[0] == "v":
        return f"wp.vec{kind[1]}{suffix}"
    if kind[0] == "m":
        return f"wp.mat{kind[1]}{kind[1]}{suffix}"
    return {"q": "wp.quat", "t": "wp.transform"}[kind] + suffix


# What is computed from which kinds of arguments (named a, b, c), and the kind of the result.
FLOAT_CASES = [
    ("a + b", "v2 v2", "v2"),
    ("a - b", "v3 v3", "v3"),
    ("-a", "v4", "v4"),
    ("a * b", "v3 s", "v3"),
    ("a * b", "s v3", "v3"),
    ("a / b", "v3 s", "v3"),
    ("a / b", "s v3", "v3"),
    ("wp.dot(a, b)", "v2 v2", "s"),
    ("wp.dot(a, b)", "v3 v3", "s"),
    ("wp.dot(a, b)", "v5 v5", "s"),
    ("wp.cross(a, b)", "v3 v3", "v3"),
    ("wp.length(a)", "v2", "s"),
    ("wp.length(a)", "v3", "s"),
    ("wp.length(a)", "v4", "s"),
    ("wp.length_sq(a)", "v3", "s"),
    ("wp.normalize(a)", "v2", "v2"),
    ("wp.normalize(a)", "v3", "v3"),
    ("wp.normalize(a)", "v4", "v4"),
    ("wp.cw_mul(a, b)", "v3 v3", "v3"),
    ("wp.cw_div(a, b)", "v3 v3", "v3"),
    ("wp.min(a, b)", "v3 v3", "v3"),
    ("wp.max(a, b)", "v3 v3", "v3"),
    ("wp.min(a)", "v4", "s"),
    ("wp.max(a)", "v3", "s"),
    ("wp.abs(a)", "v3", "v3"),
    ("wp.sign(a)", "v3", "v3"),
    ("wp.argmin(a)", "v4", "u"),
    ("wp.argmax(a)", "v4", "u"),
    ("wp.lerp(a, b, c)", "v3 v3 s", "v3"),
    ("wp.outer(a, b)", "v2 v3", "m23"),
    ("wp.skew(a)", "v3", "m3"),
    ("wp.isnan(a)", "v3", "b"),
    ("wp.isinf(a)", "v3", "b"),
    ("wp.isfinite(a)", "v3", "b"),
    ("a == b", "v3 v3", "b"),
    ("a == b", "m3 m3", "b"),
    ("a == b", "q q", "b"),
    ("not (a == b)", "v3 v3", "b"),
    ("a == a", "v3", "b"),
    ("a.x * a[1] - a.z", "v3", "s"),
    ("a[-1] + a.w", "v4", "s"),
    ("a[b]", "v4 i", "s"),
    ("a + b", "m3 m3", "m3"),
    ("a - b", "m2 m2", "m2"),
    ("a * b", "m3 s", "m3"),
    ("a / b", "m3 s", "m3"),
    ("a * b", "s m2", "m2"),
    ("a * b", "m3 v3", "v3"),
    ("a @ b", "m23 v3", "v2"),
    ("a * b", "v3 m3", "v3"),
    ("a * b", "m3 m3", "m3"),
    ("a @ b", "m23 m32", "m2"),
    ("a @ b", "m4 m4", "m4"),
    ("wp.mul(a, b)", "m2 v2", "v2"),
    ("wp.transpose(a)", "m23", "m32"),
    ("wp.determinant(a)", "m2", "s"),
    ("wp.determinant(a)", "m3", "s"),
    ("wp.determinant(a)", "m4", "s"),
    ("wp.trace(a)", "m3", "s"),
    ("wp.diag(a)", "v3", "m3"),
    ("wp.get_diag(a)", "m3", "v3"),
    ("wp.ddot(a, b)", "m2 m2", "s"),
    ("wp.cw_mul(a, b)", "m2 m2", "m2"),
    ("wp.cw_div(a, b)", "m2 m2", "m2"),
    ("a[1]", "m3", "v3"),
    ("a[b]", "m3 i", "v3"),
    ("a[1, 2]", "m3", "s"),
    ("a[b][0]", "m3 i", "s"),
    ("a[0:2]", "v4", "v2"),
    ("wp.matrix_from_rows(a, b)", "v3 v3", "m23"),
    ("wp.matrix_from_cols(a, b)", "v3 v3", "m32"),
    ("wp.dot(a, b)", "q q", "s"),
    ("a * b", "q q", "q"),
    ("a + b", "q q", "q"),
    ("a * b", "q s", "q"),
    ("a / b", "q s", "q"),
    ("-a", "q", "q"),
    ("wp.normalize(a)", "q", "q"),
    ("wp.length(a)", "q", "s"),
    ("wp.quat_inverse(a)", "q", "q"),
    ("wp.quat_rotate(a, b)", "q v3", "v3"),
    ("wp.quat_rotate_inv(a, b)", "q v3", "v3"),
    ("wp.quat_to_matrix(a)", "q", "m3"),
    ("wp.quat_from_axis_angle(a, b)", "v3 s", "q"),
    ("wp.quat_rpy(a, b, c)", "s s s", "q"),
    ("wp.quat_slerp(wp.normalize(a), wp.normalize(b), c)", "q q s", "q"),
    ("wp.lerp(a, b, c)", "q q s", "q"),
    ("a.w + a[0]", "q", "s"),
    ("a * b", "t t", "t"),
    ("wp.transform_multiply(a, b)", "t t", "t"),
    ("wp.transform_point(a, b)", "t v3", "v3"),
    ("wp.transform_vector(a, b)", "t v3", "v3"),
    ("wp.transform_inverse(a)", "t", "t"),
    ("wp.transform_get_translation(a)", "t", "v3"),
    ("wp.transform_get_rotation(a)", "t", "q"),
    ("a.p", "t", "v3"),
    ("a.q", "t", "q"),
    ("wp.transform_point(a, b)", "m4 v3", "v3"),
    ("wp.transform_vector(a, b)", "m4 v3", "v3"),
    ("wp.spatial_dot(a, b)", "v6 v6", "s"),
    ("wp.spatial_cross(a, b)", "v6 v6", "v6"),
    ("wp.spatial_cross_dual(a, b)", "v6 v6", "v6"),
    ("wp.spatial_top(a)", "v6", "v3"),
    ("wp.spatial_bottom(a)", "v6", "v3"),
    ("wp.spatial_adjoint(a, b)", "m3 m3", "m6"),
    ("wp.transform_to_matrix(a)", "t", "m4"),
    ("wp.transform_compose(a, b, c)", "v3 q v3", "m4"),
    ("wp.div_approx(a, b)", "s s", "s"),
    ("wp.div_approx(a, b)", "v3 s", "v3"),
    ("{v3}(a)", "s", "v3"),
    ("{v3}(a, b, c)", "s s s", "v3"),
    ("{v3}()", "s", "v3"),
    ("{v4}(1.0, 2.0, 3.0, a)", "s", "v4"),
    ("{m2}(a, b, c, a)", "s s s", "m2"),
    ("{m2}(a)", "s", "m2"),
    ("{q}(a, b, c, a)", "s s s", "q"),
    ("{q}(a, b)", "v3 s", "q"),
    ("{t}(a, b)", "v3 q", "t"),
    ("{v6}(a)", "s", "v6"),
    ("wp.identity(n=3, dtype={s})", "s", "m3"),
    ("wp.quat_identity({s})", "s", "q"),
    ("wp.transform_identity({s})", "s", "t"),
    ("wp.where(a.x > b.x, a, b)", "v3 v3", "v3"),
    ("a if b[0] > c else -a", "v3 v2 s", "v3"),
]
# Defined for float32 alone.
SINGLE_CASES = [
    ("wp.norm_l1(a)", "v3", "s"),
    ("wp.norm_l2(a)", "v4", "s"),
    ("wp.norm_huber(a)", "v3", "s"),
    ("wp.norm_huber(a, b)", "v2 s", "s"),
    ("wp.norm_pseudo_huber(a)", "v2", "s"),
    ("wp.norm_pseudo_huber(a, wp.abs(b) + 0.5)", "v3 s", "s"),
    ("wp.smooth_normalize(a)", "v4", "v4"),
    ("wp.smooth_normalize(a, 2.0)", "v3", "v3"),
    ("wp.quat_from_euler(a, 0, 1, 2)", "v3", "q"),
    ("wp.quat_from_euler(a, 2, 0, 1)", "v3", "q"),
    ("wp.quat_from_euler(a, b, 1, b)", "v3 i", "q"),
    ("wp.quat_to_euler(wp.quat_from_euler(a, 0, 1, 2), 0, 1, 2)", "v3", "v3"),
    ("wp.quat_to_euler(wp.normalize(a), 1, 0, 2)", "q", "v3"),
    ("wp.quat_to_euler(wp.normalize(a), 2, 0, 2)", "q", "v3"),
    ("wp.quat_to_rpy(wp.normalize(a))", "q", "v3"),
    ("wp.quat_twist(wp.normalize(a), wp.normalize(b))", "v3 q", "q"),
    ("wp.quat_twist_angle(wp.normalize(a), wp.normalize(b))", "v3 q", "s"),
    ("wp.quat_twist_angle_signed(wp.normalize(a), wp.normalize(b))", "v3 q", "s"),
    ("wp.velocity_at_point(a, b)", "v6 v3", "v3"),
    ("wp.transform_twist(a, b)", "t v6", "v6"),
    ("wp.transform_wrench(a, b)", "t v6", "v6"),
    ("wp.noise(wp.rand_init(7), a)", "s", "s"),
    ("wp.noise(wp.rand_init(7), a)", "v2", "s"),
    ("wp.noise(wp.rand_init(7), a)", "v3", "s"),
    ("wp.noise(wp.rand_init(7), a)", "v4", "s"),
    ("wp.pnoise(wp.rand_init(7), a, 3)", "s", "s"),
    ("wp.pnoise(wp.rand_init(7), a, 3, 2)", "v2", "s"),
    ("wp.pnoise(wp.rand_init(7), a, 3, 2, 4)", "v3", "s"),
    ("wp.pnoise(wp.rand_init(7), a, 3, 2, 4, 2)", "v4", "s"),
    ("wp.curlnoise(wp.rand_init(7), a)", "v2", "v2"),
    ("wp.curlnoise(wp.rand_init(7), a, wp.uint32(3), 2.0, 0.5)", "v2", "v2"),
    ("wp.curlnoise(wp.rand_init(7), a)", "v3", "v3"),
    ("wp.curlnoise(wp.rand_init(7), a, wp.uint32(2), 1.5, 0.25)", "v3", "v3"),
    ("wp.curlnoise(wp.rand_init(7), a)", "v4", "v3"),
]
INTEGER_CASES = [
    ("a + b", "v3 v3", "v3"),
    ("a - b", "v2 v2", "v2"),
    ("a * b", "v3 s", "v3"),
    ("-a", "v3", "v3"),
    ("wp.dot(a, b)", "v3 v3", "s"),
    ("wp.cw_mul(a, b)", "v4 v4", "v4"),
    ("wp.min(a, b)", "v3 v3", "v3"),
    ("wp.max(a)", "v3", "s"),
    ("a & b", "v3 v3", "v3"),
    ("a | b", "v3 v3", "v3"),
    ("a ^ b", "v3 v3", "v3"),
    ("~a", "v3", "v3"),
    ("wp.abs(a)", "v3", "v3"),
    ("a == b", "v3 v3", "b"),
    ("wp.argmax(a)", "v4", "u"),
]


def draw(generator, kind, dtype, lanes):
    shape = (lanes, *SHAPES[kind])
    if kind == "i":
        return generator.integers(0, 3, shape).astype(np.int32)
    if dtype.startswith("float"):
        value = np.round(generator.uniform(-3, 3, shape), 2)
        # Edges: zeros, ties and equal operands.
        value[0] = 0.0
        value[1] = 1.0
        value[2] = np.round(value[2])
        return value.astype(dtype)
    info = np.iinfo(dtype)
    value = generator.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
    value[0], value[1] = 0, info.max
    return value


def text_of(cases, dtype):
    parts = ["import warp as wp\n"]
    for kind, arguments in (
        ("v5", "vector(length=5"),
        ("m23", "matrix(shape=(2, 3)"),
        ("m32", "matrix(shape=(3, 2)"),
    ):
        if dtype.startswith("float") or kind == "v5":
            parts.append(f"{spelled(kind, dtype)} = wp.types.{arguments}, dtype=wp.{dtype})")
    for number, (expression, kinds, result) in enumerate(cases):
        names = "abc"[: len(kinds.split())]
        arguments = "".join(
            f"{n}_: wp.array(dtype={spelled(k, dtype)}), " for n, k in zip(names, kinds.split(), strict=True)
        )
        loads = "".join(f"    {name} = {name}_[i]\n" for name in names)
        body = expression
        for kind in ("v3", "v4", "m2", "q", "t", "v6", "s"):
            spelling = spelled(kind, dtype) if dtype.startswith("float") else ""
            body = body.replace(f"{{{kind}}}", spelling)
        parts.append(
            f"@wp.kernel\ndef k{number}({arguments}o: wp.array(dtype={spelled(result, dtype)})):\n    i = wp.tid()\n"
            f"{loads}    o[i] = {body}\n"
        )
    return "\n".join(parts)


def check(against_warp, cases, dtype):
    module = against_warp(text_of(cases, dtype))
    generator = np.random.default_rng(3)
    lanes, failures = 24, []
    results = SHAPES | {"u": ()}
    for number, (expression, kinds, result) in enumerate(cases):
        values = [draw(generator, kind, dtype, lanes) for kind in kinds.split()]
        if dtype.startswith("float") and result != "b" and "/" not in expression and "div" not in expression:
            values[0][3] = values[-1][3] if values[0].shape == values[-1].shape else values[0][3]
        inputs = {f"{name}_": value[None] for name, value in zip("abc", values, strict=False)}
        kind = {"u": "uint32", "b": "bool"}.get(result, dtype)
        inputs["o"] = np.zeros((1, lanes, *results[result]), kind)
        worst, actual, expected = module.ratio(f"k{number}", inputs, (lanes,), ulps=4)
        if worst > 1:
            failures.append((expression, kinds, worst, actual["o"], expected["o"]))
        if dtype == "float32":
            failures += without_end(module, number, cases[number], inputs)
    assert not failures, failures


def without_end(module, number, case, inputs):
    """What differs where infinities and what is no number stand among the components of operands."""
    expression, kinds, _ = case
    generator = np.random.default_rng(number)
    for value, kind in zip(inputs.values(), kinds.split(), strict=False):
        if value.dtype.kind == "f" and kind not in ("i", "b"):
            flat = value.reshape(value.shape[1], -1)
            for lane in range(4, len(flat)):
                if generator.random() < 0.6:
                    flat[lane, generator.integers(flat.shape[1])] = (np.inf, -np.inf, np.nan)[lane % 3]
    inputs["o"] = np.zeros_like(inputs["o"])
    _, actual, expected = module.ratio(f"k{number}", inputs, (inputs["o"].shape[1],))
    found, wanted = actual["o"], expected["o"]
    if found.dtype.kind == "f":
        # Of the ways to expand a large determinant, some meet infinity less infinity.
        found, wanted = (np.where(np.isinf(o), o, 0.0) + np.where(np.isnan(o), np.nan, 0.0) for o in (found, wanted))
        if (expression, kinds) == ("wp.determinant(a)", "m4"):
            found, wanted = np.isfinite(found), np.isfinite(wanted)
    same = (found == wanted) | ((found != found) & (wanted != wanted))
    return [] if same.all() else [(expression, kinds, inputs, actual["o"], expected["o"])]


@pytest.mark.parametrize(
    "dtype",
    [pytest.param("float16", marks=pytest.mark.slow), "float32", pytest.param("float64", marks=pytest.mark.slow)],
)
def test_floats(against_warp, dtype):
    check(against_warp, FLOAT_CASES, dtype)


def test_builtins_of_single_precision(against_warp):
    check(against_warp, SINGLE_CASES, "float32")


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_integers(against_warp, dtype):
    check(against_warp, INTEGER_CASES, dtype)


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize(
    ("dtype", "name"), [("float32", "inverse"), ("float64", "inverse"), ("float32", "inverse_approx")]
)
def test_inverse(against_warp, size, dtype, name):
    kind = spelled(f"m{size}", dtype)
    text = f"import warp as wp\n@wp.kernel\ndef k(a: wp.array(dtype={kind}), o: wp.array(dtype={kind})):\n"
    text += f"    i = wp.tid()\n    o[i] = wp.{name}(a[i])\n"
    generator = np.random.default_rng(1)
    matrices = generator.uniform(-2, 2, (20, size, size))
    matrices[0] = 0.0
    matrices[1] = np.eye(size)
    matrices[2] = 1.0  # singular
    inputs = {"a": matrices.astype(dtype)[None], "o": np.zeros((1, 20, size, size), dtype)}
    expected = against_warp(text).check("k", inputs, (20,), ulps=8)["o"][0]
    assert not expected[2].any()
    assert np.allclose(expected[5:] @ matrices[5:], np.eye(size), atol=1e-3)


def test_rotations_from_matrices(against_warp):
    text = """
import warp as wp

@wp.kernel
def from_matrix(m: wp.array(dtype=wp.mat33d), o: wp.array(dtype=wp.quatd)):
    i = wp.tid()
    o[i] = wp.quat_from_matrix(m[i])

@wp.kernel
def axis_angle(q: wp.array(dtype=wp.quatd), a: wp.array(dtype=wp.vec3d), g: wp.array(dtype=wp.float64)):
    i = wp.tid()
    axis, angle = wp.quat_to_axis_angle(q[i])
    a[i] = axis
    g[i] = angle
"""
    generator = np.random.default_rng(4)
    quaternions = generator.normal(size=(40, 4))
    quaternions[:4] = np.eye(4)
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    x, y, z, w = quaternions.T
    first = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)]
    second = [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)]
    third = [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]
    matrices = np.stack([*first, *second, *third], axis=1).reshape(-1, 3, 3)
    module = against_warp(text)
    found = module.check("from_matrix", {"m": matrices[None], "o": np.zeros((1, 40, 4))}, (40,))["o"][0]
    assert np.allclose(np.abs(np.sum(found * quaternions, axis=1)), 1.0)
    inputs = {"q": quaternions[None], "a": np.zeros((1, 40, 3)), "g": np.zeros((1, 40))}
    module.check("axis_angle", inputs, (40,))


def test_motions_from_matrices(against_warp):
    text = """
import warp as wp

@wp.kernel
def taken_apart(
    t: wp.array(dtype=wp.transformd), s: wp.array(dtype=wp.vec3d), p: wp.array(dtype=wp.vec3d),
    q: wp.array(dtype=wp.quatd), z: wp.array(dtype=wp.vec3d), o: wp.array(dtype=wp.transformd),
):
    i = wp.tid()
    m = wp.transform_compose(wp.transform_get_translation(t[i]), wp.transform_get_rotation(t[i]), s[i])
    where, turn, size = wp.transform_decompose(m)
    p[i] = where
    q[i] = turn
    z[i] = size
    o[i] = wp.transform_from_matrix(wp.transform_to_matrix(t[i]))

@wp.kernel
def replaced(t: wp.array(dtype=wp.transform), s: wp.array(dtype=wp.vec3), o: wp.array(dtype=wp.transform)):
    i = wp.tid()
    moved = t[i]
    if s[i][0] > 1.0:
        wp.transform_set_translation(moved, s[i])
        wp.transform_set_rotation(moved, wp.quat_identity())
    o[i] = moved
"""
    generator = np.random.default_rng(5)
    motions = generator.normal(size=(40, 7))
    motions[:, 3:] /= np.linalg.norm(motions[:, 3:], axis=1, keepdims=True)
    scales = generator.uniform(0.5, 2.0, (40, 3))
    module = against_warp(text)
    inputs = {"t": motions[None], "s": scales[None], "p": np.zeros((1, 40, 3)), "q": np.zeros((1, 40, 4))}
    inputs |= {"z": np.zeros((1, 40, 3)), "o": np.zeros((1, 40, 7))}
    found = module.check("taken_apart", inputs, (40,), ulps=16)
    assert np.allclose(found["z"][0], scales)
    assert np.allclose(np.abs(np.sum(found["q"][0] * motions[:, 3:], axis=1)), 1.0)
    single = {"t": motions[None].astype(np.float32), "s": scales[None].astype(np.float32)}
    module.check("replaced", single | {"o": np.zeros((1, 40, 7), np.float32)}, (40,))
