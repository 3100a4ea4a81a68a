"""Messages with too many parts, too deep, with names that lead elsewhere, or torn.

Belongs here: .eml files and Outlook's .msg files. Does not: what is attached, beyond its name.
"""

from __future__ import annotations

import struct

from tvdb_pipeline_tests.hostile.cases import READ, TEXTLESS, Family
from tvdb_pipeline_tests.parsing.ole_container import Tree, ole_container

mails = Family("mail")
_ANY = READ | TEXTLESS | {"corrupt"}
_HEAD = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Claim\r\nMIME-Version: 1.0\r\n"
_MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
_TEXT = b"Content-Type: text/plain\r\n\r\nThe insurer pays for the loss.\r\n"


def _mail(headers: bytes = b"", body: bytes = _TEXT) -> bytes:
    return _HEAD + headers + body


def _parts(*parts: bytes, text: bool = True) -> bytes:
    all_parts = [_TEXT, *parts] if text else list(parts)
    return _mail(body=_MIXED + b"".join(b"--b\r\n" + part + b"\r\n" for part in all_parts) + b"--b--\r\n")


def _file(name: bytes, content: bytes = b"x,y", kind: bytes = b"text/csv") -> bytes:
    return b"Content-Type: " + kind + b'\r\nContent-Disposition: attachment; filename="' + name + b'"\r\n\r\n' + content


