"""A PDF drawn block by block, page by page, with the truth of each page recorded as it is drawn.

Belongs here: pages, columns, headings, paragraphs, running headers and footers. Tables are laid out in `grids`,
and what a document says in the modules of the document families.
"""

from dataclasses import dataclass
from io import BytesIO

from reportlab.lib.utils import ImageReader, simpleSplit
from reportlab.pdfgen.canvas import Canvas

from drawing.blocks import Block
from drawing.grids import draw_grid
from drawing.truth import PageTruth

Colour = tuple[float, float, float]
LETTER = (612.0, 792.0)


@dataclass(frozen=True)
class Style:
    """How one document looks; `{chapter}` and `{page}` stand for themselves in header and footer."""

    header: str = ""
    footer: str = ""
    font: str = "Helvetica"
    bold: str = "Helvetica-Bold"
    size: float = 10.0
    accent: Colour = (0.10, 0.25, 0.42)
    margin: float = 60.0
    chapters_on_new_pages: bool = False
    paper: tuple[float, float] = LETTER


class Sheet:
    """One PDF being drawn."""

    def __init__(self, style: Style, title: str, toc: list[tuple[str, int]] | None = None) -> None:
        self.style = style
        self.pages: list[PageTruth] = []
        self.sections: list[tuple[str, int]] = []
        self._toc = toc or []
        self._file = BytesIO()
        self.canvas = Canvas(self._file, pagesize=style.paper, invariant=1, pageCompression=1)
        self.canvas.setTitle(title)
        self.canvas.setAuthor("Synthetic example")
        self._chapter = ""
        self._drawing = False
        self.left, self.width = style.margin, style.paper[0] - 2 * style.margin
        self.y = 0.0

    @property
    def page(self) -> PageTruth:
        """The page being drawn, opened if none is."""
        if not self._drawing:
            self._drawing = True
            self.pages.append(PageTruth())
            self.left, self.width = self.style.margin, self.style.paper[0] - 2 * self.style.margin
            self.y = self.style.paper[1] - self.style.margin
            self._running(self.style.header, self.style.paper[1] - 34)
        return self.pages[-1]

    @property
    def bottom(self) -> float:
        """The lowest line text may stand on."""
        return self.style.margin

    def _running(self, text: str, y: float) -> None:
        text = text.format(chapter=self._chapter, page=len(self.pages)).strip(" |")
        for part, draw in zip(text.split(" || "), (self.canvas.drawString, self.canvas.drawRightString), strict=False):
            self.canvas.setFont(self.style.font, 8)
            self.canvas.setFillGray(0.3)
            draw(self.style.margin if draw == self.canvas.drawString else self._right_edge, y, part)
            self.pages[-1].say(part)
        self.canvas.setFillGray(0)

    @property
    def _right_edge(self) -> float:
        return self.style.paper[0] - self.style.margin

    def end_page(self) -> None:
        """Close the open page, if one is."""
        if self._drawing:
            self._running(self.style.footer, 30)
            self.canvas.showPage()
            self._drawing = False

    def blank_page(self) -> None:
        """A page with nothing on it at all."""
        self.end_page()
        self.pages.append(PageTruth("blank"))
        self.canvas.showPage()

    def image_page(self, jpeg: bytes, truth: PageTruth) -> None:
        """A page that is one image."""
        self.end_page()
        self.pages.append(truth)
        self.canvas.drawImage(ImageReader(BytesIO(jpeg)), 0, 0, *self.style.paper)
        self.canvas.showPage()

    def room(self, height: float) -> None:
        """Make sure that much height is left, on a new page if need be."""
        if self.page and self.y - height < self.bottom:
            self.end_page()
            assert self.page

    def put(self, blocks: list[Block]) -> None:
        """Draw blocks one after another."""
        top, low = 0.0, 0.0
        for block in blocks:
            if block.kind == "columns":
                assert self.page
                top, self.width = self.y, (self.width - 24) / 2
            elif block.kind == "column":
                low, self.y = self.y, top
                self.left += self.width + 24
            elif block.kind == "end":
                self.y = min(low, self.y)
                self.left, self.width = self.style.margin, self.style.paper[0] - 2 * self.style.margin
            else:
                self._put(block)

    def _put(self, block: Block) -> None:
        size = self.style.size
        if block.kind == "page":
            self.end_page()
        elif block.kind == "blank":
            self.blank_page()
        elif block.kind == "toc":
            self._contents()
        elif block.kind == "table":
            draw_grid(self, block)
        elif block.kind in ("h1", "h2", "h3"):
            self._heading(block)
        elif block.kind == "li":
            self.write(f"\u2022 {block.text}", self.style.font, size, indent=14, hang=9, after=size * 0.4)
        else:
            self.write(block.text, self.style.font, size, after=size * 0.7)

    def _heading(self, block: Block) -> None:
        size = self.style.size * {"h1": 1.7, "h2": 1.25, "h3": 1.08}[block.kind]
        if block.kind == "h1" and self.style.chapters_on_new_pages:
            self.end_page()
            self._chapter = block.text
        self.room(size * 1.6 + self.style.size * 4)
        if block.kind != "h3":
            self.sections.append((block.text, len(self.pages)))
        self.y -= size * 0.35
        self.canvas.setFillColorRGB(*self.style.accent)
        self.write(block.text, self.style.bold, size, after=size * 0.45)
        self.canvas.setFillGray(0)

    def write(self, text: str, font: str, size: float, indent: float = 0, hang: float = 0, after: float = 0) -> None:
        """Draw a wrapped paragraph, going on to the next page where one ends."""
        lines = simpleSplit(text, font, size, self.width - indent - hang)
        leading, kept = size * 1.36, list[str]()
        for number, line in enumerate(lines):
            if self.page and self.y - leading < self.bottom:
                self.page.say(" ".join(kept))
                kept = []
                self.end_page()
                assert self.page
            self.y -= leading
            self.canvas.setFont(font, size)
            self.canvas.drawString(self.left + indent + (hang if number else 0), self.y, line)
            kept.append(line)
        self.page.say(" ".join(kept))
        self.y -= after

    def _contents(self) -> None:
        size, font = self.style.size, self.style.font
        for title, number in self._toc:
            chapter = title.startswith("Chapter")
            self.room(size * 1.6)
            self.y -= size * (1.7 if chapter else 1.4)
            face = self.style.bold if chapter else font
            left = self.left + (0 if chapter else 16)
            self.canvas.setFont(face, size)
            used = left - self.left + self.canvas.stringWidth(f"{title}  {number}", face, size)
            dots = "." * int((self.width - used - 14) / self.canvas.stringWidth(".", face, size))
            self.canvas.drawString(left, self.y, f"{title} {dots}")
            self.canvas.drawRightString(self.left + self.width, self.y, str(number))
            self.page.say(f"{title} {dots} {number}")

    def finish(self) -> bytes:
        """The finished file."""
        self.end_page()
        self.canvas.save()
        return self._file.getvalue()
