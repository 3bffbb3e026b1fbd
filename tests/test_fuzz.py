"""Whatever strangers' files hold, reading them ends in a value or in a named error."""

from __future__ import annotations

import ast
import copy
import json
import math
import sys

import pytest
import tomli_w
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import irsmith
from irsmith import UserError, unpredictable
from irsmith import cli as commands
from irsmith import recipe as recipes
from irsmith.dataset.load import row_of
from irsmith.dataset.manifest import FILE as MANIFEST
from irsmith.dataset.rows import faults_of
from irsmith.frontends.warp import ptx
from irsmith.recipe import Recipe
from irsmith.row import schema
from irsmith.structure import describe

MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
DEEP = ["(" * 150 + ")" * 150, "-" * 20_000 + "1", "x" + ".a" * 20_000, "a = " + "[" * 90 + "]" * 90, "9" * 5_000]
"""What parsers give up on, each in its own way."""

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
TYPES = ["vec3[vec3[float32]]", "mat0x0[int32]", "opaque[", "def f("]
names = st.sampled_from(list(Recipe.__dataclass_fields__)) | st.text(min_size=1, max_size=10)


@MANY
@given(table=st.dictionaries(names, values, max_size=4))
def test_any_table_is_a_recipe_or_a_clear_error(table):
    try:
        found = recipes.parse(tomli_w.dumps(table), "fuzz")
    except UserError as error:
        outcome = str(error)
    else:
        assert recipes.parse(found.to_toml(), "again") == found
        outcome = "fuzz: a recipe"
    assert outcome.startswith("fuzz: ")


@MANY
@given(text=st.text() | st.sampled_from(DEEP).map(lambda deep: f"seed = {deep}"))
@example(text="seed = " + "[" * 20_000)
@example(text="a = " + "{a = " * 3_000 + "1" + "}" * 3_000)
@example(text="seed = " + "9" * 5_000)
@example(text="count = 0x" + "f" * 6_000)
@example(text="frontend = 0x" + "f" * 6_000)
@example(text="[[datasets]]\ngrown = [0x" + "f" * 6_000 + "]")
@example(text='size = "' + "9" * 400 + '"')
@example(text="[types]\nfloat64 = " + "9" * 400)
@example(text="[categories]\natomic = 1e308\nhistogram = 1e308")
@example(text="x = 2020-01-01T00:00:00+99:99")
def test_any_text_is_recipes_or_a_clear_error(text):
    try:
        for found in recipes.parse_all(text, "fuzz"):
            assert recipes.parse(found.to_toml(), "again") == found
        outcome = "fuzz: recipes"
    except UserError as error:
        outcome = str(error)
    assert outcome.startswith("fuzz: ")
    assert len(outcome) < 1_000


@pytest.fixture(scope="module")
def record(made):
    return next(iter(made.records()))


