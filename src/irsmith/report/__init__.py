"""A dataset as one page that a person reads: ``report.html``, which opens from disk and asks no network.

The files are read in batches. Nothing of a row is executed: its Python is parsed, everything else is shown as text.
"""

from __future__ import annotations

import os
from pathlib import Path

from irsmith import files
from irsmith.audit import Audit
from irsmith.compare import Comparison
from irsmith.dataset.load import Dataset
from irsmith.dataset.near import THRESHOLD
from irsmith.report import charts
from irsmith.report.clusters import SHOWN, clusters
from irsmith.report.figures import gather
from irsmith.report.page import render
from irsmith.report.samples import choose
from irsmith.unpredictable import KINDS

FILE = "report.html"


def report(dataset: Dataset, out: str | os.PathLike[str] | None = None) -> Path:
    """Write the report of a dataset.

    Args:
        dataset: What `irsmith.load` opened.
        out: The file; by default ``report.html`` in the dataset's folder.

    Raises:
        UserError: The libraries of the extra ``report`` are not installed.
    """
    path = Path(out) if out is not None else dataset.root / FILE
    charts.require()
    figures = gather(dataset)
    near = clusters(dataset)
    page = render(
        "report.html.j2",
        title=f"{dataset.root.resolve().name}: {figures.rows} kernels",
        dataset=dataset,
        figures=figures,
        charts=charts.of_dataset(figures),
        samples=choose(dataset),
        clusters=near,
        shown_clusters=[cluster.line() for cluster in (near or [])[:SHOWN]],
        threshold=THRESHOLD,
    )
    files.write_text(path, page)
    return path


def audit_page(found: Audit, path: Path) -> None:
    """Write an audit as a page of the same kind.

    Raises:
        UserError: The libraries of the extra ``report`` are not installed.
    """
    charts.require()
    page = render(
        "audit.html.j2", title=f"Audit of {found.path}", found=found, kinds=KINDS, charts=charts.of_audit(found)
    )
    files.write_text(path, page)


def comparison_page(found: Comparison, path: Path) -> None:
    """Write a comparison as a page of the same kind.

    Raises:
        UserError: The libraries of the extra ``report`` are not installed.
    """
    charts.require()
    files.write_text(path, render("compare.html.j2", title="Two corpora of kernels", found=found))
