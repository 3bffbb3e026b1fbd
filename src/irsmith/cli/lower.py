"""``irsmith lower``: lower the kernels of a user's own file."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from irsmith.cli.say import printable, say
from irsmith.cli.text import console, print_row
from irsmith.errors import UserError
from irsmith.frontends import get
from irsmith.frontends.base import default_stages, stage_named
from irsmith.outcome import Reject
from irsmith.row import Row, write_rows
from irsmith.userfile import lower


@click.command("lower")
@click.argument("file", metavar="FILE.py", type=click.Path(path_type=Path))
@click.option("--kernel", "--function", "kernel", help="The one kernel wanted (default: all in the file).")
@click.option("--args", "arguments", help="Types and shapes of a JAX function's arguments: 'f32[8,16] f32[16]'.")
@click.option("--stage", help="A stage of the frontend, such as cpp or ptx, or all (default: those of `generate`).")
@click.option("--frontend", default="warp", show_default=True, help="The kernel language.")
@click.option("--out", type=click.Path(path_type=Path), help="Write rows to FILE.parquet or FILE.jsonl.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object a kernel.")
def command(
    file: Path,
    kernel: str | None,
    arguments: str | None,
    stage: str | None,
    frontend: str,
    out: Path | None,
    as_json: bool,
) -> int:
    """Lower the kernels of your own file, and show or keep the texts.

    The file is imported, and so executed, in a worker process. Its structs and helper functions are lowered
    with the kernels that use them. The exit status is 1 when a kernel did not lower.
    """
    chosen = get(frontend)
    if stage is None:
        stages = default_stages(chosen)
    else:
        stages = chosen.stages if stage == "all" else (stage_named(chosen, stage),)
    if out is not None and out.suffix not in (".parquet", ".jsonl"):
        raise UserError(f"--out {out}: rows are written as .parquet or .jsonl, by the file's ending")
    outcomes = lower(file, kernel=kernel, stages=[s.name for s in stages], frontend=frontend, arguments=arguments)
    rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
    rejects = [outcome for outcome in outcomes if isinstance(outcome, Reject)]
    if out is not None:
        try:
            write_rows(out, rows, stages)
        except OSError as error:
            raise UserError(f"{out}: {error.strerror}") from None
        say(f"{len(rows)} rows in {out}")
    elif as_json:
        for row in rows:
            click.echo(json.dumps({"kernel": row.kernel.name, "python_source": row.kernel.source, **row.texts}))
        for reject in rejects:
            click.echo(json.dumps({"kernel": reject.name, "reject": asdict(reject)}))
    else:
        terminal = console()
        for row in rows:
            terminal.rule(printable(row.kernel.name))
            print_row(terminal, row, list(stages), ["forward", "backward"])
    for reject in rejects if not as_json else ():
        say(f"{reject.name}: not lowered: {reject.symptom}: {' '.join(reject.message.split())}", err=True)
    return 1 if rejects else 0
