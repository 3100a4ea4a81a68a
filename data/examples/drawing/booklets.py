"""The two long PDF documents: the evidence of coverage and the dental certificate."""

from drawing import blocks
from drawing.blocks import Block, numbered
from drawing.clauses import Wording, service
from drawing.dental import procedure
from drawing.directories import county, drug_class
from drawing.drawn import Drawn
from drawing.policies import GREEN, SERIF, drawn
from drawing.schedules import lines
from drawing.sheet import Style

COVER = """
### Granite EPO

Evidence of Coverage, January 1 to December 31, 2025

SYNTHETIC DOCUMENT - NOT A REAL POLICY

Quillmere Health Plan, Inc., 31 Linden Court, Brindle Falls, WM 00412

Prepared for the Westmark Library Consortium. Keep this booklet for the whole year. A copy in large print, in braille
or as a recording is free; call 1-800-555-0130.
"""
SERVICES = """
# Covered services

## How the benefits are described

Each section names what is covered, on what condition, your share, the limits, and what is left out. Shares are those
for contracted providers. The definitions of Chapter 2 and the exclusions of Chapter 9 apply throughout.
"""


def evidence_of_coverage() -> Drawn:
    """More than sixty pages: thirteen numbered chapters after the cover and the table of contents."""
    wording = Wording(6100)
    chapters: list[Block] = []
    for number in range(1, 14):
        if number == 7:
            chapters += blocks.parse(SERVICES)
            for line in lines("services.txt"):
                chapters += service(line, wording)
            chapters.append(Block("blank"))
            continue
        chapters += blocks.read(f"evidence-{number:02}.txt")
        if number == 4:
            for line in lines("counties.txt"):
                chapters += county(line, wording)
        if number == 8:
            for line in lines("drug-classes.txt"):
                chapters += drug_class(line, wording)
    front = [*blocks.parse(COVER), Block("page"), Block("h3", "Contents"), Block("toc"), Block("blank")]
    style = Style(
        header="Granite EPO Evidence of Coverage || {chapter}",
        footer="Synthetic document, not a real policy || Page {page}",
        size=11.5,
        margin=72,
        chapters_on_new_pages=True,
    )
    return drawn("evidence-of-coverage-granite-epo.pdf", [*front, *numbered(chapters)], style, "Evidence of Coverage")


def dental_certificate() -> Drawn:
    """A certificate in a serif face, with chapters that follow one another on the page."""
    style = Style(
        header="Bright Dental Preferred || Certificate of Coverage",
        footer="Synthetic document, not a real policy || BDP-25, page {page}",
        font=SERIF[0],
        bold=SERIF[1],
        size=12,
        accent=GREEN,
        margin=76,
    )
    wording = Wording(2400)
    content = blocks.read("dental.txt")
    for line in lines("dental-procedures.txt"):
        content += procedure(line, wording)
    content += blocks.read("dental-end.txt")
    return drawn("dental-certificate-bright-preferred.pdf", content, style, "Dental certificate")