def places(value, path=()):
    """The paths to everything in a record."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def alike(value):
    """Values of the type that Arrow keeps in the place of one."""
    if isinstance(value, bool):
        return st.booleans()
    if isinstance(value, int):
        return st.integers(-(2**31), 2**31 - 1)
    if isinstance(value, float):
        return st.floats()
    if isinstance(value, str):
        return st.text() | st.sampled_from(DEEP) | st.sampled_from(TYPES)
    if isinstance(value, list):
        return st.just([]) | st.permutations(value).map(list) | st.just([*value, *value])
    return st.none()


@pytest.mark.parametrize("column", [field.name for field in schema(()) if not field.nullable])
def test_nothing_where_something_must_be_is_no_row(made, record, column):
    spoiled = {**record, column: None}
    with pytest.raises(UserError, match=f"{column} is null"):
        row_of(spoiled, made.stages, "fuzz")
    assert [gate for gate, _ in faults_of(spoiled, made.recipe, made.stages)] == ["fields"]


@MANY
@given(data=st.data())
def test_any_row_is_read_or_named_and_its_faults_are_told(made, record, data):
    spoiled = copy.deepcopy(record)
    for path in data.draw(st.lists(st.sampled_from([p for p in places(record) if p]), min_size=1, max_size=3)):
        place = spoiled
        try:
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = data.draw(alike(place[path[-1]]) | st.none())
        except (TypeError, IndexError):
            # Something above was taken away before.
            continue
    try:
        outcome = f"fuzz: {type(row_of(spoiled, made.stages, 'fuzz'))}"
    except UserError as error:
        outcome = str(error)
    assert outcome.startswith("fuzz: ")
    for gate, what in faults_of(spoiled, made.recipe, made.stages):
        assert gate
        assert what


sources = st.text() | st.sampled_from(DEEP)


@MANY
@given(edit=st.tuples(st.floats(0, 1), st.floats(0, 1), sources), number=st.integers(0, 50))
def test_the_structure_of_any_source_is_told_or_refused(rows, edit, number):
    row = rows[number % len(rows)]
    source = row["python_source"]
    first, last = sorted(math.floor(share * len(source)) for share in edit[:2])
    try:
        found = describe(source[:first] + edit[2] + source[last:], row["name"])
    except (SyntaxError, ValueError):
        return
    assert len(found.structure_id) == 32


@MANY
@given(text=sources, source=st.none() | sources)
@example(text="kernel.py:" + "9" * 5_000, source="x = 1")
@example(text="<L " + "9" * 5_000 + ">", source="def f(): 0\ndef g(): 0")
@example(text="f_" + "9" * 5_000, source="def f(): 0\ndef g(): 0")
def test_what_is_unpredictable_in_any_text_is_told(text, source):
    try:
        tree = None if source is None else ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    for finding in unpredictable.find(text, source, tree):
        assert finding.kind in unpredictable.KINDS


PIECES = [".version 8.4\n", ".target sm_80\n", ".address_size 64\n", ".visible .entry k(\n)\n{\n", "}\n", "{", ";"]
PIECES += [".func (.param .b32 r) f(\n)\n", ".global .align 4 .b8 t[4] = {1};\n", "call.uni f, ();\n", "// \n"]
PIECES += ["$L__BB0_1:\n", ".reg .b32 %r<2>;\n", "__local_depot12", "callseq 99"]
PIECES += ["_ZN37_INTERNAL_00000000_7_unit_cu_9ed34b562wp5TABLEE"]


@MANY
@given(module=st.text() | st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=20).map("".join))
def test_any_module_is_cut_into_parts_or_refused(module):
    try:
        found = ptx.parts(module)
    except ptx.UnknownPtxError:
        return
    assert all(isinstance(text, str) for text in found.values())
    again = ptx.parts(module)
    assert again == found


FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
COMMANDS = (["stats"], ["show", "1"], ["validate", "--workers", "1"])
"""Commands that read a dataset, with what stands behind its folder."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small dataset of one part, to be spoiled, with its files as they were."""
    root = tmp_path_factory.mktemp("fuzz") / "d"
    irsmith.generate(Recipe(count=6, seed=5, verify="none"), root, workers=1)
    return root, {path: path.read_bytes() for path in (root / MANIFEST, *root.rglob("*.parquet"))}


def ends_well(root):
    for name, *further in COMMANDS:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(sys, "argv", ["irsmith", name, str(root), *further])
            with pytest.raises(SystemExit) as ended:
                commands.main()
        assert ended.value.code in (0, 1, 2)


@FEW
@given(data=st.data())
def test_any_bytes_in_the_place_of_a_file_are_read_or_refused(folder, data):
    root, files = folder
    path = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[path])
    for place, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=4)
    ):
        content[place] = byte
    cut = data.draw(st.none() | st.integers(0, len(content)))
    try:
        path.write_bytes(content[:cut])
        ends_well(root)
    finally:
        path.write_bytes(files[path])


@FEW
@given(data=st.data())
def test_any_value_in_a_manifest_is_read_or_refused(folder, data):
    root, files = folder
    path = root / MANIFEST
    table = json.loads(files[path])
    for chosen in data.draw(st.lists(st.sampled_from([p for p in places(table) if p]), min_size=1, max_size=2)):
        place = table
        try:
            for key in chosen[:-1]:
                place = place[key]
            place[chosen[-1]] = data.draw(values | alike(place[chosen[-1]]))
        except (TypeError, IndexError, KeyError):
            # Something above was taken away before.
            continue
    try:
        path.write_text(json.dumps(table))
        ends_well(root)
    finally:
        path.write_bytes(files[path])
