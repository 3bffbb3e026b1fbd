"""Variants: what each kind changes, that meaning stays, and how they stand in a dataset."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from dataclasses import replace

import pytest

import irsmith
from irsmith.drawing import Drawing, Drawn
from irsmith.errors import UserError
from irsmith.frontends.warp.printer import print_program
from irsmith.kernel import Kernel
from irsmith.recipe import Recipe, parse
from irsmith.rng import stream
from irsmith.structure import describe
from irsmith.synth import Program, Settings, synthesise
from irsmith.synth.augment import KINDS, Augment

ALL = Augment(rename=0.1, reorder=0.1, notes=0.1, spelling=0.1, rewrite=0.1)
RECIPE = Recipe(count=60, seed=13, verify="none", augment=ALL, shard_size=20)


def programs(count: int = 60) -> list[Program]:
    return [synthesise(17, "warp", index, Settings()) for index in range(count)]


def variants(kind: str) -> list[tuple[Kernel, Kernel]]:
    made = [(program, KINDS[kind](program, stream(1, index))) for index, program in enumerate(programs())]
    return [(print_program(a), print_program(b)) for a, b in made if b is not None]


def ids(kernel: Kernel) -> tuple[str, str]:
    found = describe(kernel.source, kernel.name)
    return found.structure_id, found.skeleton_id


def names(kernel: Kernel) -> set[str]:
    tree = ast.parse(kernel.source)
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == kernel.name)
    stored = {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {argument.arg for argument in function.args.args}


def test_renaming_changes_names_and_nothing_else():
    pairs = variants("rename")
    assert len(pairs) == 60
    for before, after in pairs:
        assert not names(before) & names(after)
        assert before.name != after.name
        assert ids(before)[0] == ids(after)[0]
        assert [a.name for a in after.signature.arguments] != [a.name for a in before.signature.arguments]
        assert [replace(a, name="") for a in after.signature.arguments] == [
            replace(a, name="") for a in before.signature.arguments
        ]


@pytest.mark.parametrize("category", ["neighbour_sum", "mesh_distance", "mesh_faces", "bvh_overlap"])
@pytest.mark.parametrize("kind", ["rename", "reorder"])
def test_what_queries_find_is_called_the_same_everywhere(category, kind):
    settings = Settings(categories=((category, 1.0),))
    for index in range(12):
        varied = KINDS[kind](synthesise(17, "warp", index, settings), stream(1, index))
        if varied is None:
            continue
        kernel = print_program(varied)
        known = {argument.name for argument in kernel.signature.arguments} | set(dir(builtins)) | {"wp"}
        known |= {node.name for node in ast.parse(kernel.source).body if isinstance(node, ast.FunctionDef)}
        function = next(n for n in ast.parse(kernel.source).body if getattr(n, "name", "") == kernel.name)
        for node in sorted((n for n in ast.walk(function) if isinstance(n, ast.Name)), key=_place):
            if isinstance(node.ctx, ast.Store):
                known.add(node.id)
            else:
                assert node.id in known | set(re.findall(r"^(\w+) = ", kernel.source, re.MULTILINE)), kernel.source
        for argument in kernel.signature.arguments:
            assert getattr(argument.type, "of", argument.name) in known


def _place(node: ast.Name) -> tuple[int, bool]:
    # What is stored in a line is read behind it.
    return node.lineno, isinstance(node.ctx, ast.Store)


def test_renaming_reaches_gradients_of_the_authors_own():
    settings = Settings(categories=(("custom_gradient", 1.0),))
    for index in range(12):
        program = synthesise(17, "warp", index, settings)
        renamed = KINDS["rename"](program, stream(1, index))
        before, after = print_program(program), print_program(renamed)
        assert ids(before) == ids(after)
        assert re.findall(r"adjoint\[(\w+)\]", before.source) != re.findall(r"adjoint\[(\w+)\]", after.source)


def test_renaming_a_struct_renames_the_arrays_that_it_holds():
    settings = Settings(categories=(("struct_arrays", 1.0),))
    for index in range(12):
        program = synthesise(17, "warp", index, settings)
        before, after = (print_program(p) for p in (program, KINDS["rename"](program, stream(1, index))))
        assert ids(before) == ids(after)
        owners = {a.name.partition(".")[0] for a in after.signature.arguments}
        assert owners == {a.name for a in after.signature.parameters}
        held = [a.name.partition(".")[2] for a in after.signature.arguments]
        assert held == [a.name.partition(".")[2] for a in before.signature.arguments]
        assert any(held)


def test_reordering_keeps_the_skeleton():
    pairs = variants("reorder")
    assert len(pairs) > 20
    for before, after in pairs:
        assert before.source != after.source
        assert Counter(before.source.splitlines()) == Counter(after.source.splitlines())
        # Helpers are numbered in the order of their calls.
        if before.source.count("@wp.func") < 2:
            assert ids(before)[1] == ids(after)[1]
    assert any(ids(before)[0] != ids(after)[0] for before, after in pairs)


def test_notes_come_or_go():
    commented = re.compile(r'^\s*#|"""', re.MULTILINE)
    for before, after in variants("notes"):
        assert ids(before)[0] == ids(after)[0]
        body = [text.source[text.source.index(f"def {text.name}(") :] for text in (before, after)]
        assert bool(commented.search(body[0])) != bool(commented.search(body[1]))


