"""Licences: how they are read, and what an allow-list allows."""

import pytest

from irsmith.licence import PERMISSIVE, UNSTATED, allowed, canonical, of_text


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("(MIT OR GPL-3.0-only) AND Apache-2.0", True),
        ("Apache-2.0 WITH LLVM-exception", True),
        (None, False),
    ],
)
def test_an_expression_is_allowed_if_what_it_asks_for_is(expression, permitted):
    assert allowed(expression, PERMISSIVE) is permitted


def test_code_without_a_licence_is_allowed_only_where_that_is_said():
    assert allowed(None, (*PERMISSIVE, UNSTATED))


def test_expressions_are_read_from_text():
    assert of_text("# SPDX-License-Identifier: Apache-2.0\nimport x\n") == "Apache-2.0"
    assert canonical("mit") == "MIT"
    assert canonical("Some words of a lawyer") is None
