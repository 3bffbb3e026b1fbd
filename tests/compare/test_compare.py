"""Two corpora side by side: what is counted, and what the command prints."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import irsmith
from irsmith.compare import FEATURES, compare, corpus, samples
from irsmith.errors import UserError
from irsmith.recipe import Recipe

KERNELS = """
import warp as wp

@wp.kernel
def double(x: wp.array(dtype=float), y: wp.array(dtype=wp.float32), n: int, m: wp.mat33f, z: wp.array2d[wp.vec3f]):
    i = wp.tid()
    y[i] = 2.0 * wp.sin(x[i])
"""


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    root = tmp_path_factory.mktemp("corpora")
    irsmith.generate(Recipe(count=6, seed=3, verify="none"), root / "dataset", workers=1)
    (root / "code").mkdir()
    (root / "code" / "a.py").write_text(KERNELS)
    for row in list(irsmith.load(root / "dataset"))[:2]:
        (root / "code" / f"{row.id.replace('-', '_')}.py").write_text(row.kernel.source)
    return root


def test_types_are_one_however_they_are_spelled():
    [sample] = samples(KERNELS, "x")
    found = FEATURES["types of arguments"](sample)
    assert found == ["array1d[float32]", "array1d[float32]", "int32", "mat33", "array2d[vec3]"]


def test_a_dataset_beside_a_folder(corpora):
    dataset, code = corpus(corpora / "dataset"), corpus(corpora / "code")
    found = compare(dataset, code)
    assert found.kernels == (len(dataset), 3)
    assert found.common_structures == found.common_skeletons == 2
    assert 0 < found.distance < 1
    same = compare(code, code)
    assert (same.distance, same.lacking) == (0, ({}, {}))


def test_builtins_that_one_side_lacks_are_counted():
    mine, theirs = samples(KERNELS, "x"), samples(KERNELS.replace("sin", "cos"), "x")
    assert compare(mine, theirs).lacking == ({"sin": 1}, {"cos": 1})


def test_the_command(corpora, tmp_path):
    line = [sys.executable, "-m", "irsmith", "compare", str(corpora / "dataset"), str(corpora / "code")]
    page = tmp_path / "page.html"
    shown = subprocess.run([*line, "--html", str(page)], check=True, capture_output=True, text=True).stdout
    assert "in common: 2 structures, 2 skeletons" in shown
    assert "structures in common" in page.read_text()
    told = json.loads(subprocess.run([*line, "--json"], check=True, capture_output=True, text=True).stdout)
    assert told["features"].keys() == FEATURES.keys()
    assert told["common_structures"] == 2


def test_what_is_no_corpus_is_named(tmp_path):
    with pytest.raises(UserError, match="no kernels in it"):
        corpus(tmp_path)
    with pytest.raises(UserError, match="neither a dataset nor a folder"):
        corpus(tmp_path / "nothing")
