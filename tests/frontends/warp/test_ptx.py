"""The PTX says what the row says, is complete, assembles, and is the same whatever else was compiled."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from importlib import resources

import pytest

import irsmith
from irsmith import Recipe
from irsmith.frontends.warp import ptx
from irsmith.frontends.warp.lower import lower
from irsmith.frontends.warp.runner import Backward, Job, Runner
from irsmith.frontends.warp.stages import CUDA, PTX
from irsmith.kernel import Signature
from irsmith.outcome import Reject

STAGES = (CUDA, PTX)

SAXPY = """
@wp.kernel
def k(a: float, x: wp.array(dtype=float), y: wp.array(dtype=float)):
    i = wp.tid()
    y[i] = a * x[i] + y[i]
"""
# Refers to tables, and calls functions that are not inlined.
DOUBLE = """
@wp.kernel
def k(x: wp.array(dtype=wp.float64), y: wp.array(dtype=wp.float64)):
    i = wp.tid()
    y[i] = wp.pow(x[i], wp.float64(1.7)) + wp.sin(x[i])
"""
# Only its adjoint needs the function that reduces an angle.
ADJOINT = """
@wp.func
def twice(x: wp.float64):
    return x + x


@wp.func_grad(twice)
def adj_twice(x: wp.float64, adj_ret: wp.float64):
    wp.adjoint[x] += wp.sin(x) * adj_ret


@wp.kernel
def k(x: wp.array(dtype=wp.float64), y: wp.array(dtype=wp.float64)):
    i = wp.tid()
    y[i] = twice(x[i])
"""
PRINTING = """
@wp.kernel
def k(x: wp.array(dtype=float), y: wp.array(dtype=float)):
    i = wp.tid()
    printf("one %d", i)
    for j in range(i):
        if x[j] > 0.0:
            printf("two %d", j)
            y[i] += wp.sqrt(x[j])
"""
NO_BACKWARD = """
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
CORPUS = {
    "saxpy": SAXPY,
    "double": DOUBLE,
    "adjoint": ADJOINT,
    "printing": PRINTING,
    "no_backward": NO_BACKWARD,
    "tile": TILE,
}

_DATA = re.compile(r"^\.(?:global|const|shared)[^=;{]*?([\w$]+)(?:\[\d*\])*\s*[=;]", re.MULTILINE)
_FUNCTION = re.compile(r"^((?:\.\w+\s+)*\.(?:func|entry)[^{;]*)(?:;|\{\n(.*?)^\})", re.MULTILINE | re.DOTALL)
_LABEL = re.compile(r"^\s*([\w$]+):", re.MULTILINE)
_DECLARED = re.compile(r"([%\w$]+)(?:<(\d+)>)?(?:\[\d+\])?\s*(?=,|$)")
_SPECIAL = r"%(tid|ntid|ctaid|nctaid|laneid|warpid|lanemask_\w+|clock\w*)"
_USED = re.compile(rf"(?<![\w.$%])(?!{_SPECIAL}\b|0[fFdD][0-9A-Fa-f]{{8}})[%$A-Za-z_][\w$]*")


@pytest.fixture(scope="module")
def runner():
    with Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def lowered():
    made = {}

    def lowered(name):
        if name not in made:
            made[name] = lower(kernel(CORPUS[name]), STAGES).texts
        return made[name]

    return lowered


def kernel(source):
    return irsmith.kernel.Kernel("k", "user", "", f"import warp as wp\n\n\n{source.lstrip()}", Signature(()))


