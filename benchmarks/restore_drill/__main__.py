"""Run it: `python -m benchmarks.restore_drill` (`make restore-drill`).

Belongs here: the order of things, and comparing. Documents are ingested from a fake provider; while more arrive, a backup is
made; then database and home are destroyed, and the backup is restored into an empty place.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks import grounds, recording
from benchmarks.load.documents import drawn
from tvdb_pipeline.operations.backup import contents, manifest

QUESTIONS = 40
_LATER = 6
"""Documents that arrive while the backup is made, and as many after it."""
_OF_THE_RESTORE = {"tvdb.safekeeping", "tvdb.audit"}
Row = tuple[str, str, str]


def main() -> None:
    """Print the tables, keep the record; exit code 1 if anything differs or a damaged backup is not refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=recording.DATA, help="folder of the record")
    options = parser.parse_args()
    with grounds.home() as before, grounds.home() as after, grounds.provider(before, 0.1) as provider:
        uploads = before / "uploads"
        lost = grounds.environment(before, provider.url)
        for path in [*sorted(grounds.EXAMPLES.iterdir()), *grounds.insurance()]:
            if path.is_file() and path.suffix not in (".md", ".jsonl", ".py"):
                shutil.copy(path, uploads)
        _tvdb(lost, "ingest", str(uploads))
        asked = [
            json.loads(line)["question"] for line in (grounds.EXAMPLES / "questions.jsonl").read_text().splitlines()
        ]
        answers = _answers(lost, asked[:QUESTIONS])
        backup = _backup_under_load(lost, uploads, before / "backups")
        made = manifest.read(backup)
        for number in range(_LATER):
            (uploads / f"after-{number}.pdf").write_bytes(drawn(1, seed=700 + number))
        _tvdb(lost, "ingest", str(uploads))
        bought, complete = _texts(lost), _files(lost)
        refused = _flipped(backup, grounds.environment(after, provider.url), before)
        # The disaster: nothing of the old database or home is used from here on but the backup and the uploads.
        found = grounds.environment(after, provider.url) | {"TVDB_UPLOAD_DIR": str(uploads)}
        restored = _tvdb(found, "restore", str(backup), "--json")
        rows = _compared(made, found, backup, after)
        rows.append(
            ("answers to searches", str(len(answers)), str(_equal(answers, _answers(found, asked[:QUESTIONS]))))
        )
        again = _tvdb(found, "ingest", str(uploads), "--json")
        rows.append(("documents after the next ingest", str(complete), str(_files(found))))
        rows.append(("texts that are there at last", str(len(bought)), str(len(bought & _texts(found)))))
        ledger, bill = _ledger(found), provider.bill_nano
    broken = [what for what, one, other in rows if one != other] + [part for part, ok in refused.items() if not ok]
    for what, one, other in rows:
        print(f"{what:34} {one:>10} {other:>10}  {'equal' if one == other else 'DIFFERS'}")
    for part, ok in refused.items():
        print(f"one byte of {part:22} {'refused' if ok else 'NOT REFUSED'}")
    figures: dict[str, Any] = {
        "drilled_at": datetime.now(UTC).isoformat(timespec="seconds"), "passed": not broken,
        "rows": [{"what": what, "backup": one, "restored": other} for what, one, other in rows],
        "flipped": {part: "refused" if ok else "not refused" for part, ok in refused.items()},
        "recovery_seconds": restored["seconds"], "recovery_point_age_seconds": restored["age_seconds"],
        "documents": restored["documents"], "artifacts": restored["artifacts"],
        "texts_bought_by_the_next_ingest": again["texts_sent"], "ledger_nano": ledger, "bill_nano": bill, "broken": broken,
    }  # fmt: skip
    print(f"recovery time {restored['seconds']} s; the backup was {restored['age_seconds']} s old")
    recording.keep("drill", "make restore-drill", figures, options.out)
    sys.exit(1 if broken else 0)


def _backup_under_load(variables: Mapping[str, str], uploads: Path, target: Path) -> Path:
    for number in range(_LATER):
        (uploads / f"during-{number}.pdf").write_bytes(drawn(3, seed=600 + number))
    worker = threading.Thread(target=_tvdb, args=(variables, "ingest", str(uploads)))
    worker.start()
    made = _tvdb(variables, "backup", str(target), "--json")
    worker.join()
    return Path(made["folder"])


