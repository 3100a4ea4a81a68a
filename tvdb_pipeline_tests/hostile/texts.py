"""Text, Markdown and HTML that make parsers slow, deep or talkative.

Belongs here: those three. Does not: rows of cells (`sheets`) or mail (`mails`).
"""

from __future__ import annotations

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family

texts = Family("text")
_DEEP = READ | {"nested_too_deep", "corrupt"}
_SLOW = READ | {"too_large"}
_LOL = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 11))


def _page(inner: str) -> bytes:
    return f"<html><head><title>Policy</title></head><body>{inner}<p>The insurer pays for the loss.</p></body></html>".encode()


for _tag in (
    "div",
    "span",
    "b",
    "ul><li",
    "blockquote",
    "table><tr><td",
    "form",
    "svg",
    "a",
    "font",
    "button",
    "select",
):
    _name = _tag.split(">")[0]
    texts.add(f"deep-{_name}.html", lambda _, tag=_tag: _page(f"<{tag}>" * 20_000 + "deep"), _DEEP)

texts.add("deep-300.html", lambda _: _page("<div>" * 300 + "deep" + "</div>" * 300), READ | {"nested_too_deep"})
texts.add("deep-2500.html", lambda _: _page("<div>" * 2500 + "deep" + "</div>" * 2500), _DEEP)
texts.add("tables-100-deep.html", lambda _: _page("<table border=1><tr><td>a<td>" * 100 + "x"), _DEEP)
texts.add(
    "spans-wild.html",
    lambda _: _page('<table border="1">' + '<tr><td rowspan="9999999" colspan="9999999">x' * 300 + "</table>"),
    _SLOW,
)
texts.add(
    "row-spans-staircase.html",
    lambda _: _page('<table border="1">' + '<tr><td rowspan="10000">x<td>y' * 3000 + "</table>"),
    _SLOW,
)
texts.add("cells-50000.html", lambda _: _page("<table border=1><tr>" + "<td>x" * 50_000 + "</table>"), _SLOW)
texts.add("rows-20000.html", lambda _: _page("<table border=1>" + "<tr><td>x<td>y" * 20_000 + "</table>"), _SLOW)
texts.add(
    "attributes-50000.html",
    lambda _: _page("<p " + " ".join(f"a{n}=1" for n in range(50_000)) + ">x</p>"),
    _SLOW | {"corrupt"},
)
texts.add("attribute-600000.html", lambda _: _page(f'<p style="{"a:b;" * 150_000}">x</p>'), _SLOW | {"corrupt"})
texts.add("entities-60000.html", lambda _: _page("&amp;&#99999999999;&bogus;" * 20_000), _SLOW)
texts.add("paragraphs-20000.html", lambda _: _page("<p>x y z" * 20_000), _SLOW)
texts.add("tags-unclosed.html", lambda _: _page("<" * 100_000), _SLOW | {"corrupt"})
texts.add("comments-unclosed.html", lambda _: _page("<p>words</p>" + "<!--" * 200_000), _SLOW)
texts.add(
    "billion-laughs.html",
    lambda _: f'<!DOCTYPE x [<!ENTITY a0 "lol">{_LOL}]><html><body><p>&a10; words</p></body></html>'.encode(),
    READ,
)
texts.add("hidden-only.html", lambda _: b'<div hidden>secret</div><script>alert("x")</script>', TEXTLESS)
texts.add("encoding-unknown.html", lambda _: b'<meta charset="no-such-thing">' + b"<p>words \xff</p>", READ)
texts.add("encoding-utf7.html", lambda _: b'<meta charset="utf-7"><p>words +ADw-script+AD4-\xff</p>', READ)
texts.add(
    "encoding-bomb.html", lambda _: b'<meta charset="unicode_escape"><p>words \\ud800 \xff</p>', READ | {"not_text"}
)


@texts.case("fetches.html", READ)
def _fetches(url: str) -> bytes:
    parts = [f'<img src="{url}/i">', f'<link rel="stylesheet" href="{url}/c">', f'<iframe src="{url}/f"></iframe>']
    parts += [f'<script src="{url}/s"></script>', f'<object data="{url}/o"></object>', f'<base href="{url}/">']
    parts += [f'<svg><image href="{url}/v"/></svg>', f'<meta http-equiv="refresh" content="0;url={url}/r">']
    return _page("".join(parts))


