"""How numbers and addresses that name a person look in insurance documents.

Belongs here: patterns and rules of validity, as recognizers of Presidio. Does not: replacing.

Presidio's own recognizers for these kinds score a bare number low and count on words around it, found with a language model
that has to be downloaded; here the label is part of the pattern, so that none is needed, and the group `number` is what is found.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import phonenumbers
from presidio_analyzer import EntityRecognizer, RecognizerResult

_END = r"(?![A-Za-z0-9]|[-./]\d)"
_SEPARATOR = r"[ \t]*(?:is|was|[:=#|\-–]|\.)?[ \t]*(?:[:=#|]|\n)?[ \t]*"
"""Between a label and its number: a colon, a bar of a table, `is`, or the end of a line."""
_NUMBER_SIGN = (
    r"(?:numbers?|nos?\.?|nums?\.?|nbr\.?|id[ ]?#|#|id(?:entification)?(?:[ ](?:numbers?|nos?\.?|\#))?|i\.d\.)"
)
_VALUE = (
    r"(?!\d{1,2}/\d{1,2}/\d{2})(?:(?:[A-Z]{1,8}[-/]){1,3}|(?-i:[A-Z]{1,4}) )?[A-Z]{0,6}\d[A-Z0-9]*"
    r"(?:(?:[-./]| ?- ?| (?=\d))(?!\d{1,2}/\d{1,2}/\d{2})[A-Z0-9]*\d[A-Z0-9]*)*"
)
"""Letters and digits in groups; a date after the number is no part of it."""
_NUMBER = rf"(?P<number>{_VALUE}){_END}"


def _labelled(words: str) -> str:
    """After a label that says it is a number, or that ends in a sign for what follows."""
    ids = rf"(?:{words})[ \t]*{_NUMBER_SIGN}|ids?(?:[ ]numbers?)? of (?:the )?(?:{words})"
    return rf"\b(?:(?:{ids}){_SEPARATOR}|(?:{words})[ \t]*[:=#|][ \t]*){_NUMBER}"


def _named(words: str) -> str:
    """After the bare word: `claim 20231234567`."""
    return rf"\b(?:{words}),?[ \t]{_NUMBER}"


def _before(words: str) -> str:
    """Before its label in brackets: `987654321 (member ID)`."""
    return rf"(?<![\w-])(?P<number>{_VALUE})(?=[ ]\((?:[a-z]+[ ])?(?:{words})[ ]{_NUMBER_SIGN}\))"


_MEMBER = (
    r"member(?:ship)?|ID card|subscriber|enrollee|insured|patient|beneficiary|recipient|participant|cardholder|medicaid|medicare"
    r"|hicn?"
)
_RECORD = r"MRN|medical record (?:number|no\.?)|patient account (?:number|no\.?|#)|HICN?"
_MEMBER_OTHERS = rf"\b(?:{_RECORD}){_SEPARATOR}{_NUMBER}"
_MBI_LETTER = "[AC-HJKMNPQRT-Y]"
_MBI = rf"\b[1-9]{_MBI_LETTER}(?:{_MBI_LETTER}|\d)\d-?{_MBI_LETTER}(?:{_MBI_LETTER}|\d)\d-?{_MBI_LETTER}{{2}}\d{{2}}\b"
"""Medicare Beneficiary Identifier: CMS, "Understanding the Medicare Beneficiary Identifier (MBI) Format"."""
_POLICY = r"pol(?:icy|\.)?|policyholder|certificate|contract(?: of insurance)?|group|binder|bond|account"
_CLAIM = (
    r"claims?|clm\.?|file|case|reference|ref\.?|authorization|pre-?authorization|referral|loss(?: report)?|[ID]CN|TCN"
    r"|(?:document|internal|transaction) control"
)

_SSN_DIGITS = r"(?!000|666|9\d\d)\d{3}{s}(?!00)\d{2}{s}(?!0000)\d{4}"
"""Areas 000, 666 and 900-999, group 00 and serial 0000 are never given: SSA, "Social Security Number Randomization"."""
_SSN_LABEL = (
    r"(?:SSN|S\.S\.N\.?|SS ?(?:#|no\.?|number)|soc(?:ial|\.)?[ ]?sec(?:urity|\.)?(?:[ ](?:numbers?|nos?\.?|\#))?)"
)
_DASHED_SSN = rf"(?<![\d-]){_SSN_DIGITS.replace('{s}', '(?: ?[-–‐] ?)')}(?![\d]|-\d)"
_LABELLED_SSN = rf"\b{_SSN_LABEL}{_SEPARATOR}(?P<number>{_SSN_DIGITS.replace('{s}', '[ .–-]{0,3}')})(?!\d)"

_US_PHONE = (
    r"(?<![\dA-Za-z$-])(?:\+?1[ .-]?)?(?:\([2-9]\d{2}\)[ ]?|[2-9]\d{2}[ ]?[-.–/ ][ ]?)\d{3}[ ]?[-.–][ ]?\d{4}(?![\d-])"
)
_SPACED_PHONE = r"(?<![\dA-Za-z$-])(?:\+?1 )?[2-9]\d{2} [2-9]\d{2} \d{4}(?!\d| \d)"
_PHONE_LABEL = r"(?:phone|telephone|tel|fax|facsimile|mobile|cell|call|text|TTY|TDD)(?:[ ](?:numbers?|nos?\.?|\#))?"
_LABELLED_PHONE = (
    rf"\b{_PHONE_LABEL}\.?{_SEPARATOR}(?P<number>(?:\+?1[ .-]?)?\(?[2-9]\d{{2}}\)?[ .-]?\d{{3}}[ .-]?\d{{4}})(?!\d)"
)
_INTERNATIONAL = r"(?<![\w+])\+[1-9]\d{0,2}(?:[ .-]?\(?\d{1,5}\)?){2,6}(?!\d)"

_EMAIL = r"(?<![\w.+-])[\w.+%'-]{1,64} ?@ ?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}(?![\w@])"


class _Checked(EntityRecognizer):
    """Patterns whose findings must also pass a test: the group `number` where there is one, else all of it."""

    def __init__(self, kind: str, patterns: list[str], fits: Callable[[str], bool]) -> None:
        self._fits = fits
        self._patterns = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
        super().__init__(supported_entities=[kind], name=kind)

    def load(self) -> None:
        """There is nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any) -> list[RecognizerResult]:
        """All findings, those of different patterns may overlap."""
        matches = [match for pattern in self._patterns for match in pattern.finditer(text)]
        spans = [match.span("number" if match.re.groupindex else 0) for match in matches]
        kind = self.supported_entities[0]
        return [
            RecognizerResult(kind, start, end, EntityRecognizer.MAX_SCORE)
            for start, end in spans
            if self._fits(text[start:end])
        ]


