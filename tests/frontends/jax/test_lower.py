"""The texts are JAX's own, say nothing that the source does not say, and are the same whatever came before."""

from __future__ import annotations

import ctypes
import itertools
import json
import os
import pickle
import re
import subprocess
import sys

import pytest

from irsmith.drawing import Drawing
from irsmith.frontends.jax import compiler
from irsmith.frontends.jax.located import of_assembly, of_hlo, of_jaxpr
from irsmith.frontends.jax.lower import lower
from irsmith.frontends.jax.options import BUILT_IN, OWN
from irsmith.frontends.jax.stages import EXPORTS, HLO, HLO_OPTIMIZED, JAXPR, STABLEHLO
from irsmith.kernel import Kernel
from irsmith.outcome import Lowering, Reject
from irsmith.recipe import Recipe

STAGES = (JAXPR, STABLEHLO, HLO, HLO_OPTIMIZED)
EVERY = (*STAGES, *EXPORTS.values())

LEAKS = r"loc\(|metadata=|source_line|stack_frame|FileNames|\.py\b|0x[0-9a-f]{6}"

LAYER = """
import jax
import jax.numpy as jnp


def layer(x, w, b):
    h = jnp.where(x @ w + b > 0, x @ w + b, 0.1 * (x @ w + b))
    return jax.nn.softmax(h, axis=-1), jnp.where(h > 1.0, 1.0, h).sum()
"""
LOOP = """
import jax.numpy as jnp
from jax import lax


def loop(x):
    def body(i, acc):
        return acc * 0.9 + jnp.where(x[i] > 0.5, x[i], 0.0)

    return lax.fori_loop(0, x.shape[0], body, jnp.zeros(8))
"""
WIDE = """
import jax
import jax.numpy as jnp

jax.config.update("jax_enable_x64", True)


@jax.jit
def wide(x, n):
    return jnp.sin(x) * n + jnp.arange(4)
"""
UNTIL = """
import jax.numpy as jnp
from jax import lax


def until(x):
    return lax.while_loop(lambda v: jnp.max(v) > 0.1, lambda v: v * 0.5, x)
"""
BIG = """
import jax.numpy as jnp


def big(x):
    return jnp.exp(jnp.sin(x)) * 2.0 + jnp.cos(x), jnp.sum(jnp.sin(x), axis=0)
"""


PART = """
def part(x):
    return x.at[0].multiply(x[1])
"""
PART_FURTHER_DOWN = """
import jax.numpy as jnp


def further_down(x):
    y = jnp.sin(x)
    return y.at[0].multiply(y[1])
"""


@pytest.fixture
def corpus(make):
    f = "float32"
    return [
        make(LAYER, "layer", [("x", f, (3, 4)), ("w", f, (4, 8)), ("b", f, (8,))], [(f, (3, 8)), (f, ())]),
        make(LOOP, "loop", [("x", f, (5, 8))], [(f, (8,))]),
        make(WIDE, "wide", [("x", "float64", (4,)), ("n", "int32", ())], [("float64", (4,))]),
        make(UNTIL, "until", [("x", f, (6,))], [(f, (6,))]),
        make(PART, "part", [("x", f, (6, 2))], [(f, (6, 2))]),
        make(PART_FURTHER_DOWN, "further_down", [("x", f, (6, 2))], [(f, (6, 2))]),
    ]


def test_every_stage_has_both_directions(corpus):
    for kernel in corpus:
        lowering = lower(kernel, STAGES)
        assert isinstance(lowering, Lowering), lowering
        for stage in STAGES:
            assert lowering.texts[f"{stage.name}_forward"]
            # A loop of unknown length has no reverse.
            assert (lowering.texts[f"{stage.name}_backward"] is None) == (kernel.name == "until")


def test_no_path_location_or_metadata(corpus):
    for kernel in corpus:
        for column, text in lower(kernel, EVERY).texts.items():
            if text is None:
                continue
            assert not re.search(LEAKS, text), column
            assert "/" not in re.sub(r"/\*index=\d+\*/", "", text), column


def test_text_does_not_depend_on_what_was_lowered_before(corpus):
    first = [lower(kernel, EVERY) for kernel in corpus]
    for order in ((3, 1, 5, 0, 2, 4), (2, 0, 4, 1, 5, 3)):
        for index in order:
            assert lower(corpus[index], EVERY) == first[index]


