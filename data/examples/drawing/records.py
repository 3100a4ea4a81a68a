"""Scanned records: claim form, prior authorization fax, physician's letter, and a packet that mixes text and scans."""

from drawing import blocks
from drawing.blocks import Block
from drawing.drawn import Drawn
from drawing.forms import Box, draw_form
from drawing.marks import CLAIM_MARK
from drawing.policies import SERIF
from drawing.scans import fax_file, faxed, jpeg, png, raster, scanned
from drawing.sheet import Sheet, Style
from drawing.truth import PageTruth

Rows = list[list[Box]]


def form_page(title: str, rows: Rows, intro: str = "", after: str = "") -> tuple[bytes, PageTruth]:
    """One page with a form on it, as PDF to be scanned."""
    sheet = Sheet(Style(margin=54, accent=(0, 0, 0)), title)
    sheet.put([Block("h2", title), Block("p", CLAIM_MARK), *([Block("p", intro)] if intro else [])])
    draw_form(sheet, rows)
    sheet.y -= 14
    sheet.put([Block("p", after)] if after else [])
    return sheet.finish(), sheet.pages[0]


def claim_form() -> Drawn:
    """A member's claim form, scanned into a PDF without any text."""
    rows = [
        [Box("1. MEMBER NAME (LAST, FIRST)", "QUON, MARISELA", 3), Box("2. MEMBER ID", "CPS 7715 0294 01", 2)],
        [Box("3. DATE OF BIRTH", "08/23/1979"), Box("4. PLAN", "COASTAL POS"), Box("5. PHONE", "555-0165")],
        [Box("6. ADDRESS", "3 MILLRACE COURT, CASTINE, WM 00433")],
        [Box("7. PATIENT IS", "DEPENDENT CHILD", 2), Box("8. PATIENT NAME", "QUON, TADEO", 3)],
        [Box("9. WAS THIS AN ACCIDENT? WHERE AND HOW", "Fell from the climbing wall at Alder summer camp", 1, True)],
        [Box("10. DATE OF ACCIDENT", "07/16/2024"), Box("11. OTHER INSURANCE", "NONE"), Box("12. DAYS LOST", "9")],
        [Box("13. PROVIDER OF CARE", "FARAWAY VALLEY URGENT CARE", 3), Box("14. PROVIDER TAX ID", "00-7719442", 2)],
        [Box("15. DIAGNOSIS", "BROKEN LEFT COLLARBONE", 3), Box("16. AMOUNT PAID BY MEMBER", "$684.15", 2)],
        [Box("17. SERVICES", "EXAM $212.00, X-RAY $168.15, BRACE $94.00, SECOND VISIT $210.00")],
        [Box("18. WHY WAS AN OUT-OF-NETWORK PROVIDER USED?", "The only clinic within 40 miles of camp", 1, True)],
        [Box("19. SIGNATURE OF MEMBER", "Marisela Quon", 3, True), Box("20. DATE SIGNED", "08/05/2024", 2)],
    ]
    intro = "Quillmere Health Plan, Inc. Use one form for each patient. Attach itemized bills and proof of payment."
    after = "Mail to Coastal Claims, P.O. Box 6150, Brindle Falls, WM 00412, within 365 days of the service."
    page, truth = form_page("Member Claim Form QF-20", rows, intro, after)
    sheet = Sheet(Style(), "Scanned claim form")
    sheet.image_page(jpeg(scanned(raster(page), seed=601, skew=-0.5)), truth.as_scan())
    return Drawn("claim-form-scan.pdf", sheet.finish(), sheet.pages)


