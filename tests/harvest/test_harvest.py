"""Packages become datasets: every kernel, where it comes from, and why what is missing is missing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

import pytest

import irsmith
from irsmith.dataset import card_sections
from irsmith.dataset.stats import stats
from irsmith.dataset.validate import validate
from irsmith.errors import UserError
from irsmith.harvest import gather, harvest
from irsmith.kernel import Kernel
from irsmith.proof import prove
from irsmith.recipe import Recipe


def test_every_kernel_becomes_a_row_or_says_why_not(harvested):
    dataset = irsmith.load(harvested.out)
    rows = [(row.kernel.name, row.kernel.provenance.line) for row in dataset]
    assert rows == [
        ("forces", 11),
        ("windowed", 21),
        ("fill", 30),
        ("fill", 30),
        ("scale", 46),
        ("racing", 57),
        ("unknown", 66),
    ]
    assert dataset.manifest.rejects == {
        "assemble: Duplicate": 1,
        "harvest: Licence": 1,
        "harvest: Repeat": 1,
        "lower: GenericWithoutInstance": 1,
    }
    assert {row.kernel.provenance.package for row in dataset} == {"small-springs"}
    assert {row.kernel.provenance.version for row in dataset} == {"2.1"}
    assert {row.kernel.provenance.licence for row in dataset} == {"MIT"}
    assert {row.kernel.provenance.file for row in dataset} == {"springs/kernels.py"}
    forces = next(iter(dataset))
    assert forces.kernel.description == "Pull of each spring."
    assert forces.kernel.provenance.docstring == "Pull of each spring.\n\nNothing is damped."
    assert len({row.group_id for row in dataset}) == len({row.split for row in dataset}) == 1


def test_modules_that_do_not_import_are_named(harvested):
    [origin] = harvested.manifest.origins
    assert (origin.title, origin.licence, origin.modules, origin.kernels) == ("small-springs 2.1", "MIT", 4, 11)
    assert origin.licences == {"GPL-3.0-only": 1, "MIT": 10}
    assert {name: reason.partition(":")[0] for name, reason in origin.failed.items()} == {
        "springs.broken": "ModuleNotFoundError",
        "springs.dying": "Died",
        "springs.leaving": "SystemExit",
    }


def test_no_folder_is_left_of_a_process_that_a_module_ended(package, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    gather([str(package)], Recipe())
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("irsmith-")] == []


def test_the_licences_of_what_people_wrote_are_the_datasets_too(harvested):
    dataset = irsmith.load(harvested.out)
    assert card_sections.licences(dataset.recipes, dataset.manifest) == ["Apache-2.0", "MIT"]


def test_a_forbidden_licence_leaves_no_text(harvested):
    texts = [path.read_text() for path in harvested.out.rglob("*.json*")]
    assert texts
    assert any("secret" in text for text in texts)
    assert not any("42.0" in text for text in texts)


def test_the_dataset_is_one_like_any_other(harvested, tmp_path):
    assert validate(harvested.out) == (7, [])
    assert (harvested.out / "data" / "warp-real").is_dir()
    card = (harvested.out / "README.md").read_text()
    assert "config_name: warp-real" in card
    assert "| small-springs 2.1 | MIT | 11 | 4 | 3 " in card
    other = tmp_path / "other"
    irsmith.generate(Recipe(count=4, verify="none"), other, workers=1)
    merged = tmp_path / "merged"
    line = [sys.executable, "-m", "irsmith", "merge", str(harvested.out), str(other), "--out", str(merged)]
    assert subprocess.run(line, check=False, capture_output=True).returncode == 0
    assert validate(merged)[1] == []
    assert irsmith.load(merged).manifest.configs == ("warp-real", "warp")


def test_a_package_in_two_splits_is_a_fault(harvested, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(harvested.out, root)
    recipe = root / "recipe.toml"
    there = {row.split.value for row in irsmith.load(root)}.pop()
    shares = {"train": 0.0, "validation": 0.0, "test": 0.0} | {"test" if there != "test" else "train": 1.0}
    text = recipe.read_text()
    for name, share in shares.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {share}", text, flags=re.MULTILINE)
    recipe.write_text(text)
    assert {fault.gate for fault in validate(root)[1]} == {"splits"}


def test_an_interrupted_harvest_goes_on_with_the_same_bytes(harvested, package, tmp_path):
    root = tmp_path / "copy"
    shutil.copytree(harvested.out, root)
    (root / "manifest.json").unlink()
    again = harvest([str(package)], root, recipe=Recipe(), workers=2)
    assert again.manifest.content == harvested.manifest.content
    part = "data/warp-real/part-000000000.parquet"
    assert (root / part).read_bytes() == (harvested.out / part).read_bytes()


def test_generate_makes_it_again_from_its_own_folder(harvested, tmp_path):
    root = tmp_path / "copy"
    root.mkdir()
    for name in ("recipe.toml", "kernels.jsonl"):
        shutil.copy(harvested.out / name, root / name)
    recipe = irsmith.load(harvested.out).recipe
    assert irsmith.generate(recipe, root, workers=1).manifest.content == harvested.manifest.content
    kernels = root / "kernels.jsonl"
    kernels.write_text(kernels.read_text().replace("2.0", "9.0"))
    with pytest.raises(UserError, match="other kernels than the recipe names"):
        irsmith.generate(recipe, root, workers=1)


def test_a_wheel_is_harvested_by_its_metadata(package, tmp_path):
    wheel = tmp_path / "springs-7.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in ("__init__", "tools", "kernels"):
            archive.write(package / "springs" / f"{name}.py", f"springs/{name}.py")
        archive.writestr(
            "springs-7.0.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: springs\nVersion: 7.0\nLicense-Expression: BSD-3-Clause\n",
        )
    found = gather([str(wheel)], Recipe())
    assert [origin.title for origin in found.origins] == ["springs 7.0"]
    kernels = [item for item in found.items if isinstance(item, Kernel)]
    assert {kernel.provenance.licence for kernel in kernels} == {"BSD-3-Clause"}
    assert kernels[0].provenance.file == "springs/kernels.py"


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["no_such_package"], "neither a folder, nor a wheel, nor an installed package"),
        (["README.md"], "for one file, use irsmith lower"),
        (["click"], "no warp kernel to take"),
    ],
)
def test_what_cannot_be_harvested_is_said_in_one_line(targets, message, tmp_path):
    line = [sys.executable, "-m", "irsmith", "harvest", *targets, "-q", "--out", str(tmp_path / "d")]
    shown = subprocess.run(line, check=False, capture_output=True, text=True)
    assert (shown.returncode, message in shown.stderr, shown.stderr.count("\n")) == (2, True, 1), shown.stderr
    assert not (tmp_path / "d").exists()


def test_the_command_prints_what_it_found(package, tmp_path):
    options = ["--out", str(tmp_path / "d"), "--verify", "none", "--licence", "GPL-3.0-only", "--json", "-q"]
    line = [sys.executable, "-m", "irsmith", "harvest", str(package), *options]
    shown = json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)
    assert (shown["rows"], shown["tried"]) == (8, 11)
    assert shown["origins"][0]["failed"].keys() == {"springs.broken", "springs.dying", "springs.leaving"}


def test_a_sample_is_the_same_kernels_each_time(package, tmp_path):
    found = gather([str(package)], Recipe())
    assert found.sampled(4) == found.sampled(4)
    assert len(found.sampled(4).items) == 4
    assert set(found.sampled(4).items) < set(found.sampled(6).items)
    assert found.sampled(99) == found
    made = harvest([str(package)], tmp_path / "d", recipe=Recipe(verify="none"), sample=4, workers=1)
    assert made.manifest.tried == 4
    assert made.manifest.origins[0].kernels == 11


def test_real_kernels_are_proved_and_what_is_not_run_is_only_compiled(harvested):
    verdicts = {
        (row.kernel.name, verdict.check): verdict for row in irsmith.load(harvested.out) for verdict in row.verdicts
    }
    for name in ("forces", "windowed", "scale"):
        assert verdicts[name, "forward"].status == "passed"
        assert verdicts[name, "backward"].status == "passed"
    assert verdicts["racing", "forward"].status == "passed"
    assert verdicts["racing", "forward"].reason.startswith("one thread alone")
    assert verdicts["unknown", "forward"].status == verdicts["unknown", "backward"].status == "compiled"
    assert stats(irsmith.load(harvested.out)).unproved == {
        "the reference does not know functions whose body is C++ text (wp.func_native)": 1
    }


def test_each_row_lowers_from_its_own_source_to_its_own_texts(harvested):
    assert prove(irsmith.load(harvested.out)).faults == ()
