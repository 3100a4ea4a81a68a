"""What is installed is pinned and hashed; what is known to be vulnerable fails the check; servers listen on this machine only."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from deploy.supply_chain import advisories, osv
from deploy.supply_chain.accepting import Accepted, read_accepted
from deploy.supply_chain.lock import read_lock
from tvdb_pipeline.operations.serving import parts
from tvdb_pipeline.settings import Settings, project_root

HASH = "a" * 64
LOCKS = (
    "requirements.lock",
    "requirements-ui.lock",
    "requirements-scale.lock",
    "data/examples/drawing/requirements.lock",
)
TODAY = date(2026, 11, 23)


@dataclass
class Database:
    """A server on this machine that speaks OSV's protocol. entries: by id; affects: (name, version) -> ids; asked: bodies."""

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    affects: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    page: int = 1000
    status: int = 200
    url: str = ""

    def batch(self, body: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(body)
        return {"results": [self._result(query) for query in body["queries"]]}

    def _result(self, query: dict[str, Any]) -> dict[str, Any]:
        ids = self.affects.get((query["package"]["name"], query["version"]), [])
        start = int(query.get("page_token", 0))
        some = ids[start : start + self.page]
        result: dict[str, Any] = (
            {"vulns": [{"id": each, "modified": "2026-01-01T00:00:00Z"} for each in some]} if some else {}
        )
        return result | ({"next_page_token": str(start + self.page)} if start + self.page < len(ids) else {})


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = Database()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(found.batch(body) if self.path == "/v1/querybatch" else None)

        def do_GET(self) -> None:
            self._answer(found.entries.get(self.path.removeprefix("/v1/vulns/")))

        def _answer(self, body: dict[str, Any] | None) -> None:
            content = json.dumps(body or {}).encode()
            self.send_response(found.status if body is not None else 404)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield found
        server.shutdown()


def entry(identifier: str, *aliases: str, package: str = "leaky", fixed: str = "2.0", **more: object) -> dict[str, Any]:
    spans = [
        {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]},
        {"type": "GIT", "events": [{"fixed": "c0ffee"}]},
    ]
    affected = [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": spans}]
    return {"id": identifier, "aliases": list(aliases), "affected": affected, **more}


def leaky(database: Database) -> None:
    """One vulnerability of leaky 1.0, written down in two databases, and one that was taken back."""
    database.entries = {
        "GHSA-1": entry("GHSA-1", "CVE-2026-1", package="Leaky"),
        "PYSEC-1": entry("PYSEC-1", "CVE-2026-1"),
        "GHSA-2": entry("GHSA-2", withdrawn="2026-02-01T00:00:00Z"),
    }
    database.affects = {("leaky", "1.0"): ["GHSA-1", "GHSA-2", "PYSEC-1"]}


def lock(folder: Path, *pins: str) -> str:
    path = folder / "some.lock"
    path.write_text("".join(f"{pin} \\\n    --hash=sha256:{HASH}\n" for pin in pins))
    return str(path)


@pytest.mark.parametrize("name", LOCKS)
def test_everything_locked_is_pinned_and_hashed_and_comes_from_no_address(name: str) -> None:
    path = project_root() / name
    locked = read_lock(path)
    assert locked
    assert all(each.hashes for each in locked)
    assert "://" not in path.read_text()


@pytest.mark.parametrize(
    "line",
    [
        "loose>=1.0 --hash=sha256:" + HASH,
        "unhashed==1.0",
        "direct @ https://example.org/direct-1.0.tar.gz --hash=sha256:" + HASH,
        "--index-url https://example.org/simple",
        "-e .",
    ],
)
def test_a_lock_with_anything_else_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "bad.lock").write_text(f"good==1.0 --hash=sha256:{HASH}\n{line}\n")
    with pytest.raises(ValueError, match="not a pinned distribution"):
        read_lock(tmp_path / "bad.lock")


def test_make_installs_by_hash_and_fetches_nothing_to_build_with() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "test-ui", "examples"],
        cwd=project_root(),
        capture_output=True,
        text=True,
        check=True,
    )
    commands = [line for line in done.stdout.splitlines() if "pip install" in line]
    assert len(commands) == 5
    for command in commands:
        if not command.endswith(" -e ."):
            assert "--require-hashes --only-binary :all:" in command, command
        assert "--no-deps" in command, command
        # What is built all the same is built by what is locked.
        assert ("--no-build-isolation" in command) == ("--no-binary" in command or command.endswith(" -e .")), command


def test_the_image_installs_by_hash_and_fetches_nothing_to_build_with() -> None:
    lines = (project_root() / "deploy/containers/Containerfile").read_text().splitlines()
    commands = [line.rstrip(" \\") for line in lines if "pip install" in line]
    assert len(commands) == 3
    for command in commands:
        assert "--no-deps" in command, command
        assert "--require-hashes --only-binary :all:" in command or command.endswith("-e ."), command
        assert ("--no-build-isolation" in command) == ("--no-binary" in command or command.endswith("-e .")), command


