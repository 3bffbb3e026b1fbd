"""``irsmith doctor``: what works on this machine."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict

import click

from irsmith.cli.say import say
from irsmith.doctor import examine


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(as_json: bool) -> int:
    """Say which frontends and stages work on this machine, and what to install where one does not.

    Each stage is tried by lowering a kernel. The exit status is 0 when some frontend works.
    """
    found = examine()
    if as_json:
        click.echo(json.dumps([asdict(item) for item in found], indent=1))
    else:
        say(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")
        for item in found:
            if item.problem:
                say(f"{item.frontend}: {item.problem}")
                continue
            versions = ", ".join(f"{name} {version}" for name, version in item.versions.items())
            say(f"{item.frontend}: {versions}; accelerator: {item.accelerator or 'none found'}")
            for stage, problem in item.stages.items():
                say(f"  {stage}: {problem or 'works'}")
    return 0 if any(not item.problem for item in found) else 1
