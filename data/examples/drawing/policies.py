"""The PDF documents whose words stand in the text folder: how each one looks."""

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from drawing import blocks
from drawing.blocks import Block
from drawing.drawn import Drawn
from drawing.sheet import Sheet, Style

VERA = {"Vera": "Vera.ttf", "VeraBd": "VeraBd.ttf", "VeraIt": "VeraIt.ttf"}
SERIF = ("Times-Roman", "Times-Bold")
GREEN, BROWN, BLACK = (0.05, 0.35, 0.22), (0.40, 0.22, 0.10), (0.0, 0.0, 0.0)


def register_fonts() -> None:
    """Make the fonts that come with the drawing library known to it; no font of the machine is used."""
    for name, file in VERA.items():
        pdfmetrics.registerFont(TTFont(name, file))


def drawn(name: str, content: list[Block], style: Style, title: str) -> Drawn:
    """Draw a PDF; a table of contents is drawn again until its page numbers stay as they are."""
    sheet = Sheet(style, title)
    sheet.put(content)
    finished = sheet.finish()
    toc: list[tuple[str, int]] = []
    while any(block.kind == "toc" for block in content) and toc != sheet.sections:
        toc = sheet.sections
        sheet = Sheet(style, title, toc)
        sheet.put(content)
        finished = sheet.finish()
    return Drawn(name, finished, sheet.pages)


def short_policies() -> list[Drawn]:
    """The PDF documents of one to four pages."""
    looks = {
        "harbor-ppo": ("summary-of-benefits-harbor-ppo", Style("", "Harbor PPO 1500, 2025 || Page {page}", size=10)),
        "meadow-hmo": (
            "summary-of-benefits-meadow-hmo",
            Style("", "Meadow HMO Silver || {page}", "Vera", "VeraBd", 9, GREEN),
        ),
        "eob-brennick": ("explanation-of-benefits-brennick", Style("", "Claim QH-24-0071934 || Page {page}", size=9.5)),
        "eob-fenwright": (
            "explanation-of-benefits-fenwright",
            Style("Quillmere Health Plan || December 23, 2024", "Page {page}", *SERIF, 11, GREEN),
        ),
        "homeowner": (
            "homeowner-declarations",
            Style("Policy HO-3318-4407", "Synthetic example || Page {page}", "Vera", "VeraBd", 9.5, BROWN),
        ),
        "auto": ("auto-declarations", Style("", "PA-7720-1185 || Page {page}", *SERIF, 10.5, BLACK)),
        "umbrella": ("umbrella-endorsement", Style("", "UE-0640 (03 24) || Page {page}", *SERIF, 10, BLACK)),
        "puente": ("renewal-notice-english-spanish", Style("", "PCP-RN-25", size=10.5, accent=BROWN)),
    }
    return [
        drawn(f"{name}.pdf", blocks.read(f"{text}.txt"), style, name.replace("-", " ").capitalize())
        for text, (name, style) in looks.items()
    ]
