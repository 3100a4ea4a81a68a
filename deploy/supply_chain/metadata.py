"""What installed distributions say of themselves: licence, address, what they need.

Belongs here: reading metadata, and giving old ways of naming a licence their SPDX identifier. Does not: judging it (`permitted`).
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageMetadata, distributions

from packaging.utils import canonicalize_name

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "GNU Library or Lesser General Public License (LGPL)": "LGPL",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_FIELDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "BSD": "BSD",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD-3-Clause": "BSD-3-Clause",
    "MIT": "MIT",
    "MIT License": "MIT",
    "MIT OR Apache-2.0": "MIT OR Apache-2.0",
    "MPL-2.0 AND MIT": "MPL-2.0 AND MIT",
}
STATED = {
    "antlr4-python3-runtime": "BSD-3-Clause",
    "promql-parser": "MIT",
    "psycopg2-binary": "LGPL-3.0-or-later",
    "pypdfium2": "BSD-3-Clause AND Apache-2.0",
}
"""Read from the licence text, where the metadata names none, or not in words that can be looked up."""


def installed() -> dict[str, Distribution]:
    """Distributions of this environment by normalized name."""
    return {canonicalize_name(found.metadata["Name"]): found for found in distributions()}


def licence(name: str, metadata: PackageMetadata) -> str:
    """The SPDX expression of a distribution, `unknown` if it cannot be told.

    The expression it states; else what its licence text says; else its classifiers, of which all count; else its old free field.
    """
    expression = _field(metadata, "License-Expression") or STATED.get(name)
    if expression:
        return expression
    field = _FIELDS.get(_field(metadata, "License").strip())
    named = {_CLASSIFIERS[last] for last in _last_parts(metadata) if last in _CLASSIFIERS}
    if named == {"BSD"} and field is not None and field.startswith("BSD"):
        return field
    if len(named) > 1 and field is not None and set(field.split(" OR ")) == named:
        return field
    return " AND ".join(sorted(named)) or field or "unknown"


def address(metadata: PackageMetadata) -> str:
    """Where it comes from: its sources, else its home page, else its page on the index."""
    urls: dict[str, str] = {}
    for line in metadata.get_all("Project-URL") or []:
        label, _, url = line.partition(",")
        urls[label.strip().lower()] = url.strip()
    wanted = ("source", "source code", "code", "repository", "github", "homepage", "home")
    found = next((urls[label] for label in wanted if label in urls), None) or _field(metadata, "Home-page")
    return found or next(iter(urls.values()), f"https://pypi.org/project/{metadata['Name']}/")


def _field(metadata: PackageMetadata, name: str) -> str:
    return (metadata.get_all(name) or [""])[0]


def _last_parts(metadata: PackageMetadata) -> list[str]:
    lines = metadata.get_all("Classifier") or []
    return [line.rpartition(" :: ")[2] for line in lines if line.startswith("License :: ")]
