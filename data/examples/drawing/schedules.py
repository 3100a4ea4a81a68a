"""Long lists of rates and fees: the workers' compensation schedule (PDF) and the fee schedules (Excel, CSV)."""

import csv
import io
from random import Random

from drawing import blocks
from drawing.drawn import Drawn
from drawing.marks import MARK
from drawing.office import Cell, to_xlsx
from drawing.policies import BLACK, drawn
from drawing.sheet import Style
from drawing.truth import PageTruth

NOTE = f"{MARK} FEE SCHEDULE"


def lines(name: str) -> list[str]:
    """The lines of a list in the text folder."""
    return (blocks.TEXTS / name).read_text(encoding="utf-8").splitlines()


def priced(name: str) -> list[tuple[str, float]]:
    """The lines of a list that gives each thing a rough price."""
    return [(title, float(price)) for title, price in (line.split(" | ") for line in lines(name))]


def _amount(random: Random, low: float, high: float) -> float:
    """An amount whose last digit is never 0, so that a cell shows the same with and without a number format."""
    return (int(random.uniform(low, high) * 10) * 10 + random.randint(1, 9)) / 100


def compensation() -> Drawn:
    """Class codes and rates, in one ruled table over three pages."""
    random = Random(2301)
    rows = [["Class", "Description of work", "Rate per $100", "Minimum premium", "Hazard"]]
    for number, (title, about) in enumerate(priced("work-classes.txt")):
        code = f"{1103 + number * 67 + random.randint(0, 40):04d}"
        rate = _amount(random, about, about * 1.5)
        least = round(rate * 6 + random.randint(21, 39)) * 10 + 5
        group = "ABCDEFG"[sum(rate > bound for bound in (0.5, 1.5, 3, 5, 8, 12))]
        rows.append([code, title, f"{rate:.2f}", f"${least:,}", group])
    content = [*blocks.read("compensation.txt"), blocks.table(rows, (1.1, 5.5, 1.6, 2, 1))]
    content += blocks.read("compensation-notes.txt")
    style = Style(
        "Quillmere Workers' Compensation Fund || Schedule WC-2025-W",
        "Synthetic example || Page {page}",
        size=9,
        accent=BLACK,
    )
    return drawn("workers-compensation-rates.pdf", content, style, "Schedule of class codes and rates")


def professional_fees() -> Drawn:
    """The fee workbook of the Coastal POS plan: office procedures on one sheet, laboratory tests on the other."""
    random = Random(2302)
    office: list[list[Cell]] = [["Code", "Description", "Facility fee", "Office fee", "Prior approval"]]
    for number, (title, about) in enumerate(priced("procedures.txt")):
        fee = _amount(random, about, about * 1.1)
        approval = "Yes" if fee > 600 else "No"
        office.append([f"Q{2010 + number * 7}", title, fee, _amount(random, fee * 1.1, fee * 1.5), approval])
    tests: list[list[Cell]] = [["Code", "Description", "Fee", "Turnaround days"]]
    for number, (title, about) in enumerate(priced("laboratory-tests.txt")):
        tests.append([f"L{610 + number * 3}", title, _amount(random, about, about * 1.3), str(random.randint(1, 12))])
    for rows in (office, tests):
        rows.append([NOTE])
    book = to_xlsx([("Professional", office), ("Laboratory", tests)])
    return Drawn("fee-schedule-coastal-pos.xlsx", book, [_listed(office), _listed(tests)])


def dental_fees() -> Drawn:
    """The dental fees as CSV."""
    random = Random(2303)
    rows: list[list[Cell]] = [["Code", "Procedure", "Class", "Preferred dentist fee", "Premier dentist fee"]]
    for number, line in enumerate(lines("dental-procedures.txt")):
        title, kind, low = (part.strip() for part in line.split("|"))
        fee = _amount(random, float(low), float(low) * 1.2)
        rows.append([f"V{1100 + number * 35}", title, kind, fee, _amount(random, fee * 1.1, fee * 1.4)])
    rows.append([NOTE, "", "", "", ""])
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return Drawn("fee-schedule-dental.csv", out.getvalue().encode(), [_listed(rows)])


def _listed(rows: list[list[Cell]]) -> PageTruth:
    page = PageTruth()
    *table, note = rows
    page.tabulate([[str(cell) for cell in row] for row in table])
    page.say(str(note[0]))
    return page
