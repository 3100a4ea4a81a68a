"""Workbooks and CSV files that claim or hold more than anybody can lay out.

Belongs here: sizes of sheets and their lists, odd cells. Does not: entities and links (`office`), or archives (`archives`).
"""

from __future__ import annotations

from tvdb_pipeline_tests.hostile.cases import READ, Family
from tvdb_pipeline_tests.hostile.deflate import MEGABYTE
from tvdb_pipeline_tests.hostile.office_parts import MAIN, body, package, parts

sheets = Family("sheet")
_SHEET = MAIN["xlsx"]
_WHOLE = b"A1:XFD1048576"


def _row(number: int, cells: bytes) -> bytes:
    return b'<row r="%d">%s</row>' % (number, cells)


def _cell(place: bytes, text: bytes) -> bytes:
    return b'<c r="%s" t="inlineStr"><is><t>%s</t></is></c>' % (place, text)


@sheets.case("whole-sheet-claimed.xlsx", READ)
def _claimed(_: str) -> bytes:
    content = parts("xlsx")[_SHEET]
    start = content.index(b'<dimension ref="') + 16
    return package("xlsx", {_SHEET: content[:start] + _WHOLE + content[content.index(b'"', start) :]})


@sheets.case("last-cell.xlsx", READ)
def _last_cell(_: str) -> bytes:
    rows = _row(1, _cell(b"A1", b"first")) + _row(1_048_576, _cell(b"XFD1048576", b"last"))
    return body("xlsx", rows)


@sheets.case("diagonal.xlsx", READ | {"too_large"})
def _diagonal(_: str) -> bytes:
    """Each row has one cell more to the right: a table of it would have hundreds of millions."""
    return body("xlsx", b"".join(_row(n, _cell(_column(n) + b"%d" % n, b"x")) for n in range(1, 16_384)))


@sheets.case("row-beyond-the-sheet.xlsx", READ | {"corrupt"})
def _beyond(_: str) -> bytes:
    return body("xlsx", _row(4_000_000_000, _cell(b"ZZZZZ4000000000", b"x")))


@sheets.case("whole-sheet-merged.xlsx", READ)
def _merged(_: str) -> bytes:
    content = parts("xlsx")[_SHEET].replace(
        b"</sheetData>", b'</sheetData><mergeCells><mergeCell ref="' + _WHOLE + b'"/></mergeCells>'
    )
    return package("xlsx", {_SHEET: content})


@sheets.case("merges-disguised.xlsx", READ | {"too_large", "corrupt"})
def _disguised(_: str) -> bytes:
    """The attribute quoted the other way, with a space: no search for the usual spelling finds it."""
    merges = b"<mergeCells><mergeCell  ref = '" + _WHOLE + b"' /></mergeCells>"
    return package("xlsx", {_SHEET: parts("xlsx")[_SHEET].replace(b"</sheetData>", b"</sheetData>" + merges)})


@sheets.case("merges-30000.xlsx", READ | {"too_large", "corrupt"})
def _many_merges(_: str) -> bytes:
    merges = b"".join(b'<mergeCell ref="A%d:C%d"/>' % (n, n + 20_000) for n in range(1, 30_001))
    content = parts("xlsx")[_SHEET].replace(b"</sheetData>", b"</sheetData><mergeCells>" + merges + b"</mergeCells>")
    return package("xlsx", {_SHEET: content})


