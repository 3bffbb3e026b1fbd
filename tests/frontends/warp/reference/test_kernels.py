"""Whole kernels, one construct after the other, against compiled Warp in both widths of float."""

import re

import numpy as np
import pytest

from irsmith.frontends.warp.reference import Reference
from irsmith.frontends.warp.reference.values import ArrayType, Precision, components, scalar_of
from irsmith.types import Struct

# `F` stands for the float type, and vec3, mat33, … for its composites.
CORPUS = '''
import warp as wp
import math
from typing import Any

SCALE = wp.constant(3)
HALF = 0.5
AXIS = wp.constant(VEC3(0.0, 1.0, 0.0))
EIGHTH = wp.constant(F(0.125))
vec5 = wp.types.vector(length=5, dtype=F)
mat23 = wp.types.matrix(shape=(2, 3), dtype=F)


@wp.struct
class Inner:
    w: F
    v: VEC3


@wp.struct
class Particle:
    x: VEC3
    m: F
    kind: int
    inner: Inner


@wp.func
def square(x: F):
    return x * x


@wp.func
def sign_of(x: F) -> F:
    """Early returns."""
    if x > F(0.5):
        return F(1.0)
    elif x < F(-0.5):
        return F(-1.0)
    return F(0.0)


@wp.func
def split(v: VEC3):
    return v[0], v[1] + v[2], 3


@wp.func
def twice(x: Any):
    return x + x


@wp.func
def pick(x: F, y: F):
    return x - y


@wp.func
def pick(x: int, y: int):
    return x * 10 + y


@wp.func
def with_default(x: F, n: int = 2):
    return x * F(n)


@wp.func
def changes_its_copy(v: VEC3, p: Particle):
    v[0] = F(100.0)
    p.m = F(50.0)
    return v[0] + p.m


@wp.func
def total(row: wp.array(dtype=F), n: int):
    s = F(0.0)
    for i in range(n):
        s += row[i]
    return s


@wp.func
def search(a: wp.array(dtype=int), key: int):
    for i in range(16):
        if a[i] == key:
            return i
    return -1


@wp.kernel
def saxpy(a: F, x: wp.array(dtype=F), y: wp.array(dtype=F)):
    i = wp.tid()
    y[i] = a * x[i] + y[i]


@wp.kernel
def constants(x: wp.array(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    o[i] = x[i] * F(HALF) + F(SCALE) + F(math.pi) + EIGHTH + F(wp.PI) + wp.dot(AXIS, AXIS) - F(-0.1)


@wp.kernel
def early_return(x: wp.array(dtype=F), n: int, o: wp.array(dtype=F)):
    i = wp.tid()
    if i >= n:
        return
    if x[i] < F(0.0):
        o[i] = F(-1.0)
        return
    o[i] = x[i]


@wp.kernel
def branches(x: wp.array(dtype=F), k: wp.array(dtype=int), o: wp.array(dtype=F)):
    i = wp.tid()
    v = x[i]
    r = F(0.0)
    if v > F(1.0):
        r = v
        if k[i] % 2 == 0:
            r = r + F(1.0)
        else:
            r = r - F(1.0)
    elif v > F(0.0) and k[i] > 2:
        r = F(2.0) * v
    elif v > F(-1.0) or k[i] == 1:
        r = F(3.0) * v
    else:
        if not (k[i] > 4):
            r = F(4.0)
    o[i] = r if r > F(-2.0) else F(-2.0)


@wp.kernel
def short_circuit(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    c = 0
    if i > 0 and k[i - 1] > 3:
        c += 1
    if i == 15 or k[i + 1] > 3:
        c += 2
    if i > 1 and (k[i - 2] > 2 or k[i - 1] > 2):
        c += 4
    o[i] = c if 2 < c < 5 else -c


@wp.kernel
def loop_shapes(n: int, o: wp.array(dtype=int)):
    i = wp.tid()
    s = int(0)
    for a in range(4):
        s += a * i
    for b in range(i):
        s += b
    for c in range(1, i + 2):
        s += c * c
    for d in range(n, 0, -3):
        s = s * 3 + d
    for e in range(i, -i, -2):
        s = s - e
    for f in range(0, 20, 3):
        for g in range(f % 4):
            s += g
    for h in range(5, 2):
        s = 1000
    for k in reversed(range(4)):
        s = s * 2 + k
    for k in reversed(range(i, n)):
        s = s * 3 - k
    for k in reversed(range(n, i, -2)):
        s = s * 5 + k
    for k in reversed(range(3, 3)):
        s = 2000
    o[i] = s


@wp.kernel
def loop_exits(x: wp.array(dtype=F), k: wp.array(dtype=int), o: wp.array(dtype=F)):
    i = wp.tid()
    s = F(0.0)
    for j in range(k[i] + 8):
        if j == k[i]:
            continue
        if s > F(2.0):
            break
        for m in range(3):
            if m == k[j]:
                break
            if k[m] == 3:
                continue
            s += F(0.1) * F(m)
        s += x[j] * x[j]
    o[i] = s


@wp.kernel
def whiles(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    n = k[i] + 1
    steps = int(0)
    while n != 1 and steps < 30:
        if n % 2 == 0:
            n = n / 2
        else:
            n = 3 * n + 1
        steps += 1
        if steps == 12 + i:
            break
    while True:
        steps += 1
        if steps % 3 == 0:
            continue
        if steps > 5:
            break
    o[i] = steps * 100 + n


@wp.kernel
def return_in_loop(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    for j in range(16):
        if k[j] == i:
            o[i] = j
            return
        for m in range(3):
            if m + j == 20:
                return
    o[i] = -1


@wp.kernel
def helpers(x: wp.array(dtype=F), y: wp.array(dtype=VEC3), k: wp.array(dtype=int), o: wp.array(dtype=F)):
    i = wp.tid()
    a, b, c = split(y[i])
    v = y[i]
    p = Particle()
    p.m = x[i]
    t = changes_its_copy(v, p)
    o[i] = square(square(x[i])) + sign_of(x[i]) * a + b * F(c) + twice(x[i]) + wp.length(twice(v))
    o[i] = o[i] + pick(x[i], a) + F(pick(k[i], 2)) + with_default(a) + with_default(b, 5) + t + v[0] + p.m


@wp.kernel
def search_helper(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    o[i] = search(k, i) * 2 + search(k, 3)


@wp.kernel
def rows(m: wp.array2d(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    row = m[i]
    o[i] = total(row, 4) + total(m[3 - i], 2) + row[1] + F(len(m)) + F(m.shape[1]) + F(row.shape[0])


@wp.kernel
def grid2(m: wp.array(dtype=F, ndim=2), o: wp.array2d(dtype=F)):
    i, j = wp.tid()
    s = m[i, j]
    if i > 0:
        s += m[i - 1, j]
    if j < 3:
        s += m[i][j + 1]
    o[i, j] = s * F(0.25)


@wp.kernel
def grid3(m: wp.array3d(dtype=F), o: wp.array3d(dtype=F)):
    i, j, k = wp.tid()
    o[k, i, j] = m[i, j, k] * F(i * 9 + j * 3 + k)


@wp.kernel
def grid4(o: wp.array4d(dtype=int)):
    i, j, k, l = wp.tid()
    o[i, j, k, l] += i * 1000 + j * 100 + k * 10 + l


@wp.kernel
def atomics(x: wp.array(dtype=F), k: wp.array(dtype=int), s: wp.array(dtype=F), c: wp.array(dtype=int)):
    i = wp.tid()
    wp.atomic_add(s, 0, x[i])
    wp.atomic_sub(s, 1, x[i])
    wp.atomic_min(s, 2, x[i])
    wp.atomic_max(s, 3, x[i])
    slot = wp.atomic_add(c, 0, 1)
    c[4 + slot % 4] = k[i]
    wp.atomic_add(c, 1 + k[i] % 3, 1)
    c[8] += k[i]
    c[9] -= 1
    c[10] |= 1 << (k[i] % 8)
    c[11] &= k[i]
    c[12] ^= k[i]
    old = wp.atomic_cas(c, 13, 0, i + 1)
    if old == 0:
        c[14] = wp.atomic_exch(c, 15, i)
    s[4] *= F(1.5)
    s[5 + i % 2] = s[5 + i % 2] - x[i]


@wp.kernel
def atomics_of_vectors(y: wp.array(dtype=VEC3), s: wp.array(dtype=VEC3)):
    i = wp.tid()
    wp.atomic_add(s, 0, y[i])
    wp.atomic_max(s, 1, y[i])
    s[2] += y[i]
    s[3] -= y[i] * F(2.0)
    s[4][1] += y[i][0]
    s[5].x = y[i].y


@wp.kernel
def vectors(y: wp.array(dtype=VEC3), k: wp.array(dtype=int), o: wp.array(dtype=VEC3)):
    i = wp.tid()
    a = y[i]
    b = a
    b[0] = F(5.0)
    b[1] += a[0]
    b.z -= F(1.0)
    b[k[i] % 3] = b[k[i] % 3] * F(2.0)
    b[-1] += F(0.5)
    c = wp.cross(a, b) + wp.normalize(a) * wp.length(b) - VEC3(F(1.0))
    o[i] = c / (F(4.0) + wp.dot(a, a)) + F(2.0) * a
    o[i][1] = a[1]
    o[i].z += F(1.0)


@wp.kernel
def matrices(m: wp.array(dtype=MAT33), y: wp.array(dtype=VEC3), o: wp.array(dtype=MAT33), d: wp.array(dtype=F)):
    i = wp.tid()
    a = m[i]
    b = a * wp.transpose(a) + wp.diag(y[i])
    b[0, 1] = F(2.0)
    b[1] = y[i]
    b[2, 2] += F(3.0)
    b[2][0] = b[0][1] * F(2.0)
    d[i] = wp.determinant(a) + wp.trace(b) + wp.dot(b * y[i], b[i % 3])
    o[i] = b - wp.outer(y[i], y[i]) + wp.skew(y[i])


@wp.kernel
def small_shapes(x: wp.array(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    v = vec5(x[i], F(1.0), F(2.0), F(3.0), F(4.0))
    w = vec5()
    for j in range(5):
        w[j] = v[4 - j]
    a = mat23(x[i], F(1.0), F(0.0), F(2.0), F(0.5), F(1.0))
    u = a * VEC3(F(1.0), x[i], F(2.0))
    o[i] = wp.dot(v, w) + u[0] * u[1] + F(len(v))


@wp.kernel
def rotations(y: wp.array(dtype=VEC3), x: wp.array(dtype=F), o: wp.array(dtype=VEC3)):
    i = wp.tid()
    q = wp.quat_from_axis_angle(wp.normalize(y[i] + VEC3(F(3.0), F(0.0), F(0.0))), x[i])
    r = wp.quat_rpy(x[i], F(0.5), F(0.25))
    t = wp.transform_multiply(TRANSFORM(y[i], q), TRANSFORM(y[i], r))
    o[i] = wp.quat_rotate(q * wp.quat_inverse(r), y[i]) + wp.transform_point(t, y[i])


@wp.kernel
def structs(p: wp.array(dtype=Particle), g: Particle, o: wp.array(dtype=Particle), f: wp.array(dtype=F)):
    i = wp.tid()
    a = p[i]
    b = a
    b.m = F(7.0)
    b.x[1] = F(9.0)
    b.inner.w += a.m
    b.inner.v = a.x * F(2.0)
    c = Inner(F(1.0), a.x)
    a.inner = c
    c.w = F(33.0)
    f[i] = a.m + b.m + a.x[1] + b.x[1] + a.inner.w + c.w + g.m + p[i].inner.v[2]
    o[i] = b
    o[i].kind = a.kind + 1
    o[i].x[0] = F(1.25)
    o[i].inner.w = a.inner.w
    if a.kind > 3:
        o[i] = a


@wp.kernel
def tuples(x: wp.array(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    a, b = x[i] + F(1.0), F(2.0)
    c, d = b, a
    a = F(0.0)
    o[i] = c * F(10.0) + d + a


@wp.kernel
def wide_integers(k: wp.array(dtype=int), o: wp.array(dtype=wp.int64), u: wp.array(dtype=wp.uint32)):
    i = wp.tid()
    h = wp.uint32(2166136261)
    for j in range(4):
        h = (h ^ wp.uint32(k[j] + i)) * wp.uint32(16777619)
    u[i] = h >> wp.uint32(3)
    big = wp.int64(k[i]) * wp.int64(5000000000) + wp.int64(h)
    n = 2147483647 + k[i]
    o[i] = big - wp.int64(n / 7) + wp.int64(-7 / 2) + wp.int64(-7 % 3) + wp.int64(-7 // 2)
    u[i] += wp.uint32(wp.int8(k[i] * 50))


@wp.kernel
def draws(o: wp.array(dtype=wp.float32), n: wp.array(dtype=int), v: wp.array(dtype=wp.vec3)):
    i = wp.tid()
    state = wp.rand_init(42, i)
    o[i] = wp.randf(state) + wp.randf(state, 2.0, 5.0) * wp.randn(state)
    n[i] = wp.randi(state) / 3 + wp.randi(state, -3, 9) + int(wp.randu(state) % wp.uint32(7))
    v[i] = wp.sample_unit_sphere(state) + wp.sample_unit_cube(state) + wp.sample_unit_hemisphere_surface(state)
    t = wp.sample_triangle(state) + wp.sample_unit_disk(state) + wp.sample_unit_square(state)
    v[i][0] += t[0] + wp.sample_unit_ring(state)[1]
    one = wp.rand_init(7)
    n[i] += wp.randi(one, 0, 100)
    v[i] += wp.sample_unit_hemisphere(state) + wp.sample_unit_sphere_surface(state)


@wp.kernel
def drawn_from_a_distribution(cdf: wp.array(dtype=wp.float32), o: wp.array(dtype=int)):
    i = wp.tid()
    state = wp.rand_init(5, i)
    o[i] = wp.sample_cdf(state, cdf) * 100 + wp.sample_cdf(state, cdf)


@wp.kernel
def computed_by_python(x: wp.array(dtype=wp.float32), o: wp.array(dtype=wp.float32)):
    i = wp.tid()
    o[i] = x[i] * wp.static(2.0 * 3.0 - 1.0)


@wp.kernel
def atomic_bits(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    wp.atomic_and(o, 0, k[i] | 5)
    wp.atomic_or(o, 1, k[i] & 12)
    wp.atomic_xor(o, 2, k[i])
    if k[i] > 1000:
        wp.printf("%d", k[i])


@wp.kernel
def bits_of_floats(x: wp.array(dtype=wp.float32), o: wp.array(dtype=int), u: wp.array(dtype=wp.uint32)):
    i = wp.tid()
    o[i] = ((wp.cast(x[i], wp.int32) >> 23) & 255) - 127
    u[i] = wp.cast(x[i], wp.uint32)


@wp.kernel
def lookups(x: wp.array(dtype=F), o: wp.array(dtype=int)):
    i = wp.tid()
    o[i] = wp.lower_bound(x, F(i) * F(0.25) - F(2.0)) * 100 + wp.lower_bound(x, 2, 9, F(0.0))


@wp.kernel
def literal_precision(o: wp.array(dtype=wp.float64)):
    i = wp.tid()
    c = 0.1
    d = 0.1 * 1.0
    o[0] = wp.float64(0.1)
    o[1] = wp.float64(c)
    o[2] = wp.float64(d)
    o[3] = wp.float64(float(0.1))
    o[4] = wp.float64(1.0 / 3.0)
    o[5] = wp.float64(-0.7)


@wp.kernel
def half_floats(h: wp.array(dtype=wp.float16), o: wp.array(dtype=wp.float16)):
    i = wp.tid()
    s = wp.float16(0.0)
    for j in range(8):
        s = s + h[j] * h[i]
    o[i] = wp.sin(s) / wp.float16(3.0)


@wp.kernel
def assigned_in_both(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    if k[i] > 3:
        a = 1
        b = k[i]
    else:
        a = 2
        b = -k[i]
    c = wp.where(k[i] > 2, a, b)
    o[i] = a * 1000 + b * 100 + c * 10


@wp.kernel
def bisect(x: wp.array(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    lo = F(0.0)
    hi = F(4.0)
    for _ in range(20):
        mid = (lo + hi) * F(0.5)
        if mid * mid < wp.abs(x[i]):
            lo = mid
        else:
            hi = mid
    o[i] = lo


@wp.kernel
def in_place(x: wp.array(dtype=F), n: int):
    i = wp.tid()
    if i + 1 < n:
        x[i] = x[i + 1] * F(0.5) + x[i]
    x[i] = wp.max(x[i], F(0.0)) + wp.min(x[i], F(1.0)) - wp.clamp(x[i], F(-0.5), F(0.5))


@wp.kernel
def whole_numbers(x: wp.array(dtype=F), o: wp.array(dtype=int)):
    i = wp.tid()
    o[i] = int(wp.floor(x[i] * F(3.0))) * 1000 + int(x[i] * F(5.0)) * 10 + int(wp.round(x[i]))
    b = bool(o[i])
    if b:
        o[i] += 1
    if o[i] & 1:
        o[i] ^= 6


@wp.kernel
def scan(x: wp.array(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    best = x[0]
    where = int(0)
    for j in range(1, i + 1):
        if x[j] > best:
            best = x[j]
            where = j
    o[i] = best * F(100.0) + F(where)


@wp.kernel
def horner(x: wp.array(dtype=F), o: wp.array(dtype=F)):
    i = wp.tid()
    r = F(1.0)
    p = F(0.0)
    for j in range(16):
        p = p * F(0.5) + x[j] * x[i]
        r *= F(1.0) + F(0.01) * x[j]
    o[i] = p + r ** F(2.0)


@wp.kernel
def bools(k: wp.array(dtype=int), b: wp.array(dtype=wp.bool), o: wp.array(dtype=wp.bool)):
    i = wp.tid()
    even = k[i] % 2 == 0
    o[i] = (even and not b[i]) or (b[i] and k[i] > 3)
    if b[i] == even:
        o[15 - i] = True


@wp.kernel
def arrays_by_brackets(x: wp.array[F], m: wp.array2d[F]):
    i = wp.tid()
    for j in range(m.shape[1]):
        m[i, j] = x[i] - m[i, j]


@wp.kernel
def loop_variable_kept(k: wp.array(dtype=int), o: wp.array(dtype=int)):
    i = wp.tid()
    last = int(-1)
    for j in range(1, k[i] + 2):
        last = j
        j = j + 100
        last += j
    for m in range(3):
        last += m
    o[i] = last + m
'''

