"""The builtins of tiles against compiled Warp, by dtype and edge: a CPU's block is one thread."""

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Reference, Unsupported

ROWS, COLUMNS, LANES = 3, 8, 7

# `F` stands for the element's type. Each line of CASES is the body of a kernel with the arguments below.
HEAD = """
import warp as wp

SIZE = wp.constant(8)
vec3F = wp.types.vector(length=3, dtype=F)


@wp.func
def blend(x: F, y: F):
    if x > y:
        return x - y
    return x * y


@wp.func
def shifted(x: F, by: F):
    return x + by


@wp.func
def larger(x: F, y: F):
    return wp.max(x, y)
"""
KERNEL = """

@wp.kernel
def {name}(
    a: wp.array2d[F], b: wp.array2d[F], w: wp.array[F], order: wp.array[int], v: wp.array[vec3F], s: F,
    out: wp.array2d[F], small: wp.array[F], places: wp.array[int], vectors: wp.array[vec3F],
):
    i = wp.tid()
{body}
"""
ANY = {
    "arithmetic": """
        t = wp.tile_load(a, shape=(1, SIZE), offset=(i, 0))
        u = wp.tile_load(b, shape=(1, 8), offset=(i, 0))
        r = (t + u) * s - u * t
        wp.tile_store(out, -r, offset=(i, 0))""",
    "sums": """
        t = wp.tile_load(a, shape=(1, 8), offset=(i, 0))
        wp.tile_store(small, wp.tile_sum(t), offset=i)
        q = wp.tile_load(b, shape=(2, 4), offset=(0, 2))
        across = wp.tile_sum(q, axis=1)
        down = wp.tile_sum(q, 0)
        wp.tile_store(out[i], down, offset=4)
        wp.tile_store(out[i], across)""",
    "seen_once_changed": """
        t = wp.tile_load(a[i], shape=8)
        t[2] = s
        q = wp.tile_reshape(t, shape=(2, 4))
        wp.tile_store(small, wp.tile_sum(q), offset=i)""",
    "extremes": """
        t = wp.tile_load(a[i], shape=8)
        low = wp.tile_min(t)
        high = wp.tile_max(t)
        small[i] = low[0] + wp.tile_extract(high, 0)
        at = wp.tile_argmin(t)
        top = wp.tile_argmax(t)
        places[i] = at[0] * 100 + top[0]""",
    "reduced": """
        t = wp.tile_load(a, shape=(2, 4), offset=(i % 2, 1))
        wp.tile_store(small, wp.tile_reduce(larger, t), offset=(i,))
        q = wp.tile_reduce(wp.add, t, axis=0)
        wp.tile_store(out[i], q)""",
    "mapped": """
        t = wp.tile_load(a[i], shape=8)
        u = wp.tile_load(w, shape=8)
        m = wp.tile_map(blend, t, u)
        n = wp.tile_map(shifted, wp.tile_map(wp.abs, m), s)
        wp.tile_store(out[i], wp.tile_map(wp.min, n, u))""",
    "filled": """
        t = wp.tile_ones(8, dtype=F) + wp.tile_zeros(shape=8, dtype=F)
        u = wp.tile_full(8, value=s, dtype=F) * s
        wp.tile_store(out[i], t + u)
        wp.tile_store(places, wp.tile_arange(3, 9, 2, dtype=int))""",
    "said_by_one": """
        t = wp.tile_from_thread(shape=8, value=w[i] * s, thread_idx=0)
        wp.tile_store(out[i], t + wp.tile_load(a[i], shape=8))""",
    "beyond": """
        t = wp.tile_load(a, shape=(2, 5), offset=(i, 5))
        wp.tile_store(out, t + t, offset=(i * 2, 4))""",
    "views": """
        t = wp.tile_load(a, shape=(1, 8), offset=(i, 0), storage="shared")
        q = wp.tile_squeeze(t)
        r = wp.tile_reshape(t, shape=(4, -1))
        z = wp.tile_transpose(r)
        p = wp.tile_view(z, offset=(1, 1), shape=(1, 2))
        wp.tile_store(out, z, offset=(0, 0))
        small[i] = q[3] + r[2, 1] + p[0, 1]
        x = z[1]
        wp.tile_store(out[2], x)""",
    "spread": """
        t = wp.tile_load(a, shape=(3, 4))
        m = wp.tile_load(w, shape=4)
        d = t - wp.tile_broadcast(m, shape=(3, 4))
        wp.tile_store(out, d)
        one = wp.tile_broadcast(wp.tile_sum(t), shape=(2, 2))
        wp.tile_store(out, one, offset=(1, 5))""",
    "placed": """
        t = wp.tile_zeros(shape=(2, 4), dtype=F)
        u = wp.tile_load(w, shape=4)
        wp.tile_assign(t, wp.tile_reshape(u, shape=(1, 4)), offset=(1, 0))
        t[0, 2] = s
        t[0, 1] += a[i, 0]
        t[1, 3] -= s
        wp.tile_store(out, t, offset=(i, 0))""",
    "grown": """
        acc = wp.tile_zeros(shape=8, dtype=F)
        for j in range(3):
            acc += wp.tile_load(a[j], shape=8)
        acc -= wp.tile_load(w, shape=8)
        wp.tile_store(out[i], acc)""",
    "gathered": """
        k = wp.tile_load(order, shape=4)
        t = wp.tile_load_indexed(a, indices=k, shape=(4, 3), offset=(0, i), axis=0)
        u = wp.tile_load_indexed(w, k, shape=(4,))
        wp.tile_store(out, wp.tile_transpose(t))
        wp.tile_store(small, u)""",
    "scattered": """
        k = wp.tile_load(order, shape=4, offset=2)
        t = wp.tile_load(a, shape=(2, 4))
        wp.tile_store_indexed(out, indices=k, t=t, axis=1)""",
    "threads": """
        t = wp.tile(a[i, 0] + s)
        u = wp.untile(t * s)
        small[i] = u
        total = wp.tile_sum(t)
        out[i, 0] = total[0]""",
    "dotted": """
        t = wp.tile_load(a[i], shape=8)
        u = wp.tile_load(b[i], shape=8)
        wp.tile_axpy(s, t, u)
        wp.tile_store(small, wp.tile_dot(t, u), offset=i)
        x = wp.tile_load(v, shape=3)
        y = wp.tile_dot(x, x)
        out[i, 0] = y[0]""",
    "vectors_": """
        t = wp.tile_load(v, shape=4)
        total = wp.tile_sum(t)
        q = t * s + t
        wp.tile_store(vectors, q)
        d = wp.tile_map(wp.dot, q, t)
        small[i] = d[2] + total[0][1] + q[1][2]""",
    "counted": """
        t = wp.tile_load(a, shape=(2, 4))
        before = wp.tile_atomic_add(out, t, offset=(1, i))
        wp.tile_atomic_add(small, wp.tile_sum(t), offset=0)
        k = wp.tile_load(order, shape=4)
        wp.tile_atomic_add_indexed(out, indices=k, t=t, axis=1)
        places[i] = int(before[0, 0] > F(0))""",
}
FLOATS = {
    "divided": """
        t = wp.tile_load(a[i], shape=8)
        u = wp.tile_map(wp.exp, t) / (s + F(2.0))
        total = wp.tile_sum(u)
        wp.tile_store(out[i], u / total[0])
        wp.tile_store(small, total / u[0], offset=(i,))""",
    "multiplied": """
        x = wp.tile_load(a, shape=(2, 3))
        y = wp.tile_load(b, shape=(3, 4))
        z = wp.tile_matmul(x, y)
        acc = wp.tile_ones(shape=(2, 2), dtype=F)
        wp.tile_matmul(x, wp.tile_transpose(x), acc)
        wp.tile_matmul(x, wp.tile_transpose(x), acc, alpha=0.5)
        wp.tile_store(out, z)
        wp.tile_store(out, acc, offset=(0, 4))
        d = wp.tile_diag_add(acc, wp.tile_load(w, shape=2))
        wp.tile_store(out, d, offset=(1, 6))""",
}
WIDE = {
    "counting": """
        wp.tile_store(out[i], wp.tile_arange(8, dtype=F) * s)
        wp.tile_store(small, wp.tile_arange(7.5, -0.5, -1.0, dtype=F))""",
}
NARROW = {
    "scanned": """
        t = wp.tile_load(a[i], shape=8)
        wp.tile_store(out[i], wp.tile_scan_inclusive(t) + wp.tile_scan_exclusive(t))
        u = wp.tile_scan_max_inclusive(t)
        z = wp.tile_scan_min_inclusive(t)
        small[i] = u[5] + z[6]""",
    "sorted_": """
        t = wp.tile_load(a[i], shape=8)
        k = wp.tile_arange(8, dtype=int)
        wp.tile_sort(t, k)
        wp.tile_store(out[i], t)
        wp.tile_store(places, k, offset=i * 8)""",
}
CONVERTED = {
    "converted": """
        t = wp.tile_load(a[i], shape=8)
        k = wp.tile_astype(t, dtype=wp.int32)
        wp.tile_store(places, k, offset=i * 8)
        wp.tile_store(out[i], wp.tile_astype(k + k, dtype=F))""",
}
TYPES = {"float16": np.float16, "float32": np.float32, "float64": np.float64, "int32": np.int32, "int64": np.int64}