def test_a_machine_is_told_to_install_as_make_does() -> None:
    told = (project_root() / "docs/deployment.md").read_text()
    assert "pip install" not in told.replace("pip install 'tvdb_pipeline[", "")
    assert told.count("make .venv/.installed") == 2


def test_a_known_vulnerability_fails_the_check_and_names_package_ids_and_the_version_that_lacks_it(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaky(database)
    assert advisories.main(["--service", database.url, lock(tmp_path, "leaky==1.0", "tight==3.1")]) == 1
    said = capsys.readouterr()
    assert said.err == "advisories: leaky 1.0: GHSA-1 = CVE-2026-1 = PYSEC-1, fixed in 2.0\n"
    assert "2 distributions, 1 known vulnerabilities, 0 accepted" in said.out
    assert len(database.asked) == 1, "all are asked about at once"


def test_nothing_known_passes(database: Database, tmp_path: Path) -> None:
    leaky(database)
    assert advisories.main(["--service", database.url, "--required", lock(tmp_path, "leaky==2.0")]) == 0


def test_an_answer_of_several_pages_is_read_to_its_end(database: Database) -> None:
    leaky(database)
    database.entries["GHSA-3"] = entry("GHSA-3", fixed="3.0")
    database.affects["leaky", "1.0"].append("GHSA-3")
    database.page = 1
    found = osv.known([("tight", "1.0"), ("leaky", "1.0")], database.url)
    assert [each.ids[0] for each in found] == ["GHSA-1", "GHSA-3"]


@pytest.mark.parametrize("failure", ["nobody", 403, 503, "other form"])
def test_where_nobody_can_be_asked_that_is_said_in_one_line_and_passes(
    failure: str | int, database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database.url
    if failure == "nobody":
        url = "http://127.0.0.1:9"
    elif failure == "other form":
        database.batch = lambda body: {"results": None}  # type: ignore[method-assign]
    else:
        database.status = int(failure)
    path = lock(tmp_path, "leaky==1.0")
    assert advisories.main(["--service", url, path]) == 0
    said = capsys.readouterr().err
    assert said.startswith("advisories: NOT CHECKED")
    assert said.count("\n") == 1
    assert advisories.main(["--service", url, "--required", path]) == 1


def test_what_is_accepted_passes_until_its_last_day() -> None:
    found = [osv.Vulnerability("leaky", "1.0", ("GHSA-1", "CVE-2026-1"), ())]
    accepted = Accepted("CVE-2026-1", "leaky", "not reached", TODAY)
    assert advisories.judge(found, [accepted], TODAY) == []
    (late,) = advisories.judge(found, [accepted], TODAY + timedelta(days=1))
    assert late == "leaky 1.0: GHSA-1 = CVE-2026-1, not fixed in any version; was accepted until 2026-11-23"
    assert advisories.judge(found, [Accepted("CVE-2026-1", "other", "not reached", TODAY)], TODAY)


def test_an_acceptance_needs_a_reason_and_an_end(tmp_path: Path) -> None:
    path = tmp_path / "accepted.toml"
    path.write_text('[[accepted]]\nid = "GHSA-1"\npackage = "Leaky"\nreason = "not reached"\nuntil = 2027-01-31\n')
    assert read_accepted(path) == [Accepted("GHSA-1", "leaky", "not reached", date(2027, 1, 31))]
    for bad in ('reason = " "\nuntil = 2027-01-31', 'reason = "x"\nuntil = "soon"', 'reason = "x"'):
        path.write_text(f'[[accepted]]\nid = "GHSA-1"\npackage = "leaky"\n{bad}\n')
        with pytest.raises(ValueError, match="accepted vulnerability"):
            read_accepted(path)


def test_nothing_of_the_project_is_accepted_beyond_half_a_year() -> None:
    longest = datetime.now(UTC).date() + timedelta(days=184)
    assert all(each.until <= longest for each in read_accepted(advisories.ACCEPTED))


def test_every_server_listens_on_this_machine_only_unless_told_otherwise() -> None:
    settings = Settings()  # pyright: ignore[reportCallIssue]
    started = parts.all_parts(settings, "")
    assert [part.address for part in started if part.address] == [
        ("127.0.0.1", settings.code_server_port), ("127.0.0.1", 3000), ("127.0.0.1", 9477),
    ]  # fmt: skip
    for part in started:
        if part.name in (parts.CODE_SERVER, parts.WEBSERVER):
            assert part.command[part.command.index("-h") + 1] == "127.0.0.1"


def test_only_the_web_server_and_the_metrics_can_be_told_to_listen_elsewhere() -> None:
    settings = Settings(webserver_host="0.0.0.0", metrics_host="0.0.0.0")  # pyright: ignore[reportCallIssue]
    hosts = {part.name: part.address[0] for part in parts.all_parts(settings, "") if part.address}
    assert hosts == {parts.CODE_SERVER: "127.0.0.1", parts.WEBSERVER: "0.0.0.0", parts.METRICS: "0.0.0.0"}