@sheets.case("shared-string-bomb.xlsx", READ | {"too_large", "corrupt"})
def _shared_strings(_: str) -> bytes:
    """One string of a megabyte, shown by 60,000 cells."""
    main = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    strings = b"<sst " + main + b"><si><t>" + b"long " * (MEGABYTE // 5) + b"</t></si></sst>"
    rows = b"".join(_row(n, b'<c r="A%d" t="s"><v>0</v></c>' % n) for n in range(1, 60_001))
    content = parts("xlsx")[_SHEET]
    start, end = content.index(b"<sheetData>") + 11, content.index(b"</sheetData>")
    override = b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    override += b'spreadsheetml.sharedStrings+xml"/></Types>'
    return package(
        "xlsx",
        {
            "[Content_Types].xml": parts("xlsx")["[Content_Types].xml"].replace(b"</Types>", override),
            "xl/sharedStrings.xml": strings,
            _SHEET: content[:start] + rows + content[end:],
        },
    )


@sheets.case("shared-string-missing.xlsx", "corrupt", READ)
def _no_such_string(_: str) -> bytes:
    return body("xlsx", _row(1, b'<c r="A1" t="s"><v>99999999999</v></c>'))


@sheets.case("styles-millions.xlsx", READ | {"too_large", "corrupt"})
def _styles(_: str) -> bytes:
    content = parts("xlsx")["xl/styles.xml"]
    return package("xlsx", {"xl/styles.xml": content.replace(b"</cellXfs>", b"<xf/>" * 2_000_000 + b"</cellXfs>")})


@sheets.case("cells-3000000.xlsx", "too_large")
def _many_cells(_: str) -> bytes:
    return body("xlsx", b"<row>" + b"<c><v>1</v></c>" * 3_000_000 + b"</row>")


@sheets.case("cells-100000.xlsx", READ)
def _some_cells(_: str) -> bytes:
    return body("xlsx", (b"<row>" + b"<c><v>1</v></c>" * 100 + b"</row>") * 1000)


@sheets.case("sheets-2000.xlsx", READ | {"too_large", "too_many_pages", "corrupt"})
def _many_sheets(_: str) -> bytes:
    """One part listed as 2,000 sheets."""
    content = parts("xlsx")["xl/workbook.xml"]
    start = content.index(b"<sheet ")
    once = content[start : content.index(b"/>", start) + 2]
    many = b"".join(once.replace(b'name="Sheet"', b'name="S%d"' % n) for n in range(2000))
    return package("xlsx", {"xl/workbook.xml": content.replace(once, many)})


@sheets.case("number-of-a-million-digits.xlsx", READ | {"corrupt"})
def _long_number(_: str) -> bytes:
    return body("xlsx", _row(1, b'<c r="A1"><v>' + b"9" * 1_000_000 + b"</v></c>" + _cell(b"B1", b"words")))


@sheets.case("odd-dates.xlsx", READ | {"corrupt"})
def _dates(_: str) -> bytes:
    cells = [b"1e308", b"-1e308", b"nan", b"inf", b"1e-320"]
    row = b"".join(b'<c r="%s1" s="0"><v>%s</v></c>' % (_column(n), value) for n, value in enumerate(cells, 1))
    return body("xlsx", _row(1, row + _cell(b"Z1", b"words") + b'<c r="AA1" t="d"><v>99999-99-99</v></c>'))


@sheets.case("formula-injection.xlsx", READ)
def _formula(url: str) -> bytes:
    formula = f'=WEBSERVICE("{url}/f")&amp;DDE("cmd";"/C calc")'.encode()
    return body("xlsx", _row(1, b'<c r="A1" t="str"><f>%s</f><v>kept</v></c>' % formula + _cell(b"B1", b"=cmd|x")))


def _column(number: int) -> bytes:
    name = b""
    while number:
        number, letter = divmod(number - 1, 26)
        name = bytes([65 + letter]) + name
    return name


@sheets.case("columns-500000.csv", READ | {"too_large"})
def _wide(_: str) -> bytes:
    return b",".join(b"%d" % (n % 10) for n in range(500_000)) + b"\n" + b"x\n" * 100


@sheets.case("comb.csv", READ | {"too_large"})
def _comb(_: str) -> bytes:
    """One row of 100,000 cells above 50,000 rows of one: padded to a rectangle, five thousand million cells."""
    return b"a," * 100_000 + b"b\n" + b"x\n" * 50_000


@sheets.case("one-line.csv", READ | {"too_large"})
def _one_line(_: str) -> bytes:
    return b"words and no end " * 60_000


@sheets.case("quote-never-closed.csv", READ | {"too_large", "corrupt"})
def _open_quote(_: str) -> bytes:
    return b'a,b,c\n"' + b"x,y\n" * 150_000


@sheets.case("delimiters-only.csv", "no_text", READ)
def _delimiters(_: str) -> bytes:
    return b",;\t|" * 100_000


@sheets.case("nul-later.csv", "not_text", "corrupt", "wrong_extension")
def _nul(_: str) -> bytes:
    return b"a,b\n" * 2000 + b"c\0d,e\n" * 10


@sheets.case("quotes-only.csv", READ | {"no_text", "corrupt"})
def _quotes(_: str) -> bytes:
    return b'"' * 1_000_001


@sheets.case("carriage-returns.csv", READ | {"no_text", "corrupt"})
def _returns(_: str) -> bytes:
    return b"a,b\r" * 1000 + b"\r\r\n\r" * 300_000
