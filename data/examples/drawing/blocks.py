"""The markup in which content is written, and its reading into blocks.

One line opens one block: `#`, `##`, `###` a heading, `- ` a list item, `|` a table row, `%` an instruction to the
layout, anything else a paragraph. A line that follows without a blank line continues a paragraph or list item.
How a block looks belongs to the module that draws it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

TEXTS = Path(__file__).parent / "text"
LAYOUT = ("page", "blank", "columns", "column", "end", "toc")


@dataclass(frozen=True)
class Block:
    """A heading (h1 to h3), paragraph (p), list item (li), table, or instruction (one of LAYOUT)."""

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    look: str = "ruled"
    widths: tuple[float, ...] = ()


def read(name: str) -> list[Block]:
    """The blocks of one file in the text folder."""
    return parse((TEXTS / name).read_text(encoding="utf-8"))


def parse(source: str) -> list[Block]:
    """Read marked-up text."""
    blocks: list[Block] = []
    look, widths, open_block = "ruled", tuple[float, ...](), False
    for line in source.splitlines():
        line = line.strip()
        last = blocks[-1] if blocks else Block("page")
        if not line:
            open_block = False
        elif line.startswith("%table"):
            _, look, *numbers = line.split()
            widths = tuple(float(number) for number in numbers)
            open_block = False
        elif line.startswith("|"):
            row = tuple(cell.strip() for cell in line.strip("|").split("|"))
            if last.kind == "table" and open_block:
                blocks[-1] = replace(last, rows=(*last.rows, row))
            else:
                blocks.append(Block("table", rows=(row,), look=look, widths=widths))
            open_block = True
        elif open_block and last.kind in ("p", "li") and line[0] not in "#%-":
            blocks[-1] = replace(last, text=f"{last.text} {line}")
        else:
            blocks.append(_opened(line))
            open_block = blocks[-1].kind in ("p", "li")
    return blocks


def _opened(line: str) -> Block:
    mark, _, rest = line.partition(" ")
    if line.startswith("%"):
        if line[1:] not in LAYOUT:
            raise ValueError(f"unknown instruction {line}")
        return Block(line[1:])
    if mark in ("#", "##", "###"):
        return Block(f"h{len(mark)}", rest)
    if mark == "-":
        return Block("li", rest)
    return Block("p", line)


def numbered(blocks: Iterable[Block]) -> list[Block]:
    """Give chapters and sections their numbers."""
    chapter = section = 0
    result: list[Block] = []
    for block in blocks:
        if block.kind == "h1":
            chapter, section = chapter + 1, 0
            block = replace(block, text=f"Chapter {chapter}. {block.text}")
        elif block.kind == "h2":
            section += 1
            block = replace(block, text=f"{chapter}.{section} {block.text}")
        result.append(block)
    return result


def table(rows: Iterable[Iterable[str]], widths: Iterable[float] = (), look: str = "ruled") -> Block:
    """A table block from rows made by a program; the first row is the header."""
    return Block("table", rows=tuple(tuple(row) for row in rows), look=look, widths=tuple(widths))
