"""The same blocks written as HTML, Markdown, plain text: formats that are text themselves."""

from html import escape

from drawing.blocks import Block
from drawing.truth import PageTruth


def page_truth(blocks: list[Block]) -> PageTruth:
    """What a reader of these blocks sees, whatever the format."""
    page = PageTruth()
    for block in blocks:
        if block.kind == "table":
            page.tabulate([list(row) for row in block.rows])
        else:
            page.say(block.text)
    return page


def to_html(blocks: list[Block], title: str) -> str:
    """A small web page."""
    parts: list[str] = []
    in_list = False
    for block in blocks:
        if in_list != (block.kind == "li"):
            in_list = block.kind == "li"
            parts.append("<ul>" if in_list else "</ul>")
        if block.kind == "table":
            parts += ["<table>", *(_html_row(row, "th" if n == 0 else "td") for n, row in enumerate(block.rows))]
            parts.append("</table>")
        else:
            parts.append(f"<{block.kind}>{escape(block.text)}</{block.kind}>")
    if in_list:
        parts.append("</ul>")
    style = "body{font-family:sans-serif;max-width:48em;margin:auto}td,th{border:1px solid #888;padding:4px}"
    head = f'<head><meta charset="utf-8"><title>{escape(title)}</title><style>{style}</style></head>'
    return "\n".join(["<!doctype html>", '<html lang="en">', head, "<body>", *parts, "</body>", "</html>", ""])


def _html_row(row: tuple[str, ...], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) + "</tr>"


def to_markdown(blocks: list[Block]) -> str:
    """Markdown with pipe tables."""
    parts: list[str] = []
    for block in blocks:
        if block.kind == "table":
            header, *body = block.rows
            lines = [header, tuple("---" for _ in header), *body]
            parts.append("\n".join(f"| {' | '.join(row)} |" for row in lines))
        elif block.kind.startswith("h"):
            parts.append(f"{'#' * int(block.kind[1])} {block.text}")
        else:
            parts.append(f"- {block.text}" if block.kind == "li" else block.text)
    return "\n\n".join(parts) + "\n"


def to_plain(blocks: list[Block]) -> str:
    """Plain text, one paragraph per line group."""
    return "\n\n".join(f"- {block.text}" if block.kind == "li" else block.text for block in blocks) + "\n"
