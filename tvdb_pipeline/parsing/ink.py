"""Where the ink is: measures taken from pixels alone, without reading them.

Belongs here: the share of a page that is ink, and the tight extent of one line of text inside a generous box. Does not:
anything that knows about engines or pages of a document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

CONTRAST = 64
"""Difference in shade (of 255) from the paper from which a pixel counts as ink."""

RULE_SHARE = 0.85
"""A row or column of a line's box that is ink over this share is a ruling line, not text."""

ASCENT, X_HEIGHT, DESCENT, COMMA = 0.72, 0.53, 0.21, 0.14
"""Heights of capitals and of small letters, depths of tails and of commas below the line, in font sizes of common fonts."""

LOW = frozenset("acemnorsuvwxz.,:;-_~=+<>«»*'\"")
"""Characters that do not reach the height of capitals (quotes and stars do, but are too small to measure by)."""

TAILED = frozenset("gjpqy()[]{}|")
"""Characters that reach below the line. Slashes and dollar signs do so in few fonts."""


def share(page: Image.Image) -> float:
    """Share of a page's pixels that are ink, leaving out the margins, where scanners leave dark edges."""
    import numpy as np

    gray = page.convert("L")
    gray.thumbnail((1024, 1024))
    width, height = gray.size
    left, top = width // 25, height // 25
    inner = np.asarray(gray, dtype=np.int16)[top : height - top, left : width - left]
    return float((np.abs(inner - np.median(inner)) > CONTRAST).mean())


def line_extent(gray: NDArray[np.uint8], text: str) -> tuple[int, int, float, float, float] | None:
    """Left, right, top and bottom of a line of text in the picture of its box, and its font size, all in pixels.

    Detected boxes are padded by up to the height of the text, differently from line to line; sizes taken from them would tell
    headings wrong. The ink tells better, once it is known from `text` whether it has capitals and tails: top and bottom are
    those of the font, whichever letters the line has. None where the ink tells nothing (faint or inverted parts, dashes).
    """
    import numpy as np

    dark = np.abs(gray.astype(np.int16) - int(np.median(gray))) > CONTRAST
    dark[:, dark.mean(axis=0) > RULE_SHARE] = False
    dark[dark.mean(axis=1) > RULE_SHARE, :] = False
    rows = _run_through_middle(dark.sum(axis=1))
    if rows is None:
        return None
    top, bottom = rows
    columns = np.flatnonzero(dark[top:bottom].any(axis=0))
    letters = set(text) - {" "}
    rise = X_HEIGHT if letters <= LOW | frozenset("gpqy") else ASCENT
    fall = DESCENT if letters & TAILED else COMMA if letters & frozenset(",;") else 0.0
    # Blurred edges add about half a pixel above and below.
    size = (bottom - top - 1) / (rise + fall)
    base = bottom - fall * size
    return int(columns[0]), int(columns[-1]) + 1, base - ASCENT * size, base + DESCENT * size, size


def _run_through_middle(ink: NDArray[np.int64]) -> tuple[int, int] | None:
    """The unbroken run of inked rows around the row with most ink in the middle half."""
    height = len(ink)
    if height < 4:
        return None
    middle = ink[height // 4 : height - height // 4]
    peak = height // 4 + int(middle.argmax())
    if not ink[peak]:
        return None
    top = bottom = peak
    while top > 0 and ink[top - 1]:
        top -= 1
    while bottom < height - 1 and ink[bottom + 1]:
        bottom += 1
    return (top, bottom + 1) if bottom + 1 - top >= 4 else None
