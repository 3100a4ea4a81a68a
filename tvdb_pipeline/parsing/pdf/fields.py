"""Form fields and typed notes: what stands on a page without being part of its text.

Belongs here: reading widgets and free-text annotations, and putting each value beside its label. Does not: the text layer
(`words`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.parsing.lines import Box, TextLine
from tvdb_pipeline.parsing.pdf.geometry import PageFrame

_HIDDEN: Final = 1 << 1 | 1 << 5  # ISO 32000-1, table 165: hidden, no view
_PASSWORD: Final = 1 << 13  # table 228
MOST_FIELDS: Final = 1500
"""Annotations read of one page; the fullest real forms have a few hundred."""
_LABEL_GAP: Final = 150.0
"""Points between a field and the label it belongs to, at most."""
_CHARACTERS_A_POINT: Final = 0.2  # of a line of 10 points: enough to break long values into lines
_SIZE: Final = 10.0
_BUTTONS: Final = (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON)
_LISTS: Final = (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)


@dataclass(frozen=True, slots=True)
class Field:
    """A filled field or a note. kind: where its label stands; text: its value, or the mark of a box; name: as people see it."""

    kind: Literal["value", "mark", "note"]
    name: str
    text: str
    box: Box


def read_fields(page: pdfium.PdfPage, frame: PageFrame) -> list[Field]:
    """What is filled in on a page, and every box to tick. Hidden fields and passwords are left out."""
    form = page.formenv
    found: list[Field] = []
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_FIELDS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN:
                continue
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            if kind == raw.FPDF_ANNOT_FREETEXT:
                note = _text(partial(raw.FPDFAnnot_GetStringValue, annotation, b"Contents"))
                found += [Field("note", "", note, _box(annotation, frame))] if note else []
            elif kind == raw.FPDF_ANNOT_WIDGET and form is not None:
                found += _field(form, annotation, frame)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)
    return found


def with_fields(lines: Sequence[TextLine], fields: Sequence[Field]) -> list[TextLine]:
    """The lines of a page, each value joined to the label beside or above it, each mark put before its label.

    A value without a label near it is a line of its own, with its field's name; one drawn on the page, too, is not doubled.
    """
    result = list(lines)
    for field in fields:
        if field.kind != "mark" and _stands_there(field, lines):
            continue
        label = _label(field, result) if field.kind != "note" else None
        if label is None:
            result += _lines_of(field)
            continue
        at = next(index for index, line in enumerate(result) if line is label)
        text = f"{field.text} {label.text}" if field.kind == "mark" else f"{label.text} {field.text}"
        box = Box(
            min(label.box.left, field.box.left), label.box.top, max(label.box.right, field.box.right), label.box.bottom
        )
        result[at] = replace(label, text=text, box=box)
    return result


def outside(lines: Sequence[TextLine], fields: Sequence[Field]) -> list[TextLine]:
    """The lines read from a page's picture without those that show the value of a field, which is known for certain."""
    boxes = [field.box for field in fields if field.kind != "mark"]
    return [line for line in lines if not any(_lies_in(line.box, box) for box in boxes)]


def _lies_in(line: Box, box: Box) -> bool:
    across = min(line.right, box.right) - max(line.left, box.left)
    down = min(line.bottom, box.bottom) - max(line.top, box.top)
    area = (line.right - line.left) * (line.bottom - line.top)
    return across > 0 and down > 0 and across * down > 0.5 * area


def _field(form: Any, annotation: Any, frame: PageFrame) -> Iterator[Field]:
    kind = raw.FPDFAnnot_GetFormFieldType(form, annotation)
    if raw.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD and kind == raw.FPDF_FORMFIELD_TEXTFIELD:
        return
    name = _text(partial(raw.FPDFAnnot_GetFormFieldAlternateName, form, annotation))
    name = name or _text(partial(raw.FPDFAnnot_GetFormFieldName, form, annotation)).rpartition(".")[2]
    box = _box(annotation, frame)
    if kind in _BUTTONS:
        checked = bool(raw.FPDFAnnot_IsChecked(form, annotation))
        yield Field("mark", name, "☒" if checked else "☐", box)
        return
    if kind in _LISTS:
        value = _selected(form, annotation)
    elif kind == raw.FPDF_FORMFIELD_TEXTFIELD:
        value = ""
    else:
        return
    value = value or _text(partial(raw.FPDFAnnot_GetFormFieldValue, form, annotation))
    if value:
        yield Field("value", name, value, box)


def _selected(form: Any, annotation: Any) -> str:
    chosen: list[str] = []
    for option in range(min(raw.FPDFAnnot_GetOptionCount(form, annotation), MOST_FIELDS)):
        if raw.FPDFAnnot_IsOptionSelected(form, annotation, option):
            chosen.append(_text(partial(raw.FPDFAnnot_GetOptionLabel, form, annotation, option)))
    return "; ".join(text for text in chosen if text)


def _text(call: Callable[..., int]) -> str:
    """What a PDFium call writes into a buffer of UTF-16, on one line."""
    size = call(None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    call(ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), size)
    return " ".join(buffer.raw[:size].decode("utf-16-le", "ignore").replace("\0", "").split())


def _box(annotation: Any, frame: PageFrame) -> Box:
    rect = raw.FS_RECTF()
    raw.FPDFAnnot_GetRect(annotation, ctypes.byref(rect))
    left, right = sorted((rect.left, rect.right))
    bottom, top = sorted((rect.bottom, rect.top))
    return frame.upright(left, bottom, right, top)


def _stands_there(field: Field, lines: Sequence[TextLine]) -> bool:
    inside = [line.text for line in lines if _overlap(line.box, field.box)]
    return field.text.casefold() in " ".join(" ".join(inside).split()).casefold()


def _overlap(one: Box, other: Box) -> bool:
    return one.left < other.right and other.left < one.right and one.top < other.bottom and other.top < one.bottom


def _label(field: Field, lines: Sequence[TextLine]) -> TextLine | None:
    """The nearest line beside the field: before a value, after a box to tick; else the one right above a value."""
    best: tuple[float, TextLine] | None = None
    for line in lines:
        middle = (line.box.top + line.box.bottom) / 2
        beside = field.box.top - 4 <= middle <= field.box.bottom + 4
        after = line.box.left - field.box.right
        before = field.box.left - line.box.right
        gap = after if field.kind == "mark" else before
        if beside and -6 <= gap <= (_LABEL_GAP if field.kind == "value" else _LABEL_GAP / 5):
            distance = max(gap, 0.0)
        elif field.kind == "value" and _overlap(line.box, _above(field.box)):
            distance = _LABEL_GAP
        else:
            continue
        if best is None or distance < best[0]:
            best = (distance, line)
    return best[1] if best else None


def _above(box: Box) -> Box:
    return Box(box.left, box.top - 14, max(box.right, box.left + 20), box.top)


def _lines_of(field: Field) -> list[TextLine]:
    named = field.name and field.kind != "note"
    text = (
        f"{field.text} {field.name}" if field.kind == "mark" else f"{field.name}: {field.text}" if named else field.text
    )
    across = max(20, int((field.box.right - field.box.left) * _CHARACTERS_A_POINT))
    rows, row = list[str](), ""
    for word in text.split():
        if row and len(row) + len(word) >= across and field.kind == "note":
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}".strip()
    rows.append(row)
    height = _SIZE * 1.2
    return [
        TextLine(
            text,
            Box(
                field.box.left,
                field.box.top + number * height,
                field.box.right,
                field.box.top + number * height + _SIZE,
            ),
            _SIZE,
        )
        for number, text in enumerate(rows)
    ]
