"""PDF files that unpack, draw or count to more than anybody can hold.

Belongs here: streams, pictures and pages of excessive size. Does not: loops and broken structure (`pdf_loops`, `pdf_odd`).
"""

from __future__ import annotations

import zlib

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family
from tvdb_pipeline_tests.hostile.deflate import MEGABYTE, run_of
from tvdb_pipeline_tests.hostile.raw_pdf import SHOW, document, flate, one_page, stream

bombs = Family("pdf bomb")
_ANY = READ | TEXTLESS | {"corrupt"}
_SPACES = b" " * MEGABYTE
_FLATE = b"/Filter /FlateDecode "


def _picture(data: bytes, entries: bytes, width: int, height: int) -> bytes:
    sizes = b"/Type /XObject /Subtype /Image /Width %d /Height %d " % (width, height)
    return one_page(
        stream(SHOW + b" q 600 0 0 700 0 0 cm /I Do Q"),
        stream(data, sizes + entries),
        resources=b"/XObject << /I 6 0 R >>",
    )


def _chain(times: int, data: bytes) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    return data


@bombs.case("flate-1200-megabytes.pdf", _ANY)
def _flate(_: str) -> bytes:
    return one_page(stream(run_of(_SPACES, 1100, wrapped=True), _FLATE))


@bombs.case("flate-behind-text.pdf", _ANY)
def _flate_behind(_: str) -> bytes:
    return one_page(stream(run_of(SHOW.ljust(MEGABYTE), 300, wrapped=True), _FLATE))


@bombs.case("flate-chain-30.pdf", _ANY)
def _flate_chain(_: str) -> bytes:
    return one_page(stream(_chain(30, SHOW), b"/Filter [" + b"/FlateDecode " * 30 + b"]"))


@bombs.case("flate-chain-bomb.pdf", _ANY)
def _flate_chain_bomb(_: str) -> bytes:
    return one_page(
        stream(_chain(2, run_of(bytes(MEGABYTE), 1500, wrapped=True)), b"/Filter [" + b"/FlateDecode " * 3 + b"]")
    )


@bombs.case("filters-50000.pdf", _ANY)
def _filters(_: str) -> bytes:
    return one_page(stream(SHOW, b"/Filter [" + b"/ASCIIHexDecode " * 50_000 + b"]"))


@bombs.case("run-length-cascade.pdf", _ANY)
def _run_length(_: str) -> bytes:
    # Two bytes make 128; of those each pair makes 128 again.
    return one_page(stream(b"\x81\x81" * 40_000 + b"\x80", b"/Filter [" + b"/RunLengthDecode " * 4 + b"]"))


@bombs.case("lzw-cascade.pdf", _ANY)
def _lzw(_: str) -> bytes:
    return one_page(
        stream(b"\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01" * 100_000, b"/Filter [/LZWDecode /LZWDecode /LZWDecode]")
    )


@bombs.case("hex-cascade.pdf", _ANY)
def _hex(_: str) -> bytes:
    data = SHOW
    for _level in range(12):
        data = data.hex().encode() + b">"
    return one_page(stream(data, b"/Filter [" + b"/ASCIIHexDecode " * 12 + b"]"))


@bombs.case("predictor-wide.pdf", _ANY)
def _predictor(_: str) -> bytes:
    parameters = b"/DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 32 /BitsPerComponent 16 >>"
    return one_page(stream(zlib.compress(bytes(100_000)), _FLATE + parameters))


@bombs.case("image-1-bit-50000.pdf", _ANY)
def _one_bit(_: str) -> bytes:
    return _picture(
        run_of(b"\xff" * MEGABYTE, 298, wrapped=True),
        _FLATE + b"/BitsPerComponent 1 /ColorSpace /DeviceGray",
        50_000,
        50_000,
    )


@bombs.case("image-rgb-30000.pdf", _ANY)
def _rgb(_: str) -> bytes:
    return _picture(
        run_of(bytes(MEGABYTE), 600, wrapped=True),
        _FLATE + b"/BitsPerComponent 8 /ColorSpace /DeviceRGB",
        30_000,
        30_000,
    )


@bombs.case("image-2147483647.pdf", _ANY)
def _huge_claim(_: str) -> bytes:
    return _picture(b"abc", b"/BitsPerComponent 8 /ColorSpace /DeviceRGB", 2**31 - 1, 2**31 - 1)


for _name, _entries in {
    "jbig2": b"/Filter /JBIG2Decode /BitsPerComponent 1 /ColorSpace /DeviceGray",
    "ccitt": b"/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 60000 /Rows 60000 >> "
    b"/BitsPerComponent 1 /ColorSpace /DeviceGray",
    "jpx": b"/Filter /JPXDecode",
    "dct": b"/Filter /DCTDecode /BitsPerComponent 8 /ColorSpace /DeviceCMYK",
}.items():
    bombs.add(f"image-{_name}.pdf", lambda _, entries=_entries: _picture(bytes(2000), entries, 60_000, 60_000), _ANY)


