"""What holds for Office files of any kind: refusals, the strict form, and cheap imports."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable

import pytest
from office_files import encrypted, plain_word, slides, strict, text
from ole_container import ole_container

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.office import parse_docx, parse_pptx
from tvdb_pipeline.parsing.parsed import ParsedDocument


def test_word_in_the_strict_form_is_read() -> None:
    assert text(parse_docx(strict(plain_word()))) == "The insurer pays for the loss."


@pytest.mark.parametrize("reader", [parse_docx, parse_pptx])
def test_unfit_office_files_are_refused_by_name(reader: Callable[[bytes], ParsedDocument]) -> None:
    good = plain_word() if reader is parse_docx else slides(lambda presentation: None)
    cases = {
        "encrypted": encrypted(good),
        "unsupported": ole_container({"WordDocument": b"x" * 5000}),
        "corrupt": good[: len(good) // 2],
    }
    for code, data in cases.items():
        with pytest.raises(DocumentRefused) as refusal:
            reader(data)
        assert refusal.value.code == code


def test_entities_in_office_xml_are_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain_word())) as source, zipfile.ZipFile(buffer, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                content = content.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)
            target.writestr(name, content)
    with pytest.raises(DocumentRefused) as refusal:
        parse_docx(buffer.getvalue())
    assert refusal.value.code == "corrupt"


def test_importing_the_readers_loads_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys, tvdb_pipeline.parsing.office, tvdb_pipeline.parsing.tabular, tvdb_pipeline.parsing.mail\n"
        "sys.exit(bool({'unstructured', 'spacy', 'pandas', 'openpyxl', 'docx', 'pptx'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=".").returncode == 0