def assembler():
    """An assembler that knows NVRTC's version of PTX, from ``nvidia-cuda-nvcc`` or the machine's own."""
    try:
        packaged = str(resources.files("nvidia.cu13") / "bin" / "ptxas")
    except ModuleNotFoundError:
        packaged = ""
    for found in filter(None, map(shutil.which, (packaged, "ptxas"))):
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
        version = re.search(r"release (\d+)\.(\d+)", said)
        if version and (int(version[1]), int(version[2])) >= (13, 4):
            return found
    return None


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.parametrize("backward", [True, False], ids=["both", "forward"])
def test_the_parts_assemble(lowered, tmp_path, name, backward):
    found = assembler()
    if found is None:
        pytest.skip("no ptxas of CUDA 13.4 or later: pip install nvidia-cuda-nvcc")
    line = [found, "-arch=sm_80", "-o", tmp_path / "out.cubin", "-"]
    said = subprocess.run(
        line, input=PTX.unit(lowered(name), backward=backward), capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr


def undeclared(module):
    """The names that the functions of a module use and nothing declares."""
    module = re.sub(r"//.*", "", module)
    known = set(_DATA.findall(module))
    missing = set()
    for head, body in _FUNCTION.findall(module):
        known.add(re.sub(r"\([^)]*\)", "", head).split()[-1])
        local = set(re.findall(r"\.param[^,()]*?([\w$]+)(?:\[\d+\])?\s*(?=[,)])", head)) | set(_LABEL.findall(body))
        for statement in _LABEL.sub("", body).split(";"):
            text = re.sub(r"^[\s{}]+", "", statement)
            if text.startswith((".reg", ".local", ".param", ".shared")):
                for stem, count in _DECLARED.findall(text):
                    local |= {f"{stem}{number}" for number in range(int(count))} if count else {stem}
            elif text and not text.startswith(".pragma"):
                # An instruction may stand behind a predicate, `@%p1` or `@!%p1`; its own name is no symbol.
                guard, _, rest = text.partition(" ") if text.startswith("@") else ("", "", text)
                operands = rest.lstrip().partition("\t")[2] or rest.lstrip().partition(" ")[2]
                used = {match[0] for match in _USED.finditer(f"{guard.lstrip('@!')} {operands}")}
                missing |= used - local - known
    return missing


@pytest.mark.parametrize("name", CORPUS)
def test_every_name_is_declared_and_every_declaration_used(lowered, name):
    text = PTX.unit(lowered(name))
    assert undeclared(text) == set()
    for declared in re.findall(
        r"^(?:\.extern )?\.(?:global|const|shared|func) .*?([\w$]+)(?:\[\d+\]|\n\()", text, re.M
    ):
        assert len(re.findall(rf"(?<![\w$]){re.escape(declared)}(?![\w$])", text)) > 1, declared


def test_a_missing_declaration_would_be_found(lowered):
    text = PTX.unit(lowered("double"))
    name = "__internal_accurate_pow"
    without = text.replace(text[text.index(".func") : text.index(".visible")], "")
    assert name in undeclared(without)
    assert "%p1" in undeclared(text.replace(".reg .pred", "// .reg .pred"))
    assert "$L__BB0_2" in undeclared(text.replace("$L__BB0_2:", ""))


def test_helpers_that_only_the_adjoint_calls_stand_apart(lowered):
    texts = lowered("adjoint")
    assert ".func" not in texts["ptx_globals_forward"]
    assert ".func" in texts["ptx_globals_backward"]
    assert ".func" in lowered("double")["ptx_globals_forward"]
    assert lowered("double")["ptx_globals_backward"] is None


@pytest.mark.parametrize("name", CORPUS)
def test_the_kernels_are_instructions_of_nvrtc(lowered, runner, name):
    texts = lowered(name)
    backward = Backward({}, {}) if texts["cuda_backward"] else None
    [compiled] = runner.ptx([Job("", "k", "cuda", texts, Signature(()), (), backward=backward)])
    module = re.sub(r"(BB|depot|callseq )\d+", r"\1#", compiled.ptx).splitlines()
    for part in ("forward", "backward"):
        lines = re.sub(r"(BB|depot|callseq )\d+", r"\1#", texts[f"ptx_{part}"] or "").splitlines()
        if lines:
            start = module.index(lines[0])
            assert module[start : start + lines.index("}")] == lines[: lines.index("}")], part


def test_the_text_says_nothing_that_the_source_does_not_say(lowered):
    for name in CORPUS:
        text = PTX.unit(lowered(name))
        assert text.startswith(".version")
        assert ".target sm_80\n" in text
        assert not re.search(r"_INTERNAL_|_GLOBAL__N|unit_cu|row0|irsmith|pnanovdb|//\s*(?:Generated|Compiler)", text)
        for _, body in _FUNCTION.findall(text):
            assert set(re.findall(r"\$L__BB(\d+)_", body)) <= {"0"}
            assert set(re.findall(r"depot(\d+)", body)) <= {"0"}
            calls = list(dict.fromkeys(re.findall(r"\{ // callseq (\d+)", body)))
            assert calls == [str(number) for number in range(len(calls))]


def test_the_text_is_the_same_in_any_order_and_any_process(lowered, tmp_path):
    script = tmp_path / "fresh.py"
    script.write_text(
        "import sys\n"
        "from irsmith.frontends.warp.lower import lower\n"
        "from irsmith.frontends.warp.stages import PTX\n"
        "from irsmith.kernel import Kernel, Signature\n"
        f"for source in {[kernel(CORPUS[name]).source for name in reversed(CORPUS)]!r}:\n"
        "    kernel = Kernel('k', '', '', source, Signature(()))\n"
        "    sys.stdout.write(PTX.unit(lower(kernel, [PTX]).texts))\n"
    )
    fresh = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"}
    )
    assert fresh.stdout == "".join(PTX.unit(lowered(name)) for name in reversed(CORPUS))
    assert fresh.stderr == ""


