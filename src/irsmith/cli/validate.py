"""``irsmith validate``: the quality gates."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

import click

from irsmith.cli.running import PLACE, progress, workers_given
from irsmith.cli.say import say
from irsmith.dataset.manifest import read_table
from irsmith.dataset.validate import validate
from irsmith.places import Place


@click.command("validate")
@click.argument("directory", metavar="DIR", type=PLACE)
@click.option("--workers", type=int, help="Worker processes (default: one a processor).")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(directory: Place, workers: int | None, as_json: bool) -> int:
    """Check a dataset's files against each other and against the row format. Nothing is executed.

    Schema, checksums, JSON, fields, parseable Python, what texts must not hold, uniqueness, leaks between splits,
    verdicts, and the card against the files. The exit status is 1 when there is a fault, and each is named.
    """
    # What a stranger's manifest says may be no number; it is shown and nothing else.
    total = read_table(directory).get("rows")
    total = total if isinstance(total, int) else 0
    rows, faults = validate(directory, workers=workers_given(workers), on_progress=progress(total, "rows checked"))
    if as_json:
        click.echo(json.dumps({"rows": rows, "faults": [asdict(fault) for fault in faults]}))
    else:
        for fault in faults:
            say(str(fault))
        gates = Counter(fault.gate for fault in faults)
        named = ", ".join(f"{gate} {times}" for gate, times in sorted(gates.items()))
        say(f"{rows} rows checked, {len(faults)} faults{named and f': {named}'}")
    return 1 if faults else 0
