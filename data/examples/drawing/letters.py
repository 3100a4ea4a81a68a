"""The documents that are not PDF, spreadsheets or images: letter, slides, web page, notice, notes and e-mail."""

from drawing import blocks
from drawing.blocks import Block
from drawing.drawn import Drawn
from drawing.mail import to_eml
from drawing.markup import page_truth, to_html, to_markdown, to_plain
from drawing.office import to_docx, to_pptx

HEADERS = {
    "From": "Rosalind Tarrow <rosalind.tarrow@example.com>",
    "To": "Auto Claims Desk <auto.claims@example.org>",
    "Subject": "Hail damage to my Halden Vesper, claim PA-CL-55102",
    "Date": "Tue, 29 Apr 2025 10:42:00 -0500",
    "Message-ID": "<20250429.55102@example.com>",
}


def letters() -> list[Drawn]:
    """All of them."""
    denial, faq = blocks.read("denial.txt"), blocks.read("student-faq.txt")
    notice, notes = blocks.read("ltc-rate-notice.txt"), blocks.read("adjuster-notes.txt")
    page = to_html(faq, "Scholar plan FAQ").encode()
    return [
        Drawn("denial-letter.docx", to_docx(denial), [page_truth(denial)]),
        Drawn("student-plan-faq.html", page, [page_truth(faq)]),
        Drawn("premium-rate-notice.md", to_markdown(notice).encode(), [page_truth(notice)]),
        Drawn("adjuster-notes.txt", to_plain(notes).encode(), [page_truth(notes)]),
        _slides(),
        _mail(),
    ]


def _slides() -> Drawn:
    slides: list[list[Block]] = []
    for block in blocks.read("broker-training.txt"):
        if block.kind == "h1":
            slides.append([])
        slides[-1].append(block)
    return Drawn("broker-training.pptx", to_pptx(slides), [page_truth(slide) for slide in slides])


def _mail() -> Drawn:
    """The truth is the message as read, and after it the attachment."""
    message = blocks.read("hail-mail.txt")
    body = [block for block in message if block.kind != "table"]
    estimate = next(block for block in message if block.kind == "table")
    attachment = "\n".join(",".join(row) for row in estimate.rows) + "\n"
    truth = page_truth(body)
    truth.lines[:0] = [HEADERS[key] for key in ("Subject", "From", "To")]
    truth.tabulate([list(row) for row in estimate.rows])
    content = to_eml(HEADERS, to_plain(body), attachment, "hail-estimate.csv")
    return Drawn("hail-claim.eml", content, [truth])
