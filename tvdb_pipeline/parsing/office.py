"""Word, PowerPoint, HTML, Markdown and plain text files to elements, through unstructured's partitioners.

Belongs here: the entry point for each of these formats. Does not: tables as files (`tabular`), mail (`mail`), or what a
format needs before its partitioner can read it whole (`word_parts`, `slides`, `web`, `plain_text`).
"""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing.assemble import assemble, tables_as_text
from tvdb_pipeline.parsing.containers import OfficeKind, corrupt
from tvdb_pipeline.parsing.language_model import prepare
from tvdb_pipeline.parsing.ooxml import Package
from tvdb_pipeline.parsing.parsed import ParsedDocument
from tvdb_pipeline.parsing.plain_text import parse_text
from tvdb_pipeline.parsing.slide_extras import with_extras
from tvdb_pipeline.parsing.slides import SLIDE, plain_slide, slide_parts, slide_pictures
from tvdb_pipeline.parsing.web import parse_html, parse_markdown
from tvdb_pipeline.parsing.word_notes import spell_out_notes
from tvdb_pipeline.parsing.word_pages import mark_breaks, pictures
from tvdb_pipeline.parsing.word_parts import DOCUMENT, plain_document
from tvdb_pipeline.parsing.xml_tree import to_xml

__all__ = ["parse_docx", "parse_html", "parse_markdown", "parse_pptx", "parse_text"]

_OFFICE = "application/vnd.openxmlformats-officedocument."


def parse_docx(data: bytes) -> ParsedDocument:
    """A Word document; pages as Word last drew them, else as the author set breaks, else one."""
    with _refusing("docx"):
        package = Package(data, "docx")
        root = plain_document(package)
        spell_out_notes(root, package)
        page_count = mark_breaks(root)
        found = pictures(root, package)
        package.parts[DOCUMENT] = to_xml(root)
        prepare()
        from unstructured.partition.docx import partition_docx

        elements = partition_docx(file=io.BytesIO(package.to_bytes()), include_page_breaks=False, languages=[""])
        media_type = _OFFICE + "wordprocessingml.document"
        return assemble(media_type, tables_as_text(elements), page_count=page_count, pictures=found)


def parse_pptx(data: bytes) -> ParsedDocument:
    """A presentation; a page for each slide."""
    with _refusing("pptx"):
        package = Package(data, "pptx")
        slides = slide_parts(package)
        package.rewrite(SLIDE, plain_slide)
        prepare()
        from unstructured.partition.pptx import partition_pptx

        elements = partition_pptx(
            file=io.BytesIO(package.to_bytes()), include_page_breaks=False, include_slide_notes=False, languages=[""]
        )
        found = [picture for number, name in enumerate(slides, 1) for picture in slide_pictures(package, name, number)]
        return assemble(
            _OFFICE + "presentationml.presentation",
            with_extras(tables_as_text(elements), package, slides),
            page_count=len(slides),
            pictures=found,
            page_word="slide",
        )


@contextmanager
def _refusing(kind: OfficeKind) -> Generator[None]:
    try:
        yield
    except (TvdbError, MemoryError):
        raise
    except Exception:
        # Damaged files make the libraries below fail in more ways than can be listed; what they say may quote the file.
        raise corrupt(kind) from None