@texts.case("xxe.html", READ)
def _xxe(url: str) -> bytes:
    dtd = f'<!DOCTYPE html [<!ENTITY e SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "{url}/p"> %p;]>'
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" parse="text" href="{url}/x"/>'
    return (dtd + f"<html><body><p>words &e;</p>{include}</body></html>").encode()


@texts.case("scalable-picture.svg", "unsupported")
def _svg(url: str) -> bytes:
    return f'<!DOCTYPE svg [<!ENTITY e SYSTEM "{url}/e">]><svg xmlns="http://www.w3.org/2000/svg"><text>&e;</text></svg>'.encode()


for _name, _piece, _times in (
    ("brackets", "[", 50_000),
    ("links", "[a](", 20_000),
    ("links-closed", "[" * 300 + "a" + "](b)" * 300 + "\n", 3),
    ("images", "![", 30_000),
    ("stars", "*a **b ", 20_000),
    ("underscores", "_a __b ", 20_000),
    ("backticks", "`" * 7 + "a", 10_000),
    ("less-than", "<a ", 20_000),
    ("quotes", "> ", 3_000),
    ("references", "[a]: <\n", 10_000),
    ("entities", "&#x", 50_000),
    ("pipes", "|a", 50_000),
    ("tables", "|a|b|\n|-|-|\n", 5_000),
    ("html-open", "<div>", 5_000),
    ("fences", "```\n~~~\n", 10_000),
):
    texts.add(
        f"{_name}.md",
        lambda _, piece=_piece, times=_times: (piece * times).encode() + b"\n\nThe insurer pays for the loss.\n",
        _DEEP | _SLOW,
    )


@texts.case("lists-deep.md", _DEEP | _SLOW)
def _lists(_: str) -> bytes:
    return "".join("    " * level + "- item\n" for level in range(600)).encode()


@texts.case("headings.md", _SLOW)
def _headings(_: str) -> bytes:
    return b"# a #\n=\n-\n" * 5_000


texts.add("one-word.txt", lambda _: b"a" * 800_000, _SLOW)
texts.add("one-line-of-words.txt", lambda _: b"words and words, " * 40_000, _SLOW)
texts.add("lines-300000.txt", lambda _: b"a\n" * 300_000, _SLOW)
texts.add("blanks.txt", lambda _: b" \t\r\n" * 250_000, TEXTLESS)
texts.add("list-starts.txt", lambda _: b"1. (a) - * i) " * 50_000, _SLOW)
texts.add("colons.txt", lambda _: b"a: " * 300_000, _SLOW)
texts.add("digits.txt", lambda _: b"1" * 300_000 + b" " + b"1," * 300_000, _SLOW)
texts.add("spaces-before-the-end.txt", lambda _: b"a" + b" " * 800_000 + b"b", _SLOW)
texts.add("nul-after-the-head.txt", lambda _: b"words " * 2000 + bytes(10), "not_text", "wrong_extension")
texts.add("controls.txt", lambda _: bytes(range(1, 32)) * 3000, "not_text")
texts.add("surrogates.txt", lambda _: b"words \xed\xa0\x80 and \xf4\x90\x80\x80 more", READ | {"not_text"})
texts.add("utf16-torn.txt", lambda _: "Half a pair: ".encode("utf-16") + b"\x00\xd8\x41", READ | {"not_text"})
texts.add("utf16-nul.txt", lambda _: "Words\0and\0nul ".encode("utf-16"), READ | {"not_text"})
texts.add("combining.txt", lambda _: ("e" + "\u0301" * 200_000 + " words").encode(), _SLOW)
texts.add("directions.txt", lambda _: ("\u202e\u2066\u200f" * 50_000 + "words").encode(), _SLOW | {"not_text"})
texts.add("one-ligature.txt", lambda _: ("\ufdfa" * 100_000).encode(), _SLOW)
texts.add("escape-sequences.txt", lambda _: b"\x1b]0;title\x07\x1b[2J words" * 3, READ | {"not_text"})
texts.add(
    "injection.txt", lambda _: b"'; DROP TABLE tvdb.documents; -- {{7*7}} ${jndi:ldap://127.0.0.1/a} %s%n words", READ
)
