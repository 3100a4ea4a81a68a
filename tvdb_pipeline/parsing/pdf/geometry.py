"""From PDF user space (origin bottom left, page possibly turned) to upright points from the top left.

Belongs here: that one mapping. Does not: reading objects.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw

from tvdb_pipeline.parsing.lines import Box
from tvdb_pipeline.parsing.pdf import calls

_Side = TypeVar("_Side", float, np.ndarray[Any, np.dtype[np.float64]])


@dataclass(frozen=True, slots=True)
class PageFrame:
    """Visible box of a page in user space, its rotation (clockwise, 0, 90, 180 or 270), and its upright size in points."""

    left: float
    bottom: float
    right: float
    top: float
    rotation: int

    @classmethod
    def of(cls, page: pdfium.PdfPage) -> PageFrame:
        """The frame of an open page."""
        rect = raw.FS_RECTF()
        raw.FPDF_GetPageBoundingBox(page, ctypes.byref(rect))
        return cls(rect.left, rect.bottom, rect.right, rect.top, page.get_rotation())

    @property
    def width(self) -> float:
        """Upright width in points."""
        return self.right - self.left if self.rotation % 180 == 0 else self.top - self.bottom

    @property
    def height(self) -> float:
        """Upright height in points."""
        return self.top - self.bottom if self.rotation % 180 == 0 else self.right - self.left

    def upright(self, left: float, bottom: float, right: float, top: float) -> Box:
        """A box of user space on the upright page."""
        return Box(*self.sides(left, bottom, right, top))

    def sides(self, left: _Side, bottom: _Side, right: _Side, top: _Side) -> tuple[_Side, _Side, _Side, _Side]:
        """Left, top, right and bottom on the upright page of a box of user space, or of many: numbers or arrays of one shape."""
        if self.rotation == 0:
            return left - self.left, self.top - top, right - self.left, self.top - bottom
        if self.rotation == 90:
            return bottom - self.bottom, left - self.left, top - self.bottom, right - self.left
        if self.rotation == 180:
            return self.right - right, bottom - self.bottom, self.right - left, top - self.bottom
        return self.top - top, self.right - right, self.top - bottom, self.right - left


Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def object_matrix(item: int) -> Matrix:
    """The matrix of a page object, given by its handle."""
    matrix = raw.FS_MATRIX()
    if not calls.object_matrix(item, ctypes.addressof(matrix)):
        return IDENTITY
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def concatenated(inner: Matrix, outer: Matrix) -> Matrix:
    """The matrix that applies `inner` first."""
    a, b, c, d, e, f = inner
    g, h, i, j, k, m = outer
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def transformed(
    matrix: Matrix, left: float, bottom: float, right: float, top: float
) -> tuple[float, float, float, float]:
    """The bounds (left, bottom, right, top) of a box after the matrix."""
    a, b, c, d, e, f = matrix
    xs = [a * x + c * y + e for x in (left, right) for y in (bottom, top)]
    ys = [b * x + d * y + f for x in (left, right) for y in (bottom, top)]
    return min(xs), min(ys), max(xs), max(ys)
