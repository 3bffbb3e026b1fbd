"""Kernels are taken out of whatever they live in, and what comes out is lowered to the same texts."""

import re
import sys
import textwrap

import pytest

pytest.importorskip("warp")

from irsmith.frontends.warp import compiler
from irsmith.frontends.warp.extract import CannotStandAloneError, source_of

WORD = re.compile(r"//[^\n]*|[A-Za-z_]\w*|\d[\w.+-]*|\S")


def said(texts):
    """A text's words without comments, names numbered in the order in which they come."""
    names = {}
    words = [word for part in sorted(texts) for word in WORD.findall(texts[part]) if not word.startswith("//")]
    return [names.setdefault(word, len(names)) if word[0].isalpha() or word[0] == "_" else word for word in words]


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes modules of a package that a test imports from, and forgets them afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(**texts):
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return __import__(list(texts)[-1])

    compiler.start()
    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def taken_out(kernel):
    """The source of a kernel, which says the same as the kernel itself."""
    source = source_of(kernel)
    with compiler.declared(source) as module:
        [again] = compiler.instances_of(compiler.kernel_of(module, kernel.func.__name__))
        found = compiler.emit(again)
    wanted = compiler.emit(kernel)
    for device, parts in wanted.items():
        assert said(found[device]) == said(parts), source
    return source


def test_what_other_modules_hold_comes_along(written):
    module = written(
        taken_shapes="""
            from enum import IntEnum

            import warp as wp

            GAP = wp.constant(0.25)
            vec5 = wp.types.vector(length=5, dtype=wp.float32)


            class Kind(IntEnum):
                BALL = 3
                BOX = 4


            @wp.struct
            class Shape:
                kind: int
                centre: wp.vec3
                marks: wp.array(dtype=vec5)


            @wp.func
            def reach(shape: Shape):
                return wp.length(shape.centre) + GAP
        """,
        taken_user="""
            import math

            import taken_shapes
            import warp
            from taken_shapes import Kind, Shape

            GAP = warp.constant(9.0)


            @warp.kernel
            def measure(shapes: warp.array(dtype=Shape), out: "warp.array(dtype=float)"):
                i = warp.tid()
                if shapes[i].kind == int(Kind.BOX):
                    out[i] = taken_shapes.reach(shapes[i]) * GAP + math.pi + taken_shapes.GAP
        """,
    )
    source = taken_out(module.measure)
    assert "BALL" not in source
    assert "Kind.BOX" in source
    assert "GAP_2 = 0.25" in source or "GAP_2 = 9.0" in source


def test_a_closure_takes_its_values_with_it(written):
    module = written(
        taken_closure="""
            import warp as wp


            def make(count, weights, operation):
                @wp.kernel
                def apply(x: wp.array(dtype=float), y: wp.array(dtype=float)):
                    i = wp.tid()
                    total = float(0.0)
                    for k in range(wp.static(count)):
                        total += x[i] * wp.static(weights[k])
                    y[i] = operation(total) * wp.static(sum(weights))

                return apply


            @wp.func
            def square(x: float):
                return x * x


            @wp.func
            def twice(x: float):
                return x + x


            first = make(2, (0.5, 1.5), square)
            second = make(3, (1.0, 2.0, 4.0), twice)
        """
    )
    assert "def square" in taken_out(module.first)
    source = taken_out(module.second)
    assert "def twice" in source
    assert "weights = (1.0, 2.0, 4.0)" in source