def prior_authorization() -> Drawn:
    """A fax of three pages: cover sheet, request, clinical summary."""
    cover = [
        [Box("TO", "QUILLMERE PHARMACY REVIEW", 3), Box("FAX", "1-800-555-0158", 2)],
        [Box("FROM", "THORVALD DIGESTIVE CLINIC", 3), Box("PHONE", "555-0124", 2)],
        [Box("DATE", "01/28/2025"), Box("PAGES", "3"), Box("URGENCY", "EXPEDITED")],
        [Box("MESSAGE", "Please call Rufina at the front desk once you decide. Next slot is Feb. 6.", 1, True)],
    ]
    request = [
        [Box("PATIENT", "LEOPOLD VARGA-STEIN", 3), Box("MEMBER ID", "HBR 1190 4473 01", 2)],
        [Box("DRUG REQUESTED", "VEDOLIZUMAB 300 MG VIAL", 3), Box("HOW GIVEN", "BY VEIN", 2)],
        [Box("DIAGNOSIS", "CROHN'S DISEASE, SMALL BOWEL", 3), Box("WEIGHT", "61 KG", 2)],
        [Box("PRESCRIBER", "ANNELIESE THORVALD, M.D.", 3), Box("PRESCRIBER NUMBER", "WM-G-20418", 2)],
        [Box("SITE OF CARE", "SILVERBROOK INFUSION CENTER", 3), Box("START DATE", "02/06/2025", 2)],
        [Box("DRUGS TRIED BEFORE", "AZATHIOPRINE, ADALIMUMAB, BUDESONIDE")],
        [Box("REFERENCE", "PA-31877")],
    ]
    sheet = Sheet(Style(size=12, margin=64, accent=(0, 0, 0)), "Fax")
    sheet.put(blocks.read("fax-clinical.txt"))
    warning = "This fax is meant only for the person named above. If it reached you by mistake, call the sender."
    drawn = [
        form_page("Fax Cover Sheet", cover, after=warning),
        form_page("Prior Authorization Request: Infused Drug", request),
        (sheet.finish(), sheet.pages[0]),
    ]
    images = [faxed(raster(page), seed=1301 + n, skew=0.3 - 0.25 * n) for n, (page, _) in enumerate(drawn)]
    return Drawn("prior-authorization-fax.tiff", fax_file(images), [truth.as_scan() for _, truth in drawn])


def physician_letter() -> Drawn:
    """A letter that was scanned lying on its side."""
    sheet = Sheet(Style("", "", *SERIF, 12.5, (0, 0, 0), 72), "Letter")
    sheet.put(blocks.read("wheelchair-letter.txt"))
    page = scanned(raster(sheet.finish()), seed=1401, skew=0.35, noise=5)
    return Drawn("physician-letter-sideways.png", png(page.rotate(90, expand=True)), [sheet.pages[0].as_scan()])


def disability_packet() -> Drawn:
    """Letters as text, statements as scans; the last statement lay upside down."""
    physician = [
        [Box("CLAIMANT", "NADEZHDA RUIZ-HOLLOWAY", 3), Box("CLAIM", "DI-70418", 2)],
        [Box("FIRST SEEN FOR THIS CONDITION", "11/29/2024"), Box("LAST SEEN", "03/03/2025")],
        [Box("DIAGNOSIS", "RHEUMATOID ARTHRITIS, BOTH HANDS AND WRISTS")],
        [Box("FINDINGS", "Swelling of eight joints. Morning stiffness lasts two hours.", 1, True)],
        [Box("TREATMENT", "METHOTREXATE 15 MG WEEKLY; ETANERCEPT SINCE 02/10/2025")],
        [Box("RESTRICTIONS", "No lifting over 8 pounds. No repeated gripping.", 1, True)],
        [Box("EXPECTED RETURN TO WORK", "NOT BEFORE 09/15/2025"), Box("PHYSICIAN", "SIGRID KJELLBERG, M.D.")],
    ]
    employer = [
        [Box("EMPLOYER", "GILDED THISTLE HOTEL", 3), Box("EMPLOYEE NUMBER", "GT-0388", 2)],
        [Box("DATE HIRED", "05/02/2016"), Box("LAST DAY WORKED", "12/27/2024"), Box("HOURS A WEEK", "42")],
        [Box("BASE PAY", "$5,340 A MONTH"), Box("BONUS, 12 MONTHS", "$3,150"), Box("SICK PAY ENDED", "01/24/2025")],
        [Box("PREMIUM PAID BY", "EMPLOYEE, AFTER TAX")],
        [Box("CAN THE JOB BE CHANGED?", "We offered a stool and a lift table", 1, True)],
        [Box("COMPLETED BY", "Leocadia Marsh, payroll", 3, True), Box("DATE", "02/27/2025", 2)],
    ]
    sheet = Sheet(Style("Claim DI-70418", "Quillmere Income Protection || Page {page}", size=10.5), "Claim packet")
    for text, title, rows, turn in (
        ("disability-cover.txt", "Attending Physician Statement", physician, 0),
        ("disability-occupation.txt", "Employer Wage Statement", employer, 180),
    ):
        sheet.put(blocks.read(text))
        page, truth = form_page(title, rows)
        image = scanned(raster(page), seed=1501 + turn, skew=0.4).rotate(turn)
        sheet.image_page(jpeg(image, quality=52), truth.as_scan())
    return Drawn("disability-claim-packet.pdf", sheet.finish(), sheet.pages)
