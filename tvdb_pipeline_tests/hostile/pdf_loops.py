"""PDF files whose objects lead back to themselves, or down without end.

Belongs here: cycles and depth. Does not: size (`pdf_bombs`).
"""

from __future__ import annotations

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family
from tvdb_pipeline_tests.hostile.raw_pdf import SENTENCE, SHOW, document, flate, one_page, stream

loops = Family("pdf loop")
_ANY = READ | TEXTLESS | {"corrupt"}
_CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
_PAGE = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"


@loops.case("kids-hold-their-parent.pdf", _ANY)
def _kids(_: str) -> bytes:
    return document([_CATALOG, b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>", _PAGE])


@loops.case("kids-cycle-of-two.pdf", _ANY)
def _kids_of_two(_: str) -> bytes:
    node = b"<< /Type /Pages /Parent %d 0 R /Kids [%d 0 R] /Count 3000 >>"
    return document([_CATALOG, node % (3, 3), node % (2, 2)])


@loops.case("parent-loop.pdf", _ANY)
def _parents(_: str) -> bytes:
    # MediaBox and Resources are inherited, and are looked for above.
    node = b"<< /Type /Pages /Parent 2 0 R /Kids [3 0 R] /Count 1 >>"
    return document([_CATALOG, node, b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>", stream(SHOW)])


@loops.case("page-tree-5000-deep.pdf", _ANY)
def _deep_tree(_: str) -> bytes:
    nodes = [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 3) for number in range(5000)]
    return document([_CATALOG, *nodes, _PAGE])


@loops.case("page-tree-doubling.pdf", _ANY | {"too_many_pages"})
def _doubling(_: str) -> bytes:
    """Each level lists the next one twice: 2 ** 30 pages of a few lines."""
    nodes = [b"<< /Type /Pages /Kids [%d 0 R %d 0 R] /Count %d >>" % (n + 3, n + 3, 2 ** (30 - n)) for n in range(30)]
    return document([_CATALOG, *nodes, _PAGE])


def _previous(data: bytes, entry: bytes) -> bytes:
    at = data.rindex(b"xref\n0")
    return data.replace(b"/Root 1 0 R", b"/Root 1 0 R " + entry % at)


loops.add("xref-previous-itself.pdf", lambda _: _previous(one_page(), b"/Prev %d"), _ANY)
loops.add("xref-stream-itself.pdf", lambda _: _previous(one_page(), b"/XRefStm %d"), _ANY)


@loops.case("xref-previous-cycle.pdf", _ANY)
def _previous_cycle(_: str) -> bytes:
    first = one_page()
    second = len(first)
    tail = b"xref\n0 0\ntrailer\n<< /Size 6 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        first.rindex(b"xref\n0"),
        second,
    )
    return first.replace(b"/Root 1 0 R", b"/Root 1 0 R /Prev %010d" % second).replace(b"EOF\n", b"EOF\n" + tail)


@loops.case("object-stream-in-itself.pdf", _ANY)
def _object_stream(_: str) -> bytes:
    inner = b"1 0 4 40 << /Type /Catalog /Pages 4 0 R >>       << /Type /ObjStm /N 2 /First 8 /Extends 4 0 R >>"
    return document(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"4 0 R",
            b"null",
            stream(inner, b"/Type /ObjStm /N 2 /First 9 /Extends 4 0 R"),
        ]
    )


@loops.case("length-is-the-stream.pdf", _ANY)
def _length(_: str) -> bytes:
    return one_page(b"<< /Length 4 0 R >>\nstream\n" + SHOW + b"\nendstream")


@loops.case("reference-to-itself.pdf", _ANY)
def _reference(_: str) -> bytes:
    return document([_CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", b"3 0 R"])


@loops.case("references-in-a-ring.pdf", _ANY)
def _ring(_: str) -> bytes:
    return one_page(b"6 0 R", b"7 0 R", b"8 0 R", b"6 0 R")


_FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] /Resources << /XObject << /A 6 0 R /B 7 0 R >> >>"


@loops.case("form-draws-itself.pdf", _ANY)
def _form(_: str) -> bytes:
    return one_page(stream(SHOW + b" /A Do"), stream(b"/A Do /A Do", _FORM), resources=b"/XObject << /A 6 0 R >>")


@loops.case("forms-draw-each-other.pdf", _ANY)
def _forms(_: str) -> bytes:
    return one_page(
        stream(SHOW + b" /A Do"),
        stream(b"/B Do /B Do", _FORM),
        stream(b"/A Do /A Do", _FORM),
        resources=b"/XObject << /A 6 0 R >>",
    )


@loops.case("forms-doubling.pdf", _ANY)
def _forms_doubling(_: str) -> bytes:
    """Thirty forms, each drawing the next one twice."""
    head = b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] /Resources << /Font << /F1 5 0 R >> /XObject << /A %d 0 R >> >>"
    forms = [stream(b"/A Do /A Do", head % (7 + number)) for number in range(30)]
    return one_page(stream(b"/A Do"), *forms, stream(SHOW, head % 0), resources=b"/XObject << /A 6 0 R >>")


@loops.case("pattern-paints-itself.pdf", _ANY)
def _pattern(_: str) -> bytes:
    entries = b"/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 9 9] /XStep 0.001 /YStep 0.001"
    tile = stream(b"/Pattern cs /P scn 0 0 9 9 re f", entries + b" /Resources << /Pattern << /P 6 0 R >> >>")
    return one_page(stream(b"/Pattern cs /P scn 0 0 600 700 re f"), tile, resources=b"/Pattern << /P 6 0 R >>")


@loops.case("shading-of-itself.pdf", _ANY)
def _shading(_: str) -> bytes:
    functions = b"<< /FunctionType 3 /Domain [0 1] /Functions [7 0 R 7 0 R] /Bounds [0.5] /Encode [0 1 0 1] >>"
    shading = b"<< /ShadingType 2 /ColorSpace [/Separation /X 6 0 R 7 0 R] /Coords [0 0 1e9 1e9] /Function 7 0 R >>"
    return one_page(stream(SHOW + b" /S sh"), shading, functions, resources=b"/Shading << /S 6 0 R >>")


@loops.case("color-space-of-itself.pdf", _ANY)
def _color_space(_: str) -> bytes:
    return one_page(
        stream(b"/C cs 1 sc 0 0 600 700 re f " + SHOW),
        b"[/Indexed 6 0 R 255 (abc)]",
        resources=b"/ColorSpace << /C 6 0 R >>",
    )


@loops.case("type3-font-of-itself.pdf", _ANY)
def _type3(_: str) -> bytes:
    font = b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 97 /LastChar 97 /Widths [9]"
    font += b" /CharProcs << /a 7 0 R >> /Encoding << /Differences [97 /a] >> /Resources << /Font << /T 6 0 R >> >> >>"
    glyph = stream(b"9 0 d0 BT /T 9 Tf (aa) Tj ET")
    return one_page(stream(b"BT /T 9 Tf 72 700 Td (aaaa) Tj ET"), font, glyph, resources=b"/Font << /T 6 0 R >>")


@loops.case("soft-mask-of-itself.pdf", _ANY)
def _mask(_: str) -> bytes:
    state = b"<< /SMask << /S /Luminosity /G 7 0 R >> >>"
    group = stream(
        b"/G gs 0 0 600 700 re f",
        b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] /Group << /S /Transparency >> "
        b"/Resources << /ExtGState << /G 6 0 R >> >>",
    )
    return one_page(stream(b"/G gs 0 0 600 700 re f"), state, group, resources=b"/ExtGState << /G 6 0 R >>")