def test_overloads_custom_gradients_and_native_functions(written):
    module = written(
        taken_functions="""
            import warp as wp


            @wp.func
            def size(x: float):
                return wp.abs(x)


            @wp.func
            def size(x: wp.vec3):
                return wp.length(x)


            @wp.func
            def cube(x: float):
                return x * x * x


            @wp.func_grad(cube)
            def adj_cube(x: float, adj_ret: float):
                wp.adjoint[x] += 3.0 * x * x * adj_ret


            @wp.func_native("return x + 1.0f;", adj_snippet="adj_x += adj_ret;")
            def bump(x: float) -> float: ...


            @wp.kernel
            def k(x: wp.array(dtype=float), v: wp.array(dtype=wp.vec3), y: wp.array(dtype=float)):
                i = wp.tid()
                y[i] = cube(size(x[i])) + size(v[i]) + bump(x[i])
        """
    )
    source = taken_out(module.k)
    assert source.count("def size(") == 2
    assert "@wp.func_grad(cube)" in source


def test_operators_that_helpers_stand_for_tiles_and_statics_of_parameters(written):
    module = written(
        taken_operators="""
            import warp as wp


            @wp.struct
            class Complex:
                re: float
                im: float


            @wp.func
            def add(a: Complex, b: Complex) -> Complex:
                return Complex(a.re + b.re, a.im + b.im)


            @wp.func
            def total(values: tuple[int, ...]):
                out = wp.int32(0)
                for i in range(wp.static(len(values))):
                    out += values[i]
                return out


            @wp.kernel
            def k(out: wp.array(dtype=float)):
                s = Complex(1.0, 2.0) + Complex(3.0, 4.0)
                one = (1,)
                two = (2, 3)
                out[0] = s.re + float(total(one) + total(two))


            def doubled(side):
                @wp.func
                def twice(t: wp.tile[float, side, side]):
                    return t + t

                @wp.kernel
                def k(out: wp.array2d(dtype=float)):
                    wp.tile_store(out, twice(wp.tile_zeros(shape=(side, side), dtype=float)))

                return k
        """
    )
    source = taken_out(module.k)
    assert "def add(" in source
    assert "wp.static(len(values))" in source
    # What an earlier build made of it is one call's.
    assert taken_out(module.k) == source
    assert "wp.tile[wp.float32, 4, 4]" in taken_out(module.doubled(4))


def test_a_module_built_for_a_debugger_has_texts_as_others_have(written):
    module = written(
        taken_debugged="""
            import warp as wp

            wp.set_module_options({"mode": "debug"})


            @wp.kernel
            def k(out: wp.array(dtype=int)):
                out[0] = wp.tid()
        """
    )
    taken_out(module.k)
    assert not any("#line" in text for parts in compiler.emit(module.k).values() for text in parts.values())


def test_each_instance_of_a_generic_kernel(written):
    module = written(
        taken_generic="""
            from typing import Any

            import warp as wp


            @wp.kernel
            def scale(x: wp.array(dtype=Any), s: Any):
                i = wp.tid()
                x[i] = x[i] * s


            wp.overload(scale, [wp.array(dtype=wp.float32), wp.float32])
            wp.overload(scale, [wp.array(dtype=wp.vec3d), wp.float64])
        """
    )
    instances = compiler.instances_of(module.scale)
    assert len(instances) == 2
    assert ["wp.float64" in taken_out(instance) for instance in instances] == [False, True]


def test_options_of_kernel_and_module(written):
    module = written(
        taken_options="""
            import warp as wp

            wp.set_module_options({"max_unroll": 4})


            @wp.kernel(enable_backward=False)
            def k(x: wp.array(dtype=float)):
                for j in range(8):
                    x[j] = 1.0
        """
    )
    source = taken_out(module.k)
    assert "@wp.kernel(enable_backward=False)" in source
    assert "'max_unroll': 4" in source


@pytest.mark.parametrize(
    ("body", "named"),
    [("x[0] = float(nowhere)", "nowhere"), ("x[0] = float(handle)", "handle")],
)
def test_what_no_text_can_give_is_named(written, body, named):
    module = written(
        taken_away=f"""
            import warp as wp

            handle = object()


            @wp.kernel
            def k(x: wp.array(dtype=float)):
                {body}
        """
    )
    with pytest.raises(CannotStandAloneError, match=named):
        source_of(module.k)
