"""What stands beside the text boxes of a slide: charts, diagrams, speaker notes and comments.

Belongs here: finding those parts of a presentation and making elements of them. Does not: the slide's own text and
tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from tvdb_pipeline.parsing.charts import DGM, C, read_chart, read_diagram
from tvdb_pipeline.parsing.ooxml import A, Package, R
from tvdb_pipeline.parsing.slides import P
from tvdb_pipeline.parsing.tables import rows_to_html, rows_to_text

if TYPE_CHECKING:
    from unstructured.documents.elements import Element


def with_extras(elements: Sequence[Element], package: Package, slides: Sequence[str]) -> list[Element]:
    """The elements of all slides, each slide followed by what stands beside its text."""
    result: list[Element] = []
    authors = _comment_authors(package)
    for number, name in enumerate(slides, start=1):
        result += _one_title([element for element in elements if element.metadata.page_number == number])
        extras = [*_drawings(package, name), *_notes(package, name), *_comments(package, name, authors)]
        for extra in extras:
            extra.metadata.page_number = number
        result += extras
    return result


def _one_title(elements: Sequence[Element]) -> list[Element]:
    # unstructured takes every short line for a title; on a slide those below the first are points under it.
    from unstructured.documents.elements import Text, Title

    result: list[Element] = []
    titled = False
    for element in elements:
        if isinstance(element, Title) and titled and (element.metadata.category_depth or 0) > 0:
            element = Text(element.text, metadata=element.metadata)
        titled = titled or isinstance(element, Title)
        result.append(element)
    return result


def _drawings(package: Package, name: str) -> Iterator[Element]:
    from unstructured.documents.elements import ElementMetadata, ListItem, Table, Text

    root = package.xml(name)
    relations = package.relations(name)
    for node in root.iter(f"{{{C}}}chart", f"{{{DGM}}}relIds") if root is not None else ():
        part = package.xml(relations.get(node.get(f"{{{R}}}id") or node.get(f"{{{R}}}dm") or "", ""))
        if part is None:
            continue
        if node.tag == f"{{{DGM}}}relIds":
            yield from (ListItem(line) for line in read_diagram(part))
            continue
        chart = read_chart(part)
        if chart.title:
            yield Text(chart.title)
        if chart.rows:
            markup = rows_to_html(chart.rows, header_rows=1)
            yield Table(rows_to_text(chart.rows, header_rows=1), metadata=ElementMetadata(text_as_html=markup))


def _notes(package: Package, name: str) -> Iterator[Element]:
    from unstructured.documents.elements import NarrativeText

    for target in package.relations(name).values():
        root = package.xml(target) if "/notesSlides/" in target else None
        for shape in root.iter(f"{{{P}}}sp") if root is not None else ():
            kind = next(shape.iter(f"{{{P}}}ph"), None)
            # Notes pages repeat the slide's number, date and picture beside the notes themselves.
            if kind is not None and kind.get("type") == "body":
                lines = [_text(line) for line in shape.iter(f"{{{A}}}p")]
                if any(lines):
                    yield NarrativeText("Notes: " + "\n".join(line for line in lines if line))


def _comments(package: Package, name: str, authors: dict[str, str]) -> Iterator[Element]:
    from unstructured.documents.elements import Text

    for target in package.relations(name).values():
        root = package.xml(target) if "/comments/" in target else None
        for comment in root.iter() if root is not None else ():
            tag = comment.tag.rpartition("}")[2] if isinstance(comment.tag, str) else ""
            if tag not in ("cm", "reply"):
                continue
            # Older comments keep their words in `text`, newer ones in a text body of their own.
            bodies = [child for child in comment if str(child.tag).rpartition("}")[2] in ("text", "txBody")]
            words = " ".join("".join(body.itertext()).strip() for body in bodies)
            author = authors.get(comment.get("authorId") or "", "")
            if words:
                yield Text(f"{f'Comment by {author}' if author else 'Comment'}: {words}")


def _comment_authors(package: Package) -> dict[str, str]:
    authors: dict[str, str] = {}
    for part in ("ppt/commentAuthors.xml", "ppt/authors.xml"):
        root = package.xml(part)
        authors.update({node.get("id"): node.get("name") or "" for node in root} if root is not None else {})
    return authors


def _text(line: Any) -> str:
    return "".join(leaf.text or "" for leaf in line.iter(f"{{{A}}}t")).strip()
