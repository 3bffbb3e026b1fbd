"""Whatever strangers' files hold, reading them ends in a value or in a named error."""

from __future__ import annotations

import ast
import copy
import json
import re
import sys

import pytest
import tomli_w
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

import irsmith
from irsmith import UserError, unpredictable
from irsmith import cli as commands
from irsmith import recipe as recipes
from irsmith.dataset.load import row_of
from irsmith.dataset.manifest import FILE as MANIFEST
from irsmith.dataset.rows import faults_of
from irsmith.frontends.warp import ptx
from irsmith.real import Real
from irsmith.recipe import Recipe
from irsmith.row import schema
from irsmith.structure import describe

MOST = settings.default.max_examples
"""Of the profile, of which `fuzz` has 20,000."""
MANY = settings(max_examples=max(300, MOST), deadline=None, suppress_health_check=list(HealthCheck))
DEEP = ["(" * 150 + ")" * 150, "-" * 20_000 + "1", "x" + ".a" * 20_000, "a = " + "[" * 90 + "]" * 90, "9" * 5_000]
"""What parsers give up on, each in its own way."""

values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
TYPES = ["vec3[vec3[float32]]", "mat0x0[int32]", "opaque[", "def f("]
TOML = (
    'seed = 3\n[splits]\ntrain = 0.7\n\n[[datasets]]\nfrontend = "warp"\n\n[[datasets]]\nfrontend = "jax"\ncount = 9\n'
)
WORDS = st.text(max_size=5) | st.sampled_from(
    ["[", "]", "=", '"', "{", ",", ".5", "-", "\n", "datasets", "1e309", "0x"]
)
WHOLE = Recipe(real=Real("0" * 32, ("p 1",))).to_table()
LINES = st.lists(st.sampled_from([*TOML.splitlines(), *tomli_w.dumps(WHOLE).splitlines()]), max_size=6).map("\n".join)
names = st.sampled_from(list(Recipe.__dataclass_fields__)) | st.text(min_size=1, max_size=10)


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
    return st.just(value)


@pytest.mark.parametrize("column", [field.name for field in schema(()) if not field.nullable])
def test_nothing_where_something_must_be_is_no_row(made, record, column):
    spoiled = {**record, column: None}
    with pytest.raises(UserError, match=f"{column} is null"):
        row_of(spoiled, made.stages, "fuzz")
    assert [gate for gate, _ in faults_of(spoiled, made.recipe, made.stages)] == ["fields"]


@st.composite
def changed(draw, table, others=values, most=3):
    """A table of which some values are others, of their own type or any."""
    spoiled = copy.deepcopy(table)
    for path in draw(st.lists(st.sampled_from([path for path in places(table) if path]), min_size=1, max_size=most)):
        place = spoiled
        try:
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = draw(alike(place[path[-1]]) | others)
        except (TypeError, IndexError, KeyError):
            # Something above was taken away before.
            continue
    return spoiled


@st.composite
def edited(draw, text, pieces):
    """A text of which some words are gone, or others, or some of its own lines come again."""
    words = re.split(r"(\W)", text)
    for _ in range(draw(st.integers(1, 3))):
        first = draw(st.integers(0, len(words) - 1))
        last = first + draw(st.integers(0, 3))
        words[first:last] = draw(st.just([]) | st.lists(pieces | st.sampled_from(words), min_size=1, max_size=2))
        words = words or [""]
    return "".join(words)


@MANY
@given(data=st.data())
def test_any_table_is_a_recipe_or_a_clear_error(data):
    table = data.draw(st.dictionaries(names, values, max_size=4) | changed(WHOLE))
    try:
        found = recipes.parse(tomli_w.dumps(table), "fuzz")
    except UserError as error:
        outcome = str(error)
        event("refused for an unknown key" if "unknown" in outcome else "refused for a value")
    else:
        assert recipes.parse(found.to_toml(), "again") == found
        outcome = "fuzz: a recipe"
        event("a recipe")
    assert outcome.startswith("fuzz: ")


@MANY
@given(text=st.text() | st.sampled_from(DEEP).map(lambda deep: f"seed = {deep}") | edited(TOML, WORDS) | LINES)
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
        event("recipes")
    except UserError as error:
        outcome = str(error)
        event("no TOML" if "not TOML" in outcome or "TOML:" in outcome else "TOML, refused")
    assert outcome.startswith("fuzz: ")
    assert len(outcome) < 1_000