def cases(kind):
    found = dict(ANY)
    if kind.startswith("float"):
        found |= FLOATS
    if kind in ("float32", "float64"):
        found |= WIDE
    if kind in ("float32", "int32"):
        found |= NARROW
    return found | CONVERTED


def text(kind):
    bodies = (KERNEL.format(name=name, body=body.replace("\n    ", "\n")[1:]) for name, body in cases(kind).items())
    return (HEAD + "".join(bodies)).replace("F(", f"wp.{kind}(").replace("[F]", f"[wp.{kind}]").replace(
        ": F", f": wp.{kind}").replace("dtype=F", f"dtype=wp.{kind}")  # fmt: skip


def inputs(kind):
    random = np.random.default_rng(3)
    dtype = TYPES[kind]

    def draw(*shape):
        if dtype().dtype.kind == "i":
            return random.integers(-9, 10, (LANES, *shape)).astype(dtype)
        return random.uniform(-2, 2, (LANES, *shape)).astype(dtype)

    a = draw(ROWS, COLUMNS)
    a[0] = a[0, :, :1]  # All of a row alike.
    order = np.stack([random.permutation(8) for _ in range(LANES)]).astype(np.int32)
    order[1, :4] = (0, 2, 2, 1)
    order[2, 3] = -1
    order[3, 0] = 9
    return {
        "a": a, "b": draw(ROWS, COLUMNS), "w": draw(COLUMNS), "order": order, "v": draw(4, 3), "s": draw(),
        "out": draw(ROWS, COLUMNS), "small": draw(COLUMNS), "places": np.zeros((LANES, 24), np.int32),
        "vectors": draw(4, 3),
    }  # fmt: skip


