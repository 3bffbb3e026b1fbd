"""Which of Warp's builtins are synthesised and which are proved, read from Warp's own registry.

What Warp registers is more than what a kernel's author calls: subscripts and assignments become builtins too.
"""

from __future__ import annotations

import ast
from collections import Counter

from irsmith.coverage import Builtin, Coverage, reasons
from irsmith.frontends.warp import compiler
from irsmith.frontends.warp.printer import print_program
from irsmith.frontends.warp.reference.builtins.table import BUILTINS
from irsmith.frontends.warp.reference.expressions import OPERATORS
from irsmith.frontends.warp.reference.special import SPECIAL
from irsmith.frontends.warp.reference.spelling import BUILTIN_TYPES, PYTHON_TYPES
from irsmith.synth import Settings, synthesise
from irsmith.synth.errors import Discard
from irsmith.types import Matrix, Quaternion, Transformation, Vector

PROGRAMS = 12_000
"""How many programs are looked at: enough that what is drawn once in a thousand is not missed."""

_ABOUT = (
    "a thread of a user's kernel can call them without an external asset. The others are what the compiler makes of "
    "syntax, aids of its own tests, or need something that no text holds; each says which.",
    "*Forward*: the reference defines the result, and a test compares it with the compiled builtin. *Backward*: its "
    "adjoint is compared with differences of the reference, row by row; `-` where the language defines none.",
)
_CONSTRUCTORS = {Vector: "vector", Matrix: "matrix", Quaternion: "quaternion", Transformation: "transformation"}
_NOT_COUNTED = reasons((
    (
        "what subscripts become",
        "array_store store load extract index indexref address view slice tuple tile_slice_indexed",
    ),
    (
        "what assignments to elements and components become",
        "copy assign assign_inplace assign_copy add_inplace sub_inplace bit_and_inplace bit_or_inplace "
        "bit_xor_inplace transform_add_inplace transform_sub_inplace transform_set_translation_copy "
        "transform_set_rotation_copy tile_add_inplace tile_sub_inplace tile_bit_and_inplace tile_bit_or_inplace "
        "tile_bit_xor_inplace",
    ),
    ("what `for` becomes", "iter_next"),
    ("an aid of Warp's own tests", "expect_eq expect_neq expect_near"),
    ("for a debugger", "breakpoint"),
    (
        "undocumented and without a Python spelling of its own",
        "dense_gemm dense_gemm_batched dense_chol dense_chol_batched dense_subs dense_solve dense_solve_batched",
    ),
    ("removed: it raises an error that names `where`", "select"),
    (
        "needs a volume, a file or a grid on a GPU that no text holds",
        "volume_sample volume_sample_grad volume_lookup volume_store volume_sample_f volume_sample_grad_f "
        "volume_lookup_f volume_store_f volume_sample_v volume_lookup_v volume_store_v volume_sample_i volume_lookup_i "
        "volume_store_i volume_sample_index volume_sample_grad_index volume_lookup_index volume_voxel_count "
        "volume_index_to_world volume_world_to_index volume_index_to_world_dir volume_world_to_index_dir",
    ),
    ("needs a texture, an image that no text holds", "texture_sample"),
))  # fmt: skip
_WITHOUT_REFERENCE = reasons((
    ("16-bit floats of this kind have no NumPy dtype", "bfloat16"),
    ("a local array, which only some kernels may declare", "array zeros"),
    ("needs a mesh whose triangles are grouped, which inputs do not hold", "mesh_get_group_root"),
))  # fmt: skip
_NOT_EMITTED = reasons((("says nothing", "pos"),))


def coverage(programs: int) -> Coverage:
    """Every builtin of the installed Warp, with the first programs of seed 0 as evidence of what is emitted."""
    registered = compiler.builtins()
    emitted = _emitted(programs)
    known = {*BUILTINS, *SPECIAL, *_CONSTRUCTORS.values(), "range", "reversed", *BUILTIN_TYPES, *PYTHON_TYPES}
    made = []
    for name, (group, differentiable) in registered.items():
        internal = _NOT_COUNTED.get(name, "")
        forward = not internal and name in known and name not in _WITHOUT_REFERENCE
        used = emitted[name] if forward else 0
        if internal or not forward:
            reason = internal or _WITHOUT_REFERENCE.get(name, "not in the reference")
        else:
            reason = "" if used else _NOT_EMITTED.get(name, "in none of these programs")
        backward = forward if differentiable else None
        made.append(Builtin(name, group, not internal, used, forward, backward, reason))
    evidence = f"the first {programs:,} programs of seed 0 at default settings"
    return Coverage("Builtins", f"Warp {compiler.TESTED_VERSION}", *_ABOUT, evidence, tuple(made))


def _emitted(programs: int) -> Counter[str]:
    """In how many of the first programs of seed 0 each builtin stands."""
    settings, found = Settings(), Counter[str]()
    for index in range(programs):
        try:
            found.update(named_in(print_program(synthesise(0, "warp", index, settings)).source))
        except Discard:
            continue
    return found


def named_in(source: str) -> set[str]:
    """The builtins that the functions of a module's text use, by their names in Warp's registry."""
    tree = ast.parse(source)
    found = set()
    for statement in tree.body:
        if not isinstance(statement, ast.FunctionDef):
            continue
        for node in (inner for part in statement.body for inner in ast.walk(part)):
            if isinstance(node, ast.Call):
                found.add(_called(node.func))
            elif isinstance(node, ast.BinOp | ast.AugAssign | ast.UnaryOp):
                found.add("unot" if isinstance(node.op, ast.Not) else OPERATORS[type(node.op)])
    return found


def _called(function: ast.expr) -> str:
    name = (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )
    if name.startswith("spatial_"):
        return name
    return _CONSTRUCTORS.get(type(BUILTIN_TYPES.get(name)), name)
