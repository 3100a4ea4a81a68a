"""Files that are empty, cut off after their first bytes, or called what they are not.

Belongs here: what admission by size, name and head has to judge. Does not: files that are sound so far.
"""

from __future__ import annotations

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family
from tvdb_pipeline_tests.hostile.mails import mails
from tvdb_pipeline_tests.hostile.office_parts import package
from tvdb_pipeline_tests.hostile.pictures import drawn
from tvdb_pipeline_tests.hostile.raw_pdf import one_page

misnamed = Family("misnamed")
_ENDINGS = (
    "pdf",
    "docx",
    "pptx",
    "xlsx",
    "png",
    "jpg",
    "tiff",
    "bmp",
    "webp",
    "msg",
    "eml",
    "html",
    "md",
    "txt",
    "csv",
)
_TEXTS = ("eml", "html", "md", "txt", "csv")
_MAGIC = {
    "pdf": b"%PDF-", "zip": b"PK\3\4", "ole": bytes.fromhex("d0cf11e0a1b11ae1"), "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff", "tiff": b"II*\0", "big-tiff": b"II+\0\x08\0\0\0", "bmp": b"BM" + bytes(8),
    "webp": b"RIFF\0\0\0\0WEBP", "gif": b"GIF89a", "gzip": b"\x1f\x8b\x08", "elf": b"\x7fELF", "exe": b"MZ\x90\0",
    "rar": b"Rar!\x1a\7", "7z": b"7z\xbc\xaf\x27\x1c",
}  # fmt: skip
_REFUSED = frozenset({"corrupt", "unsupported", "wrong_extension", "not_text"})

for _ending in _ENDINGS:
    misnamed.add(f"empty.{_ending}", lambda _: b"", "empty")
    _ends = READ | TEXTLESS | {"corrupt"} if _ending in _TEXTS else frozenset({"wrong_extension", "corrupt"})
    misnamed.add(f"one-letter.{_ending}", lambda _: b"%", _ends)
    misnamed.add(f"one-nul.{_ending}", lambda _: b"\0", "wrong_extension")
    misnamed.add(
        f"random.{_ending}", lambda _: bytes(n * n * 7 % 251 for n in range(3000)), "wrong_extension", "not_text"
    )
for _kind, _magic in _MAGIC.items():
    for _ending in ("pdf", "docx", "png", "txt", "msg", "bin"):
        misnamed.add(f"only-magic-{_kind}.{_ending}", lambda _, magic=_magic: magic, _REFUSED | READ | TEXTLESS)

misnamed.add("picture-named.docx", lambda _: drawn("PNG"), READ)
misnamed.add("picture-named.txt", lambda _: drawn("JPEG"), READ)
misnamed.add("pdf-named.csv", lambda _: one_page(), READ)
misnamed.add("pdf-named.xlsx", lambda _: one_page(), READ)
misnamed.add("word-named.pdf", lambda _: package("docx", {}), "wrong_extension", "unsupported")
misnamed.add("word-named.txt", lambda _: package("docx", {}), "wrong_extension", "unsupported")
misnamed.add("word-named.xlsx", lambda _: package("docx", {}), "wrong_extension")
misnamed.add("workbook-named.pptx", lambda _: package("xlsx", {}), "wrong_extension")
misnamed.add("deck-named.docx", lambda _: package("pptx", {}), "wrong_extension")
misnamed.add("word-named.eml", lambda _: package("docx", {}), "wrong_extension", "unsupported")
misnamed.add("mail-named.pdf", lambda _: b"From: a@b.c\nSubject: x\n\nwords", "wrong_extension")
misnamed.add("page-named.docx", lambda _: b"<html><p>log in first</p></html>", "wrong_extension")
misnamed.add(
    "message-named.docx",
    lambda url: next(case for case in mails if case.name == "sound.msg").make(url),
    "wrong_extension",
    "unsupported",
)
misnamed.add("no-ending", lambda _: b"words", "unsupported")
misnamed.add("macro.docm", lambda _: package("docx", {}), "unsupported")
misnamed.add("script.sh", lambda _: b"#!/bin/sh\ntouch tvdb-escaped\n", "unsupported")
misnamed.add("PK-words.txt", lambda _: b"PK is how the lot is called.\n", READ)
misnamed.add("MZ-words.txt", lambda _: b"MZ is how the lot is called.\n", READ)
misnamed.add("name with\nline and \u202efdp.txt", lambda _: b"words of a file with an odd name\n", READ)
misnamed.add("-rf --help $(touch x) ;.txt", lambda _: b"words of a file with an odd name\n", READ)
misnamed.add("%s%n{0}.txt", lambda _: b"words of a file with an odd name\n", READ)
misnamed.add(("n" * 240) + ".txt", lambda _: b"words of a file with a long name\n", READ)
misnamed.add("name-\udcff\udcfe.txt", lambda _: b"words of a file whose name is not UTF-8\n", READ)
misnamed.add("'; DROP TABLE documents; --.txt", lambda _: b"words of a file with an odd name\n", READ)
