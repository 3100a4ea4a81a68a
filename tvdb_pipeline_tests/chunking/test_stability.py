"""A small change to a long document changes few texts, so that few vectors are bought anew."""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache

import pytest
from unstructured.documents.elements import Element, ElementMetadata, ListItem, NarrativeText, Table, Text, Title

from tvdb_pipeline.chunking import chunks, units
from tvdb_pipeline.chunking.chunks import chunk
from tvdb_pipeline.chunking.tokens import count_tokens

PAGES, EDITS, MOST_INSERTED = 200, 250, 200


class Writer:
    """Makes up a policy of paragraphs, titles, list items and tables, always the same for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._words = [
            "".join(
                self.random.choice("bcdfglmnprst") + self.random.choice("aeiou")
                for _ in range(self.random.randint(1, 4))
            )
            for _ in range(3000)
        ]

    def word(self) -> str:
        return self.random.choice(self._words)

    def sentence(self) -> str:
        return " ".join(self.word() for _ in range(self.random.randint(6, 28))).capitalize() + "."

    def row(self) -> str:
        return f"Cover: {self.word()} {self.word()}; Limit: ${self.random.randint(1, 99_999):,}; Note: {self.word()}"

    def element(self, page: int) -> Element:
        kind = self.random.random()
        if kind < 0.12:
            return made(Title, " ".join(self.word() for _ in range(4)).capitalize(), page)
        if kind < 0.3:
            return made(ListItem, self.sentence(), page)
        if kind < 0.4:
            return made(Table, "\n".join(self.row() for _ in range(self.random.randint(3, 20))), page)
        return made(NarrativeText, " ".join(self.sentence() for _ in range(self.random.randint(1, 7))), page)

    def policy(self) -> list[Element]:
        return [self.element(page) for page in range(1, PAGES + 1) for _ in range(self.random.randint(3, 5))]

    def insertion(self, separator: str, piece: str) -> str:
        """Between one piece and 200 tokens of them. piece: `sentence` or `row`."""
        wanted, text = self.random.randint(1, MOST_INSERTED), getattr(self, piece)()
        while count_tokens(more := text + separator + getattr(self, piece)()) <= wanted:
            text = more
        return text

    def changed(self, element: Element) -> list[Element]:
        """The element with some words replaced, with text put in before, inside or after it, or without it."""
        page, table = element.metadata.page_number or 1, isinstance(element, Table)
        separator, piece = ("\n", "row") if table else (" ", "sentence")
        how = self.random.choice(["words", "inside", "before", "after", "gone"])
        if how == "gone":
            return []
        if how == "words":
            lines = [line.split(" ") for line in element.text.split("\n")]
            for _ in range(self.random.randint(1, 3)):
                line = self.random.choice(lines)
                line[self.random.randrange(len(line))] = self.word()
            return [made(type(element), "\n".join(" ".join(line) for line in lines), page)]
        if how == "inside":
            parts = element.text.split(separator)
            parts.insert(self.random.randint(0, len(parts)), self.insertion(separator, piece))
            return [made(type(element), separator.join(parts), page)]
        new = made(Table if table else NarrativeText, self.insertion(separator, piece), page)
        return [new, element] if how == "before" else [element, new]


def made(kind: type[Element], text: str, page: int) -> Element:
    assert issubclass(kind, Text)
    return kind(text=text, metadata=ElementMetadata(page_number=page))


@pytest.fixture
def counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting tokens again and again is most of the time 500 chunkings take; the count itself is not on trial here."""
    remembered = lru_cache(maxsize=None)(count_tokens)
    monkeypatch.setattr(units, "count_tokens", remembered)
    monkeypatch.setattr(chunks, "count_tokens", remembered)


@pytest.mark.usefixtures("counted_once")
def test_an_edit_changes_at_most_two_texts_nearly_always_and_never_more_than_four() -> None:
    writer = Writer(2024)
    policy = writer.policy()
    before = {piece.sha256 for piece in chunk(policy)}
    assert len(before) > 400
    changes: Counter[int] = Counter()
    for _ in range(EDITS):
        place = writer.random.randrange(len(policy))
        edited = [*policy[:place], *writer.changed(policy[place]), *policy[place + 1 :]]
        changes[len({piece.sha256 for piece in chunk(edited)} - before)] += 1
    few = sum(times for count, times in changes.items() if count <= 2)
    assert few >= 0.95 * EDITS, dict(changes)
    assert max(changes) <= 4, dict(changes)
    assert changes[0] < 0.2 * EDITS, "edits must reach the text to prove anything"
