"""Escapes and markup in every text of a dataset, one after the other: none reaches a terminal or a card raw."""

from __future__ import annotations

import copy
import json
import re
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.dataset.spoiling import replant, shards_of, with_value

import irsmith
from irsmith import UserError
from irsmith import cli as commands
from irsmith.dataset import card
from irsmith.dataset.load import Dataset
from irsmith.dataset.manifest import FILE

PLANTED = "\x1b]0;owned\x07\x1b[2J[red]x[/][b](http://x)</pre><script>owned()</script>|`$(touch x)`\n---\n- x: y\n```\n"
CLI = Path(commands.__file__).parent


def texts_of(value, path=()):
    """The paths to every text in a JSON value, and to every key of an object that may be called anything."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts_of(item, (*path, key))
        if path and not {"shards", "derived", "sources"} & {path[-1]} and "recipe" not in path:
            yield (*path, None)
    elif isinstance(value, list):
        for number, item in enumerate(value[:1]):
            yield from texts_of(item, (*path, number))


def planted(table, path):
    table = copy.deepcopy(table)
    place = table
    for key in path[:-1]:
        place = place[key]
    if path[-1] is None:
        place[PLANTED] = next(iter(place.values()), 1)
    else:
        place[path[-1]] = PLANTED
    return table


@pytest.fixture(scope="module")
def hostile(small, tmp_path_factory):
    """A dataset with something planted in every text that may be any, and the paths of those."""
    root = tmp_path_factory.mktemp("planted") / "d"
    shutil.copytree(small, root)
    columns = 0
    for number, field in enumerate(pq.read_schema(root / shards_of(root)[0].file)):
        if pa.types.is_string(field.type) or field.name in ("tags", "verdicts"):
            kept = shutil.copy(root / shards_of(root)[0].file, root.parent / "part"), (root / FILE).read_text()
            value = {
                "tags": [PLANTED],
                "verdicts": [
                    {"check": "forward", "status": "compiled", "reason": PLANTED},
                    {"check": PLANTED, "status": "passed", "reason": PLANTED},
                ],
            }.get(field.name, PLANTED)
            replant(root, 0, lambda t, n=field.name, at=number % 8, v=value: with_value(t, n, at, v))
            try:
                list(irsmith.load(root).records())
                columns += 1
            except UserError:
                shutil.copy(kept[0], root / shards_of(root)[0].file)
                (root / FILE).write_text(kept[1])
    assert columns > 20
    table = json.loads((root / FILE).read_text())
    origin = {"package": "p", "version": "1", "licence": "MIT", "modules": 1, "failed": {"m": "why"}, "kernels": 1}
    table["origins"] = [origin | {"licences": {"MIT": 1}}]
    source = {
        "recipe": irsmith.load(root).recipe.to_table(),
        "toolchain": table["toolchain"],
        "version": "1",
        "content": table["content"],
        "rows": 40,
    }
    table["derived"] = {"command": "merge", "settings": {"near": "0.8"}, "sources": [source]}
    free = []
    for path in texts_of(table):
        (root / FILE).write_text(json.dumps(planted(table, path)))
        try:
            irsmith.load(root)
        except UserError:
            continue
        table = planted(table, path)
        free.append(".".join(map(str, path)))
    (root / FILE).write_text(json.dumps(table))
    return root, free


def told(monkeypatch, capfd, *words):
    """What a command prints in this process, of whatever status."""
    monkeypatch.setattr(sys, "argv", ["irsmith", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        commands.main()
    assert ended.value.code in (0, 1, 2)
    printed = capfd.readouterr()
    return printed.out + printed.err


LINES = ["stats {}", "stats {} --json", "show {} 0", "show {} 1", "show {} 7", "show {} zz", "validate {} --workers 1"]
LINES += [
    "diff {} small",
    "diff small {}",
    "dedup {} --workers 1",
    "merge {} --out out",
    "compare {} small",
    "audit {}",
]
LINES += ["decontaminate {} --against code.py --out out", "export {} --format hf --out out", "verify {} --sample 9"]
LINES += ["report {} --out out", "repro {} 0 --out out", "generate --append --count 1 --out {}"]


def test_no_command_passes_an_escape_on(hostile, small, tmp_path, monkeypatch, capfd):
    root, free = hostile
    wanted = {"version", "python", "platform", "toolchain.None", "shards.0.reasons.None", "shards.0.tags.None"}
    wanted |= {"derived.command", "derived.settings.near", "origins.0.package", "derived.sources.0.toolchain.None"}
    assert wanted <= set(free)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code.py").write_text("def f(x):\n    return x\n")
    for line in LINES:
        words = [str(root) if word == "{}" else str(small) if word == "small" else word for word in line.split()]
        printed = told(monkeypatch, capfd, *words)
        assert printed, line
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", printed), line
        out = tmp_path / "out"
        shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)


def test_a_run_that_goes_on_with_a_folder_says_nothing_of_its_notes_raw(copy, monkeypatch, capfd):
    table = json.loads((copy / FILE).read_text())
    table["shards"][0]["reasons"] = {PLANTED: 1}
    (copy / FILE).write_text(json.dumps(table))
    printed = told(monkeypatch, capfd, "generate", copy / "recipe.toml", "--out", copy, "--workers", 1)
    assert "owned" in printed
    assert "\x1b" not in printed


def test_a_card_takes_no_markup_from_a_manifest(hostile):
    root, _ = hostile
    found = irsmith.load(root)
    plain = card.render(irsmith.load(root).recipes, found.manifest)
    one = Dataset(found.place, found.recipes, found.manifest)
    assert one.manifest.derived is not None
    for text in (plain, (card.render(found.recipes, found.manifest))):
        assert "owned" in text
        assert not set("\x1b\x07") & set(text)
        assert "<script" not in text
        assert "](http" not in text
        assert "$(touch x)`" not in text
        assert "\n- x: y" not in text


def test_packages_and_configs_of_others_are_words():
    assert card.word("a; rm -rf x\n```\n") == "'a; rm -rf x '\"'\"''\"'\"''\"'\"' '"
    assert card.word("warp-lang") == "warp-lang"


def test_commands_print_in_one_way():
    """JSON escapes what steers; everything else goes through `say`, or through rich as a `cell`."""
    for path in CLI.glob("*.py"):
        for line in path.read_text().splitlines():
            if "click.echo(" in line:
                assert "json.dumps(" in line or path.name == "say.py", f"{path.name}: {line}"
