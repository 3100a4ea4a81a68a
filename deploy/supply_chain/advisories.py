"""Known vulnerabilities of what is locked, for `make check`.

Belongs here: judging what was found against what is accepted, and saying it. Does not: asking (`osv`). Where there is no answer,
as offline, that is said in one line, and the check passes: it judges the lock, not the network. `--required` makes it fail.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from deploy.supply_chain import osv
from deploy.supply_chain.accepting import Accepted, read_accepted
from deploy.supply_chain.lock import read_lock

ROOT = Path(__file__).resolve().parents[2]
LOCKS = (ROOT / "requirements.lock", ROOT / "requirements-ui.lock", ROOT / "requirements-scale.lock")
ACCEPTED = Path(__file__).with_name("accepted.toml")


def judge(found: Sequence[osv.Vulnerability], accepted: Sequence[Accepted], today: date) -> list[str]:
    """A line for each vulnerability that is not accepted any longer, or never was."""
    said: list[str] = []
    for each in found:
        excuse = next((entry for entry in accepted if entry.package == each.package and entry.id in each.ids), None)
        if excuse is not None and not excuse.expired(today):
            continue
        fixed = f"fixed in {', '.join(each.fixed)}" if each.fixed else "not fixed in any version"
        late = f"; was accepted until {excuse.until}" if excuse is not None else ""
        said.append(f"{each.package} {each.version}: {' = '.join(each.ids)}, {fixed}{late}")
    return said


def main(arguments: Sequence[str] | None = None) -> int:
    """0 if nothing is known, all of it is accepted, or nobody can be asked; else 1."""
    parser = argparse.ArgumentParser(prog="advisories", description="Known vulnerabilities of what is locked.")
    parser.add_argument("--service", default=osv.SERVICE, help="where OSV's protocol is spoken")
    parser.add_argument("--accepted", type=Path, default=ACCEPTED, help="the file of accepted ones")
    parser.add_argument("--required", action="store_true", help="fail, too, where there is no answer")
    parser.add_argument("locks", nargs="*", type=Path, default=LOCKS, help="lock files")
    given = parser.parse_args(arguments)
    accepted = read_accepted(given.accepted)
    packages = sorted({(each.name, each.version) for lock in given.locks for each in read_lock(lock)})
    try:
        found = osv.known(packages, given.service)
    except osv.Unavailable as reason:
        print(
            f"advisories: NOT CHECKED, {given.service} gives no data on known vulnerabilities: {reason}.",
            file=sys.stderr,
        )
        return 1 if given.required else 0
    said = judge(found, accepted, datetime.now(UTC).date())
    for line in said:
        print(f"advisories: {line}", file=sys.stderr)
    print(
        f"advisories: {len(packages)} distributions, {len(said)} known vulnerabilities, {len(found) - len(said)} accepted."
    )
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
