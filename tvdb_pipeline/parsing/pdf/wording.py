"""Whether the text layer of a page is language, or letters that a font or an old OCR put in place of it.

Belongs here: the judgement on a page's text alone. Does not: what is drawn on the page (`routing`).

A symbol-encoded font without a map to Unicode gives letters all shifted by the same amount ("Wkh txlfn" for "The quick"), a
substituted one any other alphabet. Neither can be undone safely; the page is read from its picture.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_UNMAPPED = re.compile("[\ufffd\ue000-\uf8ff\x00-\x01\x03-\x08\x0e-\x1f]")
_GLYPH_NUMBER = re.compile(r"\(cid:\d{1,5}\)|/g\d{1,5}(?=/|\s|$)")
_TOKEN = re.compile(r"\S+")
_WORDLIKE = re.compile(
    r"^[\"'(\[]*(?:[^\W\d_]{2,}|[AaIi&])[\"')\].,;:!?%/-]*$|^[($]*[\d.,/%$-]+[\d%).,;:]*$|^[^\W_]+(?:[-'’/.][^\W_]+)+\W?$"
)
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{2}")
_SMALL_WORD = re.compile(r"\b[a-z]{3,}\b")
_SMALL_WORD_WITHOUT_VOWEL = re.compile(r"\b[b-df-hj-np-tv-xz]{3,}\b")
_ASCII_WORD = re.compile(r"\b[A-Za-z]{2,}\b")
_COMMON = re.compile(
    r"\b(?:the|and|of|to|in|for|is|or|by|on|at|be|are|not|this|that|with|from|as|you|your|will|any"
    r"|der|die|das|und|von|mit|den|des|ein|eine|ist|nicht|auf|für|le|la|les|de|et|du|un|une|est|dans|pour|par"
    r"|el|los|las|que|en|por|con|una|del|se|es|il|che|non|di|per|sono|een|het|van|te|da|do|os|um|uma|na)\b"
)
"""Small words of which prose of West European languages is full."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_LEAST_WORDS, _MOST_WORDS = 12, 200
_SAMPLE: Final = 2000  # characters of the page's beginning, in which words are judged
_ODD_SHARE: Final = 0.1  # of words without a vowel; prose of any Latin language has under 0.05
_ODD_ALONE: Final = 0.25  # from which they tell enough without knowing the shift
_COMMON_SHARE: Final = 0.12  # of words; prose has 0.3, and letters at random 0.01


def is_garbage(text: str) -> bool:
    """Whether a text layer holds something else than what the page shows."""
    bare = len(text) - text.count(" ") - text.count("\r") - text.count("\n")
    if len(_UNMAPPED.findall(text)) > 0.1 * bare:
        return True
    if "cid:" in text or "/g" in text:
        numbers = sum(len(found) for found in _GLYPH_NUMBER.findall(text))
        if numbers > 0.1 * bare:
            return True
    sample = text[:_SAMPLE]
    small = len(_SMALL_WORD.findall(sample))
    if small < _LEAST_WORDS:
        return sample.isupper() and _is_enciphered(sample, all_odd=False)
    odd = len(_SMALL_WORD_WITHOUT_VOWEL.findall(sample))
    return odd > _ODD_SHARE * small and _is_enciphered(sample, all_odd=odd > _ODD_ALONE * small)


def word_share(text: str) -> float:
    """Part of the tokens that look like words or numbers, 0..1; a script without spaces counts by its letters."""
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char)[0] != "M")
    tokens = _TOKEN.findall(text)
    return sum(1 for token in tokens if _WORDLIKE.match(token) or _UNSPACED.search(token)) / max(len(tokens), 1)


def _is_enciphered(text: str, *, all_odd: bool) -> bool:
    """Whether its words are the common ones of some language only once every letter is moved back by the same amount.

    all_odd: its words are so odd that having none of the common ones is enough.
    """
    words = [word.lower() for word in _ASCII_WORD.findall(text)][:_MOST_WORDS]
    if len(words) < _LEAST_WORDS:
        return False
    line, least = " ".join(words), _COMMON_SHARE * len(words)
    if len(_COMMON.findall(line)) >= least:
        return False
    moved = (line.translate(str.maketrans(_LETTERS, _LETTERS[shift:] + _LETTERS[:shift])) for shift in range(1, 26))
    return all_odd or any(len(_COMMON.findall(candidate)) >= least for candidate in moved)
