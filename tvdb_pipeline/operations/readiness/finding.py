"""One row of the checklist.

Belongs here: the row and its three verdicts. Does not: any question.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """area, name: what it is about; passed: fit; evidence: what was found, or what is missing and what to do.

    needed: false where the question does not arise in this environment, which then counts as passed.
    """

    area: str
    name: str
    passed: bool
    evidence: str
    needed: bool = True


def not_needed(area: str, name: str, evidence: str) -> Finding:
    """A question that does not arise."""
    return Finding(area, name, True, evidence, needed=False)
