"""How many synthesised kernels are rejected and why, and how the rest are judged.

    python -m benchmarks.rejects [--frontend warp] [--count 5000] [--seed 20250] [--workers 2] [--out DIR]

Generates fully verified kernels at default settings and prints rejects by reason, every check's verdicts, and Warp's
kernels whose adjoint is wrong by what their source holds of the causes in ``docs/findings.md``. With ``--out`` the
dataset is kept, and an unfinished one is gone on with.
"""

from __future__ import annotations

import argparse
import ast
import tempfile
from collections import Counter
from pathlib import Path

import irsmith
from benchmarks.machine import machine
from irsmith.recipe import Recipe
from irsmith.row import Row
from irsmith.verdict import Status

UNROLLED = 16
"""Rounds up to which Warp unrolls a loop over literals."""


_TILES = {
    "tile_min", "tile_max", "tile_reduce", "tile_scan_inclusive", "tile_scan_exclusive", "tile_scan_max_inclusive",
    "tile_scan_min_inclusive", "tile_diag_add", "tile_from_thread", "tile_sort", "tile_cholesky_inplace",
    "tile_cholesky_solve", "tile_cholesky_solve_inplace", "tile_lower_solve_inplace", "tile_upper_solve",
    "tile_upper_solve_inplace", "tile_stack_push",
}  # fmt: skip
"""Builtins of tiles through which Warp has no gradient, or a wrong one."""


def causes(row: Row) -> list[str]:
    """The causes of wrong adjoints that a kernel's source holds."""
    tree = ast.parse(row.kernel.source)
    nodes = list(ast.walk(tree))
    loops = [node for node in nodes if isinstance(node, ast.For)]
    both = {argument.name for argument in row.kernel.signature.arguments if argument.direction == "inout"}
    written = {ast.unparse(node.value) for node in nodes if _element(node) and isinstance(node.ctx, ast.Store)}  # type: ignore[attr-defined]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    found = {
        "while": any(isinstance(node, ast.While) for node in nodes),
        "break": any(isinstance(node, ast.Break) for node in nodes),
        "dynamic loop": any(not _unrolled(loop) for loop in loops),
        "in place": bool(both & written),
        "frac": "frac" in attributes,
        "atomic min or max": bool(attributes & {"atomic_min", "atomic_max"}),
        "result of an atomic": any(_atomic_result(node) for node in nodes),
        "tiles without a gradient": bool(attributes & _TILES),
        "part of a transform": bool(attributes & {"transform_set_translation", "transform_set_rotation"}),
        "furthest point": "mesh_query_furthest_point_no_sign" in attributes,
        "%": any(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod) for node in nodes),
    }
    return [name for name, there in found.items() if there]


def _atomic_result(node: ast.AST) -> bool:
    call = node.value if isinstance(node, ast.Assign) else None
    function = call.func if isinstance(call, ast.Call) else None
    return isinstance(function, ast.Attribute) and function.attr.startswith("atomic_")


def _element(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name | ast.Attribute)


def _unrolled(loop: ast.For) -> bool:
    call = loop.iter
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "range"):
        # What a query finds is known at run time alone, and Warp does not unroll what is reversed.
        return False
    bounds = call.args
    values = [bound.value for bound in bounds if isinstance(bound, ast.Constant) and isinstance(bound.value, int)]
    return len(values) == len(bounds) and len(range(*values)) <= UNROLLED


def main() -> None:
    """Generate, count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frontend", default="warp")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=20250)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    # Small shards, so that one that is cut off loses little.
    size = max(1, min(250, options.count // 20))
    recipe = Recipe(
        frontend=options.frontend, count=options.count, seed=options.seed, max_reject_share=1.0, shard_size=size
    )
    with tempfile.TemporaryDirectory() as folder:
        root = options.out or Path(folder)
        summary = irsmith.generate(recipe, root, workers=options.workers)
        manifest = summary.manifest
        wrong: Counter[str] = Counter()
        for row in irsmith.load(root):
            for verdict in row.verdicts:
                if verdict.check == "backward" and verdict.status is Status.COMPILER_WRONG:
                    unknown = "finite nowhere" if verdict.reason.endswith("is not finite") else "none of them"
                    wrong.update([", ".join(causes(row)) or unknown])
    rejected = manifest.tried - manifest.rows
    print(machine())
    print(f"{manifest.tried} kernels, seed {options.seed}: {rejected} rejected ({rejected / manifest.tried:.2%})")
    for reason, count in sorted(manifest.rejects.items(), key=lambda pair: -pair[1]):
        print(f"  {count:5d} {count / manifest.tried:7.2%}  {reason}")
    print("Verdicts on the rows:")
    for verdict, count in sorted(manifest.verdicts.items()):
        print(f"  {count:5d} {count / manifest.rows:7.2%}  {verdict}")
    print("Rows whose adjoint is wrong, by what is in them:" if wrong else "No row's adjoint is wrong.")
    for held, count in wrong.most_common():
        print(f"  {count:5d} {count / manifest.rows:7.2%}  {held}")


if __name__ == "__main__":
    main()
