"""Real files with their known words, where a folder of them is at hand; skipped otherwise."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tvdb_pipeline.parsing import mail, office, tabular
from tvdb_pipeline.parsing.parsed import ParsedDocument

FOLDER = Path(os.environ.get("TVDB_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "corpus") / "office"
FEWEST_WORDS_FOUND = 0.95
# What their truth holds beyond the words on the page: link targets, times of comments, formulas in LaTeX, merged cells
# written once for each cell they cover, names given to charts and sheets.
OTHER_TRUTH = {
    "powerpoint_comments.pptx": 0.75,
    "table_with_equations.docx": 0.75,
    "unit_test_formatting.docx": 0.75,
    "xlsx_01.xlsx": 0.9,
    "xlsx_07_gap_tolerance_.xlsx": 0.8,
    "xlsx_comments.xlsx": 0.7,
}


def read_mail(reader: Callable[[bytes, Callable[[bytes], None]], ParsedDocument], data: bytes) -> ParsedDocument:
    """A message together with the text files attached to it, which the truth counts as one."""
    contents: list[bytes] = []
    document = reader(data, contents.append)
    for file, content in zip(document.attached, contents, strict=True):
        if file.name.endswith(".txt"):
            document.elements += office.parse_text(content).elements
    return document


READERS = {
    ".docx": office.parse_docx,
    ".pptx": office.parse_pptx,
    ".html": office.parse_html,
    ".md": office.parse_markdown,
    ".txt": office.parse_text,
    ".csv": tabular.parse_csv,
    ".xlsx": tabular.parse_xlsx,
    ".eml": lambda data: read_mail(mail.parse_eml, data),
    ".msg": lambda data: read_mail(mail.parse_msg, data),
}


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text.casefold()))


@pytest.mark.skipif(not FOLDER.is_dir(), reason="no folder of real files; name one that holds office/ in TVDB_CORPUS")
def test_the_known_words_of_real_files_are_found() -> None:
    short: dict[str, float] = {}
    files = [file for file in sorted(FOLDER.iterdir()) if file.suffix in READERS]
    assert files
    for file in files:
        document = READERS[file.suffix](file.read_bytes())
        assert document.elements, file.name
        assert [page.number for page in document.pages] == list(range(1, len(document.pages) + 1))
        truth_file = FOLDER / "_gt" / f"{file.name}.md"
        if not truth_file.exists():
            continue
        truth = words(re.sub(r"<!--.*?-->|&\w+;", " ", truth_file.read_text()))
        got = words("\n".join(element.text for element in document.elements))
        share = sum((truth & got).values()) / max(1, sum(truth.values()))
        if share < OTHER_TRUTH.get(file.name, FEWEST_WORDS_FOUND):
            short[file.name] = round(share, 3)
    assert short == {}