LAUNCHES = {"grid2": (4, 4), "grid3": (3, 3, 3), "grid4": (2, 2, 2, 2), "rows": (4,), "arrays_by_brackets": (4,)}
SHAPES = {1: (16,), 2: (4, 4), 3: (3, 3, 3), 4: (2, 2, 2, 2)}
ALL = re.findall(r"@wp.kernel\ndef (\w+)", CORPUS)
LANES = 3


def text_for(width):
    suffix = "d" if width == "float64" else "f"
    names = {"F": f"wp.{width}", "VEC3": f"wp.vec3{suffix}", "MAT33": f"wp.mat33{suffix}"}
    names["TRANSFORM"] = f"wp.transform{suffix}"
    text = CORPUS
    for name, meaning in names.items():
        text = re.sub(rf"\b{name}\b", meaning, text)
    return text


def fill(generator, type, shape, layout):
    if isinstance(type, Struct):
        value = np.zeros(shape, layout.layout(type))
        for field in type.fields:
            value[field.name] = fill(generator, field.type, shape, layout)
        return value
    dtype = layout.dtype(scalar_of(type))
    full = (*shape, *components(type))
    if dtype.kind == "f":
        return np.round(generator.uniform(-2, 2, full), 3).astype(dtype)
    if dtype.kind == "b":
        return generator.random(full) < 0.5
    return generator.integers(0, 8, full).astype(dtype)