mails.add("parts-10000.eml", lambda _: _parts(*[b"Content-Type: text/plain\r\n\r\nx"] * 10_000), READ)
mails.add("attachments-10000.eml", lambda _: _parts(*[_file(b"a%d.csv" % n) for n in range(10_000)]), READ)
mails.add(
    "html-parts-2000.eml", lambda _: _parts(*[b"Content-Type: text/html\r\n\r\n<p>x</p>"] * 2000), READ | {"too_large"}
)
mails.add("headers-50000.eml", lambda _: _mail(b"X-A: b\r\n" * 50_000), READ)
mails.add("header-1-megabyte.eml", lambda _: _mail(b"X-A: " + b"b" * 1_000_000 + b"\r\n"), READ)
mails.add(
    "subject-1-megabyte.eml", lambda _: b"Subject: " + b"long word " * 100_000 + b"\r\n\r\nwords", READ | {"too_large"}
)
mails.add("folded-subject.eml", lambda _: b"Subject: a\r\n" + b" b\r\n" * 100_000 + b"\r\nwords", READ | {"too_large"})
mails.add(
    "encoded-words.eml", lambda _: b"Subject: " + b"=?utf-8?Q?=41?= " * 30_000 + b"\r\n\r\nwords", READ | {"too_large"}
)
mails.add(
    "encoded-words-torn.eml", lambda _: b"Subject: " + b"=?utf-8?B?" * 50_000 + b"\r\n\r\nwords", READ | {"too_large"}
)
mails.add(
    "parameters-100000.eml",
    lambda _: _mail(b"Content-Type: text/plain" + b"; a*0*=b" * 100_000 + b"\r\n\r\nwords", b""),
    _ANY,
)
mails.add(
    "parameters-torn.eml",
    lambda _: _mail(b'Content-Type: text/plain; charset="' + b'\\"' * 200_000 + b"\r\n\r\nwords", b""),
    _ANY,
)
mails.add(
    "addresses-50000.eml",
    lambda _: b"From: a@b.c\r\nTo: " + b"x@example.org, " * 50_000 + b"\r\n\r\nwords",
    READ | {"too_large"},
)
mails.add(
    "charset-unknown.eml", lambda _: _mail(body=b"Content-Type: text/plain; charset=no-such\r\n\r\nwords \xff"), READ
)
mails.add("charset-odd.eml", lambda _: _mail(body=b"Content-Type: text/plain; charset=idna\r\n\r\nwords \xff"), READ)
mails.add("charset-rot13.eml", lambda _: _mail(body=b"Content-Type: text/plain; charset=rot13\r\n\r\nwords"), READ)
mails.add(
    "charset-punycode.eml",
    lambda _: _mail(body=b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"words-" + b"9" * 3000),
    READ,
)
mails.add("charset-zlib.eml", lambda _: _mail(body=b"Content-Type: text/plain; charset=zlib_codec\r\n\r\nwords"), READ)
mails.add("base64-torn.eml", lambda _: _mail(b"Content-Transfer-Encoding: base64\r\n\r\nd29yZHM=d29\xff%%", b""), _ANY)
mails.add(
    "uuencoded.eml",
    lambda _: _mail(b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 ../../x\nM%%%%%%\n#&\n", b""),
    _ANY,
)
mails.add(
    "quoted-printable.eml",
    lambda _: _mail(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=\n" * 200_000 + b"words=", b""),
    READ,
)
mails.add("no-boundary.eml", lambda _: _mail(body=b"Content-Type: multipart/mixed\r\n\r\nwords"), _ANY)
mails.add("boundary-never-comes.eml", lambda _: _mail(body=_MIXED + b"words " * 100_000), _ANY)
mails.add(
    "boundary-empty.eml",
    lambda _: _mail(body=b'Content-Type: multipart/mixed; boundary=""\r\n\r\n' + b"--\r\n\r\nwords\r\n" * 20_000),
    _ANY,
)
mails.add(
    "encrypted.eml",
    lambda _: _mail(body=b"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--"),
    "encrypted",
)
mails.add("no-mail.eml", lambda _: b"just some words, and no header at all", "corrupt")
mails.add("nothing-in-it.eml", lambda _: _mail(body=b"\r\n"), READ | TEXTLESS)
mails.add(
    "html-bomb.eml",
    lambda _: _mail(body=b"Content-Type: text/html\r\n\r\n" + b"<div>" * 20_000 + b"words"),
    _ANY | {"nested_too_deep"},
)

_NAMES = (
    b"../../../../tmp/tvdb-escaped.csv", b"/etc/cron.d/tvdb-escaped.csv", b"..\\..\\tvdb-escaped.csv", b"C:\\tvdb-escaped.csv",
    b"", b".", b"..", b"a\r\n b.csv", "\u202evsc.exe".encode(), b"n" * 5000 + b".csv", b"~/.ssh/tvdb.csv",
    b"CON", b"a.csv/", b"=?utf-8?B?Li4vLi4veC5jc3Y=?=", b"\xff\xfe.csv", b"$(touch tvdb-escaped).csv", b".tvdbignore",
)  # fmt: skip
mails.add("names.eml", lambda _: _parts(*[_file(name, b"a,b\r\n%d,2" % n) for n, name in enumerate(_NAMES)]), READ)


mails.add("name-with-nul.eml", lambda _: _parts(_file(b"a\0b.csv")), READ | {"wrong_extension"})


@mails.case("names-continued.eml", READ)
def _continued(_: str) -> bytes:
    name = b"".join(b"; filename*%d*=utf-8''%%2E%%2E%%2F" % number for number in range(3000))
    return _parts(b"Content-Disposition: attachment" + name + b"\r\n\r\nx")


@mails.case("parts-3000-deep.eml", _ANY | {"nested_too_deep"})
def _deep(_: str) -> bytes:
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000))
    return _mail(body=nested + _TEXT)


@mails.case("messages-500-deep.eml", _ANY | {"nested_too_deep"})
def _messages(_: str) -> bytes:
    return _mail(
        body=b"Content-Type: message/rfc822\r\n\r\n" + (_HEAD + b"Content-Type: message/rfc822\r\n\r\n") * 500 + _TEXT
    )


@mails.case("messages-in-parts.eml", _ANY)
def _messages_in_parts(_: str) -> bytes:
    inner = _mail()
    for level in range(40):
        boundary = b"m%d" % level
        head = _HEAD + b"Content-Type: multipart/mixed; boundary=" + boundary + b"\r\n\r\n"
        inner = (
            head
            + b"--"
            + boundary
            + b"\r\nContent-Type: message/rfc822\r\n\r\n"
            + inner
            + b"\r\n--"
            + boundary
            + b"--\r\n"
        )
    return inner


