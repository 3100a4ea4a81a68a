"""`make licences`: docs/licences.md, from the lock and what is installed.

Belongs here: the page. Does not: what licences are permitted (`permitted`), or what the metadata means (`metadata`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path

from deploy.supply_chain import bundled, permitted
from deploy.supply_chain.closure import default_install
from deploy.supply_chain.lock import Locked, read_lock
from deploy.supply_chain.metadata import address, installed, licence

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "licences.md"
_HEAD = """# Licences of what others wrote

Every distribution of [requirements.lock](../requirements.lock), as its own metadata states it; written by `make licences`, and
compared with the lock by a test. Nothing here is copied into this repository: all of it is installed as its authors publish it.

The default install may come under these licences only: {permissive}. `BSD` is one of that family whose metadata does not say
which.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: what is locked, and what its metadata says."""

    locked: Locked
    licence: str
    address: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """Every locked distribution: of the default install, of extras and development, and those no Linux installs."""

    default: list[Row]
    further: list[Row]
    elsewhere: list[Locked]
    libraries: set[str]

    def refusals(self) -> list[str]:
        """What in the default install may not be there."""
        rows = [permitted.refusal(row.locked.name, row.licence) for row in self.default]
        unknown = sorted(self.libraries - bundled.PERMISSIVE - bundled.COPYLEFT.keys())
        return [said for said in rows if said is not None] + [
            f"the licence of {name} is not stated" for name in unknown
        ]


def inventory() -> Inventory:
    """What is locked, with the metadata installed here. Raises LookupError if the environment is not the lock's."""
    here = installed()
    locked = read_lock(ROOT / "requirements.lock")
    wanted = default_install(ROOT / "pyproject.toml", here)
    on_linux = [each for each in locked if each.on_linux()]
    rows = [_row(each, on_linux, here) for each in on_linux]
    return Inventory(
        [row for row in rows if row.locked.name in wanted],
        [row for row in rows if row.locked.name not in wanted],
        [each for each in locked if not each.on_linux()],
        bundled.libraries(here[each.name] for each in on_linux if each.name in wanted),
    )


def page(found: Inventory) -> str:
    """docs/licences.md."""
    parts = [
        _HEAD.format(permissive=", ".join(sorted(permitted.PERMISSIVE))),
        f"## The default install ({len(found.default)})\n",
        _table(found.default),
        "### Let in under another licence\n",
        _listed((name, terms, why) for name, (terms, why) in sorted(permitted.EXCEPTIONS.items())),
        "### Shared libraries inside those wheels\n",
        "Wheels also carry libraries their metadata does not speak of. Under permissive licences: "
        f"{', '.join(sorted(found.libraries & bundled.PERMISSIVE))}. Under others:\n",
        _listed((name, *bundled.COPYLEFT[name]) for name in sorted(found.libraries & bundled.COPYLEFT.keys())),
        f"## Not in the default install: extras, development and tests ({len(found.further)})\n",
        _table(found.further),
    ]
    if found.elsewhere:
        parts += [
            "## Locked, but never installed on Linux\n",
            "\n".join(f"- {each.name} {each.version} (`{each.marker}`)" for each in found.elsewhere) + "\n",
        ]
    return "\n".join(parts)


def _row(locked: Locked, all_locked: Sequence[Locked], here: Mapping[str, Distribution]) -> Row:
    found = here.get(locked.name)
    versions = [each.version for each in all_locked if each.name == locked.name]
    # Of one that is locked in two versions, for older and newer Pythons, the one installed speaks for both.
    if found is None or found.version not in versions:
        raise LookupError(f"{locked.name} {locked.version} is not installed; run make with any target but this first")
    return Row(locked, licence(locked.name, found.metadata), address(found.metadata))


def _table(rows: Sequence[Row]) -> str:
    lines = ["| distribution | version | licence | from |", "|---|---|---|---|"]
    for row in rows:
        where = f" (`{row.locked.marker}`)" if row.locked.marker else ""
        lines.append(f"| {row.locked.name} | {row.locked.version}{where} | {row.licence} | <{row.address}> |")
    return "\n".join(lines) + "\n"


def _listed(lines: Iterable[tuple[str, str, str]]) -> str:
    return "\n".join(f"- {name}: {terms}; {why}." for name, terms, why in lines) + "\n"


def main() -> int:
    """Write the page; 1 if something in the default install may not be there."""
    try:
        found = inventory()
    except LookupError as error:
        print(f"licences: {error}.", file=sys.stderr)
        return 1
    PAGE.write_text(page(found))
    for said in found.refusals():
        print(f"licences: {said}.", file=sys.stderr)
    print(f"licences: {len(found.default) + len(found.further)} distributions listed in {PAGE.relative_to(ROOT)}.")
    return 1 if found.refusals() else 0


if __name__ == "__main__":
    sys.exit(main())
