"""A folder that reproduces a kernel says what is so to whoever has Warp and no irsmith."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig

import pytest

from irsmith.drawing import Drawing
from irsmith.frontends.warp.lower import lower
from irsmith.frontends.warp.repro import files
from irsmith.frontends.warp.stages import CPP, CUDA, PTX
from irsmith.kernel import Argument, Direction, Kernel, Signature
from irsmith.recipe import Recipe
from irsmith.types import FLOAT32, INT32, ArrayType, Bvh, Domain, Field, HashGrid, Mesh, Struct, Vector

VEC3 = Vector(3, FLOAT32)
ANCHORS = Struct("Anchors", (Field("at", ArrayType(VEC3, 1)), Field("pull", FLOAT32, Domain(0.5, 2.0))))
NET = Struct("Net", (Field("anchors", ANCHORS), Field("mass", FLOAT32, Domain(0.5, 2.0))))
SPRING = Struct(
    "Spring",
    (Field("tag", INT32, Domain(0, 3)), Field("rest", VEC3, Domain(0.5, 2.0)), Field("k", FLOAT32, Domain(1.0, 3.0))),
)

# Arrays of structs and of vectors, a value and a struct by value, a helper, a branch, two dimensions.
SPRINGS = """\
import warp as wp


@wp.struct
class Spring:
    tag: int
    rest: wp.vec3
    k: float


@wp.struct
class Anchors:
    at: wp.array(dtype=wp.vec3)
    pull: float


@wp.struct
class Net:
    anchors: Anchors
    mass: float


@wp.func
def pull(s: Spring, at: wp.vec3):
    return (at - s.rest) * s.k


@wp.kernel
def springs(all: wp.array(dtype=Spring), at: wp.array2d(dtype=wp.vec3), one: Spring, gain: float,
            net: Net, force: wp.array2d(dtype=wp.vec3)):
    i, j = wp.tid()
    f = pull(all[i], at[i, j]) * 0.625 + pull(one, at[i, j])
    if all[i].tag > 1:
        f = f * gain
    force[i, j] = f * net.mass + net.anchors.at[j] * net.anchors.pull
"""
# Each turn's adjoint needs the product of the turns before, which is gone.
PRODUCT = """\
import warp as wp


@wp.kernel
def product(x: wp.array(dtype=float), n: int, y: wp.array(dtype=float)):
    i = wp.tid()
    p = float(1.0)
    for j in range(n):
        p = p * x[i]
    y[i] = p
"""
# One id of each kind.
SEARCHES = """\
import warp as wp


@wp.kernel
def searches(mesh: wp.uint64, boxes: wp.uint64, grid: wp.uint64, x: wp.array(dtype=wp.vec3),
             y: wp.array(dtype=float)):
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, x[i], 10.0)
    there = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
    total = wp.length(x[i] - there) * query.sign
    around = wp.bvh_query_sphere(boxes, x[i], 0.5, wp.bvh_get_group_root(boxes, i % 2))
    j = int(0)
    while wp.bvh_query_next(around, j):
        total += float(j)
    for k in wp.hash_grid_query(grid, x[i], 0.5):
        d = wp.length_sq(x[i] - x[k])
        if d < 0.25:
            total += 0.5 - d
    y[i] = total