def test_a_null_backward_is_null(lowered):
    texts = lowered("no_backward")
    assert texts["ptx_forward"]
    assert texts["ptx_backward"] is None
    assert "backward" not in PTX.unit(texts)


def test_what_only_its_file_sees_loses_the_mark_of_the_file():
    inside, nested = "_ZN37_INTERNAL_00000000_7_unit_cu_9ed34b56", "39_GLOBAL__N__00000000_7_unit_cu_9ed34b56"
    module = f"""
.version 9.4
.target sm_80
.address_size 64

.func  (.param .b32 func_retval0) {inside}2wp3getEi
(
\t.param .b32 {inside}2wp3getEi_param_0
)
;
.const .align 4 .b8 unrelated[4] = {{1, 2}};
.global .align 8 .u64 {inside}2wp5TABLEE[1] = {{{inside}2wp3getEi}};
.global .align 4 .u32 _ZN2wp{nested}3oneE = 1;

\t// .globl\tk_cuda_kernel_forward
.visible .entry k_cuda_kernel_forward()
{{
\tmov.u64 \t%rd1, {inside}2wp5TABLEE;
\tld.global.u32 \t%r1, [_ZN2wp{nested}3oneE];
}}
.func  (.param .b32 func_retval0) {inside}2wp3getEi(
\t.param .b32 {inside}2wp3getEi_param_0
)
{{
\tret;
}}
"""
    found = ptx.parts(module)
    assert "unrelated" not in found["globals_forward"]
    assert ".global .align 8 .u64 _ZN2wp5TABLEE[1] = {_ZN2wp3getEi};\n" in found["globals_forward"]
    assert ".global .align 4 .u32 _ZN2wp3oneE = 1;\n" in found["globals_forward"]
    assert "[_ZN2wp3oneE]" in found["forward"]
    assert "_ZN2wp3getEi_param_0" in found["globals_forward"]
    assert "9ed34b56" not in "".join(found.values())


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("", "the entries are"),
        (".alias one, two;\n", "an unknown statement: .alias"),
        (".visible .entry k_cuda_kernel_forward()\n{\n", "an unfinished statement"),
    ],
)
def test_what_is_not_known_is_an_error(module, message):
    with pytest.raises(ptx.UnknownPtxError, match=message):
        ptx.parts(module)


def test_what_does_not_compile_is_a_reject_and_the_next_row_goes_on(lowered):
    source = """
@wp.func_native("return no_such_name;")
def native(x: float) -> float: ...


@wp.kernel(enable_backward=False)
def k(x: wp.array(dtype=float)):
    i = wp.tid()
    x[i] = native(x[i])
"""
    reject = lower(kernel(source), STAGES)
    assert isinstance(reject, Reject)
    assert reject.symptom == "ptx compile_error"
    assert 'identifier "no_such_name" is undefined' in reject.message
    assert lower(kernel(SAXPY), STAGES).texts == lowered("saxpy")


@pytest.mark.slow
def test_a_recipe_asks_for_it(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    assert "ptx" not in Recipe().stages
    recipe = Recipe(count=4, seed=11, stages=("ptx", "cuda"), shard_size=2)
    sums = []
    for workers in (1, 2):
        summary = irsmith.generate(recipe, tmp_path / str(workers), workers=workers)
        sums.append([shard.sha256 for shard in summary.manifest.shards])
    assert sums[0] == sums[1]
    for row in irsmith.load(tmp_path / "1"):
        assert f".visible .entry {row.kernel.name}_cuda_kernel_forward(" in row.texts["ptx_forward"]
        assert bool(row.texts["ptx_backward"]) == bool(row.texts["cuda_backward"])
    deadline = time.monotonic() + 10
    while list(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(scratch.iterdir()), "the engine ended its workers, and NVRTC's were to clear up after them"
