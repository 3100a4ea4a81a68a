"""Office files whose XML is hostile: entities, links to the outside, depth, and counts nobody can lay out.

Belongs here: what is wrong with the parts of a package. Does not: what is wrong with the archive around them (`archives`).
"""

from __future__ import annotations

import io

from tvdb_pipeline_tests.hostile.cases import READ, Family
from tvdb_pipeline_tests.hostile.office_parts import MAIN, SENTENCE, Kind, body, package, parts, replaced
from tvdb_pipeline_tests.parsing.office_files import encrypted
from tvdb_pipeline_tests.parsing.ole_container import ole_container

office = Family("office")
_LOL = b'<!DOCTYPE x [<!ENTITY a0 "lol">' + b"".join(
    b'<!ENTITY a%d "%s">' % (level, b"&a%d;" % (level - 1) * 10) for level in range(1, 11)
)
_R = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_ROOTS: dict[Kind, bytes] = {"docx": b"<w:document", "pptx": b"<p:sld", "xlsx": b"<worksheet"}


def _with_dtd(kind: Kind, dtd: bytes, entity: bytes) -> bytes:
    content = parts(kind)[MAIN[kind]]
    start = content.index(_ROOTS[kind])
    text = SENTENCE.encode() if kind != "xlsx" else b"<v>12</v>"
    content = content[:start] + dtd + b"]>" + content[start:].replace(text, entity + text)
    return package(kind, {MAIN[kind]: content})


def _outside(dtd: bytes, url: str) -> bytes:
    return b"<!DOCTYPE x [" + dtd.replace(b"URL", url.encode())


for _kind in ("docx", "pptx", "xlsx"):
    office.add(f"billion-laughs.{_kind}", lambda _, kind=_kind: _with_dtd(kind, _LOL, b"&a10;"), "corrupt")
    office.add(
        f"xxe-file.{_kind}",
        lambda url, kind=_kind: _with_dtd(kind, _outside(b'<!ENTITY e SYSTEM "file:///etc/passwd">', url), b"&e;"),
        "corrupt",
    )
    office.add(
        f"xxe-parameter.{_kind}",
        lambda url, kind=_kind: _with_dtd(kind, _outside(b'<!ENTITY % e SYSTEM "URL/dtd"> %e;', url), b""),
        "corrupt",
    )
    office.add(f"encrypted.{_kind}", lambda _, kind=_kind: encrypted(package(kind, {})), "encrypted")
    office.add(f"legacy.{_kind}", lambda _: ole_container({"WordDocument": b"old " * 2000}), "unsupported")
    office.add(f"invalid-utf8.{_kind}", lambda _, kind=_kind: body(kind, b"\xff\xfe\xfd"), "corrupt")
    office.add(f"no-text.{_kind}", lambda _, kind=_kind: body(kind, b""), "no_text", "corrupt")


@office.case("deep-xml.docx", "corrupt", "nested_too_deep")
def _deep_xml(_: str) -> bytes:
    return body("docx", b"<w:sdt>" * 100_000 + b"</w:sdt>" * 100_000)


@office.case("tables-in-tables.docx", READ | {"corrupt", "nested_too_deep"})
def _deep_tables(_: str) -> bytes:
    cell = b"<w:p><w:r><w:t>cell</w:t></w:r></w:p>"
    start, end = b"<w:tbl><w:tr><w:tc>" + cell + b"</w:tc><w:tc>" + cell, cell + b"</w:tc></w:tr></w:tbl>"
    return body("docx", start * 2000 + end * 2000)


@office.case("tables-80-deep.docx", READ | {"corrupt", "nested_too_deep"})
def _eighty_tables(_: str) -> bytes:
    cell = b"<w:p><w:r><w:t>cell</w:t></w:r></w:p>"
    start, end = b"<w:tbl><w:tr><w:tc>" + cell + b"</w:tc><w:tc>" + cell, cell + b"</w:tc></w:tr></w:tbl>"
    return body("docx", start * 80 + end * 80)


@office.case("empty-paragraphs-500000.docx", READ | {"no_text", "too_large"})
def _many_paragraphs(_: str) -> bytes:
    return body("docx", b"<w:p/>" * 500_000 + b"<w:p><w:r><w:t>end</w:t></w:r></w:p>")


@office.case("page-breaks-100000.docx", READ | {"too_large", "too_many_pages"})
def _many_breaks(_: str) -> bytes:
    page_break = b'<w:p><w:r><w:br w:type="page"/><w:t>x</w:t></w:r></w:p>'
    return body("docx", page_break * 100_000)


@office.case("sections-50000.docx", READ | {"too_large", "too_many_pages", "no_text"})
def _many_sections(_: str) -> bytes:
    return body("docx", b"<w:p><w:pPr><w:sectPr/></w:pPr></w:p>" * 50_000)


@office.case("attributes-200000.docx", READ | {"corrupt", "no_text"})
def _many_attributes(_: str) -> bytes:
    return body("docx", b"<w:p " + b" ".join(b'a%d="1"' % number for number in range(200_000)) + b"/>")


@office.case("one-word-of-20-megabytes.docx", READ | {"corrupt", "too_large"})
def _long_word(_: str) -> bytes:
    return body("docx", b"<w:p><w:r><w:t>" + b"a" * 20_000_000 + b"</w:t></w:r></w:p>")


