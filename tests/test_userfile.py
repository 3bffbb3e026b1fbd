"""A user's own file: lowered whole, with what its kernels need, in a process apart."""

from __future__ import annotations

import json
import os

import pyarrow.parquet as pq
import pytest

import irsmith
from irsmith import Reject, Row, UserError
from irsmith.frontends import get
from irsmith.frontends.base import default_stages
from irsmith.kernel import Direction
from irsmith.row import write_rows

FILE = '''
# SPDX-License-Identifier: BSD-3-Clause
"""Springs."""
import math
import os

import warp as wp

__version__ = "2.1"
print("noise on import")
REST = wp.constant(0.5)
UNUSED = os.getcwd()
wp.set_module_options({"fast_math": True})


@wp.struct
class Spring:
    a: int
    b: int
    stiffness: float


@wp.func
def stretch(p: wp.vec3, q: wp.vec3):
    return wp.length(p - q) - REST


@wp.func
def unrelated(x: float):
    return x


@wp.kernel
def forces(springs: wp.array(dtype=Spring), x: wp.array(dtype=wp.vec3), f: wp.array(dtype=wp.vec3)):
    """Accumulate spring forces.

    More words.
    """
    s = springs[wp.tid()]
    d = stretch(x[s.a], x[s.b])
    wp.atomic_add(f, s.a, wp.normalize(x[s.b] - x[s.a]) * d * s.stiffness * wp.static(math.sqrt(4.0)))


def scaled(factor):
    @wp.kernel
    def scale(x: wp.array2d(dtype=wp.float64)):
        i, j = wp.tid()
        x[i, j] = x[i, j] * wp.float64(factor)

    return scale


twice = scaled(2.0)


@wp.kernel(module="apart")
def fill(y: wp.array(dtype=float), value: float):
    y[wp.tid()] = value


@wp.kernel
def broken(y: wp.array(dtype=float)):
    y[wp.tid()] = no_such_name
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("user") / "springs.py"
    path.write_text(FILE)
    return path


@pytest.fixture(scope="module")
def outcomes(file):
    return irsmith.lower(file)


def test_every_kernel_of_the_file_in_its_order(outcomes):
    names = [item.kernel.name if isinstance(item, Row) else item.name for item in outcomes]
    assert names == ["forces", "scale", "fill", "broken"]
    assert isinstance(outcomes[3], Reject)
    assert "no_such_name" in outcomes[3].message
    assert all(isinstance(item, Row) for item in outcomes[:3])


def test_the_source_is_cut_out_and_stands_alone(outcomes):
    source = outcomes[0].kernel.source
    assert "class Spring" in source
    assert "def stretch" in source
    assert "REST = 0.5" in source
    assert "wp.set_module_options({'fast_math': True})" in source
    for absent in ("unrelated", "UNUSED", "import os", "noise", "def fill", "Springs.", "import math"):
        assert absent not in source
    again = get("warp").lower(outcomes[0].kernel, default_stages(get("warp")))
    assert again.texts == outcomes[0].texts


def test_a_kernel_made_in_a_function_holds_what_was_around_it(outcomes):
    source = outcomes[1].kernel.source
    assert "factor = 2.0" in source
    assert "def scaled" not in source
    assert "wp::float64" in outcomes[1].texts["cpp_forward"]


def test_signature_and_provenance(outcomes):
    springs, x, f = outcomes[0].kernel.signature.arguments
    assert (str(springs.type), springs.rank, springs.direction) == ("Spring", 1, Direction.IN)
    assert [field.name for field in springs.type.fields] == ["a", "b", "stiffness"]
    assert (str(x.type), x.direction) == ("vec3[float32]", Direction.IN)
    assert f.direction is Direction.INOUT
    y, value = outcomes[2].kernel.signature.arguments
    assert (y.direction, value.rank, value.direction) == (Direction.OUT, 0, Direction.IN)
    provenance = outcomes[0].kernel.provenance
    assert (provenance.file, provenance.licence, provenance.version) == ("springs.py", "BSD-3-Clause", "2.1")
    assert outcomes[0].kernel.description == "Accumulate spring forces."


def test_one_kernel_and_one_stage(file):
    [row] = irsmith.lower(file, kernel="fill", stages=["cuda"])
    assert row.kernel.name == "fill"
    assert {column.partition("_")[0] for column in row.texts} == {"cuda"}


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
def test_rows_written_read_back(outcomes, tmp_path, ending):
    rows = [item for item in outcomes if isinstance(item, Row)]
    path = tmp_path / f"rows.{ending}"
    write_rows(path, rows, default_stages(get("warp")))
    if ending == "parquet":
        records = pq.read_table(path).to_pylist()
    else:
        records = [json.loads(line) for line in path.read_text().splitlines()]
    assert [record["name"] for record in records] == [row.kernel.name for row in rows]
    assert records[0]["licence"] == "BSD-3-Clause"
    assert records[0]["seed"] is None


def test_the_file_runs_in_another_process(tmp_path):
    path = tmp_path / "pid.py"
    path.write_text(
        "import os, pathlib\nimport warp as wp\n"
        "pathlib.Path(__file__).with_suffix('.pid').write_text(str(os.getpid()))\n\n\n"
        "@wp.kernel\ndef k(x: wp.array(dtype=float)):\n    x[wp.tid()] = 1.0\n"
    )
    irsmith.lower(path)
    assert int(path.with_suffix(".pid").read_text()) != os.getpid()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def f(:\n    pass\n", r":1: .*invalid syntax"),
        ("x = 1\n", "no warp kernels in it"),
        ("import no_such_module_anywhere\n", "cannot be imported: ModuleNotFoundError: No module named"),
        ("raise SystemExit(3)\n", r"exits when it is imported \(status 3\)"),
        ("\0", "not a Python source|null bytes"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, text, message):
    path = tmp_path / "bad.py"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        irsmith.lower(path)


def test_unknown_names_are_answered_with_the_nearest(file, tmp_path):
    with pytest.raises(UserError, match="no kernel 'force': did you mean 'forces'"):
        irsmith.lower(file, kernel="force")
    with pytest.raises(UserError, match="unknown stage 'cudda' of frontend warp: did you mean 'cuda'"):
        irsmith.lower(file, stages=["cudda"])
    with pytest.raises(UserError, match="No such file"):
        irsmith.lower(tmp_path / "none.py")


def test_the_block_that_a_launch_asks_of_tiles_stands_in_the_source(tmp_path):
    path = tmp_path / "tiles.py"
    path.write_text(
        "import warp as wp\n\nBLOCK = 8\n\n\n"
        "@wp.kernel\ndef fft(x: wp.array2d(dtype=wp.vec2)):\n"
        "    t = wp.tile_load(x, shape=(1, 32))\n    wp.tile_fft(t)\n    wp.tile_store(x, t)\n\n\n"
        "def main():\n    wp.launch_tiled(fft, dim=[1], inputs=[None], block_dim=BLOCK)\n"
    )
    [row] = irsmith.lower(path)
    assert isinstance(row, Row), row.message
    assert row.kernel.source.endswith('wp.set_module_options({"block_dim": 8})\n')
    assert "#define WP_TILE_BLOCK_DIM 8\n" in row.texts["cuda_header"]
    assert "#define WP_TILE_BLOCK_DIM 8\n" in row.texts["cpp_header"]