@loops.case("image-mask-of-itself.pdf", _ANY)
def _image_mask(_: str) -> bytes:
    image = flate(
        bytes(10_000),
        b"/Type /XObject /Subtype /Image /Width 100 /Height 100 /BitsPerComponent 8 /ColorSpace /DeviceGray /SMask 6 0 R",
    )
    return one_page(stream(b"q 600 0 0 700 0 0 cm /I Do Q " + SHOW), image, resources=b"/XObject << /I 6 0 R >>")


@loops.case("outline-loop.pdf", _ANY)
def _outline(_: str) -> bytes:
    item = b"<< /Title (t) /Parent 6 0 R /First 7 0 R /Next 7 0 R /Prev 7 0 R /Last 7 0 R /Count 1 >>"
    return one_page(b"", b"<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>", item, catalog=b"/Outlines 6 0 R")


@loops.case("field-parents-loop.pdf", _ANY)
def _field_loop(_: str) -> bytes:
    field = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (f) /V (v) /Parent 6 0 R /Kids [6 0 R] /Rect [0 0 9 9] >>"
    return one_page(b"", field, page=b"/Annots [6 0 R]", catalog=b"/AcroForm << /Fields [6 0 R] >>")


@loops.case("names-loop.pdf", _ANY)
def _names(_: str) -> bytes:
    return one_page(
        b"", b"<< /Kids [6 0 R 6 0 R] /Limits [(a) (z)] >>", catalog=b"/Names << /EmbeddedFiles 6 0 R /Dests 6 0 R >>"
    )


@loops.case("contents-10000-streams.pdf", _ANY)
def _contents(_: str) -> bytes:
    return one_page(b"[" + b"6 0 R " * 10_000 + b"]", stream(SHOW))


@loops.case("arrays-200000-deep.pdf", _ANY)
def _arrays(_: str) -> bytes:
    return one_page(page=b"/Deep " + b"[" * 200_000 + b"]" * 200_000)


@loops.case("dictionaries-100000-deep.pdf", _ANY)
def _dictionaries(_: str) -> bytes:
    return one_page(page=b"/D " + b"<< /D " * 100_000 + b"0 " + b">>" * 100_000)


@loops.case("arrays-in-content.pdf", _ANY)
def _arrays_in_content(_: str) -> bytes:
    return one_page(flate(b"[" * 1_000_000 + SHOW))


@loops.case("saved-states-million.pdf", _ANY)
def _states(_: str) -> bytes:
    return one_page(flate(b"q " * 1_000_000 + SHOW))


@loops.case("text-objects-never-closed.pdf", _ANY)
def _texts(_: str) -> bytes:
    return one_page(flate(b"BT /F1 9 Tf 72 700 Td (" + SENTENCE.encode() + b") Tj " + b"BT q BMC /a " * 300_000))


@loops.case("parentheses-million.pdf", _ANY)
def _parentheses(_: str) -> bytes:
    return one_page(flate(SHOW + b" BT " + b"(" * 1_000_000))
