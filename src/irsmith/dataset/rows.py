"""What every row must keep, whatever made it: checked from its record, without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from irsmith import licence
from irsmith.dataset.splits import Facts, Splits, split_of
from irsmith.errors import UserError
from irsmith.frontends.base import Stage
from irsmith.kernel import Direction
from irsmith.real import group_of
from irsmith.recipe import Recipe
from irsmith.row import from_record
from irsmith.structure import describe, parsed
from irsmith.unpredictable import KINDS, find
from irsmith.verdict import Status


def faults_of(record: Mapping[str, Any], recipe: Recipe, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
    """What is wrong with a row, each as the gate that found it and a sentence.

    Args:
        record: The row.
        recipe: What made it.
        stages: The stages of its frontend that the dataset holds.
    """
    try:
        from_record(record, stages)
    except (UserError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield "fields", f"cannot be read as a row: {error}"
        # What follows takes for granted that everything is of its type.
        return
    yield from _fields(record, recipe)
    try:
        tree = parsed(record["python_source"])
    except (SyntaxError, ValueError) as error:
        yield "python", f"python_source does not parse: {error}"
        return
    yield from _source(record, tree)
    yield from _texts(record, tree, stages)
    yield from _line_map(record)
    yield from _verdicts(record, recipe, stages)


def split_wanted(record: Mapping[str, Any], splits: Splits) -> str | None:
    """The split that a row alone belongs to, where it stands in another; None where it is right."""
    try:
        wanted = split_of(Facts.of_record(record), splits)
    except (SyntaxError, ValueError):
        # Named by another gate.
        return None
    return None if record["split"] == wanted else wanted.value


def _fields(record: Mapping[str, Any], recipe: Recipe) -> Iterator[tuple[str, str]]:
    required = ["id", "name", "category", "python_source", "group_id", "toolchain"]
    # People do not always say what a kernel is for.
    required += ["description"] if record["seed"] is not None else ["file", "package", "line"]
    for name in required:
        if not record[name]:
            yield "fields", f"{name} is empty"
    if record["package"] and record["group_id"] != group_of(record["package"]):
        yield "packages", f"its group is not that of package {record['package']}"
    if recipe.real.kernels and not licence.allowed(record["licence"], recipe.real.licences):
        yield "licences", f"its licence, {record['licence'] or licence.UNSTATED}, is none that the recipe allows"
    if record["seed"] is not None and record["id"] != f"{record['frontend']}-{record['seed']}-{record['index']}":
        yield "fields", f"id {record['id']!r} does not say frontend, seed {record['seed']} and index {record['index']}"
    if record["frontend"] != recipe.frontend or record["seed"] != recipe.row_seed:
        yield "fields", f"seed {record['seed']} and frontend {record['frontend']} are of no recipe of the dataset"


def _source(record: Mapping[str, Any], tree: ast.Module) -> Iterator[tuple[str, str]]:
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    kernel = functions.get(record["name"])
    if kernel is None:
        yield "python", f"python_source has no function {record['name']!r}"
        return
    names = [argument.arg for argument in kernel.args.args]
    # What a function returns stands behind its arguments, and is none.
    called = record["launch"] is None
    stated = [a["name"] for a in record["arguments"] if not (called and a["direction"] == Direction.OUT)]
    # An array that a struct holds stands behind the struct, by the path of its field.
    stated = [name for name in stated if "." not in name or name.partition(".")[0] not in names]
    if names != stated:
        yield "python", f"the kernel's arguments are {', '.join(names)}, and the row says {', '.join(stated)}"
    found = describe(record["python_source"], record["name"])
    for name in found.__slots__:
        if getattr(found, name) != record[name]:
            yield "structure", f"{name} is {getattr(found, name)}, and the row says {record[name]}"


def _texts(record: Mapping[str, Any], tree: ast.Module, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
    for stage in stages:
        columns = stage.columns()
        if not any(record[column] for column in columns):
            yield "texts", f"holds no text of stage {stage.name}"
        for column in columns:
            text = record[column]
            if text is None:
                continue
            if not text.strip():
                yield "texts", f"{column} is empty: a part that is not there is null"
            for finding in find(text, record["python_source"], tree):
                yield "texts", f"{column} holds {KINDS[finding.kind]}: {finding.excerpt!r}"


def _line_map(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    lines = record["python_source"].count("\n") + 1
    lengths: dict[str, int] = {}
    for span in record["line_map"]:
        column = span["column"]
        if column not in lengths:
            lengths[column] = (record.get(column) or "").count("\n") + 1
        if not record.get(column):
            yield "line map", f"names {column}, which has no text"
            return
        if not (1 <= span["python_line"] <= lines and 1 <= span["first"] <= span["last"] <= lengths[column]):
            yield "line map", f"ties line {span['python_line']} to lines {span['first']} to {span['last']} of {column}"
            return


def _verdicts(record: Mapping[str, Any], recipe: Recipe, stages: Sequence[Stage]) -> Iterator[tuple[str, str]]:
    found = {verdict["check"]: verdict["status"] for verdict in record["verdicts"]}
    if len(found) != len(record["verdicts"]):
        yield "verdicts", "a check has two verdicts"
    if recipe.verify == "none":
        if found:
            yield "verdicts", "has verdicts, and its recipe asks for no verification"
        return
    missing = sorted({"forward", "backward"} - found.keys())
    if missing:
        yield "verdicts", f"has no verdict of {' and '.join(missing)}, and its recipe asks for verification"
    for check, status in found.items():
        if status not in list(Status):
            yield "verdicts", f"{check} has an unknown status {status!r}"
        elif status == Status.COMPILER_WRONG and check != "backward":
            yield "verdicts", f"{check} is {status}: such a kernel is no row"
    wrong = found.get("backward") == Status.COMPILER_WRONG
    if wrong and not recipe.checks.keep_wrong_adjoints:
        kept = [f"{s.name}_{part.name}" for s in stages for part in s.parts if part.backward]
        held = [column for column in kept if record[column]]
        if held:
            yield "verdicts", f"its backward is proved wrong, and {held[0]} holds it"
