"""PDFs that only say that their content is elsewhere: wrapped by rights management, or a form this kind of reader cannot show.

Belongs here: telling them from documents that mention such words. Does not: opening files, or passwords (`reading`).
"""

from __future__ import annotations

import re
from typing import Final

from tvdb_pipeline.errors import DocumentRefused

_MOST_PAGES: Final = 2
_MOST_CHARACTERS: Final = 1500
"""The notices have 200 to 700; a letter that mentions one has a text of its own besides."""

_OPENING: Final = 300
"""Characters before which a notice begins."""

_RIGHTS = re.compile(
    r"(?:this|the) (?:pdf )?(?:file|document) (?:is|has been) protected"
    r".*(?:different|compatible|supported) (?:pdf )?(?:reader|viewer)"
    r"|protected by microsoft (?:office|information|irm|rms|azure)|microsoft (?:azure )?information protection.*(?:reader|viewer)"
    r"|encrypted (?:pdf )?(?:wrapper|payload).*(?:reader|viewer|processor)"
)
_DYNAMIC_FORM = re.compile(
    r"if this message is not eventually replaced by the proper contents of the document"
    r"|document you are trying to load requires adobe reader"
    r"|to view the full contents of this document,? you need a later version of the pdf viewer"
)
_PORTFOLIO = re.compile(
    r"(?:open|view) this pdf portfolio in|requires .{0,40}to (?:view|open) (?:this|the) (?:pdf )?portfolio"
)


def refuse_placeholder(texts: list[str]) -> None:
    """Judge the text of each page of a whole document. Raises DocumentRefused(`protected`)."""
    if len(texts) > _MOST_PAGES:
        return
    text = " ".join(" ".join(texts).casefold().split())
    if len(text) > _MOST_CHARACTERS:
        return
    if _opens(_RIGHTS, text):
        raise DocumentRefused(
            "protected",
            "The PDF only says that its content is protected by rights management; upload a copy saved without protection.",
        )
    if _opens(_DYNAMIC_FORM, text):
        raise DocumentRefused(
            "protected", "The PDF is a dynamic form that only Adobe Reader can show; print it to a PDF and upload that."
        )
    if _opens(_PORTFOLIO, text):
        raise DocumentRefused(
            "protected", "The PDF is only the cover of a portfolio; upload the files inside it one by one."
        )


def _opens(notice: re.Pattern[str], text: str) -> bool:
    """Whether the text begins with the notice: a letter that mentions it has said something else before."""
    found = notice.search(text)
    return found is not None and found.start() <= _OPENING