@pytest.fixture(scope="module")
def record(made):
    return next(iter(made.records()))


@MANY
@given(data=st.data())
def test_any_row_is_read_or_named_and_its_faults_are_told(made, record, data):
    spoiled = data.draw(changed(record, st.none()))
    try:
        outcome = f"fuzz: {type(row_of(spoiled, made.stages, 'fuzz'))}"
        event("a row")
    except UserError as error:
        outcome = str(error)
        event("no row")
    assert outcome.startswith("fuzz: ")
    for gate, what in faults_of(spoiled, made.recipe, made.stages):
        assert gate
        assert what


sources = st.text() | st.sampled_from(DEEP)


@MANY
@given(data=st.data(), number=st.integers(0, 50))
def test_the_structure_of_any_source_is_told_or_refused(rows, data, number):
    row = rows[number % len(rows)]
    try:
        found = describe(data.draw(edited(row["python_source"], sources)), row["name"])
    except SyntaxError:
        event("does not parse")
        return
    except ValueError:
        event("parses, without the kernel")
        return
    event("has a structure")
    assert len(found.structure_id) == 32


TEXT = 'void f_4(float a) { g_0(a); } // <L 3> <k at 0x7f12ab34cd56> "/tmp/k.py:9" 2026-01-02 13:45:59 f_0d1f3e2c\n'
SOURCE = (
    "import warp as wp\n\n\n@wp.func\ndef g(x: float):\n    return x\n\n\n@wp.kernel\ndef f(x: float):\n    g(1.0)\n"
)


@MANY
@given(text=sources | edited(TEXT, sources), source=st.none() | sources | edited(SOURCE, sources))
@example(text="kernel.py:" + "9" * 5_000, source="x = 1")
@example(text="<L " + "9" * 5_000 + ">", source="def f(): 0\ndef g(): 0")
@example(text="f_" + "9" * 5_000, source="def f(): 0\ndef g(): 0")
def test_what_is_unpredictable_in_any_text_is_told(text, source):
    try:
        tree = None if source is None else ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        tree = None
    event("no source" if source is None else "a source that does not parse" if tree is None else "a source")
    for finding in unpredictable.find(text, source, tree):
        event("finds something")
        assert finding.kind in unpredictable.KINDS


MODULE = """.version 8.4
.target sm_80
.address_size 64

.global .align 4 .b8 _ZN37_INTERNAL_00000000_7_unit_cu_9ed34b562wp5TABLEE[4] = {1, 2, 3, 4};

.func (.param .b32 r) helper(
\t.param .b32 helper_param_0
)
{
\t.reg .b32 %r<2>;
$L__BB0_1:
\tld.global.u32 %r1, [_ZN37_INTERNAL_00000000_7_unit_cu_9ed34b562wp5TABLEE];
\tbra $L__BB0_1;
}

.visible .entry k_cuda_kernel_forward(
\t.param .u64 k_cuda_kernel_forward_param_0
)
{
\t.local .align 4 .b8 __local_depot1[8];
\t{ // callseq 3, 0
\tcall.uni (r), helper, (p);
\t} // callseq 3
\tret;
}

.visible .entry k_cuda_kernel_backward(
)
{
\tret;
}
"""
PIECES = ["}\n", "{", ";", "\n", "// ", "helper", "callseq 99", "$L__BB7_2", "__local_depot12", "prototype_4", ".func"]
PIECES += ["_ZN37_INTERNAL_00000000_7_unit_cu_9ed34b562wp5TABLEE", "k_cuda_kernel_forward", ".visible .entry", ".const"]


@MANY
@given(module=st.text() | edited(MODULE, st.sampled_from(PIECES) | st.text(max_size=5)))
def test_any_module_is_cut_into_parts_or_refused(module):
    try:
        found = ptx.parts(module)
    except ptx.UnknownPtxError:
        event("refused")
        return
    event("has parts")
    assert all(isinstance(text, str) for text in found.values())
    again = ptx.parts(module)
    assert again == found


FEW = settings(max_examples=max(25, MOST // 20), deadline=None, suppress_health_check=list(HealthCheck))
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
    table = data.draw(changed(json.loads(files[path]), values | st.none(), 2))
    try:
        path.write_text(json.dumps(table))
        ends_well(root)
    finally:
        path.write_bytes(files[path])
