"""The texts are Warp's own, say nothing that the source does not say, and are the same whatever came before."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from contextlib import nullcontext

import pytest
import warp as wp
from warp._src import context

from irsmith.frontends.warp import compiler
from irsmith.frontends.warp.lower import lower
from irsmith.frontends.warp.stages import CPP, CUDA
from irsmith.outcome import Lowering, Reject
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe

STAGES = (CPP, CUDA)

SAXPY = """
@wp.kernel
def saxpy(a: float, x: wp.array(dtype=float), y: wp.array(dtype=float)):
    i = wp.tid()
    y[i] = a * x[i] + y[i]
"""
# Names that a substitution by pattern would break: Warp's temporaries, C++ words, a kernel's own suffixes.
AWKWARD = """
@wp.struct
class var:
    register: wp.vec3
    main: float


@wp.struct
class Outer:
    inner: var
    scale: float


@wp.func
def adj(x: float):
    return wp.sin(x)


@wp.func
def adj(x: wp.vec3):
    return wp.length(x)


@wp.func
def main(x: float, k: float):
    return adj(x) * k


@wp.func
def register(s: Outer):
    return main(adj(s.inner.register), s.scale)


@wp.kernel
def helper_0(p: wp.array(dtype=Outer), out: wp.array2d(dtype=float), n: int):
    i, j = wp.tid()
    if i >= n:
        return
    s = p[i]
    acc = float(0.0)
    for k in range(n):
        acc += register(s) + float(k + j)
    out[i, j] = acc if acc > 0.0 else -s.inner.main
"""
GRADIENT = """
@wp.func
def cube(x: float):
    return x * x * x


@wp.func_grad(cube)
def adj_cube(x: float, adj_ret: float):
    wp.adjoint[x] += 3.0 * x * x * adj_ret


@wp.func
def slope(x: float):
    return wp.grad(cube)(x)


@wp.func
def apply(f: wp.Function, x: float):
    return f(x)


@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float)):
    i = wp.tid()
    y[i] = cube(x[i])
"""
NO_BACKWARD = """
wp.set_module_options({"enable_backward": False})


@wp.kernel(enable_backward=False)
def k(x: wp.array(dtype=float)):
    i = wp.tid()
    if x[i] > 0.0:
        x[i] = 1.0
"""
TILE = """
@wp.kernel
def k(x: wp.array2d(dtype=float), y: wp.array(dtype=float)):
    i = wp.tid()
    t = wp.tile_load(x[i], shape=64)
    wp.tile_store(y, wp.tile_sum(t), offset=i)
"""
GRAD = """
@wp.func
def potential(a: float, b: float):
    return a * a * b


@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float), o: wp.array(dtype=float)):
    i = wp.tid()
    da, db = wp.grad(potential)(x[i], y[i])
    o[i] = da + db
