"""An SVG file as part of a page: no outside reference, names of its own, colours of the page.

Belongs here: that change of text. Does not: drawing, or the page.
"""

from __future__ import annotations

import re
from html import escape

from tvdb_pipeline.operations.reports.palette import GROUND, INK, RULE

_THEMED = {INK: "var(--ink)", RULE: "var(--rule)", GROUND: "var(--card)"}


def inlined(svg: str, name: str, title: str) -> str:
    """The `svg` element alone. name: put before its ids, which must be the only ones of that name on the page; title: for who
    cannot see it."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", svg).replace("xlink:href=", "href=")
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    for colour, variable in _THEMED.items():
        svg = svg.replace(colour, variable)
    opening, _, rest = svg.partition(">")
    opening = re.sub(r'\s(width|height)="[^"]*"', "", opening)
    return f'{opening} role="img" aria-label="{escape(title)}">{rest.strip()}'