def inputs_for(reference, kernel, lanes=LANES, seed=0):
    generator, layout, inputs = np.random.default_rng(seed), Precision("declared"), {}
    for name, type in reference.arguments.items():
        if isinstance(type, ArrayType):
            inputs[name] = fill(generator, type.element, (lanes, *SHAPES[type.rank]), layout)
            if kernel in ("lookups", "drawn_from_a_distribution") and name in ("x", "cdf"):
                inputs[name].sort(axis=1)
        elif name == "n":
            inputs[name] = np.full(lanes, 13, np.int32)
        else:
            inputs[name] = fill(generator, type, (lanes,), layout)
    return inputs


@pytest.fixture(scope="module", params=["float32", "float64"])
def corpus(request, against_warp):
    return against_warp(text_for(request.param))


@pytest.mark.parametrize("kernel", ALL)
def test_agrees_with_warp(corpus, kernel):
    corpus.check(kernel, inputs_for(corpus.reference(kernel), kernel), LAUNCHES.get(kernel, (16,)))


MISTAKES = {
    "saxpy": ("a * x[i] + y[i]", "a * x[i] - y[i]"),
    "loop_shapes": ("range(1, i + 2)", "range(1, i + 1)"),
    "loop_exits": ("if m == k[j]:", "if m != k[j]:"),
    "structs": ("b.m = wp.float32(7.0)", "a.m = wp.float32(7.0)"),
    "atomics": ("wp.atomic_min(s, 2", "wp.atomic_max(s, 2"),
    "vectors": ("b[0] = wp.float32(5.0)", "b[1] = wp.float32(5.0)"),
    "grid3": ("o[k, i, j]", "o[k, j, i]"),
    "wide_integers": ("-7 // 2", "-7 / 2"),
    "literal_precision": ("d = 0.1 * 1.0", "d = 0.1"),
}


