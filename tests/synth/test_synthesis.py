"""Keys give programs: the same everywhere, different from each other, and of the sizes asked for."""

from __future__ import annotations

import ast
import keyword
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict

import pytest

from irsmith.errors import UserError
from irsmith.frontends.warp.printer import print_program
from irsmith.kernel import Direction, Kernel
from irsmith.structure import describe
from irsmith.synth import ALIASES, CATEGORIES, Discard, Settings, Sizes, synthesise
from irsmith.types import Scalar, Struct

SAMPLE = 1500
NAMED = (
    "arithmetic", "scalar_param", "math", "vector", "matrix", "control_flow", "nested_branch", "multi_conditional",
    "loop", "nested_loop", "atomic", "reduction", "multi_statement", "combined",
)  # fmt: skip


def only(category: str, sizes: Sizes | None = None) -> Settings:
    return Settings(((category, 1.0),), sizes or Sizes())


def made(seed: int, index: int, settings: Settings | None = None) -> Kernel:
    return print_program(synthesise(seed, "warp", index, settings or Settings()))


@pytest.fixture(scope="module")
def sample() -> list[Kernel]:
    return [made(1, index) for index in range(SAMPLE)]


def test_a_key_gives_one_text_in_any_order_and_any_process() -> None:
    forward = [made(3, index).source for index in range(12)]
    backward = [made(3, index).source for index in reversed(range(12))]
    assert forward == backward[::-1]
    program = (
        "from irsmith.synth import *; from irsmith.frontends.warp.printer import print_program\n"
        "print(''.join(print_program(synthesise(3, 'warp', i, Settings())).source for i in range(12)))"
    )
    for hash_seed in ("0", "12345"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        )
        assert done.stdout == "".join(forward) + "\n"


def test_other_keys_give_other_texts() -> None:
    texts = {made(seed, index).source for seed in (0, 1) for index in range(20)}
    texts |= {print_program(synthesise(0, "jax", index, Settings())).source for index in range(20)}
    assert len(texts) == 60


def test_structures_are_distinct(sample: list[Kernel]) -> None:
    by_category = defaultdict(list)
    for kernel in sample:
        by_category[kernel.category].append(describe(kernel.source, kernel.name).structure_id)
    everything = [structure for structures in by_category.values() for structure in structures]
    assert len(set(everything)) >= 0.99 * len(everything)
    assert set(by_category) == set(CATEGORIES)
    for structures in by_category.values():
        assert len(set(structures)) >= 0.95 * len(structures)


def test_seeds_share_no_structures(sample: list[Kernel]) -> None:
    mine = {describe(kernel.source, kernel.name).structure_id for kernel in sample}
    other = [made(2, index) for index in range(300)]
    shared = sum(describe(kernel.source, kernel.name).structure_id in mine for kernel in other)
    assert shared <= 0.005 * len(other) + 1


def test_sizes_follow_the_dial() -> None:
    def lines(sizes: Sizes) -> list[int]:
        settings = Settings(sizes=sizes)
        kernels = [made(4, index, settings) for index in range(240)]
        return [describe(kernel.source, kernel.name).lines for kernel in kernels]

    small = lines(Sizes(shortest=4, median=8, longest=14, spread=0.4))
    large = lines(Sizes(shortest=30, median=60, longest=120, spread=0.4))
    assert statistics.median(small) <= 10
    assert max(small) < 30
    assert 40 < statistics.median(large) < 95


@pytest.mark.parametrize(
    "bad", [{"shortest": 2}, {"shortest": 30, "median": 20}, {"longest": 5}, {"spread": -1.0}, {"longest": 1000}]
)
def test_impossible_sizes_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(UserError, match="sizes"):
        Sizes(**bad)  # type: ignore[arg-type]


def test_nothing_is_discarded_at_default_settings() -> None:
    for index in range(150):
        try:
            made(5, index)
        except Discard as dead_end:
            pytest.fail(f"{index}: {dead_end}")


def test_every_earlier_name_has_a_category() -> None:
    # The names that earlier pipelines published, and what each is here.
    earlier = {
        "elementwise": "arithmetic", "scalar-array": "scalar_param", "unary": "math", "branch": "control_flow",
        "conditional": "control_flow", "nested conditionals": "nested_branch", "multi_cond": "multi_conditional",
        "nested": "nested_loop", "compound": "combined",
    }  # fmt: skip
    for name in NAMED:
        assert name in CATEGORIES
        assert name not in ALIASES
    for name, here in earlier.items():
        assert ALIASES[name] == here
    assert set(ALIASES.values()) <= set(CATEGORIES)


