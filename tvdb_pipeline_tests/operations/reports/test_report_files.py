from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sample_records import records

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.operations.reports.checking import check, last_drill
from tvdb_pipeline.operations.reports.inline_plots import inlined
from tvdb_pipeline.operations.reports.writing import REPORTS, reports_folder, write_reports
from tvdb_pipeline.settings import Settings

VOID = {"meta", "br", "hr", "img", "input", "link"}
LOADING = {"src", "srcset", "data", "poster", "action", "background"}


class Reading(HTMLParser):
    """What is open, what is named, what is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.places: list[str] = []
        self.loads: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.names.append(value or "")
            elif name in LOADING or (name.endswith("href") and tag in ("link", "image", "script", "use")):
                self.loads.append(value or "")
            elif name == "href" and (value or "").startswith("#"):
                self.places.append((value or "")[1:])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports of records of every kind."""
    reports = tmp_path_factory.mktemp("checkout") / "reports"
    (reports / "data").mkdir(parents=True)
    for name, envelope in records(count(2).__next__).items():
        (reports / "data" / f"{name}.json").write_text(json.dumps(envelope))
    write_reports(reports)
    return reports


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return (folder / "index.html").read_text()


def read(page: str) -> Reading:
    reading = Reading()
    reading.feed(page)
    reading.close()
    return reading


def test_five_reports_their_plots_and_a_page_are_written(folder: Path) -> None:
    assert {path.name for path in folder.glob("*.md")} == {f"{report.name}.md" for report in REPORTS}
    assert len(REPORTS) == 5
    linked = {link for path in folder.glob("*.md") for link in re.findall(r"\]\((plots/[^)]+)\)", path.read_text())}
    assert linked == {f"plots/{path.name}" for path in (folder / "plots").iterdir()}
    assert len(linked) == 15


def test_the_page_is_well_formed_and_every_place_it_names_is_there_once(page: str) -> None:
    reading = read(page)
    assert reading.open == []
    assert len(reading.names) == len(set(reading.names))
    assert set(reading.places) <= set(reading.names)
    assert all(report.name in reading.places for report in REPORTS)


def test_the_page_asks_for_nothing_outside_itself(page: str) -> None:
    assert all(load.startswith("#") for load in read(page).loads)
    assert not re.search(r"https?://", page)
    assert "<script" not in page
    assert "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))


def test_every_plot_stands_in_the_page_and_can_be_named_by_who_cannot_see_it(page: str, folder: Path) -> None:
    assert page.count("<svg") == len(list((folder / "plots").iterdir()))
    assert page.count('role="img" aria-label="') == page.count("<svg")


def test_every_cell_of_the_reports_stands_in_the_page(page: str, folder: Path) -> None:
    text = " ".join(read(page).text.split())
    for path in folder.glob("*.md"):
        for line in path.read_text().splitlines():
            if line.startswith("|") and not line.startswith("| ---"):
                for cell in line.strip("| ").split(" | "):
                    assert " ".join(cell.replace("`", "").replace("\\|", "|").split()) in text


def test_what_is_written_is_written_again_alike(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    write_reports(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_words_from_a_record_are_no_html(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    row = {"area": "a", "name": "<b>bold</b>", "passed": False, "evidence": "<script>alert(1)</script> & more | less"}
    known = records(count(2).__next__)["doctor"]
    assert known is not None
    known["figures"]["rows"] = [row]
    (tmp_path / "data" / "doctor.json").write_text(json.dumps(known))
    write_reports(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more | less" in page
    assert read(page).open == []


def test_a_file_that_is_no_record_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for text in ("{", "[]", '{"figures": {}}'):
        (tmp_path / "data" / "soak.json").write_text(text)
        with pytest.raises(TvdbError, match=r"soak\.json is no record"):
            write_reports(tmp_path)


def test_a_plot_in_a_page_has_names_of_its_own() -> None:
    svg = '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9pt" viewBox="0 0 9 9"><path id="p"/><use '
    svg += 'xlink:href="#p" clip-path="url(#p)"/></svg>'
    drawing = inlined(svg, "a-b", "Seconds & more")
    assert drawing == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="Seconds &amp; more"><path id="a-b-p"/><use href="#a-b-p" '
        'clip-path="url(#a-b-p)"/></svg>'
    )


def test_without_matplotlib_plots_of_earlier_are_used_and_others_left_out_with_a_word(
    folder: Path, tmp_path: Path
) -> None:
    code = f"""
import sys
sys.modules["matplotlib"] = None
from pathlib import Path
from tvdb_pipeline.operations.reports.writing import write_reports
write_reports(Path({str(tmp_path)!r}))
"""
    (tmp_path / "data").symlink_to(folder / "data")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "soak.svg").write_bytes((folder / "plots" / "soak.svg").read_bytes())
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    text = (tmp_path / "performance.md").read_text()
    assert "![Memory over time](plots/soak.svg)" in text
    assert "Plot of seconds of a cold run, by system: not drawn, as matplotlib is not installed." in text


def test_the_command_tells_what_it_wrote_as_json_and_refuses_outside_a_checkout(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(TvdbError, match="works in a checkout"):
        reports_folder(tmp_path)
    copy = tmp_path / "checkout"
    (copy / "reports" / "data").mkdir(parents=True)
    code = f"""
import sys
from pathlib import Path
from tvdb_pipeline import settings
from tvdb_pipeline.operations.reports import writing
writing.project_root = lambda: Path({str(copy)!r})
sys.argv = ["tvdb", "report", "--json"]
from tvdb_pipeline.cli import main
main()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    assert [report["name"] for report in answer["reports"]] == [report.name for report in REPORTS]
    assert all(report["verdicts"]["met"] == 0 for report in answer["reports"])
    assert Path(answer["page"]).exists()
    assert {"record": "soak", "command": "make soak"} in answer["not_measured"]


def test_the_checklist_is_kept_as_a_record_with_its_evidence(settings: Settings, tmp_path: Path) -> None:
    checkout = Path(__file__).parents[3]
    (tmp_path / "benchmarks").symlink_to(checkout / "benchmarks")
    check(settings, tmp_path / "reports")
    record = json.loads((tmp_path / "reports" / "data" / "doctor.json").read_text())
    assert record["command"] == "tvdb report --check"
    assert record["figures"]["environment"] == settings.env
    rows = record["figures"]["rows"]
    assert {"area", "name", "passed", "evidence"} <= rows[0].keys()
    assert any(row["area"] == "database" and row["passed"] for row in rows)


def test_the_last_drill_is_kept_with_its_figures(settings: Settings) -> None:
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as conn:
        conn.execute(
            "CREATE TABLE IF NOT EXISTS tvdb.safekeeping (at timestamptz, kind text, passed boolean, figures jsonb)"
        )
        assert last_drill(settings) is None
        conn.execute(
            """INSERT INTO tvdb.safekeeping (at, kind, passed, figures) VALUES
               (now() - interval '2 days', 'drill', true, '{"seconds": 1}'), (now(), 'drill', false, '{"seconds": 2}'),
               (now(), 'backup', true, '{}')"""
        )
    drill = last_drill(settings)
    assert drill is not None
    assert (drill["passed"], drill["seconds"]) == (False, 2)
