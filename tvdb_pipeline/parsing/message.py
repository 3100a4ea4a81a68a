"""A mail message in the plain form both message readers give.

Belongs here: the records. Does not: reading them from a file, or elements.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Body:
    """One part of the text a reader of the message sees."""

    text: str
    is_html: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attached file, or an attached message that has no file form of its own (`message`).

    inline: shown inside the body, as logos and pasted pictures are.
    """

    name: str
    content: bytes = b""
    is_image: bool = False
    inline: bool = False
    message: Message | None = None


@dataclass(slots=True)
class Message:
    """Headers as shown to a person (`From`, `To`, `Cc`, `Date`), bodies in order, attachments in order."""

    subject: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Body] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def plain_name(name: str | None, otherwise: str) -> str:
    """A file name on one line and without folders; `otherwise` where nothing of it is left."""
    last = (name or "").replace("\\", "/").rsplit("/", 1)[-1]
    kept = " ".join("".join(character for character in last if character.isprintable()).split())
    return kept if kept not in ("", ".", "..") else otherwise
