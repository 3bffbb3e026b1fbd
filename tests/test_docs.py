"""The pages say what is so: commands exist with their options, links lead somewhere, Python compiles."""

from __future__ import annotations

import ast
import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

from irsmith.cli import COMMANDS, cli

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def blocks(page: Path, language: str) -> list[str]:
    return [body for found, body in _BLOCK.findall(page.read_text()) if found == language]


def command_lines() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        text = page.read_text()
        lines = [line for body in blocks(page, "sh") for line in body.splitlines()]
        lines += re.findall(r"`(irsmith [^`]+)`", text)
        found += [(page.name, line.split("#")[0].strip()) for line in lines if line.strip().startswith("irsmith ")]
    return sorted(set(found))


@pytest.mark.parametrize(("page", "line"), command_lines())
def test_every_command_line_parses(page, line):
    words = [word for word in shlex.split(line.replace("[", "").replace("]", "")) if word != "…"][1:]
    if words[0].startswith("-"):
        cli.make_context("irsmith", words, resilient_parsing=True)
        return
    command = import_module(f"irsmith.cli.{words[0]}").command
    assert isinstance(command, click.Command)
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    own = words[1 : words.index("--")] if "--" in words else words[1:]
    for word in own:
        if word.startswith("-"):
            assert word in known, (page, line, word)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_compile(page):
    for body in blocks(page, "python"):
        ast.parse(body)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page):
    folders = "src|docs|tests|recipes|benchmarks|examples|frontends|engines|synth"
    for name in re.findall(rf"`((?:{folders})/[\w/.-]+)`", page.read_text()):
        assert (ROOT / name).exists() or (ROOT / "src" / "irsmith" / name).exists(), name


def test_the_readme_names_every_command():
    text = (ROOT / "README.md").read_text()
    for name in COMMANDS:
        assert f"irsmith {name}" in text


def test_every_recipe_is_named_in_the_readme():
    text = (ROOT / "README.md").read_text()
    for path in (ROOT / "recipes").glob("*.toml"):
        assert path.name in text
