"""Pages from templates. Everything is escaped but what the charts and the highlighter made."""

from __future__ import annotations

from typing import Any

from irsmith.report.highlight import highlighted, style
from irsmith.report.safe import safe


def render(template: str, **values: Any) -> str:
    """A page: the template with values in it, and style and script inside."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("irsmith.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["code"] = lambda text, language: [Markup(line) for line in highlighted(text, language)]
    environment.filters["made"] = Markup
    environment.filters["number"] = lambda value: f"{value:,}".replace(",", "\u202f")
    environment.filters["percent"] = lambda share: f"{share:.1%}".replace("%", "\u202f%")
    return safe(environment.get_template(template).render(code_style=Markup(style()), **values))
