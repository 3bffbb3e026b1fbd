"""``irsmith audit``: say what is in a dataset, whoever made it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from irsmith.audit import Audit, audit
from irsmith.cli.say import printable, say
from irsmith.cli.text import console
from irsmith.unpredictable import KINDS


@click.command("audit")
@click.argument("path", metavar="FILE_OR_DIR", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
@click.option("--html", type=click.Path(path_type=Path), help="Write a page too, which opens without a network.")
def command(path: Path, as_json: bool, html: Path | None) -> None:
    """Say what is in a dataset, whoever made it.

    It may be in any layout that `irsmith export` writes; which one is found out. Nothing of a row is executed.
    """
    found = audit(path)
    if html is not None:
        from irsmith.report import audit_page

        audit_page(found, html)
    if as_json:
        click.echo(json.dumps(found.to_json()))
    else:
        _print(found)


def _print(found: Audit) -> None:
    from rich.table import Table
    from rich.text import Text

    terminal = console()

    say(f"{found.path}: {found.layout}, {found.rows} rows in {found.files} files")
    share = found.most_frequent / max(found.rows, 1)
    say(f"{found.structures} structures; {share:.1%} of the rows have the most frequent one")
    say(f"{found.duplicates} duplicates of a row before, letter by letter")
    say("splits: " + ", ".join(f"{name} {rows}" for name, rows in found.splits.items()))
    things = [(f"leak, {name}", leak) for name, leak in found.leaks.items()]
    things += [(f"unreadable, {reason}", thing) for reason, thing in found.unreadable.items()]
    things += [("Python that does not parse", found.unparsable)] if found.unparsable.rows else []
    things += [(f"unpredictable, {kind} ({KINDS[kind]})", thing) for kind, thing in found.unpredictable.items()]
    for name, thing in things:
        say(f"{name}: {thing.rows} rows")
        for place, words in thing.examples:
            say(f"    {place}  {' '.join(words.split())}")
    if not things:
        say("no leaks, nothing unreadable, nothing unpredictable")
    categories = [("category", "rows", "structures", "unparsable"), *found.category_rows()]
    texts = [("text", "rows", "mean bytes", "longest"), *found.text_rows()]
    for heads, *rows in (categories, texts):
        shown = Table(*map(str, heads))
        for column in shown.columns[1:]:
            column.justify = "right"
        for row in rows:
            shown.add_row(*(Text(printable(str(cell))) for cell in row))
        terminal.print(shown)