"""
CORPUS = [
    (SAXPY, "saxpy"),
    (AWKWARD, "helper_0"),
    (GRADIENT, "k"),
    (NO_BACKWARD, "k"),
    (TILE, "k"),
    (GRAD, "k"),
]


def squeezed(text):
    return "\n".join(line for line in text.split("\n") if line.strip())


@pytest.mark.parametrize(("source", "name"), CORPUS)
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_parts_join_to_the_unit_that_warp_itself_writes(make, source, name, stage):
    kernel = make(source, name)
    texts = lower(kernel, STAGES).texts
    with compiler.declared(kernel.source) as module:
        found = compiler.kernel_of(module, name)
        names = compiler._Names()
        names.adjoint(found.adj)
        found.module.options["strip_hash"] = True
        cpu = stage is CPP
        options = found.module.resolve_options(wp.config)
        options |= {"block_dim": 1 if cpu else 256, "output_arch": None if cpu else compiler.CUDA_ARCHITECTURE}
        hasher = context.ModuleHasher([found], options)
        target = "cpu" if cpu else "cuda"
        expected = context.ModuleBuilder(found.module, options, hasher, target=target).codegen(target)
    assert squeezed(stage.unit(texts)) == squeezed(expected)


@pytest.mark.parametrize(("source", "name"), CORPUS)
def test_no_hash_path_or_counter(make, source, name):
    lowering = lower(make(source, name), STAGES)
    for column, text in lowering.texts.items():
        for line in (text or "").splitlines():
            code, _, comment = line.partition("//")
            assert not re.search(r"_(?=\w*\d)(?=\w*[a-f])[0-9a-f]{8,}\b", code), (column, line)
            assert not re.search(r"(^|[\s\"'])/\w+/", line), (column, line)
            assert "kernel.py:" not in comment or re.fullmatch(r" kernel\.py:\d{1,3}", comment), (column, line)
        assert "#line" not in (text or "")


def test_text_does_not_depend_on_what_was_lowered_before(make):
    kernels = [make(source, name) for source, name in CORPUS]
    first = [lower(kernel, STAGES) for kernel in kernels]
    for order in itertools.islice(itertools.permutations(range(len(kernels))), 0, 120, 17):
        for index in order:
            assert lower(kernels[index], STAGES) == first[index]


def test_text_is_the_same_in_a_fresh_process(make, tmp_path):
    kernel = make(AWKWARD, "helper_0")
    script = tmp_path / "fresh.py"
    script.write_text(
        "import sys\n"
        "from irsmith.frontends.warp import compiler\n"
        "from irsmith.frontends.warp.lower import lower\n"
        "from irsmith.frontends.warp.stages import CPP, CUDA\n"
        "from irsmith.kernel import Kernel, Signature\n"
        "compiler.require()\n"
        f"kernel = Kernel('helper_0', '', '', {kernel.source!r}, Signature(()))\n"
        "texts = lower(kernel, (CPP, CUDA)).texts\n"
        "sys.stdout.write(CPP.unit(texts) + CUDA.unit(texts))\n"
    )
    fresh = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    texts = lower(kernel, STAGES).texts
    assert fresh.stdout == CPP.unit(texts) + CUDA.unit(texts)


def test_helpers_and_structs_keep_their_names_with_a_number_that_counts_in_the_row(make):
    texts = lower(make(AWKWARD, "helper_0"), STAGES).texts
    assert "struct var_0_\n" in texts["cpp_structs"], "a struct called var must not become a temporary's name"
    assert "struct Outer_0\n" in texts["cpp_structs"]
    assert "wp::float32 main_0(" in texts["cpp_functions_forward"]
    assert "register_0(" in texts["cpp_functions_forward"]
    overloads = re.findall(r"\b(adj_\d_?)\(", texts["cpp_functions_forward"])
    assert {"adj_0_", "adj_1_"} <= set(overloads)


def test_specialised_callables_are_numbered(make):
    source = """
    @wp.func
    def square(x: float):
        return x * x


    @wp.func
    def twice(f: wp.Function, x: float):
        return f(f(x))


    @wp.kernel
    def k(x: wp.array(dtype=float)):
        i = wp.tid()
        x[i] = twice(square, x[i]) + twice(wp.sin, x[i])
    """
    lowering = lower(make(source), STAGES)
    if isinstance(lowering, Reject):
        pytest.fail(lowering.message)
    assert sorted(set(re.findall(r"twice_0_callable_\w+", lowering.texts["cpp_forward"]))) == [
        "twice_0_callable_0",
        "twice_0_callable_1",
    ]


def test_lines_count_from_the_first_line_of_the_source(make):
    kernel = make(AWKWARD, "helper_0")
    source = kernel.source.splitlines()
    lowering = lower(kernel, STAGES)
    columns = {span.column for span in lowering.lines}
    assert {f"{stage.name}_{part}" for stage in STAGES for part in ("forward", "backward")} <= columns
    for span in lowering.lines:
        lines = lowering.texts[span.column].splitlines()
        assert 1 <= span.first <= span.last <= len(lines)
        mark = f"<L {span.python_line}>"
        comments = [line for line in lines[span.first - 1 : span.last] if line.endswith(mark)]
        assert comments, span
        assert source[span.python_line - 1].strip() in comments[0]


def test_line_map_covers_every_statement_of_the_forward(make):
    lowering = lower(make(AWKWARD, "helper_0"), STAGES)
    for column in ("cpp_forward", "cuda_forward"):
        lines = lowering.texts[column].splitlines()
        mapped = {n for span in lowering.lines if span.column == column for n in range(span.first, span.last + 1)}
        begin = next(n for n, line in enumerate(lines, 1) if line.strip() == "// forward")
        for number, line in enumerate(lines[begin:], begin + 1):
            assert number in mapped or set(line.strip()) <= {"}"}, (column, number, line)


def test_a_null_backward_is_null(make):
    texts = lower(make(NO_BACKWARD), STAGES).texts
    assert texts["cpp_backward"] is None
    assert texts["cuda_backward"] is None
    assert texts["cpp_entry_backward"] is None
    assert texts["cpp_forward"]


def test_bfloat16_of_one_row_does_not_reach_another(make):
    wide = make(
        """
        @wp.kernel
        def k(x: wp.array(dtype=wp.bfloat16)):
            i = wp.tid()
            x[i] = x[i] + x[i]
        """
    )
    plain = make(SAXPY, "saxpy")
    before = lower(plain, STAGES)
    assert "WP_NO_BFLOAT16" not in lower(wide, STAGES).texts["cpp_header"]
    assert lower(plain, STAGES) == before
    assert "WP_NO_BFLOAT16" in before.texts["cpp_header"]


@pytest.mark.parametrize(
    ("body", "symptom"),
    [
        ("x[i] = undefined_name", "WarpCodegenKeyError"),
        ("x[i] = wp.sin(1)", "WarpCodegenError"),
        ("raise ValueError", None),
    ],
)
def test_what_does_not_lower_is_a_reject_with_its_message(make, body, symptom):
    kernel = make(f"@wp.kernel\ndef k(x: wp.array(dtype=float)):\n    i = wp.tid()\n    {body}\n")
    reject = lower(kernel, STAGES)
    assert isinstance(reject, Reject)
    assert reject.source == kernel.source
    assert reject.message
    if symptom:
        assert reject.symptom == symptom


def test_a_generic_kernel_without_an_instance_is_a_reject(make):
    kernel = make(
        """
        from typing import Any


        @wp.kernel
        def k(x: wp.array(dtype=Any)):
            i = wp.tid()
            x[i] = x[i] + x[i]
        """
    )
    assert lower(kernel, STAGES).symptom == "GenericWithoutInstance"


def test_an_overload_gives_a_generic_kernel_its_types(make):
    kernel = make(
        """
        from typing import Any


        @wp.kernel
        def k(x: wp.array(dtype=Any)):
            i = wp.tid()
            x[i] = x[i] + x[i]


        wp.overload(k, [wp.array(dtype=wp.float64)])
        """
    )
    assert "wp::array_t<wp::float64> var_x" in lower(kernel, STAGES).texts["cuda_forward"]


def test_memory_of_warp_stays_empty(make):
    for _ in range(3):
        assert isinstance(lower(make(AWKWARD, "helper_0"), STAGES), Lowering)
    assert compiler.MODULE_NAME not in context.user_modules
    assert compiler.MODULE_NAME not in sys.modules


def test_another_version_of_warp_is_an_error_that_names_both(monkeypatch):
    monkeypatch.setattr(compiler.importlib.metadata, "version", lambda _: "1.10.1")
    with pytest.raises(compiler.UserError, match=r"1\.19\.0.*1\.10\.1"):
        compiler.require()


def test_no_warp_is_an_error_that_names_the_extra(monkeypatch):
    def missing(_):
        raise compiler.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(compiler.importlib.metadata, "version", missing)
    with pytest.raises(compiler.UserError, match=r"irsmith\[warp\]"):
        compiler.require()


def test_what_is_remembered_between_kernels_changes_no_text(monkeypatch):
    kernels = [Pipeline(Recipe(seed=5)).drawing.kernel(index) for index in range(40)]
    quick = [lower(kernel, STAGES) for kernel in kernels]
    monkeypatch.setattr(compiler, "_overloads_found_once", nullcontext)
    monkeypatch.setattr(compiler, "_types_looked_up_fast", nullcontext)
    monkeypatch.setattr(compiler, "_types_spelled_once", nullcontext)
    monkeypatch.setattr(compiler, "_no_other_modules", nullcontext)
    assert [lower(kernel, STAGES) for kernel in kernels] == quick


def test_builtins_that_are_written_in_python_leave_no_file_and_no_lines(make):
    # Warp compiles these from its own package, whose place and lines are no part of the source.
    lowering = lower(
        make(
            """
            @wp.kernel
            def k(q: wp.array(dtype=wp.quat), o: wp.array(dtype=wp.vec3)):
                o[0] = wp.smooth_normalize(wp.quat_to_rpy(q[0]), 1.0)
            """
        ),
        (CPP, CUDA),
    )
    for stage in ("cpp", "cuda"):
        text = lowering.texts[f"{stage}_functions_forward"] + lowering.texts[f"{stage}_functions_backward"]
        assert "quat_to_rpy" in text
        assert "// warp/_src/math.py:1\n" in text
        assert "<L " not in text
        assert "site-packages" not in text
    assert {span.python_line for span in lowering.lines} <= {4, 5, 6}
    assert not [span for span in lowering.lines if "functions" in span.column]


def test_lines_of_an_instance_of_a_generic_function_are_those_of_the_source(make):
    kernel = make(
        """
        from typing import Any


        @wp.func
        def twice(x: Any):
            y = x + x
            return y


        @wp.kernel
        def k(a: wp.array(dtype=float), v: wp.array(dtype=wp.vec3)):
            a[0] = twice(a[0])
            v[0] = twice(v[0])
        """
    )
    lowering = lower(kernel, (CPP,))
    source = kernel.source.splitlines()
    spans = [span for span in lowering.lines if span.column.startswith("cpp_functions")]
    assert {"    y = x + x", "    return y"} <= {source[span.python_line - 1] for span in spans}
    assert f"// kernel.py:{source.index('@wp.func') + 1}\n" in lowering.texts["cpp_functions_forward"]
    for span in spans:
        lines = lowering.texts[span.column].splitlines()[span.first - 1 : span.last]
        assert any(source[span.python_line - 1].strip() in line for line in lines), span


MAPPED = """
@wp.func
def cube(x: float):
    return x * x * x