@pytest.mark.parametrize("kernel", MISTAKES)
def test_a_planted_mistake_is_found(against_warp, corpus, kernel):
    text = corpus.text.replace("float64", "float32") if "float64" in corpus.text.split("@wp.struct")[0] else corpus.text
    before, after = MISTAKES[kernel]
    if text != corpus.text:
        before, after = before.replace("float32", "float64"), after.replace("float32", "float64")
    assert before in corpus.text
    wrong = Reference(corpus.text.replace(before, after), kernel)
    inputs, launch = inputs_for(wrong, kernel), LAUNCHES.get(kernel, (16,))
    right = corpus.reference(kernel)
    corpus.references[kernel] = wrong
    worst, _, _ = corpus.ratio(kernel, inputs, launch)
    corpus.references[kernel] = right
    assert worst > 1


def test_lanes_do_not_touch_each_other():
    text = text_for("float32")
    for kernel in ALL:
        reference = Reference(text, kernel)
        inputs, launch = inputs_for(reference, kernel, lanes=5, seed=2), LAUNCHES.get(kernel, (16,))
        together = reference.run(inputs, launch)
        for lane in range(5):
            alone = reference.run({name: value[lane : lane + 1] for name, value in inputs.items()}, launch)
            assert alone.faults == together.faults[lane : lane + 1]
            for name, value in alone.outputs.items():
                assert value[0].tobytes() == together.outputs[name][lane].tobytes(), (kernel, name)
            for site, seen in alone.coverage.items():
                assert seen.true[0] == together.coverage[site].true[lane]
                assert seen.false[0] == together.coverage[site].false[lane]
