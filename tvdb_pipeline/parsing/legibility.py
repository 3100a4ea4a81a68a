"""How far the reading of a page image can be trusted, and what to say of what could not be read.

Belongs here: the judgement on what an engine delivered. Does not: engines, or the account of a page (`ocr`).

The models of the default engine know Latin letters (those of Vietnamese only in part), Greek without accents, Chinese and
Japanese; no Cyrillic, Hebrew, Arabic, Indian, Thai or Korean ones. Of a line in such a script they make a few stray characters
or none, often with high confidence, but the line was found, and its length tells how many there should be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tvdb_pipeline.parsing.recognition import Span

MIN_CONFIDENCE: Final = 0.5
"""Lines read with less are left out: on the corpus they are logos, stamps and foreign scripts turned into noise."""

LOW_CONFIDENCE: Final = {"rapidocr": 0.97}
"""Of a page; below it less than 85 % of the words are likely to be right. Of tesseract's figures nothing was measured.

Three pages in 17 states (blurred, scaled down, noise, specks, JPEG, fax, faint), 200 dpi: of the 31 states with at least 85 % of
the words the lowest confidence is 0.976; of the 20 with less, 18 lie at 0.964 or below (0.95 stands for 60 to 80 % of the words,
0.87 for 50 %, under 0.75 for less). Two escape (0.985 and 0.987, with 82 and 83 %): specks and faint print that cost letters here
and there. 23 clean scans lie at 0.985 or above.
"""

_LONG: Final = 3.0  # heights: a shorter box may be an icon
_FULL: Final = 0.6  # characters a height; English has 3, Chinese 1.4, an uncovered script at most 0.6
_SURE: Final = 0.95
_UNCOVERED_SHARE: Final = 0.1  # of the length of all lines; clean scans have 0
_PARTLY_COVERED: Final = 0.3  # of all letters
_GREEK, _LETTER = re.compile("[\u0370-\u03ff]"), re.compile(r"[^\W\d_]")
_VIETNAMESE = re.compile("[ơưƠƯồạọ]")
UNCOVERED: Final = "script not covered by the OCR models, or illegible"


@dataclass(frozen=True, slots=True)
class Judgement:
    """kept: the lines worth having; confidence: of the whole page, 0..1, what could not be read counting as 0; note: what is
    missing or doubtful, without a word of the page."""

    kept: list[Span]
    confidence: float
    note: str | None


def judge(spans: Sequence[Span], engine: str) -> Judgement:
    """The reading of one page; confidence weighs each line by its length."""
    found = [span for span in spans if span.text or span.room >= _LONG]
    missed = [span for span in found if _is_missed(span)]
    kept = [span for span in found if span.text and span.confidence >= MIN_CONFIDENCE and not _is_noise(span)]
    whole = sum(map(_length, found))
    foreign = sum(map(_length, missed)) > _UNCOVERED_SHARE * whole
    # A signature or a stamp that says nothing is no reason to doubt the rest.
    counted = [span for span in found if span.text or foreign]
    sure = sum(_length(span) * span.confidence for span in counted if not (foreign and _is_missed(span)))
    confidence = sure / (sum(map(_length, counted)) or 1.0)
    notes: list[str] = []
    if kept and confidence < LOW_CONFIDENCE.get(engine, 0.0):
        notes.append(f"low OCR confidence ({confidence:.2f})")
    if foreign:
        notes.append(f"{len(missed)} of {len(found)} lines not read: {UNCOVERED}" if kept else UNCOVERED)
    elif kept and (unreadable := sum(1 for span in found if span.text) - len(kept)):
        notes.append(f"{unreadable} of {len(found)} lines unreadable")
    if _is_partly_covered(" ".join(span.text for span in kept)):
        notes.append("script only partly covered by the OCR models")
    return Judgement(kept, round(confidence, 4), "; ".join(notes) or None)


def _length(span: Span) -> float:
    return max(span.room, 1.0) if span.room else float(len(span.text))


def _is_missed(span: Span) -> bool:
    return span.room >= _LONG and len("".join(span.text.split())) < _FULL * span.room


def _is_noise(span: Span) -> bool:
    return _is_missed(span) and span.confidence < _SURE


def _is_partly_covered(text: str) -> bool:
    letters = len(_LETTER.findall(text))
    return bool(letters) and (
        len(_GREEK.findall(text)) > _PARTLY_COVERED * letters or len(_VIETNAMESE.findall(text)) > 0.02 * letters
    )
