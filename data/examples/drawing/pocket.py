"""Small printed things that members photograph: an identification card and a till receipt."""

from reportlab.pdfgen.canvas import Canvas

from drawing.drawn import Drawn
from drawing.photos import jpg, photographed, webp
from drawing.scans import raster
from drawing.sheet import Sheet, Style

Lettering = tuple[str, float, float, float, str]
CARD: list[Lettering] = [
    ("Helvetica-Bold", 13, 14, 128, "Quillmere Health Plan"),
    ("Helvetica", 6.5, 14, 117, "SYNTHETIC DOCUMENT - NOT A REAL POLICY"),
    ("Helvetica-Bold", 10, 166, 128, "Coastal POS"),
    ("Helvetica-Bold", 10, 14, 97, "Jorah Lindqvist-Amadi"),
    ("Helvetica", 8, 14, 83, "Member ID  CPS 4482 9051 03"),
    ("Helvetica", 8, 14, 71, "Group  55310 Ravensworth Library"),
    ("Helvetica", 8, 14, 59, "Primary care  Dr. Minna Castellane"),
    ("Helvetica", 8, 14, 42, "Office $35    Specialist $60    Emergency $300"),
    ("Helvetica", 8, 14, 28, "RxBIN 099916    RxPCN QCST    RxGRP 7730"),
    ("Helvetica", 7, 14, 12, "Members 1-800-555-0156    Providers 1-800-555-0157"),
]

RECEIPT = """COBBLESTONE APOTHECARY
12 Tinker's Row, Brookmere
SYNTHETIC DOCUMENT
NOT A REAL CLAIM
--------------------------------
02/08/2025 17:26  Till 3
Patient: PHILIPPA DANGERFIELD
Rx 660418  Dr. N. Oduya
AMOXICILLIN 500 MG      30 CAPS
  Full price            $27.90
  Plan paid             $15.90
  You pay               $12.00
Rx 660419  Dr. N. Oduya
FLUTICASONE NASAL SPRAY  1 EA
  Full price            $44.35
  Not on drug list
  You pay               $44.35
--------------------------------
THERMOMETER, DIGITAL    $13.49
SALES TAX                $0.81
TOTAL                   $70.65
CARD ENDING 4406
--------------------------------
Keep this slip for your claim.
Refills left on 660418: 0""".splitlines()


def identification_card() -> Drawn:
    """A member card on a table, photographed by hand."""
    sheet = Sheet(Style(paper=(243, 153), margin=8), "Card")
    page, canvas = sheet.page, sheet.canvas
    canvas.setFillColorRGB(0.95, 0.97, 0.99)
    canvas.rect(0, 0, 243, 153, stroke=0, fill=1)
    canvas.setFillColorRGB(0.10, 0.36, 0.55)
    canvas.rect(0, 109, 243, 3, stroke=0, fill=1)
    _lettering(canvas, CARD)
    for *_, text in CARD:
        page.say(" ".join(text.split()))
    corners = [(196.0, 168.0), (1512.0, 214.0), (1476.0, 1046.0), (172.0, 996.0)]
    photo = photographed(raster(sheet.finish(), dpi=400, grey=False), (1680, 1200), corners, seed=701)
    return Drawn("id-card-photo.jpg", jpg(photo), [page.as_scan()])


def _lettering(canvas: Canvas, texts: list[Lettering]) -> None:
    canvas.setFillGray(0.05)
    for font, size, x, y, text in texts:
        canvas.setFont(font, size)
        canvas.drawString(x, y, text)


def receipt() -> Drawn:
    """A pharmacy receipt, photographed for reimbursement."""
    height = len(RECEIPT) * 13 + 30.0
    sheet = Sheet(Style(paper=(230, height), margin=8), "Receipt")
    page = sheet.page
    _lettering(sheet.canvas, [("Courier", 9.5, 22, height - 26 - 13 * n, line) for n, line in enumerate(RECEIPT)])
    for line in RECEIPT:
        page.say("" if line.startswith("---") else " ".join(line.split()))
    corners = [(196.0, 96.0), (1012.0, 68.0), (1034.0, 1346.0), (214.0, 1366.0)]
    photo = photographed(raster(sheet.finish(), dpi=300, grey=False), (1240, 1460), corners, seed=2501)
    return Drawn("pharmacy-receipt.webp", webp(photo), [page.as_scan()])
