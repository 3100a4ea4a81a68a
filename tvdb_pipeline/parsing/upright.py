"""Which way up a page image is, and how level: decided from its text boxes and from how well they read.

Belongs here: the decision for the whole page. Does not: finding the boxes or reading them (an OCR engine does both and lends
its reading as a callable), and turning the pixels.

Two questions, asked apart. Sideways or not is told by the shape of the boxes: lines of text are long, so on a page lying on
its side most of the box length stands upright. Upside down or not is told by reading a few lines: on the scans and rendered
pages of the corpus, lines the right way up read with a confidence of 0.97 to 1.00 and lines upside down with 0.55 to 0.75.
The engine's own classifier of line direction is not asked: on the same pages it was wrong on up to half of the lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Quads = NDArray[np.float32]

Readings = Sequence[tuple[str, float]]
"""Text and confidence of some boxes, in the order asked."""

ReadBoxes = Callable[[Sequence[int], bool], Readings]
"""Reads the boxes of these numbers, turned by 180 degrees first if the flag says so."""

ELONGATED = 1.5
"""A box says something about the direction of its text only when one side is so much longer than the other."""

SURE = 0.9
"""A line read with this confidence was read the right way up."""

FIRST_SAMPLE, SECOND_SAMPLE = 6, 18
"""Lines read before deciding: the first few settle an upright page, and its readings are used again; the rest cost time only
on pages upside down, faint, or in a script the model does not know."""

MAX_ASPECT = 14.0
"""The sample avoids very long lines, which take as much time as several short ones and say no more."""


def find_turn(quads: Quads, read: ReadBoxes) -> int:
    """Degrees (0, 90, 180 or 270) by which to turn the page clockwise to stand it upright.

    `read` gets tall boxes turned by 90 degrees counterclockwise, as engines crop them. A page whose lines read badly in both
    directions is left as it is: turning it on weak evidence would spoil pages in a foreign script.
    """
    sideways = lies_sideways(quads)
    numbers = _sample(quads, sideways)
    first = numbers[:FIRST_SAMPLE]
    readings = read(first, False)
    upside_down = False
    if _sure_characters(readings) * 2 < sum(len(text) for text, _ in readings) or not _sure_characters(readings):
        upside_down = _sure_characters(read(numbers, True)) > _sure_characters(read(numbers, False))
    return (270 if sideways else 0) if not upside_down else (90 if sideways else 180)


def lies_sideways(quads: Quads) -> bool:
    """Whether most of the text, by length, runs up or down the image."""
    widths, heights = side_lengths(quads)
    wide = widths[widths > ELONGATED * heights].sum()
    tall = heights[heights > ELONGATED * widths].sum()
    return bool(tall > wide)


def side_lengths(quads: Quads) -> tuple[Quads, Quads]:
    """Widths and heights of four-cornered boxes (top left, top right, bottom right, bottom left)."""
    import numpy as np

    return np.linalg.norm(quads[:, 1] - quads[:, 0], axis=1), np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)


def skew(quads: Quads) -> float:
    """Angle in degrees by which the lines of an upright page fall to the right; 0 when there are too few to tell."""
    import numpy as np

    widths, heights = side_lengths(quads)
    long = widths > 5 * heights
    if long.sum() < 3:
        return 0.0
    along = (quads[long, 1] - quads[long, 0]) + (quads[long, 2] - quads[long, 3])
    return float(np.median(np.degrees(np.arctan2(along[:, 1], along[:, 0]))))


def level(quads: Quads, angle: float, width: int, height: int) -> Quads:
    """The boxes as they would lie had the page been turned about its middle by `-angle`: only the numbers move, no pixels."""
    import numpy as np

    turn = np.radians(-angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    middle = np.array([width / 2, height / 2])
    return ((quads - middle) @ rotation + middle).astype(np.float32)


def _sample(quads: Quads, sideways: bool) -> list[int]:
    widths, heights = side_lengths(quads)
    along, across = (heights, widths) if sideways else (widths, heights)
    aspects = (along / across.clip(min=1)).tolist()

    def usefulness(number: int) -> tuple[bool, float]:
        return aspects[number] <= MAX_ASPECT, aspects[number] if aspects[number] <= MAX_ASPECT else -aspects[number]

    return sorted(range(len(aspects)), key=usefulness, reverse=True)[:SECOND_SAMPLE]


def _sure_characters(readings: Readings) -> int:
    return sum(len(text) for text, confidence in readings if confidence >= SURE and len(text) >= 3)