def test_what_jax_remembers_would_reach_a_later_lowering(corpus, monkeypatch):
    first = lower(corpus[-1], EVERY)
    lower(corpus[-2], EVERY)
    with monkeypatch.context() as patch:
        patch.setattr(compiler.start(), "clear_caches", lambda: None)
        lower(corpus[-2], EVERY)
        assert lower(corpus[-1], EVERY) != first
    assert lower(corpus[-1], EVERY) == first


@pytest.mark.parametrize("cores", [{0}, set(range(os.cpu_count() or 1))], ids=["one core", "all cores"])
def test_text_is_the_same_in_a_fresh_process_on_any_number_of_cores(make, tmp_path, cores):
    kernel = make(BIG, "big", [("x", "float32", (256, 512))], [("float32", (256, 512)), ("float32", (512,))])
    script = tmp_path / "fresh.py"
    script.write_text(
        f"import json, os, sys\nos.sched_setaffinity(0, {cores!r})\n"
        "from irsmith.frontends.jax.lower import lower\n"
        "from irsmith.frontends.jax.stages import STAGES\n"
        "import pickle\nkernel = pickle.load(open(sys.argv[1], 'rb'))\n"
        "json.dump(dict(lower(kernel, STAGES).texts), sys.stdout)\n"
    )
    pickled = tmp_path / "kernel"
    pickled.write_bytes(pickle.dumps(kernel))
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    fresh = subprocess.run(
        [sys.executable, script, pickled], capture_output=True, text=True, check=True, env=environment
    )
    texts = lower(kernel, EVERY).texts
    assert json.loads(fresh.stdout) == texts
    assert 'outer_dimension_partitions":["' not in texts["hlo_optimized_forward"]


def test_settings_of_a_source_do_not_reach_the_next(corpus):
    before = lower(corpus[1], (JAXPR,))
    assert "f64[4]" in lower(corpus[2], (JAXPR,)).texts["jaxpr_forward"]
    assert lower(corpus[1], (JAXPR,)) == before


def test_other_platforms_without_such_a_device(make):
    kernel = make(BIG, "big", [("x", "float32", (4, 8))], [("float32", (4, 8)), ("float32", (8,))])
    texts = lower(kernel, tuple(EXPORTS.values())).texts
    for platform in EXPORTS:
        assert "stablehlo.sine" in texts[f"stablehlo_{platform}_forward"]
        assert "loc(" not in texts[f"stablehlo_{platform}_backward"]


def test_what_a_source_raises_is_a_reject(make):
    broken = make("def f(x):\n    raise RuntimeError('no')\n", "f", [("x", "float32", (2,))], [("float32", (2,))])
    outcome = lower(broken, STAGES)
    assert isinstance(outcome, Reject)
    assert (outcome.symptom, outcome.message) == ("RuntimeError", "no")
    wrong = make("def f(x):\n    return x[:1]\n", "f", [("x", "float32", (2,))], [("float32", (2,))])
    assert lower(wrong, STAGES).symptom == "WrongSignatureError"


def test_another_version_of_jax_is_refused(monkeypatch):
    monkeypatch.setattr(compiler, "TESTED_VERSION", "9.9.9")
    with pytest.raises(Exception, match=r"tested with jax 9\.9\.9, but .* is installed: pip install jax==9\.9\.9"):
        compiler.require()


def test_synthesised_functions_lower():
    drawing = Drawing(Recipe(frontend="jax", stages=("jaxpr", "stablehlo"), verify="none"))
    for index in range(12):
        kernel = drawing.kernel(index)
        assert isinstance(kernel, Kernel)
        assert isinstance(lower(kernel, (JAXPR, STABLEHLO)), Lowering)


PLACES = """
import jax
import jax.numpy as jnp


def helper(x):
    y = jnp.sin(x)
    return y * 2.0


def places(x):
    h = helper(x)

    def step(carry, row):
        carry = carry + jnp.tanh(row)
        return carry, jnp.sort(carry)

    total, ys = jax.lax.scan(step, jnp.zeros(4), h)
    return (
        jnp.exp(total)
        + ys
    )
"""
SINE, TANH, SCAN, EXP = 7, 15, 18, 20


def linked(lowering, column):
    """Line of text to line of Python, of one column."""
    return {
        number: span.python_line
        for span in lowering.lines
        if span.column == column
        for number in range(span.first, span.last + 1)
    }