@office.case("template-injection.docx", READ)
def _template(url: str) -> bytes:
    relation = (
        f'<Relationship Id="rIdT" Type="{_R.decode()}/attachedTemplate" Target="{url}/template" TargetMode="External"/>'
    )
    rels = b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' + relation.encode()
    settings = (
        b'<w:settings xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:r="' + _R + b'">'
    )
    return package(
        "docx",
        {
            "word/_rels/settings.xml.rels": rels + b"</Relationships>",
            "word/settings.xml": settings + b'<w:attachedTemplate r:id="rIdT"/></w:settings>',
        },
    )


def _external(kind: Kind, part: str, target: str) -> bytes:
    relation = (
        f'<Relationship Id="rIdX" Type="{_R.decode()}/image" Target="{target}" TargetMode="External"/></Relationships>'
    )
    return replaced(kind, part, b"</Relationships>", relation.encode())


office.add("linked-picture.docx", lambda url: _external("docx", "word/_rels/document.xml.rels", url + "/a.png"), READ)
office.add(
    "linked-share.docx", lambda _: _external("docx", "word/_rels/document.xml.rels", "file:////127.0.0.1/x"), READ
)
office.add("linked-picture.pptx", lambda url: _external("pptx", "ppt/slides/_rels/slide1.xml.rels", url), READ)
office.add("linked-book.xlsx", lambda url: _external("xlsx", "xl/_rels/workbook.xml.rels", url + "/b.xlsx"), READ)


@office.case("linked-itself.docx", READ | {"corrupt"})
def _relation_cycle(_: str) -> bytes:
    relation = b'<Relationship Id="rIdX" Type="' + _R + b'/header" Target="document.xml"/></Relationships>'
    return replaced("docx", "word/_rels/document.xml.rels", b"</Relationships>", relation)


@office.case("alternatives-nested.docx", READ | {"corrupt", "no_text"})
def _alternatives(_: str) -> bytes:
    mc = b'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    start, end = b"<mc:AlternateContent " + mc + b"><mc:Choice>", b"</mc:Choice></mc:AlternateContent>"
    return body("docx", b"<w:p>" + start * 100 + b"<w:r><w:t>words</w:t></w:r>" + end * 100 + b"</w:p>")


@office.case("text-boxes-5000.docx", READ | {"corrupt", "too_large"})
def _text_boxes(_: str) -> bytes:
    box = b"<w:txbxContent><w:p><w:r><w:t>in a box</w:t></w:r></w:p></w:txbxContent>"
    return body("docx", b"<w:p>" + b"<w:r>" + box * 5000 + b"</w:r></w:p>")


@office.case("footnotes-to-themselves.docx", READ | {"corrupt"})
def _notes(_: str) -> bytes:
    w = b'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    note = b'<w:footnote w:id="5"><w:p><w:r><w:footnoteReference w:id="5"/><w:t>%s</w:t></w:r></w:p></w:footnote>' % (
        b"n" * 9000
    )
    data = b"<w:footnotes " + w + b">" + note + b"</w:footnotes>"
    reference = b'<w:p><w:r><w:footnoteReference w:id="5"/></w:r></w:p>' * 3000
    content = parts("docx")[MAIN["docx"]].replace(b"<w:body>", b"<w:body>" + reference)
    return package("docx", {MAIN["docx"]: content, "word/footnotes.xml": data})


@office.case("slides-without-end.pptx", READ | {"corrupt", "too_many_pages", "too_large"})
def _many_slides(_: str) -> bytes:
    """One slide listed 3,000 times."""
    content = parts("pptx")["ppt/presentation.xml"]
    start, end = content.index(b"<p:sldId "), content.index(b"</p:sldIdLst>")
    once = content[start:end]
    many = b"".join(once.replace(b'id="256"', b'id="%d"' % (256 + number)) for number in range(3000))
    return package("pptx", {"ppt/presentation.xml": content[:start] + many + content[end:]})


@office.case("groups-200-deep.pptx", READ | {"corrupt", "nested_too_deep", "no_text"})
def _deep_groups(_: str) -> bytes:
    group = b"<p:grpSp><p:nvGrpSpPr/><p:grpSpPr/>"
    return replaced("pptx", MAIN["pptx"], b"</p:spTree>", group * 200 + b"</p:grpSp>" * 200 + b"</p:spTree>")


@office.case("foreign-content.docx", "wrong_extension", "corrupt")
def _foreign(_: str) -> bytes:
    return package("xlsx", {})


@office.case("half-encrypted.docx", "encrypted", "corrupt")
def _half_encrypted(_: str) -> bytes:
    return ole_container({"EncryptedPackage": bytes(8), "EncryptionInfo": b""})


@office.case("ole-torn.xlsx", "corrupt", "encrypted")
def _ole_torn(_: str) -> bytes:
    return encrypted(package("xlsx", {}))[:3000]


@office.case("formula-nested.docx", READ | {"corrupt", "nested_too_deep"})
def _formula(_: str) -> bytes:
    m = b'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'
    inner = b"<m:e>" * 240 + b"<m:r><m:t>x</m:t></m:r>" + b"</m:e>" * 240
    return body("docx", b"<w:p><m:oMath " + m + b">" + inner + b"</m:oMath></w:p>")


@office.case("picture-of-noise.pptx", READ | {"no_text", "unreadable", "corrupt"})
def _noise(_: str) -> bytes:
    from tvdb_pipeline_tests.parsing.office_files import picture, slides

    buffer = io.BytesIO(picture(noise=True).getvalue()[:9000])
    data = slides(lambda deck: deck.slides.add_slide(deck.slide_layouts[6]).shapes.add_picture(picture(), 0, 0))
    assert buffer.getvalue()
    return data