@pytest.fixture(scope="module", params=list(TYPES))
def corpus(request, against_warp):
    return request.param, against_warp(text(request.param))


@pytest.mark.parametrize("name", [*ANY, *FLOATS, *WIDE, *NARROW, *CONVERTED])
def test_against_warp(corpus, name):
    kind, comparison = corpus
    if name not in cases(kind):
        pytest.skip("not of this type")
    given = inputs(kind)
    if name == "scattered":
        given["order"] = np.tile(np.array([5, 3, 7, 0, 2, 6, 1, 4], np.int32), (LANES, 1))
    if name == "sorted_":
        given["a"] = np.stack([np.random.default_rng(7).permutation(24) for _ in range(LANES)]).reshape(
            LANES, ROWS, COLUMNS).astype(TYPES[kind]) / (3 if kind == "float32" else 1)  # fmt: skip
        given["a"] = given["a"].astype(TYPES[kind])
    # Every matter of order is within one thread, but for what threads add up.
    comparison.check(name, given, (ROWS,) if name not in ("scattered", "placed", "beyond") else (2,))


def alone(name, body):
    kernel = KERNEL.format(name=name, body=body).replace("F", "float").replace("vec3float", "vec3F")
    return text("float32") + kernel


def refused(body):
    with pytest.raises(Unsupported) as error:
        Reference(alone("bad", body), "bad")
    return error.value.construct