def test_lines_came_from_the_lines_of_python_that_they_compute(make):
    kernel = make(PLACES, "places", [("x", "float32", (3, 4))], [("float32", (3, 4))])
    stages = (*STAGES, *EXPORTS.values())
    lowering = lower(kernel, stages)
    spelled = {
        JAXPR: ("= sin ", "= tanh ", "= scan[", "= exp "),
        HLO: (" sine(", " tanh(", " while(", " exponential("),
        HLO_OPTIMIZED: (" sine(", " tanh(", " while(", " exponential("),
    }
    mlir = (".sine ", ".tanh ", ".while(", ".exponential ")
    for stage in stages:
        for direction in ("forward", "backward"):
            column = f"{stage.name}_{direction}"
            lines = lowering.texts[column].split("\n")
            found = linked(lowering, column)
            for words, line in zip(spelled.get(stage, mlir), (SINE, TANH, SCAN, EXP), strict=True):
                places = [number for number, text in enumerate(lines, 1) if words in text]
                # The backward needs no sine, and XLA leaves it out where it sees that.
                assert places or (direction == "backward" and line == SINE), (column, words)
                assert {found.get(number) for number in places} <= {line}, (column, words)
    # A jaxpr says it of all lines of an equation, and MLIR of an operation's first line and those between its regions.
    jaxpr, assembly = (lowering.texts[f"{name}_forward"].split("\n") for name in ("jaxpr", "stablehlo"))
    assert linked(lowering, "jaxpr_forward")[jaxpr.index("      length=3") + 1] == SCAN
    for words in ("    cond {", "    } do {"):
        assert linked(lowering, "stablehlo_forward")[assembly.index(words) + 1] == SCAN


LIBRARY = """
import jax
import jax.numpy as jnp


def library(x):
    low = jnp.sort(jax.nn.softplus(x))
    y = jnp.cos(low)
    return jax.nn.softplus(y)
"""
LIBRARY_CALL, OTHER_CALL = 7, 9


def test_what_the_library_computes_came_from_its_first_call(make):
    kernel = make(LIBRARY, "library", [("x", "float32", (8, 8))], [("float32", (8, 8))])
    lowering = lower(kernel, STAGES)
    for stage in STAGES:
        found = linked(lowering, f"{stage.name}_forward")
        lines = enumerate(lowering.texts[f"{stage.name}_forward"].split("\n"), 1)
        inside = {
            number
            for number, text in lines
            if re.search(r" log1p |= sort\[|log-plus-one\(|\.log_plus_one|sort\(%|\.sort", text)
        }
        # XLA writes a function once for each call.
        allowed = {LIBRARY_CALL, OTHER_CALL} if stage is HLO_OPTIMIZED else {LIBRARY_CALL}
        assert inside
        assert {found.get(number) for number in inside} <= allowed, stage.name


def test_a_line_map_is_in_order_and_within_its_texts(corpus):
    for kernel in corpus:
        lowering = lower(kernel, STAGES)
        assert {span.column for span in lowering.lines} == {name for name, text in lowering.texts.items() if text}
        for column, text in lowering.texts.items():
            spans = [span for span in lowering.lines if span.column == column]
            assert all(before.last < after.first for before, after in itertools.pairwise(spans))
            assert not spans or spans[-1].last <= text.count("\n")
            body = range(1, kernel.source.count("\n") + 2)
            assert all(span.python_line in body and span.first <= span.last for span in spans)


NUMBERS = """import jax.numpy as jnp


def numbers(x, w):
    y = jnp.tanh(x * 0.3) + 2.5
    return jnp.maximum(y @ w, 0.3)
"""


def test_parameters_and_constants_have_the_line_of_a_call_and_else_none(make):
    kernel = make(NUMBERS, "numbers", [("x", "float32", (3, 4)), ("w", "float32", (4, 5))], [("float32", (3, 5))])
    lowering = lower(kernel, [HLO, HLO_OPTIMIZED])
    for column, called in {"hlo_forward": set(), "hlo_optimized_forward": {5, 6}}.items():
        mapped = {n: s.python_line for s in lowering.lines if s.column == column for n in range(s.first, s.last + 1)}
        head, _, entry = lowering.texts[column].partition("ENTRY")
        found = [number for number, line in enumerate(lowering.texts[column].splitlines(), 1)
                 if re.search(r" (parameter|constant)\(", line)]  # fmt: skip
        first = head.count("\n") + 1
        assert {mapped.get(number) for number in found if number < first} == called
        assert {mapped.get(number) for number in found if number > first} == {None}, entry


