"""Which licences the default install may come under.

Belongs here: the list, and what is let in although it is not on it, with the reason. Does not: finding out what a licence is
(`metadata`).
"""

from __future__ import annotations

import re

PERMISSIVE = frozenset(
    {
        "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python",
        "HPND", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib",
    }
)  # fmt: skip
"""SPDX identifiers; BSD: one of that family, its metadata does not say which."""

_LIBRARY = (
    "imported as it is, a library that anybody may exchange for another build; nothing of it is changed or copied"
)
EXCEPTIONS = {
    "certifi": (
        "MPL-2.0",
        "the list of certificate authorities, unchanged; the MPL asks only for changes to its own files",
    ),
    "psycopg": ("LGPL-3.0-only", _LIBRARY),
    "psycopg-binary": ("LGPL-3.0-only", _LIBRARY),
    "psycopg-pool": ("LGPL-3.0-only", _LIBRARY),
    "psycopg2-binary": ("LGPL-3.0-or-later", f"Dagster's driver for PostgreSQL; {_LIBRARY}"),
    "tqdm": ("MPL-2.0 AND MIT", "unchanged; the MPL asks only for changes to its own files"),
}
"""Distributions of the default install under other licences: the licence that is accepted for each, and why."""


def permissive(expression: str) -> bool:
    """Whether an SPDX expression asks for nothing but permissive licences: all that AND joins, any that OR joins."""
    joined = re.sub(r"[()]", " ", expression)
    return all(
        any(" ".join(choice.split()) in PERMISSIVE for choice in re.split(r"\s+OR\s+", part))
        for part in re.split(r"\s+AND\s+", joined)
    )


def refusal(name: str, expression: str) -> str | None:
    """Why this distribution may not be in the default install, if it may not."""
    if permissive(expression):
        return None
    accepted = EXCEPTIONS.get(name)
    if accepted is None:
        return f"{name} is under {expression}, which is not permissive"
    if accepted[0] != expression:
        return f"{name} is under {expression}; what was accepted is {accepted[0]}"
    return None
