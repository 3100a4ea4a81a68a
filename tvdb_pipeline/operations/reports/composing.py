"""One report as Markdown: summary, method, results, recommendations.

Belongs here: the form all five have. Does not: what stands in any of them. What there is to say about figures is written by
hand, in reports/prose/<name>.md; the figures themselves are from records, and each says which command made it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tvdb_pipeline.operations.reports.judging import MISSED, NOT_MEASURED, Judged, Target, counted, judge
from tvdb_pipeline.operations.reports.records import COMMANDS, Records, at, command_of
from tvdb_pipeline.operations.reports.tables import table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, the record it shows (and the name of its prose), and how the figures become Markdown."""

    title: str
    record: str
    laid_out: Callable[[Any], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Report:
    """name: of its file and its prose; asks: the question it answers; targets: tables of them by heading; more: results that no
    single record holds, from all records; standing: recommendations whatever was measured."""

    name: str
    title: str
    asks: str
    targets: Mapping[str, Sequence[Target]]
    sections: Sequence[Section]
    more: Callable[[Records], Iterator[str]] = lambda _: iter(())
    standing: Sequence[str] = field(default_factory=tuple[str, ...])

    def all_targets(self) -> list[Target]:
        """Of all headings."""
        return [target for targets in self.targets.values() for target in targets]

    def record_names(self) -> list[str]:
        """What its figures come from, each once."""
        named = [target.record for target in self.all_targets()] + [section.record for section in self.sections]
        return list(dict.fromkeys(named))


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot of a record, or of a report's targets (`targets <report>`).

    link: from the folder of the reports, None where there is no picture; reason: why not, a clause.
    """

    record: str
    title: str
    link: str | None
    reason: str = ""


def compose(report: Report, records: Records, pictures: Sequence[Picture], prose: Path) -> str:
    """The whole report. prose: the folder of what is written by hand."""
    judged = judge(report.all_targets(), records)
    parts = [f"# {report.title}", report.asks, summary(judged)]
    parts += ["## Method", HOW_TO_READ, *_prose(prose, report.name), _sources(report, records)]
    parts += ["## Results", *_targets(report, records)]
    parts += [_picture(picture) for picture in pictures if picture.record == f"targets {report.name}"]
    parts += report.more(records)
    for section in report.sections:
        parts += [f"### {section.title}", *_section(section, records, prose)]
        if records.get(section.record) is not None:
            parts += [_picture(picture) for picture in pictures if picture.record == section.record]
    parts += ["## Recommendations", *_recommendations(report, judged)]
    return "\n\n".join(parts) + "\n"


HOW_TO_READ = (
    "Every figure is from a record under `reports/data`, kept by the command that measured it with the commit and the machine. A "
    "figure is a median where it was repeated; in brackets the least and the most, and the number of repeats. What was not "
    "measured is named with the command that measures it."
)


def summary(judged: Sequence[Judged]) -> str:
    """How many targets are met, in one line."""
    return (
        f"**Of {len(judged)} targets:** "
        + ", ".join(f"{count} {word}" for word, count in counted(judged).items())
        + "."
    )


def judged_table(judged: Sequence[Judged], **more: Sequence[str]) -> str:
    """Targets as a table, each row with the command that measures its figure. more: columns before the others."""
    rows = [
        {
            "target": row.target.name,
            "verdict": f"{row.verdict} {row.by}".strip(),
            "reached": None if row.value is None else row.reached,
            "wanted": row.target.wanted,
            "what": row.target.what,
            "command": f"`{row.command}`",
        }
        for row in judged
    ]
    return table([{name: cells[at] for name, cells in more.items()} | row for at, row in enumerate(rows)])


def _targets(report: Report, records: Records) -> Iterator[str]:
    for title, targets in report.targets.items():
        yield f"### {title}"
        yield judged_table(judge(targets, records))


def _sources(report: Report, records: Records) -> str:
    """Each record the report draws on, with the command, the commit and the machine it is from."""
    names = [name for name in COMMANDS if name in report.record_names()]
    return table(
        [{"record": name, "command": f"`{command_of(records, name)}`"} | _origin(records, name) for name in names]
    )


def _origin(records: Records, name: str) -> dict[str, str]:
    envelope = records.get(name)
    if envelope is None:
        return {"measured": NOT_MEASURED, "commit": "", "machine": ""}
    machine = at(envelope, "machine") or {}
    words = (machine.get("cpu"), f"{machine.get('cores')} cores", f"{machine.get('memory_gb')} GB", machine.get("system"),
             f"Python {machine.get('python')}")  # fmt: skip
    day = str(envelope["measured_at"]).replace("T", " ")[:16]
    return {
        "measured": day,
        "commit": f"`{envelope['commit']}`",
        "machine": ", ".join(map(str, words)) if machine else "",
    }


def _section(section: Section, records: Records, prose: Path) -> Iterator[str]:
    envelope = records.get(section.record)
    if envelope is None:
        yield f"Not measured: `{COMMANDS[section.record]}`"
        return
    yield from _prose(prose, section.record)
    yield from section.laid_out(envelope["figures"])
    day = str(envelope["measured_at"])[:10]
    yield f"Measured by `{envelope['command']}` on commit `{envelope['commit']}`, {day}."


def _picture(picture: Picture) -> str:
    if picture.link is not None:
        return f"![{picture.title}]({picture.link})"
    reason = picture.reason or "its figures were not measured"
    return f"Plot of {picture.title[0].lower()}{picture.title[1:]}: {reason}."


def _recommendations(report: Report, judged: Sequence[Judged]) -> Iterator[str]:
    """What follows from the verdicts, then what stands whatever they are."""
    found = [
        f"**{row.target.name}** is missed {row.by}. {row.target.advice}".strip()
        for row in judged
        if row.verdict == MISSED
    ]
    commands = list(dict.fromkeys(row.command for row in judged if row.verdict == NOT_MEASURED))
    for command in commands:
        names = [row.target.name for row in judged if row.verdict == NOT_MEASURED and row.command == command]
        found.append(f"Run `{command}`: it measures {'; '.join(dict.fromkeys(names))}.")
    yield "\n".join(f"- {words}" for words in [*found, *report.standing]) or "None: every target is met."


def _prose(folder: Path, name: str) -> Iterator[str]:
    """What was written by hand, its headings one below that of the section."""
    path = folder / f"{name}.md"
    if path.exists():
        yield re.sub(r"^#+ ", "#### ", path.read_text().strip(), flags=re.MULTILINE)
