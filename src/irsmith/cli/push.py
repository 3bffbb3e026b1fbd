"""``irsmith push``: put a dataset on the Hugging Face hub."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from irsmith.cli.say import say
from irsmith.hub import push


@click.command("push")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("repo", metavar="OWNER/NAME")
@click.option("--dry-run", is_flag=True, help="Print what would go, and send nothing.")
@click.option("--private", is_flag=True, help="Make a new repository private.")
@click.option("--endpoint", help="The address of another hub.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(directory: Path, repo: str, dry_run: bool, private: bool, endpoint: str | None, as_json: bool) -> None:
    """Upload a dataset to the Hugging Face hub, laid out as `irsmith export --format hf` does.

    DIR is a dataset, or a folder that was exported in that format. The token is the one of `hf auth login`, or of
    the variable HF_TOKEN.
    """
    done = push(directory, repo, private=private, dry_run=dry_run, endpoint=endpoint)
    if as_json:
        click.echo(json.dumps(asdict(done)))
        return
    for name, size in done.files.items():
        say(f"{size:12} {name}")
    verb = "would go" if done.url is None else "went"
    say(f"{len(done.files)} files, {sum(done.files.values()) / 1e6:.1f} MB {verb} to {done.repo}")
    if done.url is not None:
        say(done.url)