def test_a_changed_tile_has_no_other_view():
    body = """
    t = wp.tile_load(a[i], shape=8)
    q = wp.tile_reshape(t, shape=(2, 4))
    t[0] = s
    wp.tile_store(out, q)"""
    assert "of which there is a view" in refused(body)
    body = """
    t = wp.tile_load(a[i], shape=8)
    q = wp.tile_reshape(t, shape=(2, 4))
    q += q
    wp.tile_store(out[i], t)"""
    assert "of which there is a view" in refused(body)
    body = """
    t = wp.tile_load(a[i], shape=8)
    for k in range(2):
        t[k] = s
        q = wp.tile_reshape(t, shape=(2, 4))
        wp.tile_store(small, wp.tile_sum(q), offset=i)"""
    assert "of which there is a view" in refused(body)
    assert "second name" in refused("    t = wp.tile_load(a[i], shape=8)\n    u = t\n    wp.tile_store(out[i], u)")


def test_what_has_no_meaning_is_refused():
    load = "    t = wp.tile_load(a[i], shape=8)\n"
    assert "a tile and a value" in refused(load + "    wp.tile_store(out[i], t + s)")
    assert "expected" in refused("    n = int(s)\n    t = wp.tile_load(a[i], shape=n)\n    wp.tile_store(out[i], t)")
    assert "a tile" in refused("    t = s + wp.tile_sum(s)\n    wp.tile_store(out[i], t)")


def test_equal_keys_leave_the_order_of_their_values_open():
    given = inputs("float32")
    result = Reference(text("float32"), "sorted_").run(given, (1,))
    assert result.faults[0].kind.name == "UNSPECIFIED_ORDER"
    same = """
    t = wp.tile_load(a[i], shape=8)
    k = wp.tile_zeros(8, dtype=int)
    wp.tile_sort(t, k)
    wp.tile_store(out[i], t)"""
    source = alone("alike", same)
    assert not any(Reference(source, "alike").run(given, (ROWS,)).faults)


def test_where_the_extreme_of_what_is_not_a_number_stands_is_open():
    source = alone("top", "    wp.tile_store(order, wp.tile_argmax(wp.tile_load(w, shape=8)), offset=i)")
    given = inputs("float32")
    assert not any(Reference(source, "top").run(given, (1,)).faults)
    given["w"][0, 3] = np.nan
    faults = Reference(source, "top").run(given, (1,)).faults
    assert [fault and fault.kind.name for fault in faults] == ["UNSPECIFIED_ORDER"] + [None] * (LANES - 1)


def test_a_range_of_halves_is_refused():
    assert "float16" in refused("    wp.tile_store(out[i], wp.tile_arange(8, dtype=wp.float16))")


def test_before_the_array_is_outside():
    source = alone("before", "    t = wp.tile_load(w, shape=4, offset=i - 1)\n    wp.tile_store(small, t)")
    result = Reference(source, "before").run(inputs("float32"), (1,))
    assert all(fault.kind.name == "OUT_OF_BOUNDS" for fault in result.faults)
