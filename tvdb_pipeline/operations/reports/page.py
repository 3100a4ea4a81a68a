"""All reports on one page that needs nothing else: no script, no font, no picture from elsewhere.

Belongs here: Markdown as HTML, the navigation, the overview. Does not: how it looks (`style`), or what it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tvdb_pipeline.operations.reports.inline_plots import inlined
from tvdb_pipeline.operations.reports.judging import MET, MISSED, NOT_MEASURED
from tvdb_pipeline.operations.reports.style import STYLE

_LONG = 16
"""Tables with more rows are folded."""
_NARROW = 3
"""Tables with no more columns do not fill the page."""
_SHORT, _WIDE = 18, 60
"""Letters of a cell up to which it is not broken, and from which on it gets more room."""
_BADGES = {
    MET: "met",
    MISSED: "missed",
    NOT_MEASURED: "open",
    "passed": "met",
    "failed": "missed",
    "not needed": "open",
}
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One report. text: Markdown, its title the only heading of the first level; verdicts: how many targets of each."""

    name: str
    title: str
    text: str
    verdicts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Heading:
    level: int
    place: str
    words: str


def page(leaves: Sequence[Leaf], plots: Mapping[str, str]) -> str:
    """The page as HTML. plots: SVG by file name."""
    bodies: list[str] = []
    links: list[str] = []
    for leaf in leaves:
        tokens = _MARKDOWN.parse(leaf.text)
        headings = _placed(tokens, leaf.name)
        body = _MARKDOWN.renderer.render(_marked(tokens, leaf.name, plots), _MARKDOWN.options, {})
        bodies.append(f'<article aria-labelledby="{leaf.name}">\n{body}</article>')
        links.append(_links(leaf, headings))
    return _FRAME.format(
        style=STYLE, links="\n".join(links), cards="\n".join(map(_card, leaves)), bodies="\n".join(bodies)
    )


_FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tvdb_pipeline: reports</title>
<style>{style}</style>
</head>
<body>
<nav aria-label="Reports"><a class="home" href="#overview">tvdb_pipeline</a>
{links}
</nav>
<main>
<header id="overview">
<h1>Reports</h1>
<p>Insurance documents in, searchable vectors out: what was measured of it. Each figure names the command that made it; what
was not measured says so.</p>
<div class="cards">
{cards}
</div>
</header>
{bodies}
</main>
</body>
</html>
"""


def _card(leaf: Leaf) -> str:
    """A report's verdicts at a glance."""
    counts = [(_BADGES[verdict], verdict, count) for verdict, count in leaf.verdicts.items() if count]
    bar = "".join(f'<span class="{kind}" style="flex:{count}"></span>' for kind, _, count in counts)
    words = " ".join(f'<span class="badge {kind}">{count} {verdict}</span>' for kind, verdict, count in counts)
    return (
        f'<a class="card" href="#{leaf.name}"><strong>{escape(leaf.title)}</strong>'
        f'<span class="bar" aria-hidden="true">{bar}</span><span class="words">{words}</span></a>'
    )


def _links(leaf: Leaf, headings: Sequence[_Heading]) -> str:
    inner = "".join(
        f'<li class="level{heading.level}"><a href="#{heading.place}">{escape(heading.words)}</a></li>'
        for heading in headings
        if heading.level in (2, 3)
    )
    return f'<div><a class="report" href="#{leaf.name}">{escape(leaf.title)}</a><ul>{inner}</ul></div>'


def _placed(tokens: Sequence[Token], name: str) -> list[_Heading]:
    """Give each heading a place of its own and the level it has on the page; the headings."""
    found: list[_Heading] = []
    taken: set[str] = set()
    for opening, words, closing in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type != "heading_open":
            continue
        level = int(opening.tag[1])
        slug = re.sub(r"[^a-z0-9]+", "-", words.content.lower()).strip("-")
        place = name if level == 1 else f"{name}-{slug}"
        while place in taken:
            place += "-again"
        taken.add(place)
        opening.attrSet("id", place)
        opening.tag = closing.tag = f"h{min(level + 1, 6)}"
        found.append(_Heading(level, place, words.content))
    return found


def _marked(tokens: Sequence[Token], name: str, plots: Mapping[str, str]) -> list[Token]:
    """Tables that scroll, verdicts as badges, plots in the place of their links."""
    marked: list[Token] = []
    place = 0
    while place < len(tokens):
        token = tokens[place]
        if token.type == "table_open":
            end = next(at for at in range(place, len(tokens)) if tokens[at].type == "table_close")
            marked += _table(tokens[place : end + 1])
            place = end + 1
        elif _picture(tokens, place):
            marked.append(_raw(_figure(tokens[place + 1], name, plots)))
            place += 3
        else:
            marked.append(token)
            place += 1
    return marked


def _picture(tokens: Sequence[Token], place: int) -> bool:
    """Whether a paragraph of nothing but a picture begins here."""
    if tokens[place].type != "paragraph_open":
        return False
    children = tokens[place + 1].children or []
    return len(children) == 1 and children[0].type == "image"


def _figure(inline: Token, name: str, plots: Mapping[str, str]) -> str:
    image = (inline.children or [])[0]
    source, title = str(image.attrGet("src") or ""), image.content
    svg = plots.get(source.rpartition("/")[2])
    if svg is None:
        return f"<p>{escape(title)}: the plot is not there.</p>\n"
    drawing = inlined(svg, f"{name}-{source.rpartition('/')[2].removesuffix('.svg')}", title)
    return (
        f'<figure><div class="scroll" tabindex="0">{drawing}</div><figcaption>{escape(title)}</figcaption></figure>\n'
    )


def _table(tokens: Sequence[Token]) -> list[Token]:
    rows = sum(token.type == "tr_open" for token in tokens) - 1
    head = [words.content for opening, words in pairwise(tokens) if opening.type == "th_open"]
    column = 0
    for opening, words in pairwise(tokens):
        if opening.type == "tr_open":
            column = 0
        elif opening.type == "td_open":
            _mark_cell(opening, words, head[column] if column < len(head) else "")
            column += 1
    narrow = " narrow" if len(head) <= _NARROW else ""
    before, after = f'<div class="scroll{narrow}" tabindex="0">', "</div>\n"
    if rows > _LONG and "verdict" not in head:
        before, after = f"<details><summary>{rows} rows</summary>{before}", f"{after}</details>\n"
    return [_raw(before), *tokens, _raw(after)]


def _mark_cell(opening: Token, words: Token, title: str) -> None:
    """A verdict becomes a badge; that something was not measured is said quietly elsewhere."""
    length, command = len(words.content), words.content.startswith("`") and words.content.count("`") == 2
    opening.attrJoin("class", "short" if length <= _SHORT or command else "wide" if length > _WIDE else "middling")
    verdict = next((known for known in _BADGES if words.content.startswith(known)), None)
    if title == "verdict" and verdict is not None:
        opening.attrJoin("class", "verdict")
        rest = words.content.removeprefix(verdict).strip()
        words.children = [
            _raw(f'<span class="badge {_BADGES[verdict]}">{verdict}</span> {escape(rest)}', "html_inline")
        ]
    elif words.content.startswith(NOT_MEASURED):
        opening.attrJoin("class", "quiet")


def _raw(html: str, kind: str = "html_block") -> Token:
    return Token(kind, "", 0, content=html)
