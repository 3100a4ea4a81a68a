"""What people do to an upload folder: files come, change, are renamed and deleted, one thing at a time.

Belongs here: doing it, the same way for the same seed. Does not: anybody who looks at the folder.
"""

from __future__ import annotations

import random
import shutil
from email.message import EmailMessage
from pathlib import Path

from benchmarks.grounds import EXAMPLES
from benchmarks.load.documents import drawn
from tvdb_pipeline_tests.prose import paragraphs

FEWEST, MOST = 12, 24
"""Files in the folder, once it has filled up."""
EXAMPLES_IN_TURN = (
    "denial-letter.docx",
    "physician-letter-sideways.png",
    "claim-form-scan.pdf",
    "broker-training.pptx",
)
_EVERY = 8
"""One in so many files is such an example, which costs OCR or an Office reader."""
_PAGES = (1, 1, 2, 3, 5, 8, 20)


class Traffic:
    """Acts on `folder`; counts of each act are in `acts`."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self._folder, self._draw, self._made = folder, random.Random(seed), 0
        self.acts = dict.fromkeys(("comes", "changes", "is renamed", "is deleted"), 0)

    def act(self) -> None:
        """One thing."""
        files = sorted(self._folder.iterdir())
        if len(files) < FEWEST:
            act = "comes"
        elif len(files) >= MOST:
            act = "is deleted"
        else:
            act = self._draw.choice(list(self.acts))
        self.acts[act] += 1
        if act == "comes":
            self._come()
            return
        file = self._draw.choice(files)
        if act == "changes":
            self._write(file)
        elif act == "is renamed":
            self._made += 1
            file.rename(file.with_stem(f"renamed-{self._made:05}"))
        else:
            file.unlink()

    def _come(self) -> None:
        if self._made % _EVERY == _EVERY - 1:
            name = EXAMPLES_IN_TURN[self._made // _EVERY % len(EXAMPLES_IN_TURN)]
            self._made += 1
            shutil.copyfile(EXAMPLES / name, self._folder / f"{self._made:05}{Path(name).suffix}")
            return
        suffix = self._draw.choice((".pdf", ".pdf", ".pdf", ".txt", ".html", ".eml"))
        self._made += 1
        self._write(self._folder / f"{self._made:05}{suffix}")

    def _write(self, file: Path) -> None:
        """New text in the format of the name. An example that cannot be drawn anew is touched: its bytes stay."""
        seed = self._draw.randrange(10**9)
        text = paragraphs(self._draw.randint(3, 30), seed=seed)
        if file.suffix == ".txt":
            file.write_text("\n\n".join(text))
        elif file.suffix == ".html":
            file.write_text("<html><body>" + "".join(f"<p>{paragraph}</p>" for paragraph in text) + "</body></html>")
        elif file.suffix == ".eml":
            file.write_bytes(_message(text))
        elif file.suffix == ".pdf":
            file.write_bytes(drawn(self._draw.choice(_PAGES), seed))
        else:
            file.touch()


def _message(text: list[str]) -> bytes:
    """A message with its last paragraphs attached."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.org", text[0][:60]
    message["Date"] = "Tue, 29 Apr 2025 10:42:00 -0500"
    message.set_content("\n\n".join(text[:-2]))
    message.add_attachment("\n\n".join(text[-2:]), filename="notes.txt")
    return message.as_bytes()