def test_sources_are_modules_with_good_names(sample: list[Kernel]) -> None:
    for kernel in sample:
        assert kernel.source.startswith(("import warp as wp\n\n", "from typing import Any\n\nimport warp as wp\n\n"))
        assert "\n\n\n\n" not in kernel.source
        assert not re.search(r"[ \t]$", kernel.source, re.MULTILINE)
        tree = ast.parse(kernel.source)
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        assert not any(keyword.iskeyword(name) or re.fullmatch(r"(var|tmp|x)_\d+", name) for name in names)
        defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        assert len(defined) == len(set(defined))
        assert defined[-1] == kernel.name
        assert kernel.description.endswith(".")


def test_literals_are_as_people_write_them(sample: list[Kernel]) -> None:
    for kernel in sample:
        for number in re.findall(r"(?<![\w.])\d+\.\d+(?:e-?\d+)?", kernel.source):
            assert len(number.replace(".", "").strip("0")) <= 5, (number, kernel.source)


def test_signatures_match_the_text(sample: list[Kernel]) -> None:
    for kernel in sample:
        function = next(
            n for n in ast.parse(kernel.source).body if isinstance(n, ast.FunctionDef) and n.name == kernel.name
        )
        arguments = kernel.signature.parameters
        assert [arg.arg for arg in function.args.args] == [argument.name for argument in arguments]
        assert kernel.signature.launch
        loaded = {ast.unparse(n) for n in ast.walk(function) if isinstance(n, ast.Name | ast.Attribute)}
        written = set()
        for node in ast.walk(function):
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AugAssign)
                else []
            )
            written |= {ast.unparse(t.value) for t in targets if isinstance(t, ast.Subscript)}
            if isinstance(node, ast.Call) and re.match(r"wp\.(atomic_|tile_store|tile_atomic)", ast.unparse(node.func)):
                written.add(ast.unparse(node.args[0]).split("[")[0])
        for argument in arguments:
            assert argument.name in loaded, (argument.name, kernel.source)
            assert len(argument.shape) == argument.rank
            assert (argument.name in written) == (argument.direction is not Direction.IN), (
                argument.name,
                kernel.source,
            )
            if argument.direction is Direction.OUT or isinstance(argument.type, Struct):
                assert argument.domain is None
            else:
                assert argument.domain is not None
                assert argument.domain.low <= argument.domain.high
                if isinstance(argument.type, Scalar) and argument.type.is_integer:
                    assert argument.domain.low == int(argument.domain.low)


def test_every_variable_is_read(sample: list[Kernel]) -> None:
    for kernel in sample:
        for function in ast.parse(kernel.source).body:
            if not isinstance(function, ast.FunctionDef):
                continue
            stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            read = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            coordinates = {
                n.id
                for statement in function.body[:2]
                if isinstance(statement, ast.Assign) and ast.unparse(statement.value) == "wp.tid()"
                for n in ast.walk(statement.targets[0])
                if isinstance(n, ast.Name)
            }
            counters = {
                n.target.id for n in ast.walk(function) if isinstance(n, ast.For) and isinstance(n.target, ast.Name)
            }
            # Of several results of one call, one that is read is enough.
            together = [
                {part.id for part in n.elts if isinstance(part, ast.Name)}
                for n in ast.walk(function)
                if isinstance(n, ast.Tuple) and isinstance(n.ctx, ast.Store)
            ]
            beside = {name for names in together if names & read for name in names}
            assert stored - read <= coordinates | counters | beside, (stored - read, kernel.source)


