"""PDF files that are torn, locked, standing in for something else, or want to act.

Belongs here: encryption, notices, actions, broken parts, and PDFs that are something else, too. Does not: loops or size.
"""

from __future__ import annotations

import io
from functools import cache

from pypdf import PdfReader, PdfWriter

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family
from tvdb_pipeline_tests.hostile.office_parts import package
from tvdb_pipeline_tests.hostile.raw_pdf import SENTENCE, SHOW, document, flate, one_page, stream
from tvdb_pipeline_tests.pdf_writer import UNKNOWN_ENCRYPTION

odd = Family("pdf odd")
_ANY = READ | TEXTLESS | {"corrupt"}


@cache
def _locked(algorithm: str, password: str) -> bytes:
    writer, out = PdfWriter(clone_from=PdfReader(io.BytesIO(one_page()))), io.BytesIO()
    writer.encrypt(password, owner_password="owner", algorithm=algorithm)
    writer.write(out)
    return out.getvalue()


for _algorithm in ("RC4-40", "RC4-128", "AES-128", "AES-256"):
    odd.add(
        f"password-{_algorithm.lower()}.pdf", lambda _, algorithm=_algorithm: _locked(algorithm, "secret"), "encrypted"
    )
odd.add("owner-password-only.pdf", lambda _: _locked("RC4-128", ""), READ)
odd.add("unknown-encryption.pdf", lambda _: one_page(trailer=UNKNOWN_ENCRYPTION), "encrypted", "corrupt")


@odd.case("encryption-loop.pdf", "encrypted", "corrupt", READ)
def _encryption_loop(_: str) -> bytes:
    return one_page(b"", b"6 0 R", trailer=b"/Encrypt 6 0 R /ID [<00> <00>]")


def _notice(*lines: str, **more: bytes) -> bytes:
    shown = b" ".join(
        b"BT /F1 11 Tf 72 %d Td (%s) Tj ET" % (700 - 20 * n, line.encode()) for n, line in enumerate(lines)
    )
    return one_page(stream(shown), **more)


_WAIT = (
    "Please wait...",
    "If this message is not eventually replaced by the proper contents of the document, your PDF",
    "viewer may not be able to display this type of document.",
)


@odd.case("xfa-please-wait.pdf", "protected")
def _xfa(_: str) -> bytes:
    return _notice(*_WAIT, catalog=b"/AcroForm << /Fields [] /XFA [(template) 4 0 R] >> /NeedsRendering true")


@odd.case("rights-management.pdf", "protected", READ)
def _rights(_: str) -> bytes:
    lines = (
        "This PDF file is protected.",
        "You need a viewer that supports Microsoft Information Protection to open it.",
    )
    names = b"/Names << /EmbeddedFiles << /Names [(p) << /Type /Filespec /F (p.pdf) /AFRelationship /EncryptedPayload >>] >> >>"
    return _notice(*lines, catalog=names + b" /Collection << /View /H >>")


@odd.case("policy-that-mentions-waiting.pdf", READ)
def _policy(_: str) -> bytes:
    return _notice("Waiting period", "Please wait thirty days. This document is not protected by rights management.")


@odd.case("javascript.pdf", READ)
def _javascript(url: str) -> bytes:
    script = f"app.launchURL('{url}/js'); while(true);".encode()
    return one_page(
        catalog=b"/OpenAction << /S /JavaScript /JS (" + script + b") >> /AA << /WC << /S /JavaScript /JS (x) >> >>"
    )


@odd.case("launch-and-fetch.pdf", READ)
def _launch(url: str) -> bytes:
    actions = b"/OpenAction << /S /Launch /F (/bin/sh) /Next << /S /URI /URI (" + url.encode() + b"/uri) >> >>"
    return one_page(page=b"/AA << /O << /S /SubmitForm /F (" + url.encode() + b"/form) >> >>", catalog=actions)


@odd.case("outside-streams.pdf", _ANY)
def _outside(url: str) -> bytes:
    specification = b"/F << /FS /URL /F (" + url.encode() + b"/stream) >> /FFilter /FlateDecode"
    return one_page(stream(b"", specification), stream(b"", b"/F (/etc/passwd)"))


@odd.case("attached-program.pdf", READ)
def _attached(_: str) -> bytes:
    names = b"/Names << /EmbeddedFiles << /Names [(../../x.exe) << /Type /Filespec /F (../../x.exe) /EF << /F 6 0 R >> >>] >> >>"
    return one_page(b"", stream(b"MZ" * 1000, b"/Type /EmbeddedFile"), catalog=names)