@bombs.case("image-10000-times.pdf", _ANY)
def _drawn_often(_: str) -> bytes:
    pixels = flate(
        bytes(1000 * 1000),
        b"/Type /XObject /Subtype /Image /Width 1000 /Height 1000 /BitsPerComponent 8 /ColorSpace /DeviceGray",
    )
    draw = b"q 600 0 0 700 0 0 cm /I Do Q\n" * 10_000
    return one_page(flate(draw), pixels, resources=b"/XObject << /I 6 0 R >>")


@bombs.case("inline-image-huge.pdf", _ANY)
def _inline(_: str) -> bytes:
    return one_page(stream(b"BI /W 2000000000 /H 2000000000 /BPC 8 /CS /RGB ID abc EI " + SHOW))


@bombs.case("pages-100000.pdf", "too_many_pages")
def _pages(_: str) -> bytes:
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 100_004))
    page = b"<</Type/Page/Parent 2 0 R>>"
    head = b"<< /Type /Pages /MediaBox [0 0 9 9] /Count 100000 /Kids [" + kids + b"] >>"
    return packed_objects([b"<< /Type /Catalog /Pages 2 0 R >>", head, b"null", *[page] * 100_000])


def packed_objects(objects: list[bytes]) -> bytes:
    """The objects in compressed object streams of 5,000, found by a cross-reference stream."""
    body, records = bytearray(b"%PDF-1.7\n"), bytearray(b"\0\0\0\0\0\xff")
    streams: list[int] = []
    for start in range(0, len(objects), 5000):
        group, head, inner = objects[start : start + 5000], bytearray(), bytearray()
        for offset, content in enumerate(group):
            head += b"%d %d " % (start + offset + 1, len(inner))
            inner += content + b" "
            records += b"\2" + (len(objects) + 1 + len(streams)).to_bytes(4, "big") + bytes([0])
        entries = b"/Type /ObjStm /N %d /First %d" % (len(group), len(head))
        streams.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (len(objects) + len(streams), flate(bytes(head + inner), entries))
    for place in streams:
        records += b"\1" + place.to_bytes(4, "big") + b"\0"
    number, at = len(objects) + len(streams) + 1, len(body)
    records += b"\1" + at.to_bytes(4, "big") + b"\0"
    entries = b"/Type /XRef /W [1 4 1] /Root 1 0 R /Size %d" % (number + 1)
    return bytes(body) + b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF" % (number, flate(bytes(records), entries), at)


@bombs.case("pages-claimed-billion.pdf", READ | TEXTLESS | {"corrupt", "too_many_pages"})
def _claimed(_: str) -> bytes:
    return one_page().replace(b"/Count 1 ", b"/Count 2000000000 ")


@bombs.case("page-listed-4000-times.pdf", _ANY)
def _same_page(_: str) -> bytes:
    return one_page().replace(b"/Kids [3 0 R] /Count 1", b"/Kids [" + b"3 0 R " * 4000 + b"] /Count 4000")


for _name, _box in {
    "huge": b"[0 0 1e9 1e9]",
    "nan": b"[0 0 nan inf]",
    "negative": b"[0 0 -612 -792]",
    "empty": b"[0 0 0 0]",
    "far": b"[1e30 1e30 2e30 2e30]",
    "strip": b"[0 0 0.001 14400]",
    "words": b"[(a) /b true null]",
    "short": b"[612]",
}.items():
    bombs.add(f"media-box-{_name}.pdf", lambda _, box=_box: one_page(media=box), _ANY)


@bombs.case("user-unit-huge.pdf", _ANY)
def _unit(_: str) -> bytes:
    return one_page(page=b"/UserUnit 1000000000")


@bombs.case("letters-3-million.pdf", _ANY)
def _letters(_: str) -> bytes:
    return one_page(flate(b"BT /F1 1 Tf " + b"1 0 0 1 50 500 Tm (wordswords) Tj " * 300_000 + b"ET"))


@bombs.case("lines-1-million.pdf", _ANY)
def _lines(_: str) -> bytes:
    return one_page(flate(SHOW + b" " + b"10 10 m 500 10 l S 10 10 m 10 500 l S\n" * 500_000))


@bombs.case("curves-one-path.pdf", _ANY)
def _curves(_: str) -> bytes:
    return one_page(flate(b"0 0 m " + b"1 600 600 1 300 300 c " * 200_000 + b"B"))


@bombs.case("annotations-20000.pdf", _ANY)
def _annotations(_: str) -> bytes:
    note = b"<< /Subtype /Text /Rect [0 0 9 9] /Contents (n) >>"
    return one_page(page=b"/Annots [" + note * 20_000 + b"]")


@bombs.case("fields-20000.pdf", _ANY)
def _fields(_: str) -> bytes:
    widget = b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (f) /V (" + b"v" * 100 + b") /Rect [0 0 9 9] >>"
    return document(
        [
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /NeedAppearances true /Fields [5 0 R] >> >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Annots [" + b"5 0 R " * 20_000 + b"] >>",
            b"null",
            widget,
        ]
    )