"""


def array(name, type_, shape, direction=Direction.IN, domain=None):
    return Argument(name, type_, len(shape), direction, shape, domain)


KERNELS = {
    "springs": (
        SPRINGS,
        Signature(
            (
                array("all", SPRING, (4,)),
                array("at", VEC3, (4, 3), domain=Domain(-1.0, 1.0)),
                Argument("one", SPRING, 0, Direction.IN),
                Argument("gain", FLOAT32, 0, Direction.IN, domain=Domain(0.5, 2.0)),
                Argument("net", NET, 0, Direction.IN),
                array("net.anchors.at", VEC3, (3,), domain=Domain(-1.0, 1.0)),
                array("force", VEC3, (4, 3), Direction.OUT),
            ),
            (4, 3),
        ),
    ),
    "product": (
        PRODUCT,
        Signature(
            (
                array("x", FLOAT32, (5,), domain=Domain(0.5, 1.5)),
                Argument("n", INT32, 0, Direction.IN, domain=Domain(2, 6)),
                array("y", FLOAT32, (5,), Direction.OUT),
            ),
            (5,),
        ),
    ),
    "searches": (
        SEARCHES,
        Signature(
            (
                Argument("mesh", Mesh(2, 4), 0, Direction.IN, domain=Domain(0.5, 1.0)),
                Argument("boxes", Bvh(12, 2), 0, Direction.IN, domain=Domain(-1.0, 1.0)),
                Argument("grid", HashGrid("x", 8), 0, Direction.IN, domain=Domain(0.5, 0.5)),
                array("x", VEC3, (8,), domain=Domain(-1.0, 1.0)),
                array("y", FLOAT32, (8,), Direction.OUT),
            ),
            (8,),
        ),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = {}

    def folder(name):
        if name not in made:
            source, signature = KERNELS[name]
            kernel = Kernel(name, "user", "", source, signature)
            texts = lower(kernel, (CPP, CUDA)).texts
            made[name] = put(tmp_path_factory.mktemp(name), files(kernel, texts, "A story."))
            assert (made[name] / "unit.cpp").read_text() == CPP.unit(texts)
            assert (made[name] / "unit.cu").read_text() == CUDA.unit(texts)
        return made[name]

    return folder


def put(root, content):
    for name, data in content.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def python(*arguments, cwd):
    """Run Python with Warp and NumPy and without irsmith: ``-S`` leaves out what is installed in place."""
    environment = {"PYTHONPATH": sysconfig.get_path("purelib"), "PATH": os.environ["PATH"]}
    line = [sys.executable, "-S", *arguments]
    return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_irsmith_is_not_there(tmp_path):
    assert python("-c", "import warp, numpy", cwd=tmp_path).returncode == 0
    assert "No module named 'irsmith'" in python("-c", "import irsmith", cwd=tmp_path).stderr


@pytest.mark.parametrize("how", [(), ("--cxx", "g++"), ("--warp",)], ids=["clang", "g++", "warp"])
def test_a_right_kernel_is_right_however_it_is_built(folder, how):
    if "g++" in how and not shutil.which("g++"):
        pytest.skip("no g++")
    said = python("run.py", *how, cwd=folder("springs"))
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.search(r"forward   force: \d+ sets of 36: as expected", said.stdout)
    assert re.search(r"forward   all\.rest: \d+ sets of 12: as expected", said.stdout)
    assert re.search(r"backward  along at: [1-9]\d* derivatives: as expected", said.stdout)
    assert re.search(r"backward  along all: [1-9]\d* derivatives: as expected", said.stdout)


@pytest.mark.parametrize("how", [(), ("--warp",)], ids=["clang", "warp"])
def test_indexed_arrays_show_what_they_should_and_have_no_adjoint(tmp_path, how):
    drawing = Drawing(Recipe(categories=(("indexed_array", 1.0),), seed=3))
    kernel = next(drawn for drawn in map(drawing.kernel, range(9)) if isinstance(drawn, Kernel))
    put(tmp_path, files(kernel, lower(kernel, (CPP, CUDA)).texts, "A story."))
    assert "wp.indexedarray" in kernel.source
    said = python("run.py", *how, cwd=tmp_path).stdout
    of_forward = re.findall(r"forward   [\w.]+: [1-9]\d* sets of \d+: (.*)", said)
    assert set(of_forward) == {"as expected"}
    # Warp's adjoint leaves what an indexed array shows at zero.
    assert re.search(r"backward  along \w+\.data: [1-9]\d* derivatives: WRONG .* 0\.0 instead of", said)


@pytest.mark.parametrize("how", [(), ("--warp",)], ids=["clang", "warp"])
def test_what_ids_stand_for_is_built(folder, how):
    said = python("run.py", *how, cwd=folder("searches"))
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.search(r"forward   y: \d+ sets of 8: as expected", said.stdout)
    assert re.search(r"backward  along x: [1-9]\d* derivatives: as expected", said.stdout)


@pytest.mark.parametrize("how", [(), ("--warp",)], ids=["clang", "warp"])
def test_a_wrong_adjoint_is_shown_to_be_wrong(folder, how):
    said = python("run.py", *how, cwd=folder("product"))
    assert said.returncode == 1, said.stdout + said.stderr
    assert re.search(r"forward   y: \d+ sets of 5: as expected", said.stdout)
    assert re.search(r"backward  along x: [1-9]\d* derivatives: WRONG at", said.stdout)


def test_a_spoiled_constant_is_wrong(folder, tmp_path):
    spoiled = shutil.copytree(folder("springs"), tmp_path / "spoiled")
    unit = (spoiled / "unit.cpp").read_text()
    forward = unit.index("springs_cpu_kernel_forward")
    assert "= 0.625" in unit[forward:]
    (spoiled / "unit.cpp").write_text(unit[:forward] + unit[forward:].replace("= 0.625", "= 0.6251", 1))
    said = python("run.py", cwd=spoiled)
    assert said.returncode == 1, said.stdout + said.stderr
    assert re.search(r"forward   force: \d+ sets of 36: WRONG at \d+ places, first \[", said.stdout)


def test_a_spoiled_adjoint_is_wrong(folder, tmp_path):
    spoiled = shutil.copytree(folder("springs"), tmp_path / "spoiled")
    unit = (spoiled / "unit.cpp").read_text()
    line = re.search(r"\n +wp::adj_mul\([^\n]*;", unit[unit.index("springs_cpu_kernel_backward") :])[0]
    (spoiled / "unit.cpp").write_text(unit.replace(line, "\n"))
    said = python("run.py", cwd=spoiled)
    assert said.returncode == 1, said.stdout + said.stderr
    assert "forward   force" in said.stdout
    assert re.search(r"backward  along [\w.]+: \d+ derivatives: WRONG", said.stdout)


def test_a_swap_tells_what_matters(folder):
    said = python("run.py", "--swap", "gain", cwd=folder("springs"))
    assert said.returncode == 0, said.stdout + said.stderr
    assert re.fullmatch(r"swap +gain: force ends differently in [1-9]\d* of \d+ sets\n", said.stdout)
    said = python("run.py", "--swap", "force", cwd=folder("springs"))
    assert said.returncode == 1
    assert "force ends differently in 0 of" in said.stdout


def test_the_cuda_unit_compiles_without_a_gpu(folder):
    said = python("run.py", "--nvrtc", cwd=folder("springs"))
    assert said.returncode == 0, said.stdout + said.stderr
    assert "springs_cuda_kernel_backward" in (folder("springs") / "build" / "unit.ptx").read_text()


def test_a_unit_that_does_not_compile_fails(folder, tmp_path):
    spoiled = shutil.copytree(folder("springs"), tmp_path / "spoiled")
    for name in ("unit.cpp", "unit.cu"):
        (spoiled / name).write_text("#error no\n")
    assert python("run.py", cwd=spoiled).returncode == 1
    assert python("run.py", "--nvrtc", cwd=spoiled).returncode == 1


def test_what_is_not_known_how_to_call_still_compiles(tmp_path):
    kernel = Kernel("product", "user", "", PRODUCT, Signature(()))
    texts = lower(kernel, (CPP, CUDA, PTX)).texts
    put(tmp_path, files(kernel, texts, ""))
    assert "There is nothing to compare with: its launch is not known." in (tmp_path / "README.md").read_text()
    assert (tmp_path / "unit.ptx").read_text() == PTX.unit(texts)
    said = python("run.py", cwd=tmp_path)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "nothing to compare with" in said.stdout


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("p = p * x[i]", "p = p * wp.sin(n)", "WarpCodegen"),
        ("import warp as wp", "import warp as wp\n\nraise ValueError('no')", "ValueError: no"),
    ],
)
def test_what_does_not_lower_is_shown_by_warp_itself(tmp_path, old, new, message):
    kernel = Kernel("product", "user", "", PRODUCT.replace(old, new), Signature(()))
    put(tmp_path, files(kernel, {}, ""))
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "kernel.py", "run.py"}
    said = python("run.py", cwd=tmp_path)
    assert said.returncode == 1
    assert message in said.stderr


def test_the_page_names_what_is_there(folder):
    root = folder("springs")
    page = (root / "README.md").read_text()
    assert page.startswith("# springs\n\nA story.\n")
    assert "pip install warp-lang==1.19.0 numpy\npython run.py\n" in page
    named = set(re.findall(r"^\| `([\w.]+)` \|", page, re.MULTILINE))
    there = {path.name for path in root.iterdir()}
    assert named == there - {"README.md", "build", "__pycache__"}