def recognizers() -> list[EntityRecognizer]:
    """One or two for each of `redactor.KINDS`."""
    return [
        _Checked("SSN", [_DASHED_SSN, _LABELLED_SSN], lambda found: True),
        _Checked("EMAIL", [_EMAIL], lambda found: True),
        _Checked("MEMBER_ID", [_labelled(_MEMBER), _before(_MEMBER), _MEMBER_OTHERS, _MBI], _is_number),
        _Checked("POLICY_NUMBER", [_labelled(_POLICY), _before(_POLICY)], _is_number),
        _Checked("CLAIM_NUMBER", [_labelled(_CLAIM), _before(_CLAIM)], _is_number),
        _Checked("MEMBER_ID", [_named(_MEMBER)], _is_long),
        _Checked("POLICY_NUMBER", [_named(_POLICY)], _is_long),
        _Checked("CLAIM_NUMBER", [_named(_CLAIM)], _is_long),
        _Checked("PHONE", [_US_PHONE, _SPACED_PHONE, _LABELLED_PHONE], lambda found: True),
        _Checked("PHONE", [_INTERNATIONAL], _can_be_dialled),
    ]


def _is_number(found: str) -> bool:
    """Whether it is long enough to name somebody: five signs, three of them digits. Shorter ones are page or form numbers."""
    signs = [sign for sign in found if sign.isalnum()]
    return len(signs) >= 5 and sum(sign.isdigit() for sign in signs) >= 3


def _is_long(found: str) -> bool:
    """Whether it can name somebody without a label that says so: six digits. Years, forms and amounts have fewer."""
    return sum(sign.isdigit() for sign in found) >= 6


def _can_be_dialled(found: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(found))
    except phonenumbers.NumberParseException:
        return False
