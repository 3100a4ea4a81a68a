"""All hostile files, written into a folder.

Belongs here: the list of families. Does not: any file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tvdb_pipeline_tests.hostile.archives import archives
from tvdb_pipeline_tests.hostile.cases import Case
from tvdb_pipeline_tests.hostile.mails import mails
from tvdb_pipeline_tests.hostile.misnamed import misnamed
from tvdb_pipeline_tests.hostile.office import office
from tvdb_pipeline_tests.hostile.pdf_bombs import bombs
from tvdb_pipeline_tests.hostile.pdf_loops import loops
from tvdb_pipeline_tests.hostile.pdf_odd import odd
from tvdb_pipeline_tests.hostile.pictures import pictures
from tvdb_pipeline_tests.hostile.sheets import sheets
from tvdb_pipeline_tests.hostile.texts import texts

FAMILIES = (archives, office, sheets, bombs, loops, odd, pictures, texts, mails, misnamed)
CASES: Sequence[Case] = tuple(case for family in FAMILIES for case in family)
NOWHERE = "http://127.0.0.1:9"
"""A URL nobody listens at."""


def write(cases: Sequence[Case], folder: Path, url: str = NOWHERE) -> list[Path]:
    """The files in the order of `cases`. url: what they try to reach."""
    files: list[Path] = []
    for case in cases:
        files.append(folder / case.name)
        files[-1].write_bytes(case.make(url))
    return files
