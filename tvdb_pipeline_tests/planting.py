"""Documents full of words found nowhere else, to be looked for wherever nothing of a document may stand.

Belongs here: the words, and files that hold them in every place a file has. Does not: looking (`planted`), or what is done with
the files (`test_planted_words`).
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from io import BytesIO

from openpyxl import Workbook

from tvdb_pipeline_tests.pdf_writer import flowing_pdf

COUNT = 200


@dataclass
class Planting:
    """files: name -> content; changed: the same for files that are changed later; names: words of file names; texts: words that
    come to be searchable; hidden: words that do not (titles, comments, files that cannot be read).

    refused: a word whose text the provider refuses; unstorable: one whose row the database refuses.
    """

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    changed: dict[str, bytes] = field(default_factory=dict[str, bytes])
    names: list[str] = field(default_factory=list[str])
    texts: list[str] = field(default_factory=list[str])
    hidden: list[str] = field(default_factory=list[str])
    refused: str = ""
    unstorable: str = ""

    @property
    def words(self) -> list[str]:
        """All of them."""
        return [*self.names, *self.texts, *self.hidden]


def planting(seed: int = 0) -> Planting:
    """Files of nine kinds with COUNT words in all."""
    found, words = Planting(), _words(seed)

    def take(into: list[str], count: int) -> list[str]:
        into += (taken := [next(words) for _ in range(count)])
        return taken

    def name(ending: str) -> str:
        return f"{take(found.names, 1)[0]} {take(found.names, 1)[0]}{ending}"

    found.refused, found.unstorable = take(found.texts, 2)
    found.files[name(".txt")] = _prose([found.refused]).encode()
    found.files[name(".txt")] = _prose([found.unstorable]).encode()
    title, author = take(found.hidden, 2)
    trailer = f"/Info << /Title ({title}) /Author ({author}) >>".encode()
    found.files[name(".pdf")] = _titled(flowing_pdf([_prose(take(found.texts, 10)) for _ in range(5)]), trailer)
    changing = name(".txt")
    found.files[changing] = _prose(take(found.texts, 10)).encode()
    found.changed[changing] = _prose(take(found.texts, 10)).encode()
    found.files[name(".eml")] = _mail(take(found.texts, 12), take(found.names, 1)[0])
    found.files[name(".xlsx")] = _sheet(take(found.texts, 12), take(found.hidden, 1)[0])
    comment = take(found.hidden, 2)
    body = f"<p>{_prose(take(found.texts, 8))}</p><!-- {' '.join(comment)} -->"
    found.files[name(".html")] = (
        f"<html><head><title>{take(found.hidden, 1)[0]}</title></head><body>{body}</body></html>".encode()
    )
    found.files[name(".pdf")] = b"%PDF-1.7\n" + _prose(take(found.hidden, 12)).encode()
    found.files[name(".xlsx")] = b"PK\x03\x04" + _prose(take(found.hidden, 12)).encode()
    found.files[name(".csv")] = b"\xff\xfe\xfa" + _prose(take(found.hidden, 6)).encode()
    rest = COUNT - len(found.words) - 2
    found.files[name(".md")] = f"# {' '.join(take(found.texts, 3))}\n\n{_prose(take(found.texts, rest - 3))}\n".encode()
    assert len(set(found.words)) == COUNT
    return found


def _words(seed: int) -> Iterator[str]:
    chance = random.Random(seed)
    while True:
        yield "q" + "".join(chance.choices(string.ascii_lowercase, k=9))


def _prose(words: list[str]) -> str:
    return " ".join(f"The insured reported {word} on the fourth of May." for word in words)


def _titled(pdf: bytes, trailer: bytes) -> bytes:
    head, dictionary, tail = pdf.rpartition(b"trailer\n<<")
    assert dictionary
    return head + dictionary + b" " + trailer + tail


def _mail(words: list[str], attachment: str) -> bytes:
    mail = EmailMessage()
    mail["Subject"] = f"About {words[0]} and {words[1]}"
    mail["From"] = f"{words[2]} <{words[3]}@example.org>"
    mail["To"] = f"{words[4]}@example.org"
    mail.set_content(_prose(words[5:9]))
    mail.add_attachment(_prose(words[9:]), filename=f"{attachment}.txt")
    return bytes(mail)


def _sheet(words: list[str], title: str) -> bytes:
    book, kept = Workbook(), BytesIO()
    book.properties.title = title
    sheet = book.active
    assert sheet is not None
    sheet.append(["Name", "Cause"])
    for one, other in zip(words[::2], words[1::2], strict=True):
        sheet.append([one, other])
    book.save(kept)
    return kept.getvalue()
