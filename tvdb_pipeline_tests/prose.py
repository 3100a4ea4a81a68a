"""Seeded insurance prose for tests: varied paragraphs that never say the same thing twice.

Belongs here: text. Does not: files.
"""

from __future__ import annotations

import random

_SUBJECTS = (
    "The plan",
    "This policy",
    "The carrier",
    "Each member",
    "The named insured",
    "A covered dependent",
    "The adjuster",
)
_VERBS = ("pays for", "excludes", "limits", "reviews", "must report", "may appeal", "reimburses")
_THINGS = (
    "water damage", "an emergency visit", "durable equipment", "a rental vehicle", "debris removal", "physical therapy",
    "a generic prescription", "lost wages", "an out-of-network surgeon", "hail damage to the roof", "a second opinion",
)  # fmt: skip
_TERMS = (
    "within {} days of the loss",
    "up to ${} a year",
    "after a copayment of ${}",
    "at {} percent of the allowed amount",
)


def paragraphs(count: int, seed: int = 1) -> list[str]:
    """`count` paragraphs of two to six sentences, the same for the same seed."""
    draw = random.Random(seed)
    return [" ".join(_sentence(draw) for _ in range(draw.randint(2, 6))) for _ in range(count)]


def _sentence(draw: random.Random) -> str:
    term = draw.choice(_TERMS).format(draw.randint(2, 999))
    number = draw.randint(1000, 99999)
    return f"{draw.choice(_SUBJECTS)} {draw.choice(_VERBS)} {draw.choice(_THINGS)} {term} under clause {number}."
