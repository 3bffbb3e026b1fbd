"""The charts of the pages: Vega-Lite drawn to SVG beforehand, so that a page needs no script to show them.

Colours are the page's own, so that a chart follows light and dark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from irsmith.errors import UserError
from irsmith.report.figures import Figures
from irsmith.report.safe import safe_values

if TYPE_CHECKING:
    from irsmith.audit import Audit

WIDTH = 330
"""Pixels of a chart's inside: with its axis it fits a telephone."""
CATEGORIES = 40
"""Categories that are shown in a chart, the most frequent; more would be longer than a screen."""
_COLOURS = [f"var(--colour-{number})" for number in range(1, 6)]
_CONFIG = {
    "background": None,
    # Browsers have other fonts than what measured the labels.
    "padding": {"left": 14, "top": 5, "right": 14, "bottom": 5},
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "titleFontWeight": "normal",
        "labelLimit": 150,
        "gridColor": "var(--rule)",
        "domainColor": "var(--rule)",
        "tickColor": "var(--rule)",
    },
    "legend": {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "orient": "bottom",
        "title": None,
        "columns": 3,
    },
    "range": {"category": _COLOURS},
    "bar": {"color": _COLOURS[0]},
    "rect": {"color": _COLOURS[0], "stroke": "var(--paper)", "strokeWidth": 1},
    "line": {"color": _COLOURS[0], "strokeWidth": 2},
}
_STATUS = {
    "passed": _COLOURS[2],
    "compiled": _COLOURS[0],
    "not applicable": "var(--pale)",
    "compiler wrong": _COLOURS[1],
}
_VEGA_LITE = "5.21"
_WHOLE = {"tickCount": 5, "tickMinStep": 1}
"""An axis of rows, of which there are no halves."""
Record = dict[str, Any]


def require() -> None:
    """Raise a `UserError` unless the libraries of the extra ``report`` are installed."""
    if find_spec("vl_convert") is None or find_spec("jinja2") is None:
        raise UserError("a page needs libraries: pip install 'irsmith[report]'")


def of_dataset(figures: Figures) -> dict[str, str]:
    """The charts of a dataset's report, as SVG, by name."""
    shown = {category for category, _ in figures.category_rows()[:CATEGORIES]}
    frequent = {pair: rows for pair, rows in figures.categories.items() if pair[0] in shown}
    curve = [{"rows": rows, "structures": structures} for rows, structures in figures.curve]
    charts = {
        "categories": _by_split(frequent, "category"),
        "difficulty": _by_split(figures.difficulty, "difficulty", sort="ascending"),
        "tags": _bars(_top(figures.tags, 30, "tag"), "tag"),
        "curve": _curve(curve),
        "lines": _histogram(figures.metrics["lines"], "lines of the kernel", 5),
        "lengths": _lengths(figures.lengths),
        "builtins": _bars(_top(figures.coverage.builtins, 30, "builtin"), "builtin"),
        "types": _bars(_top(figures.coverage.types, 30, "type"), "type"),
    }
    for name in ("statements", "operators", "calls"):
        charts[name] = _histogram(figures.metrics[name], name, 5)
    for name in ("branches", "loops", "loop_depth", "nesting", "helpers"):
        charts[name] = _columns(figures.metrics[name], name.replace("_", " "))
    if len({frontend for frontend, _ in figures.frontends}) > 1:
        charts["frontends"] = _by_split(figures.frontends, "frontend")
    if figures.verdicts:
        found = [{"check": c, "status": s.replace("_", " "), "rows": n} for (c, s), n in figures.verdicts.items()]
        charts["verdicts"] = _bars(found, "check", colour="status", order=list(_STATUS), sort="ascending")
        charts["verdicts"]["encoding"]["color"]["scale"]["range"] = [
            colour for status, colour in _STATUS.items() if any(item["status"] == status for item in found)
        ]
    for name, counted in figures.margins.items():
        if counted:
            charts[f"margin {name}"] = _margin(counted)
    return {name: _svg(spec) for name, spec in charts.items()}


def of_audit(found: Audit) -> dict[str, str]:
    """The charts of an audit, as SVG, by name."""
    rows = [
        {"category": name or "(none)", "what": what, "rows": count}
        for name, category in found.categories.items()
        for what, count in (
            ("structures", category.structures),
            ("further rows", category.rows - category.structures),
        )
    ]
    return {"categories": _svg(_bars(rows, "category", colour="what", order=["structures", "further rows"]))}


_SPLITS = ["train", "validation", "test", "held_out", "out_of_distribution"]


def _by_split(counted: Mapping[tuple[Any, str], int], name: str, sort: str = "-x") -> Record:
    values = [{name: value, "split": split, "rows": rows} for (value, split), rows in counted.items()]
    return _bars(values, name, colour="split", order=_SPLITS, sort=sort)


def _bars(
    values: list[Record], name: str, *, colour: str | None = None, order: Sequence[str] = (), sort: str = "-x"
) -> Record:
    encoding: Record = {
        "y": {"field": name, "type": "nominal", "sort": sort, "title": None},
        "x": {
            "aggregate": "sum",
            "field": "rows",
            "type": "quantitative",
            "title": "rows",
            "axis": {"tickCount": 5, "tickMinStep": 1},
        },
    }
    if colour:
        here = [item for item in order if any(value[colour] == item for value in values)]
        values = [value | {"place": here.index(value[colour])} for value in values]
        encoding["color"] = {"field": colour, "type": "nominal", "scale": {"domain": here}, "title": None}
        encoding["order"] = {"field": "place", "type": "quantitative"}
    return {"data": {"values": values}, "mark": "bar", "encoding": encoding, "height": {"step": 16}}


