"""Whether the text layer of a page is language, or letters that a font or an old OCR put in place of it.

Belongs here: the judgement on a page's text alone. Does not: what is drawn on the page (`routing`).

A symbol-encoded font without a map to Unicode gives letters all shifted by the same amount ("Wkh txlfn" for "The quick"), a
substituted one any other alphabet. Neither can be undone safely; the page is read from its picture.
"""

from __future__ import annotations

import itertools
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
_WORD = re.compile(r"\b[A-Za-z]{3,}\b")
_WITHOUT_VOWEL = re.compile(r"\b[b-df-hj-np-tv-xz]{3,}\b")
_COMMON = re.compile(
    r"\b(?:the|and|for|not|this|that|with|from|are|you|your|will|any|all|der|die|das|und|von|mit|den|des|ein|eine|ist|nicht"
    r"|auf|les|des|une|est|dans|pour|par|los|las|que|por|con|una|del|che|non|per|sono|een|het|van|uma|com|dos)\b"
)
"""Small words of which prose of West European languages is full. Those of two letters are too like codes of states."""
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_LEAST_WORDS, _MOST_WORDS = 15, 80
_USUAL: Final = 0.03  # of words, common ones; prose has 0.1 to 0.3
_FOUND: Final = 0.1
_ODD: Final = 0.4
"""Of words without a vowel: prose of any Latin language has under 0.05, letters exchanged at random 0.3 to 0.5."""


def is_garbage(text: str) -> bool:
    """Whether a text layer holds something else than what the page shows."""
    bare = len(text) - text.count(" ") - text.count("\r") - text.count("\n")
    if len(_UNMAPPED.findall(text)) > 0.1 * bare:
        return True
    if "cid:" in text or "/g" in text:
        numbers = sum(len(found) for found in _GLYPH_NUMBER.findall(text))
        if numbers > 0.1 * bare:
            return True
    words = [found.group() for found in itertools.islice(_WORD.finditer(text), _MOST_WORDS)]
    return len(words) >= _LEAST_WORDS and _is_enciphered(" ".join(words), len(words))


def word_share(text: str) -> float:
    """Part of the tokens that look like words or numbers, 0..1; a script without spaces counts by its letters."""
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char)[0] != "M")
    tokens = _TOKEN.findall(text)
    return sum(1 for token in tokens if _WORDLIKE.match(token) or _UNSPACED.search(token)) / max(len(tokens), 1)


def _is_enciphered(words: str, number: int) -> bool:
    """Whether words are the common ones of some language only once every letter is moved back, or are none of any language."""
    small = words.lower()
    if len(_COMMON.findall(small)) >= _USUAL * number:
        return False
    # Capitals are not asked for vowels: codes have none.
    if len(_WITHOUT_VOWEL.findall(words)) >= _ODD * number:
        return True
    moved = (small.translate(str.maketrans(_LETTERS, _LETTERS[shift:] + _LETTERS[:shift])) for shift in range(1, 26))
    return any(len(_COMMON.findall(candidate)) >= _FOUND * number for candidate in moved)