odd.add("torn-in-half.pdf", lambda _: one_page()[: len(one_page()) // 2], "corrupt", READ | TEXTLESS)
odd.add("xref-gone.pdf", lambda _: one_page().split(b"xref\n0")[0], _ANY)
odd.add("startxref-wild.pdf", lambda _: one_page().replace(b"startxref\n", b"startxref\n99999"), _ANY)
odd.add("xref-offsets-swapped.pdf", lambda _: one_page().replace(b"00000 n", b"00009 n"), _ANY)
odd.add("header-only.pdf", lambda _: b"%PDF-1.7\n", "corrupt")
odd.add("header-and-zeros.pdf", lambda _: b"%PDF-1.7\n" + bytes(500_000), "corrupt")
odd.add("no-catalog.pdf", lambda _: document([b"<< /Type /Nothing >>"]), "corrupt")
odd.add(
    "no-pages.pdf", lambda _: document([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Kids [] /Count 0 >>"]), "corrupt"
)
odd.add("size-wild.pdf", lambda _: one_page().replace(b"/Size 6", b"/Size 2147483647"), _ANY)
odd.add("object-number-wild.pdf", lambda _: one_page().replace(b"5 0 obj", b"4294967295 0 obj"), _ANY)
odd.add("blank.pdf", lambda _: one_page(stream(b" ")), "no_text")


@odd.case("many-updates.pdf", _ANY)
def _updates(_: str) -> bytes:
    data = one_page()
    previous, tail = data.rindex(b"xref\n0"), bytearray()
    for _number in range(3000):
        at = len(data) + len(tail)
        tail += b"xref\n0 0\ntrailer\n<< /Size 6 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (previous, at)
        previous = at
    return data + bytes(tail)


def _with_font(program: bytes, entries: bytes, kind: bytes = b"TrueType") -> bytes:
    font = b"<< /Type /Font /Subtype /%s /BaseFont /Odd /FirstChar 0 /LastChar 255 /FontDescriptor 7 0 R >>" % kind
    descriptor = b"<< /Type /FontDescriptor /FontName /Odd /Flags 4 /FontFile2 8 0 R >>"
    show = b"BT /O 12 Tf 72 600 Td (odd) Tj ET " + SHOW
    return one_page(
        stream(show), font, descriptor, stream(program, entries), resources=b"/Font << /F1 5 0 R /O 6 0 R >>"
    )


odd.add("font-of-zeros.pdf", lambda _: _with_font(bytes(5000), b""), _ANY)
odd.add("font-tables-wild.pdf", lambda _: _with_font(b"\0\1\0\0\xff\xff" + b"glyf\xff\xff\xff\xff" * 4000, b""), _ANY)
odd.add("font-is-a-page.pdf", lambda _: _with_font(b"", b"", b"Type0 /DescendantFonts [3 0 R]"), _ANY)


@odd.case("character-map-wild.pdf", _ANY)
def _character_map(_: str) -> bytes:
    ranges = b"100 beginbfrange\n" + b"<0000> <FFFF> <0000>\n" * 3000 + b"endbfrange\n<00> <ffffffff> <41> usecmap"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    return one_page(stream(SHOW), font, flate(ranges), resources=b"/Font << /F1 6 0 R >>")


@odd.case("surrogates-and-controls.pdf", _ANY)
def _surrogates(_: str) -> bytes:
    """Letters that are mapped to half a pair, to NUL, and to marks that turn the direction of reading."""
    cmap = b"5 beginbfchar <74> <D800> <68> <0000> <65> <202E> <69> <FFFE> <6E> <DC00> endbfchar"
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 7 0 R >>"
    show = SHOW + b" BT /G 12 Tf 72 600 Td (" + SENTENCE.encode() + b") Tj ET"
    return one_page(stream(show), font, stream(cmap), resources=b"/Font << /F1 5 0 R /G 6 0 R >>")


@odd.case("pdf-and-docx.pdf", _ANY)
def _polyglot(_: str) -> bytes:
    return one_page() + package("docx", {})


@odd.case("pdf-and-docx.docx", _ANY)
def _polyglot_by_name(_: str) -> bytes:
    return one_page() + package("docx", {})


@odd.case("pdf-and-html.html", _ANY)
def _polyglot_html(url: str) -> bytes:
    return f"<!--<img src='{url}/x'><script>fetch('{url}')</script>".encode() + one_page() + b"--><p>page</p>"