@wp.kernel
def k(x: wp.array2d(dtype=float), y: wp.array2d(dtype=float)):
    i = wp.tid()
    t = wp.tile_load(x, (1, 16), (i, 0))
    wp.tile_store(y, wp.tile_map(cube, t), (i, 0))
"""


def test_a_function_that_is_handed_over_is_named_whatever_was_lowered_before(make):
    first, second, third = (lower(make(MAPPED, "k"), STAGES).texts for _ in range(3))
    assert first == second == third
    assert "cube_0(" in first["cpp_functions_forward"]
    assert "cube_1" not in "".join(text for text in first.values() if isinstance(text, str))


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_a_forward_that_calls_an_adjoint_holds_it(make, stage):
    texts = lower(make(GRAD, "k"), STAGES).texts
    forward = "".join(
        texts[f"{stage.name}_{part.name}"] or "" for part in stage.parts if not part.backward and not part.scaffold
    )
    assert "adj_potential_0(" in forward.partition("k_cpu_kernel_forward(")[0].partition("k_cuda_kernel_forward(")[0]
    assert not texts[f"{stage.name}_functions_backward"]


def test_what_a_source_imports_is_there_for_the_next_one(make, tmp_path, monkeypatch):
    """A module is imported once a process, and Warp's side of it has to live as long."""
    (tmp_path / "curves_of_ours.py").write_text(
        "import warp as wp\n\n\n@wp.func\ndef bent(x: float):\n    return x * wp.sin(x)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    source = """
import curves_of_ours


@wp.kernel(module="unique")
def k(x: wp.array(dtype=float)):
    i = wp.tid()
    x[i] = curves_of_ours.bent(x[i])
"""
    first, second = (lower(make(source, "k"), STAGES) for _ in range(2))
    assert isinstance(first, Lowering)
    assert "bent" in first.texts["cpp_functions_forward"]
    assert second == first
    sys.modules.pop("curves_of_ours")
    context.user_modules.pop("curves_of_ours")


def test_the_order_of_names_in_a_set_leaves_no_trace():
    """Warp copies the counters that a loop changes, and keeps their names in a set."""
    body = "\n".join(f"    for {name} in range(2):\n        s += x[{name}]" for name in "abcdef")
    changed = "\n".join(f"        {name} = {name} + k\n        s += x[{name}]" for name in "abcdef")
    source = (
        "import warp as wp\n\n\n@wp.kernel\ndef k(x: wp.array(dtype=float), n: int, out: wp.array(dtype=float)):\n"
        f"    s = float(0.0)\n{body}\n    for k in range(n):\n{changed}\n    out[0] = s\n"
    )
    program = (
        "import sys\nfrom irsmith.frontends.warp.lower import lower\nfrom irsmith.frontends.warp.stages import CPP\n"
        "from irsmith.kernel import Kernel, Signature\n"
        "made = lower(Kernel('k', 'user', '', sys.stdin.read(), Signature(())), [CPP])\n"
        "sys.stdout.write(made.texts['cpp_forward'])\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program],
            input=source,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(texts) == 1
    assert "wp::copy" in texts.pop()