def test_a_print_with_other_lines_is_an_error():
    with pytest.raises(ValueError, match="shorter"):
        of_assembly("a\nb\n", "a\n", "kernel.py")
    with pytest.raises(ValueError, match="more lines"):
        of_hlo("ENTRY a {\n", "ENTRY a {\nb\n", "kernel.py")
    with pytest.raises(ValueError, match="fewer lines"):
        of_jaxpr("{ lambda", [(0, None), (0, None)])
    with pytest.raises(ValueError, match="more lines"):
        of_jaxpr("a\nb\nc", [(3, None)])


RANDOM = """
import jax


def random(x):
    noise = jax.random.gumbel(jax.random.PRNGKey(3), x.shape)
    return jax.nn.softmax(x + noise) @ x
"""
SETTINGS = {
    "jax_high_dynamic_range_gumbel": True,
    "jax_use_simplified_jaxpr_constants": True,
    "jax_include_full_tracebacks_in_locations": False,
    "jax_legacy_prng_key": "error",
    "jax_no_tracing": True,
    "jax_random_seed_offset": 7,
    "jax_softmax_custom_jvp": True,
    "jax_traceback_in_locations_limit": 0,
}


@pytest.fixture
def random(make):
    return make(RANDOM, "random", [("x", "float32", (8,))], [("float32", ())])


def test_what_a_source_sets_does_not_reach_the_next_one(random, make):
    first = lower(random, EVERY)
    assert isinstance(first, Lowering)
    for line in [
        *(f"jax.config.update({name!r}, {value!r})" for name, value in SETTINGS.items()),
        "jax.enable_x64(True).__enter__()",
        "jax.default_matmul_precision('highest').__enter__()",
        "jax.set_mesh(jax.make_mesh((1,), ('a',))).__enter__()",
    ]:
        source = f"import jax\n\n{line}\n\n\ndef other(x):\n    return x * 2.0\n"
        lower(make(source, "other", [("x", "float32", (4,))], []), [JAXPR])
        assert lower(random, EVERY) == first, line


def test_text_does_not_depend_on_jax_options_in_the_environment(random, tmp_path):
    script = tmp_path / "fresh.py"
    script.write_text(
        "import json, pickle, sys\nfrom irsmith.frontends.jax.lower import lower\n"
        "from irsmith.frontends.jax.stages import STAGES\n"
        "found = lower(pickle.load(open(sys.argv[1], 'rb')), STAGES)\n"
        "json.dump([dict(found.texts), found.lines], sys.stdout)\n"
    )
    (tmp_path / "kernel").write_bytes(pickle.dumps(random))
    said = {name.upper(): str(int(value) if isinstance(value, bool) else value) for name, value in SETTINGS.items()}
    shown = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "kernel")],
        capture_output=True, text=True, check=True, env={**os.environ, **said, "JAX_NUM_CPU_DEVICES": "3"},
    )  # fmt: skip
    here = lower(random, EVERY)
    assert json.loads(shown.stdout) == [dict(here.texts), [list(span) for span in here.lines]]


OTHERS = (
    r"cache|log_|logging|dump|_verbose_|explain|captured_constants|source_url|send_traceback|garbage|leaked_clients|"
    r"unsafe_xla|pgle_|thread_guard|default_native_serialization|"
    r"cross_host|distributed|topology|_visible_devices|preemption|recoverability|share_binary|collectives|check_proxy|"
    r"mock_|sort_devices"
)
"""Options of caches and logs, and of several machines or devices."""


def test_every_option_that_can_change_a_text_is_what_jax_has_built_in():
    script = (
        "import enum, jax, json\n"
        "print(json.dumps({n: v.value if isinstance(v, enum.Enum) else v for n, v in jax.config.values.items()}))"
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=clean)
    found = json.loads(shown.stdout) | {"jax_explicit_x64_dtypes": "warn"}  # Its enumeration is of numbers.
    left = {name: value for name, value in found.items() if name not in OWN and not re.search(OTHERS, name)}
    assert left == BUILT_IN


HOLES = """
import numpy as np
from pathlib import Path
from irsmith.frontends.jax import compiler


def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


compiler.start()
blocks = [np.ones(12_000) for _ in range(3000)]
kept = blocks[::50]
del blocks
before = resident()
for _ in range(compiler.RELEASED):
    with compiler.declared("x = 1"):
        pass
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another allocator")
def test_what_was_freed_goes_back_to_the_system():
    """Else a process grows with every size that a program asks for: what lies between is too small for the next."""
    shown = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True)
    assert float(shown.stdout) > 200
