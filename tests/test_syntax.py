"""The walk of `irsmith.syntax` against the standard library's."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import irsmith
from irsmith.syntax import nodes

_WORDS = (ast.expr_context, ast.operator, ast.cmpop, ast.unaryop, ast.boolop)


@pytest.mark.parametrize("name", ["synth/synthesis.py", "frontends/warp/reference/source.py", "verify/case.py"])
def test_nodes_are_those_of_the_standard_walk_in_its_order(name: str) -> None:
    tree = ast.parse((Path(irsmith.__file__).parent / name).read_text(encoding="utf-8"))
    assert nodes(tree) == [node for node in ast.walk(tree) if not isinstance(node, _WORDS)]


def test_several_roots_and_none() -> None:
    one, two = ast.parse("a + b"), ast.parse("c")
    names = [node.id for node in nodes(one, None, two) if isinstance(node, ast.Name)]
    assert sorted(names) == ["a", "b", "c"]
