"""One cell of a worksheet as a person sees it.

Belongs here: numbers, dates and number formats as text. Does not: where the cell stands (`workbook`).
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_QUOTED = re.compile(r'"([^"]*)"|\\(.)|_.|\*.')
_CURRENCY = re.compile(r"\[\$([^-\]]+)[^\]]*\]|([$€£¥])")
_DECIMALS = re.compile(r"[0#?]\.(0+)")
_LEADING_ZEROS = re.compile(r"0{2,}")


def shown(value: object, number_format: str = "General") -> str:
    """The text of a cell's value; empty for an empty cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return _number(value, number_format or "General")
    if isinstance(value, (datetime, date, time, timedelta)):
        return _moment(value)
    return " ".join(_ESCAPED.sub(lambda match: chr(int(match[1], 16)), str(value)).split())


def _number(value: float, number_format: str) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return ""
    section = number_format.split(";")[0]
    # Literal text first: a quoted currency name must not be taken for digits or decimals.
    pattern = _QUOTED.sub(lambda match: match[1] or match[2] or "", section)
    if _LEADING_ZEROS.fullmatch(pattern) and float(value).is_integer():
        return str(int(value)).zfill(len(pattern))
    decimals = _DECIMALS.search(pattern)
    places = len(decimals[1]) if decimals else None
    if "%" in pattern:
        return _plain(value * 100, places or 0) + "%"
    currency = _CURRENCY.search(pattern)
    text = _plain(abs(value) if currency else value, places)
    if currency:
        symbol = (currency[1] or currency[2]).strip()
        gap = " " if symbol.isalpha() else ""
        return f"{'-' if value < 0 else ''}{symbol}{gap}{text}"
    return text


def _plain(value: float, places: int | None) -> str:
    rounded = value if places is None else round(value, places)
    if float(rounded).is_integer() and abs(rounded) < 1e21:
        return str(int(rounded))
    # Fifteen digits are all a spreadsheet keeps; more would show the noise of binary fractions.
    return format(rounded, ".15g") if places is None else f"{rounded:.{places}f}"


def _moment(value: date | time | timedelta) -> str:
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        return f"{seconds // 3600}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    if isinstance(value, datetime):
        if value.time() == time(0):
            return value.date().isoformat()
        return value.replace(microsecond=0).isoformat(" ", "seconds" if value.second else "minutes")
    if isinstance(value, time):
        return value.isoformat("seconds" if value.second else "minutes")
    return value.isoformat()
