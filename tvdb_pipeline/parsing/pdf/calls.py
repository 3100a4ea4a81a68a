"""PDFium's functions that are asked for every word and every object of a page.

Belongs here: those few, bound anew. Does not: what their answers mean. pypdfium2's own bindings make a pointer object of each
handle and let go of the interpreter lock around each call, which for calls this short is half of the time. Here handles are
plain integers, and places to write to are addresses.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Final

import pypdfium2 as pdfium
import pypdfium2.raw as raw

_HANDLE, _PLACE, _INDEX, _TRUTH = ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int


def _bound(function: Any, answer: Any, *arguments: Any) -> Callable[..., Any]:
    address = ctypes.cast(function, ctypes.c_void_p).value
    assert address is not None
    return ctypes.PYFUNCTYPE(answer, *arguments)(address)


def handle(thing: pdfium.PdfPage | pdfium.PdfTextPage) -> int:
    """The address PDFium knows an open page or text page by. Good until that is closed."""
    address = ctypes.cast(thing.raw, ctypes.c_void_p).value
    assert address is not None
    return address


loose_box: Final = _bound(raw.FPDFText_GetLooseCharBox, _TRUTH, _HANDLE, _INDEX, _PLACE)
matrix_of: Final = _bound(raw.FPDFText_GetMatrix, _TRUTH, _HANDLE, _INDEX, _PLACE)
origin: Final = _bound(raw.FPDFText_GetCharOrigin, _TRUTH, _HANDLE, _INDEX, _PLACE, _PLACE)
font_size: Final = _bound(raw.FPDFText_GetFontSize, ctypes.c_double, _HANDLE, _INDEX)
font_info: Final = _bound(raw.FPDFText_GetFontInfo, ctypes.c_ulong, _HANDLE, _INDEX, _PLACE, ctypes.c_ulong, _PLACE)
char_index: Final = _bound(raw.FPDFText_GetCharIndexFromTextIndex, ctypes.c_int, _HANDLE, _INDEX)
page_object: Final = _bound(raw.FPDFPage_GetObject, _HANDLE, _HANDLE, _INDEX)
form_object: Final = _bound(raw.FPDFFormObj_GetObject, _HANDLE, _HANDLE, ctypes.c_ulong)
object_kind: Final = _bound(raw.FPDFPageObj_GetType, ctypes.c_int, _HANDLE)
object_bounds: Final = _bound(raw.FPDFPageObj_GetBounds, _TRUTH, _HANDLE, _PLACE, _PLACE, _PLACE, _PLACE)
object_matrix: Final = _bound(raw.FPDFPageObj_GetMatrix, _TRUTH, _HANDLE, _PLACE)
objects_in_form: Final = _bound(raw.FPDFFormObj_CountObjects, ctypes.c_int, _HANDLE)
path_segments: Final = _bound(raw.FPDFPath_CountSegments, ctypes.c_int, _HANDLE)
