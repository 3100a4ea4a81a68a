"""What is drawn on a page besides text: ruling lines, pictures, and shapes that may be letters.

Belongs here: walking page objects. Does not: making tables of the rules.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.pdf import calls
from tvdb_pipeline.parsing.pdf.geometry import IDENTITY, Matrix, PageFrame, concatenated, object_matrix, transformed

_SHOWN: Final = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_PATH)
_TEXT: Final = raw.FPDF_PAGEOBJ_TEXT
_MAX_OBJECTS: Final = 20_000  # a page drawn with more than this is a picture, not a table
_MAX_DEPTH: Final = 6
_THIN: Final = 2.5  # points: a path no thicker is a rule
_LETTER: Final = 60.0  # points: a shape no larger may be a letter
_BOX_STROKES, _LETTER_STROKES = 6, 20  # of a box; of a letter, about
_SHORT: Final = 6.0  # points: a rule shorter than this is a tick or a dash


@dataclass(slots=True)
class Drawing:
    """rules: thin horizontal and vertical boxes; pictures: their boxes within the page; picture_share: part of the page area
    under them, 0..1; paths: their number; shapes: of paths that could be letters (a path of many strokes counts as several)."""

    rules: list[Box] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list[Box])
    picture_share: float = 0.0
    paths: int = 0
    shapes: int = 0


def read_drawing(page: pdfium.PdfPage, frame: PageFrame) -> Drawing:
    """Walk the page's objects, nested forms included."""
    drawing = Drawing()
    area = max(frame.width * frame.height, 1.0)
    covered = 0.0
    bounds = (ctypes.c_float * 4)()
    places = [ctypes.addressof(bounds) + 4 * side for side in range(4)]
    for number, (item, kind, matrix) in enumerate(_objects(page)):
        if number >= _MAX_OBJECTS:
            drawing.rules.clear()
            break
        if not calls.object_bounds(item, *places):
            continue
        left, bottom, right, top = bounds
        box = frame.upright(*(bounds if matrix is IDENTITY else transformed(matrix, left, bottom, right, top)))
        if kind == raw.FPDF_PAGEOBJ_IMAGE:
            seen = Box(
                max(box.left, 0.0), max(box.top, 0.0), min(box.right, frame.width), min(box.bottom, frame.height)
            )
            if seen.right > seen.left and seen.bottom > seen.top:
                covered += (seen.right - seen.left) * (seen.bottom - seen.top)
                drawing.pictures.append(seen)
        else:
            drawing.paths += 1
            drawing.shapes += _letters(item, box)
            drawing.rules.extend(_rules(box))
    drawing.picture_share = min(1.0, covered / area)
    return drawing


def _letters(item: int, box: Box) -> int:
    """How many letters a path may draw: curved or slanted outlines have more strokes than the four of a box."""
    width, height = box.right - box.left, box.bottom - box.top
    if min(width, height) <= _THIN:
        return 0
    strokes: int = calls.path_segments(item)
    if strokes <= _BOX_STROKES:
        return 0
    return 1 if max(width, height) <= _LETTER else strokes // _LETTER_STROKES


def _rules(box: Box) -> Iterator[Box]:
    width, height = box.right - box.left, box.bottom - box.top
    if min(width, height) <= _THIN:
        if max(width, height) >= _SHORT:
            yield box
    elif width >= 2 * _SHORT and height >= _SHORT:
        # A frame or a filled cell: its four edges rule as lines do.
        yield Box(box.left, box.top, box.right, box.top)
        yield Box(box.left, box.bottom, box.right, box.bottom)
        yield Box(box.left, box.top, box.left, box.bottom)
        yield Box(box.right, box.top, box.right, box.bottom)


def _objects(page: pdfium.PdfPage) -> Iterator[tuple[int, int, Matrix]]:
    """Pictures and paths of the page with their kind and the matrix of the forms they stand in."""
    return _unfolded(calls.page_object, calls.handle(page), raw.FPDFPage_CountObjects(page), IDENTITY, 0)


def _unfolded(
    member: Callable[[int, int], int], holder: int, count: int, matrix: Matrix, depth: int
) -> Iterator[tuple[int, int, Matrix]]:
    # Most objects are text, often one for each letter: those are passed by as fast as can be.
    items = list(map(member, repeat(holder), range(count)))
    for item, kind in zip(items, map(calls.object_kind, items), strict=True):
        if kind == _TEXT:
            continue
        if kind in _SHOWN:
            yield item, kind, matrix
        elif kind == raw.FPDF_PAGEOBJ_FORM and depth < _MAX_DEPTH:
            inner = concatenated(object_matrix(item), matrix)
            yield from _unfolded(calls.form_object, item, calls.objects_in_form(item), inner, depth + 1)
