"""The last step of every office, web and mail reader: elements with page numbers, readable tables and repeatable ids.

Belongs here: what has to hold for all elements of a finished document. Does not: reading any format.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tvdb_pipeline.parsing.parsed import PageReport, ParsedDocument
from tvdb_pipeline.parsing.tables import html_table_text

if TYPE_CHECKING:
    from unstructured.documents.elements import Element


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture nobody read: its page, and whether it is large enough to hold something worth reading."""

    page: int
    large: bool


def assemble(
    media_type: str,
    elements: Iterable[Element],
    *,
    page_count: int = 1,
    pictures: Sequence[Picture] = (),
    page_word: str = "page",
) -> ParsedDocument:
    """A document from the elements a reader found.

    page_count: pages known to exist, besides those the elements name; pictures: those nobody read. A page with pictures
    and no text has failed; beside text, large pictures are named as missing.
    """
    kept = [element for element in elements if element.text.strip()]
    for element in kept:
        # Indentation means something in program text only.
        element.text = element.text.strip("\n") if element.category == "CodeSnippet" else element.text.strip()
    fill_page_numbers(kept)
    stable_ids(kept)
    with_text = {element.metadata.page_number or 1 for element in kept}
    unread = {picture.page for picture in pictures}
    last = max({page_count, *with_text, *unread})
    pages = [_report(number, number in with_text, number in unread) for number in range(1, last + 1)]
    large = [picture.page for picture in pictures if picture.large and picture.page in with_text]
    return ParsedDocument(media_type, kept, pages, _pictures_missing(large, page_word))


def tables_as_text(elements: Iterable[Element]) -> list[Element]:
    """The elements, with the text of each table telling which value belongs to which row and column."""
    from unstructured.documents.elements import Table

    result = list(elements)
    for element in result:
        if isinstance(element, Table) and element.metadata.text_as_html:
            element.text = html_table_text(element.metadata.text_as_html) or element.text
    return result


def fill_page_numbers(elements: Sequence[Element]) -> None:
    """Give an element without a page that of the next element in the same section, or of the one before.

    A page header comes before the first element of its page, a page footer after the last.
    """
    from unstructured.documents.elements import Footer

    following: int | None = None
    for element in reversed(elements):
        if element.metadata.page_number is None and not isinstance(element, Footer):
            element.metadata.page_number = following
        following = element.metadata.page_number if element.metadata.page_number is not None else following
    current = 1
    for element in elements:
        current = element.metadata.page_number = element.metadata.page_number or current


def stable_ids(elements: Sequence[Element]) -> None:
    """Ids that depend on text, page and place only, so that reading the same bytes twice gives the same ids."""
    renamed = {element.id: element.id_to_hash(index) for index, element in enumerate(elements)}
    for element in elements:
        parent = element.metadata.parent_id
        element.metadata.parent_id = renamed.get(parent) if parent else None


def _pictures_missing(pages: list[int], page_word: str) -> list[str]:
    if not pages:
        return []
    places = ", ".join(str(page) for page in sorted(set(pages)))
    subject = "1 large picture was" if len(pages) == 1 else f"{len(pages)} large pictures were"
    return [f"{subject} not read ({page_word} {places})"]


def _report(number: int, has_text: bool, unread: bool) -> PageReport:
    if has_text:
        return PageReport(number, "text")
    if unread:
        return PageReport(number, "failed", note="image not read")
    return PageReport(number, "blank")
