"""Ground truth: what each drawn page shows, recorded by whatever draws it, and the check of the questions against it.

Nothing here draws; nothing here reads a finished document back.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypedDict, cast

Kind = Literal["text", "scan", "blank"]
Table = list[list[str]]


class Question(TypedDict):
    """One line of questions.jsonl."""

    question: str
    document: str
    page: int
    answer: str


@dataclass
class PageTruth:
    """One page as a reader sees it: paragraphs in reading order, and the tables among them as cells."""

    kind: Kind = "text"
    lines: list[str] = field(default_factory=list[str])
    tables: list[Table] = field(default_factory=list[Table])

    def say(self, text: str) -> None:
        """Add one paragraph."""
        if text:
            self.lines.append(text)

    def tabulate(self, rows: Table) -> None:
        """Add a table, both as cells and as one line of text per row."""
        self.tables.append(rows)
        for row in rows:
            self.say(" ".join(cell for cell in row if cell))

    def as_scan(self) -> "PageTruth":
        """The same page, seen only as an image."""
        return PageTruth("scan", list(self.lines), list(self.tables))

    @property
    def text(self) -> str:
        """The page's visible text."""
        return "\n".join(self.lines)


class Truth:
    """The pages of all documents drawn so far."""

    def __init__(self) -> None:
        self._pages: dict[str, list[PageTruth]] = {}

    def record(self, document: str, pages: list[PageTruth]) -> None:
        """Keep the pages of one document; a document is drawn once."""
        if document in self._pages:
            raise ValueError("a document was drawn twice")
        self._pages[document] = pages

    def documents(self) -> list[str]:
        """Names of the drawn documents, sorted."""
        return sorted(self._pages)

    def page(self, document: str, number: int) -> PageTruth:
        """One page, counted from 1."""
        return self._pages[document][number - 1]

    def write(self, path: Path) -> None:
        """Write one JSON object per page."""
        with path.open("w", encoding="utf-8", newline="\n") as out:
            for document in self.documents():
                for number, page in enumerate(self._pages[document], start=1):
                    row = {"document": document, "page": number, "kind": page.kind}
                    row |= {"text": page.text, "tables": page.tables}
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")

    def marked(self, mark: str) -> bool:
        """Whether every document says it is synthetic."""
        return all(any(mark in page.text.upper() for page in pages) for pages in self._pages.values())


def read_questions(path: Path) -> list[Question]:
    """The hand-written questions."""
    return [cast(Question, json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]


def faults(questions: list[Question], truth: Truth) -> list[str]:
    """What is wrong: an answer not on its page, a document without a question, a question asked twice."""
    found: list[str] = []
    for number, question in enumerate(questions, start=1):
        if question["document"] not in truth.documents():
            found.append(f"question {number}: no such document")
        elif question["answer"] not in truth.page(question["document"], question["page"]).text:
            found.append(f"question {number}: the answer is not on page {question['page']}")
    asked = {question["document"] for question in questions}
    found += [f"{document}: no question" for document in truth.documents() if document not in asked]
    if len({question["question"] for question in questions}) < len(questions):
        found.append("a question is asked twice")
    return found