def _flipped(backup: Path, variables: Mapping[str, str], scratch: Path) -> dict[str, bool]:
    """Whether a restore refuses, for each part, a copy of the backup with one byte of it changed."""
    refused: dict[str, bool] = {}
    parts = {"the database": manifest.DUMP, "the manifest": manifest.FILE, "an artifact": "artifacts"}
    for part, place in parts.items():
        copy = scratch / "flipped"
        shutil.copytree(backup, copy)
        file = next(path for path in [copy / place, *(copy / place).rglob("*")] if path.is_file())
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        done = subprocess.run(
            _command("restore", str(copy)),
            env=os.environ | dict(variables),
            capture_output=True,
            text=True,
            check=False,
        )
        refused[part] = done.returncode == 1 and "damaged" in done.stderr
        shutil.rmtree(copy)
    return refused


def _compared(made: manifest.Manifest, variables: Mapping[str, str], backup: Path, home: Path) -> list[Row]:
    with psycopg.connect(variables["TVDB_DATABASE_URL"]) as conn:
        tables, indexes = contents.tables(conn), contents.indexes(conn)
    rows = [
        (f"rows of {name}", str(count), str(tables[name][0]))
        for name, (count, _) in made.tables.items()
        if name not in _OF_THE_RESTORE
    ]
    same = sum(tables[name] == value for name, value in made.tables.items() if name.startswith("tvdb."))
    changed = {name for name, value in made.tables.items() if name.startswith("tvdb.") and tables[name] != value}
    rows.append(("tables of tvdb with equal digests", str(same + len(changed - _touched(made))), str(same)))
    rows.append(("indexes", str(len(made.indexes)), str(sum(indexes.get(n) == d for n, d in made.indexes.items()))))
    kept = {name: value for name, value in made.files.items() if name.startswith("artifacts/")}
    rows.append(("artifacts", str(len(kept)), str(sum(manifest.checksum(home / n) == v for n, v in kept.items()))))
    return rows


def _touched(made: manifest.Manifest) -> set[str]:
    """Tables a restore writes to where the backup shows work under way: claims, reservations and what they are booked in."""
    return _OF_THE_RESTORE | {
        "tvdb.documents", "tvdb.journal", "tvdb.requests", "tvdb.request_window", "tvdb.dollar_windows", "tvdb.embedding_claims",
    }  # fmt: skip


def _answers(variables: Mapping[str, str], questions: list[str]) -> list[list[tuple[str, int]]]:
    return [
        [
            (one["key"], one["page"])
            for one in _tvdb(variables, "search", question, "--mode", "vector", "-k", "1", "--json")["results"]
        ]
        for question in questions
    ]


def _equal(one: list[Any], other: list[Any]) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def _texts(variables: Mapping[str, str]) -> set[str]:
    with psycopg.connect(variables["TVDB_DATABASE_URL"]) as conn:
        return {row[0] for row in conn.execute("SELECT text_sha256 FROM tvdb.embedding_cache")}


def _files(variables: Mapping[str, str]) -> int:
    with psycopg.connect(variables["TVDB_DATABASE_URL"]) as conn:
        row = conn.execute(
            "SELECT count(*) FROM tvdb.documents WHERE parent_key IS NULL AND state IN ('ready', 'partial')"
        ).fetchone()
    assert row is not None
    return row[0]


def _ledger(variables: Mapping[str, str]) -> int:
    with psycopg.connect(variables["TVDB_DATABASE_URL"]) as conn:
        row = conn.execute("SELECT coalesce(sum(cost_nano), 0)::bigint FROM tvdb.requests WHERE paid").fetchone()
    assert row is not None
    return row[0]


def _tvdb(variables: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        _command(*arguments), env=os.environ | dict(variables), capture_output=True, text=True, check=False
    )
    if done.returncode not in (0, 3):
        raise RuntimeError(f"tvdb {arguments[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return json.loads(done.stdout) if "--json" in arguments else {}


def _command(*arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("tvdb")), *arguments]


if __name__ == "__main__":
    main()
