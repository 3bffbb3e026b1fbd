"""What changed between two datasets, and nothing else, is said."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

from tests.dataset.spoiling import SMALL, rewrite, value, with_value

import irsmith
from irsmith.dataset.diff import diff
from irsmith.dataset.load import load
from irsmith.dataset.manifest import FILE
from irsmith.generation import append


def test_a_dataset_is_the_same_as_itself(small, copy):
    found = diff(load(small), load(copy))
    assert found.same
    assert (found.recipe, found.toolchain, found.columns, found.version) == ((), {}, {}, None)


def test_a_changed_text_is_counted_and_shown(small, copy):
    row_id = value(copy, 1, "id", 4)
    text = value(copy, 1, "cpp_forward", 4)
    rewrite(copy, 1, lambda table: with_value(table, "cpp_forward", 4, text + "// more\n"))
    rewrite(copy, 0, lambda table: with_value(table, "lines", 2, 99))
    found = diff(load(small), load(copy))
    assert not found.same
    assert (found.gone, found.new, found.changed) == (0, 0, 2)
    assert found.columns == {"cpp_forward": 1, "lines": 1}
    [example] = found.examples
    assert (example.row_id, example.column) == (row_id, "cpp_forward")
    assert "+// more" in example.lines


def test_a_text_that_became_null_is_a_change(small, copy):
    rewrite(copy, 1, lambda table: with_value(table, "cuda_backward", 4, None))
    found = diff(load(small), load(copy))
    assert found.columns == {"cuda_backward": 1}
    assert diff(load(copy), load(small)).columns == {"cuda_backward": 1}


def test_another_toolchain_alone_changes_no_row(small, copy):
    for number in range(3):
        rewrite(copy, number, lambda table: with_value(table, "toolchain", 0, "warp-lang 1.20.0"))
    table = json.loads((copy / FILE).read_text())
    table["toolchain"]["warp-lang"] = "1.20.0"
    (copy / FILE).write_text(json.dumps(table))
    found = diff(load(small), load(copy))
    assert found.same
    assert found.toolchain == {"warp-lang": ("1.19.0", "1.20.0")}


def test_growing_gives_new_rows_and_other_stages_other_columns(small, copy, tmp_path):
    append(copy, 4, recipe=replace(SMALL, version="1.1.0"), workers=1)
    found = diff(load(small), load(copy))
    assert (found.new, found.gone, found.changed, found.version) == (4, 0, 0, ("1.0.0", "1.1.0"))
    assert "count: 40 there, 44 here" in found.recipe
    irsmith.generate(replace(SMALL, count=3, stages=("cpp",)), tmp_path / "cpp", workers=1)
    found = diff(load(small), load(tmp_path / "cpp"))
    assert "cuda_forward" in found.columns_gone
    assert (found.gone, found.new, found.columns) == (37, 0, {"line_map": 3})


def test_the_command_shows_it_and_says_so_by_its_status(small, copy):
    line = [sys.executable, "-m", "irsmith", "diff", str(small), str(copy)]
    same = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (same.returncode, same.stdout) == (0, "rows: 40 → 40: 0 gone, 0 new, 0 changed\n")
    rewrite(copy, 1, lambda table: with_value(table, "cpp_forward", 4, "\x1b[2J"))
    other = subprocess.run(line, capture_output=True, text=True, check=False)
    assert other.returncode == 1
    assert "1 rows differ in cpp_forward" in other.stdout
    assert "\x1b" not in other.stdout
    found = json.loads(subprocess.run([*line, "--json"], capture_output=True, text=True, check=False).stdout)
    assert (found["same"], found["changed"]) == (False, 1)