@pytest.mark.parametrize(
    ("category", "pattern"),
    [
        ("loop", r"\bfor |\bwhile "),
        ("nested_loop", r"(for .*\n(?: {8,}.*\n)*? {8,}for )|while "),
        ("nested_branch", r"\n {8,}(if|elif|else)|\belif "),
        ("multi_conditional", r"\belif "),
        ("control_flow", r"\bif |wp\.where\("),
        ("atomic", r"wp\.atomic_"),
        ("vector", r"vec[234]"),
        ("matrix", r"mat(22|33|44)"),
        ("stencil", r"[+-] [12]\b.*\]"),
        ("histogram", r"wp\.atomic_add"),
        ("helper_function", r"@wp\.func"),
        ("struct", r"@wp\.struct"),
        ("while_loop", r"\bwhile "),
        ("early_exit", r"\n {8,}return\n"),
        ("scan", r"\bfor |\bwhile "),
        ("arg_reduction", r"if \w+ [<>] \w+:\n +\w+ = \w+\n +\w+ = \w+\n"),
        ("strided_reduction", r"wp\.atomic_"),
        ("statistics", r"\bfor "),
        ("image_filter", r"wp\.(min|max|clamp)\("),
        ("pde_step", r"\[\w+ - 1"),
        ("multi_dimensional", r"\w+, \w+ = wp\.tid\(\)"),
        ("spring", r"wp\.length\("),
        ("sph", r"\bfor "),
        ("rigid_body", r"wp\.(cross|dot)\("),
        ("integrator", r"\bfor "),
        ("contact", r"if \w+ < 0\.0|if \w+ < wp"),
        ("point_field", r"\bfor "),
        ("state_update", r"@wp\.struct"),
        ("ray_cast", r"wp\.(normalize|dot|min)\("),
        ("shading", r"wp\.max\(wp\.dot\("),
        ("signed_distance", r"wp\.(length|sqrt|abs|sin)\("),
        ("noise", r"wp\.(sin|floor|frac)\("),
        ("csr_row", r"\bfor "),
        ("relaxation", r"wp\.atomic_"),
        ("atomic_loop", r"for .*\n(?: {8,}.*\n)*? {8,}wp\.atomic_"),
        ("exchange", r"wp\.atomic_(cas|exch)\("),
        ("matrix_product", r"\bfor "),
        ("matrix_vector", r"\bfor "),
        ("vector_update", r" = .* [*] "),
        ("dense_solve", r"for .*\n(?: {8,}.*\n)*? {8,}for "),
        ("activation", r" = "),
        ("loss", r" - |wp\.log\("),
        ("normalisation", r"for .*\n(?:.*\n)*? +for "),
        ("attention", r"\bfor "),
        ("optimiser", r" - "),
        ("monte_carlo", r"wp\.rand[fn]\("),
        ("random_walk", r"wp\.rand[fn]\("),
        ("random_sample", r"wp\.rand[fn]\("),
        ("generic", r": Any"),
        ("mesh_distance", r"wp\.mesh_query_(furthest_)?point"),
        ("mesh_ray", r"wp\.mesh_query_ray"),
        ("mesh_faces", r"wp\.mesh_get"),
        ("mesh_overlap", r"for \w+ in (wp\.mesh_query|\w+:)|while wp\.mesh_query_(aabb_)?next"),
        ("bvh_overlap", r"wp\.bvh_query_(.*\n)*? +while wp\.bvh_query_next\("),
        ("struct_arrays", r"class \w+:\n(    .*\n)*?    \w+: wp\.array"),
        ("indexed_array", r": wp\.indexedarray(2d)?\(dtype="),
        ("row_helper", r"def \w+\(\s*\w+: wp\.array(.*\n)*.* = \w+\(\s*\w+\[(\w+\]|:, |.*:.*\])"),
        ("struct_helper", r"@wp\.struct\nclass (\w+):\n(.*\n)*def \w+\(\s*\w+: \1[,)]"),
        ("backward_recursion", r"for \w+ in (reversed\(range\(.*\)\)|range\(.*, -1, -1\)):"),
        ("wide_vector", r"\nvec(5|7|8)\w* = wp\.types\.vector\(length=\d, dtype=.*\)\n"),
        ("oblong_matrix", r"\nmat\d\d\w* = wp\.types\.matrix\(shape=\(\d, \d\), dtype=.*\)\n(.*\n)*.* @ "),
        ("custom_gradient", r"@wp\.func_grad\((\w+)\)\n(.*\n)*? +wp\.adjoint\[\w+\] [+]= "),
    ],
)
def test_a_category_is_what_it_says(category: str, pattern: str) -> None:
    for index in range(15):
        source = made(6, index, only(category)).source
        assert re.search(pattern, source), source
