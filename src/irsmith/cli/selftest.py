"""``irsmith selftest``: check the checker."""

from __future__ import annotations

import json
import time
from dataclasses import asdict

import click

from irsmith.cli.say import say
from irsmith.errors import check_positive
from irsmith.frontends import get
from irsmith.outcome import Reject
from irsmith.pipeline import Pipeline
from irsmith.recipe import Recipe
from irsmith.verify.selftest import Report, selftest

DETECTION = 0.99
"""The share of spoiled rows that has to be seen."""


@click.command("selftest")
@click.option("--rows", type=int, default=20, show_default=True, help="Rows to spoil.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which rows, and where they are spoiled.")
@click.option("--per-row", type=int, help="The most mutants of one row (default: all).")
@click.option("--frontend", default="warp", show_default=True, help="The kernel language.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def command(rows: int, seed: int, per_row: int | None, frontend: str, as_json: bool) -> int:
    """Check the checker: spoil fresh rows in many ways, and see that verification notices.

    A C++ text is spoiled without the CUDA text beside it. A mutant that goes unnoticed is equivalent only if its
    outputs, and its adjoints where there is a derivative, are the same, to the last bit, on 64 wide input sets; one
    of JAX's, also if they are the same to ten digits in float64. The others are listed, with the row, the place, the
    way and the line. The exit status is 1 when less than 99 % are noticed.
    """
    check_positive("--rows", rows)
    check_positive("--per-row", per_row)
    pipeline = Pipeline(Recipe(frontend=frontend, seed=seed, count=rows))
    pipeline.frontend.toolchain()
    made = [row for index in range(rows) if not isinstance(row := pipeline.row(index), Reject)]
    start = time.monotonic()
    with get(frontend).prover() as toolchain:
        report = selftest(made, toolchain, seed=seed, per_row=per_row)
    seconds = time.monotonic() - start
    if as_json:
        click.echo(json.dumps(_document(report, seconds), indent=1))
    else:
        total, (low, high) = report.total, report.interval
        say(
            f"{total.made} mutants of {report.rows} rows in {seconds:.0f} s, "
            f"{report.ways} ways, {len(report.by_kind)} kinds of place and way"
        )
        say(f"{total.broken} are no programs and {total.equivalent} compute the same: {total.judged} are left")
        say(f"{total.detected} were noticed, {len(report.missed)} were not")
        say(f"detection {report.detection:.2%}, 95 % interval {low:.2%} to {high:.2%}")
        for miss in report.missed:
            found = miss.mutant
            say(f"missed: {miss.row_id}: {found.where}: {found.mutation}: {found.line}")
    return 0 if report.detection >= DETECTION else 1


def _document(report: Report, seconds: float) -> dict[str, object]:
    return {
        "rows": report.rows,
        "seconds": round(seconds, 1),
        "ways": report.ways,
        **asdict(report.total),
        "judged": report.total.judged,
        "detection": report.detection,
        "interval": report.interval,
        "symptoms": report.symptoms,
        "kinds": [{"where": where, "way": way, **asdict(t)} for (where, way), t in report.by_kind.items()],
        "missed": [
            {"row": m.row_id, "where": m.mutant.where, "way": m.mutant.mutation, "line": m.mutant.line}
            for m in report.missed
        ],
    }