def test_spelling_is_another_authors():
    pairs = variants("spelling")
    assert sum(before.source != after.source for before, after in pairs) > 40


def test_rewriting_changes_control_flow():
    pairs = variants("rewrite")
    assert len(pairs) > 8
    kinds: Counter[str] = Counter()
    for before, after in pairs:
        a, b = (describe(kernel.source, kernel.name) for kernel in (before, after))
        assert a.structure_id != b.structure_id
        if "for " in before.source and before.source.count("for ") > after.source.count("for "):
            kinds["unrolled"] += 1
        else:
            kinds["ternary"] += before.source.count(" else ") != after.source.count(" else ") or "wp.where" in (
                before.source + after.source
            )
    assert kinds["unrolled"] > 0
    assert kinds["ternary"] > 0


def test_an_index_holds_the_same_whatever_was_made_before():
    forward = [Drawing(RECIPE).drawn(index) for index in range(30)]
    drawing = Drawing(RECIPE)
    assert [drawing.drawn(index) for index in reversed(range(30))] == forward[::-1]
    plain = Drawing(replace(RECIPE, augment=Augment()))
    for index, drawn in enumerate(forward):
        if drawn.lineage is None:
            assert drawn.kernel == plain.kernel(index)
        else:
            assert drawn.lineage.index < index
            assert drawn.lineage.parent == plain.kernel(drawn.lineage.index)


def test_shares_are_kept():
    drawing = Drawing(replace(RECIPE, augment=Augment(rename=0.3, notes=0.2)))
    found = Counter(
        drawn.lineage.augmentation if drawn.lineage else None
        for drawn in map(drawing.drawn, range(400))
        if isinstance(drawn, Drawn)
    )
    assert set(found) == {None, "rename", "notes"}
    assert 90 < found["rename"] < 150
    assert 55 < found["notes"] < 105


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("augmented")
    irsmith.generate(RECIPE, root, workers=1)
    return irsmith.load(root)


def test_variants_are_tied_to_their_parents(made):
    rows = {row.id: row for row in made}
    variants = [row for row in rows.values() if row.parent_id]
    assert len(variants) > 8
    assert {row.augmentation for row in variants} <= set(KINDS)
    for row in variants:
        parent = rows.get(row.parent_id)
        if parent is None:
            # Its own row was taken out.
            continue
        assert parent.parent_id is None
        assert row.group_id == parent.group_id == parent.structure.structure_id
        assert row.kernel.source != parent.kernel.source
    for row in rows.values():
        assert (row.parent_id is None) == (row.augmentation is None)


def test_shards_do_not_change_what_is_in_them(made, tmp_path):
    irsmith.generate(replace(RECIPE, shard_size=60), tmp_path / "one", workers=1)
    other = irsmith.load(tmp_path / "one")
    assert [(row.id, row.kernel, row.parent_id) for row in other] == [
        (row.id, row.kernel, row.parent_id) for row in made
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[augment]\nrename = 1.5", "augment.rename: 1.5 is not a share"),
        ("[augment]\nrename = 0.6\nnotes = 0.6", "add up to 1.2"),
        ("[augment]\nrenames = 0.1", "augment.renames.*rename"),
        ("augment = 3", "augment: 3 is not a table"),
    ],
)
def test_impossible_shares_are_refused(text, message):
    with pytest.raises(UserError, match=message):
        parse(text, "recipe")


@pytest.mark.slow
def test_variants_mean_what_their_parents_mean(tmp_path):
    recipe = Recipe(
        count=150, seed=5, augment=Augment(rename=0.1, reorder=0.2, notes=0.05, rewrite=0.3), max_reject_share=0.2
    )
    irsmith.generate(recipe, tmp_path / "proved")
    rows = {row.id: row for row in irsmith.load(tmp_path / "proved")}
    variants = [row for row in rows.values() if row.parent_id]
    assert len(variants) > 50
    for row in variants:
        assert next(v.status for v in row.verdicts if v.check == "forward") == "passed"