@mails.case("outside-body.eml", READ)
def _outside(url: str) -> bytes:
    reference = b'Content-Type: message/external-body; access-type=URL; URL="' + url.encode() + b'/body"\r\n\r\n\r\n'
    page = f'Content-Type: text/html\r\n\r\n<p>words</p><img src="{url}/pixel"><link rel=stylesheet href="{url}/c">'
    return _parts(reference, page.encode())


def _property(number: int, kind: int, size: int) -> bytes:
    return struct.pack("<HHIQ", kind, number, 6, size)


def _outlook(extra: Tree) -> Tree:
    texts = {0x001A: "IPM.Note", 0x0037: "Claim", 0x1000: "The insurer pays for the loss."}
    streams = {f"__substg1.0_{number:04X}001F": value.encode("utf-16-le") for number, value in texts.items()}
    listed = b"".join(_property(number, 0x1F, 2 * len(value) + 2) for number, value in texts.items())
    return {"__properties_version1.0": bytes(32) + listed, **streams, **extra}


def _spoiled(place: int, value: int) -> bytes:
    data = bytearray(ole_container(_outlook({})))
    data[place : place + 4] = struct.pack("<I", value)
    return bytes(data)


def _chain(target: int) -> bytes:
    """Every sector's successor is `target`."""
    data = bytearray(ole_container(_outlook({"__substg1.0_10130102": b"<p>words</p>" * 1000})))
    start = 512 + 512 * struct.unpack_from("<I", data, 76)[0]
    for place in range(start, start + 128, 4):
        data[place : place + 4] = struct.pack("<I", target)
    return bytes(data)


mails.add("sound.msg", lambda _: ole_container(_outlook({})), READ)
mails.add("chain-to-itself.msg", lambda _: _chain(0), _ANY)
mails.add("chain-to-three.msg", lambda _: _chain(3), _ANY)
mails.add("sector-size-wild.msg", lambda _: _spoiled(30, 0x001F001F), _ANY)
mails.add("table-count-wild.msg", lambda _: _spoiled(44, 0x7FFFFFFF), _ANY)
mails.add("directory-start-wild.msg", lambda _: _spoiled(48, 0x7FFFFFFF), _ANY)
mails.add("master-table-loop.msg", lambda _: _spoiled(68, 0), _ANY)
mails.add("master-count-wild.msg", lambda _: _spoiled(72, 0x7FFFFFFF), _ANY)
mails.add("torn.msg", lambda _: ole_container(_outlook({}))[:1500], _ANY)
mails.add("no-message.msg", lambda _: ole_container({"WordDocument": b"x" * 5000}), "corrupt", "unsupported")
mails.add("empty-storages-3000.msg", lambda _: ole_container(_outlook({f"s{n}": {} for n in range(3000)})), _ANY)


@mails.case("directory-loop.msg", _ANY)
def _directory_loop(_: str) -> bytes:
    data = bytearray(ole_container(_outlook({"a": {"b": b"c"}})))
    start = 512 + 512 * struct.unpack_from("<I", data, 48)[0]
    for entry in range(start, start + 128 * 6, 128):
        data[entry + 68 : entry + 80] = struct.pack("<III", 1, 2, 1)
    return bytes(data)


@mails.case("storages-5000-deep.msg", _ANY | {"nested_too_deep"})
def _storages(_: str) -> bytes:
    tree: Tree = {"end": b"x"}
    for _level in range(450):
        tree = {"__attach_version1.0_#00000000": tree}
    return ole_container(_outlook(tree))


@mails.case("messages-60-deep.msg", _ANY | {"nested_too_deep"})
def _outlook_messages(_: str) -> bytes:
    inner = _outlook({})
    for _level in range(60):
        method = bytes(8) + struct.pack("<HHIQ", 3, 0x3705, 6, 5)
        inner = _outlook(
            {"__attach_version1.0_#00000000": {"__properties_version1.0": method, "__substg1.0_3701000D": inner}}
        )
    return ole_container(inner)


@mails.case("properties-wild.msg", _ANY)
def _properties(_: str) -> bytes:
    return ole_container({"__properties_version1.0": bytes(32) + _property(0x37, 0x1F, 2**40) * 50_000})
