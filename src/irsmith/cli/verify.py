"""``irsmith verify``: prove the rows of a dataset again."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from irsmith.cli.running import PLACE
from irsmith.cli.say import say
from irsmith.dataset.load import load
from irsmith.errors import UserError, check_positive
from irsmith.places import Place
from irsmith.proof import prove


@click.command("verify")
@click.argument("directory", metavar="DIR", type=PLACE)
@click.option("--sample", type=int, help="How many rows to look at, the same ones each time (default: all).")
@click.option("--device", type=click.Choice(["cuda"]), help="Run the texts for this accelerator on it, too.")
@click.option("--texts", "texts_only", is_flag=True, help="Only lower each source again and compare every text.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(directory: Place, sample: int | None, device: str | None, texts_only: bool, as_json: bool) -> int:
    """Prove the rows of a dataset again, from its files and the pinned toolchain alone.

    The texts are compiled and run in worker processes with limits, and the outcomes compared with the verdicts
    that the rows carry. The exit status is 1 when a row does not bear out what it says. With --texts nothing is run:
    each row's source is lowered again, in a process that can change nothing, and must give every text of the row.
    """
    check_positive("--sample", sample)
    if texts_only and device is not None:
        raise UserError("--texts: nothing is run then, on a device neither: leave one of --texts and --device out")
    found = prove(load(directory), sample=sample, device=device is not None, texts_only=texts_only)
    if as_json:
        click.echo(json.dumps(asdict(found)))
    else:
        say(f"{found.rows} rows {'lowered' if texts_only else 'proved'} again, {len(found.faults)} faults")
        for outcome, times in found.verdicts.items():
            say(f"{times:8} {outcome}")
        if found.withheld:
            say(f"{found.withheld:8} adjoints were proved wrong and are not in the dataset")
        for fault in found.faults:
            say(f"{fault.row_id}: {' '.join(fault.what.split())}")
    return 1 if found.faults else 0
