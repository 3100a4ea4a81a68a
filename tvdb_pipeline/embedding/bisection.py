"""Finds the inputs a provider refuses, out of a request it refused as a whole.

Belongs here: the search. Does not: asking. A half that is accepted is embedded by being asked for, so nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

Accepts = Callable[[int, int], bool]
"""Asks for the inputs from the first position up to, not including, the second; whether they were accepted."""


def refused_inputs(size: int, accepts: Accepts) -> Iterator[int]:
    """Positions of the refused inputs of a request of `size` that was refused; all others have been accepted.

    At most 2 * log2(size) calls for each: a half that was accepted leaves the fault in the other half, which then need not be
    asked for as a whole. An input is called refused only after it was refused alone. What `accepts` raises ends the search.
    """
    return _search(0, size, accepts, refused=True)


def _search(start: int, stop: int, accepts: Accepts, *, refused: bool) -> Iterator[int]:
    """refused: whether this very part was refused, or only must hold a refused input because its neighbour was accepted."""
    if stop - start == 1:
        if refused or not accepts(start, stop):
            yield start
        return
    middle = (start + stop) // 2
    if accepts(start, middle):
        yield from _search(middle, stop, accepts, refused=False)
        return
    yield from _search(start, middle, accepts, refused=True)
    if not accepts(middle, stop):
        yield from _search(middle, stop, accepts, refused=True)