def _columns(counted: Mapping[int, int], title: str) -> Record:
    values = [{"value": value, "rows": rows} for value, rows in sorted(counted.items())]
    encoding = {
        "x": {"field": "value", "type": "ordinal", "title": title, "axis": {"labelAngle": 0, "labelOverlap": True}},
        "y": {"field": "rows", "type": "quantitative", "axis": _WHOLE},
    }
    return {"data": {"values": values}, "mark": "bar", "encoding": encoding, "height": 140}


def _histogram(counted: Mapping[int, int], title: str, step: int) -> Record:
    # What is far out would squeeze all else: the last bin holds it.
    ordered = sorted(counted.items())
    total, seen, last = sum(counted.values()), 0, 0
    for value, rows in ordered:
        seen += rows
        last = value
        if seen >= 0.99 * total:
            break
    step = max(step, -(-last // 40))
    bins: dict[int, int] = {}
    for value, rows in ordered:
        place = min(value, last) // step * step
        bins[place] = bins.get(place, 0) + rows
    values = [{"from": place, "to": place + step, "rows": rows} for place, rows in bins.items()]
    if ordered and ordered[-1][0] > last:
        title = f"{title} (the last bin: up to {ordered[-1][0]})"
    encoding = {
        "x": {"field": "from", "type": "quantitative", "title": title, "axis": {"tickCount": 8}},
        "x2": {"field": "to"},
        "y": {"field": "rows", "type": "quantitative", "axis": _WHOLE},
        "y2": {"datum": 0},
    }
    return {"data": {"values": values}, "mark": "rect", "encoding": encoding, "height": 140}


def _curve(values: list[Record]) -> Record:
    line = {"x": {"field": "rows", "type": "quantitative"}, "y": {"field": "structures", "type": "quantitative"}}
    if values:
        ends = [values[0] | {"structures": values[0]["rows"]}, values[-1] | {"structures": values[-1]["rows"]}]
        ideal = {
            "data": {"values": ends},
            "mark": {"type": "line", "strokeDash": [4, 4], "color": "currentColor", "opacity": 0.5, "strokeWidth": 1},
            "encoding": line,
        }
    else:
        ideal = {"data": {"values": []}, "mark": "line", "encoding": line}
    axis = {"axis": _WHOLE}
    encoding = {"x": line["x"] | axis, "y": line["y"] | axis | {"title": "distinct structures"}}
    return {
        "layer": [{"data": {"values": values}, "mark": "line", "encoding": encoding}, ideal],
        "height": 200,
    }


def _lengths(lengths: Mapping[str, Mapping[int, int]]) -> Record:
    """From the 10th to the 90th percentile of each text, with a tick at the median."""
    values = []
    for name, counted in lengths.items():
        if counted:
            ends = {"low": 0.1, "middle": 0.5, "high": 0.9}
            sizes = {end: 2 ** (_percentile(counted, share) / 2) for end, share in ends.items()}
            values.append({"text": name, **sizes})
    y = {"field": "text", "type": "nominal", "sort": None, "title": None}
    x: Record = {"field": "low", "type": "quantitative", "title": "bytes, 10th to 90th percentile"}
    x |= {"scale": {"type": "log"}, "axis": {"tickCount": 5, "format": "~s"}}
    return {
        "data": {"values": values},
        "layer": [
            {"mark": {"type": "bar", "size": 8}, "encoding": {"y": y, "x": x, "x2": {"field": "high"}}},
            {
                "mark": {"type": "tick", "thickness": 2, "color": "currentColor", "size": 12},
                "encoding": {"y": y, "x": {"field": "middle", "type": "quantitative"}},
            },
        ],
        "height": {"step": 16},
    }


def _percentile(counted: Mapping[int, int], share: float) -> int:
    seen, total = 0, sum(counted.values())
    for value, rows in sorted(counted.items()):
        seen += rows
        if seen >= share * total:
            return value
    return 0


def _margin(counted: Mapping[int, int]) -> Record:
    values = [
        {"from": 10 ** (place / 4 - 0.12), "to": 10 ** (place / 4 + 0.12), "rows": rows}
        for place, rows in counted.items()
    ]
    encoding = {
        "x": {
            "field": "from",
            "type": "quantitative",
            "title": "error over tolerance",
            "scale": {"type": "log"},
            "axis": {"tickCount": 6, "format": ".0e", "labelOverlap": True},
        },
        "x2": {"field": "to"},
        "y": {"field": "rows", "type": "quantitative", "axis": _WHOLE},
        "y2": {"datum": 0},
    }
    return {"data": {"values": values}, "mark": "rect", "encoding": encoding, "height": 140}


def _top(counted: Mapping[str, int], most: int, name: str) -> list[Record]:
    ordered = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [{name: key, "rows": rows} for key, rows in ordered[:most]]


def _svg(spec: Record) -> str:
    import vl_convert

    whole = {"$schema": "https://vega.github.io/schema/vega-lite/v5.json", "width": WIDTH, "config": _CONFIG, **spec}
    return str(vl_convert.vegalite_to_svg(safe_values(whole), vl_version=_VEGA_LITE))
