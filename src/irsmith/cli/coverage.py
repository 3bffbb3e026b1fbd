"""``irsmith coverage``: which builtins of a kernel language are synthesised and proved."""

from __future__ import annotations

from pathlib import Path

import click

from irsmith import frontends
from irsmith.cli.say import say
from irsmith.coverage import page
from irsmith.files import write_text


@click.command("coverage")
@click.option("--frontend", "name", default="warp", show_default=True, help="Whose builtins.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the page to this file, not to the screen."
)
def command(name: str, out: Path | None) -> None:
    """Say which builtins are synthesised, which are checked against a reference, and why the others are not.

    The page is Markdown. It depends on the installed compiler and on irsmith alone.
    """
    frontend = frontends.get(name)
    frontend.toolchain()
    text = page(frontend.coverage(), f"irsmith coverage --frontend {name} --out docs/coverage-{name}.md")
    if out is None:
        say(text, nl=False)
    else:
        write_text(out, text)
        say(f"wrote {out}")
