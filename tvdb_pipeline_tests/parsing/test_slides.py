"""PowerPoint files: titles, tables, charts, notes and pictures of slides."""

from __future__ import annotations

from typing import Any

from office_files import found, picture, slides
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from tvdb_pipeline.parsing.office import parse_pptx


def test_slides_give_titles_points_tables_charts_and_notes() -> None:
    def fill(presentation: Any) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = "Covers"
        slide.placeholders[1].text = "Fire and flood"
        slide.notes_slide.notes_text_frame.text = "Say this aloud."
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        table = slide.shapes.add_table(2, 3, 0, 0, Inches(5), Inches(1)).table
        for row, line in enumerate((("Cover", "Limit", "Excess"), ("Fire", "5000", "100"))):
            for column, value in enumerate(line):
                table.cell(row, column).text = value
        chart = CategoryChartData()
        chart.categories = ["2023", "2024"]
        chart.add_series("Premium", (10, 12.5))
        slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, Inches(2), Inches(4), Inches(3), chart)
        presentation.slides.add_slide(presentation.slide_layouts[6])

    document = parse_pptx(slides(fill))
    assert found(document)[0] == ("Title", "Covers")
    assert ("NarrativeText", "Notes: Say this aloud.") in found(document)
    assert ("Table", "Cover: Fire; Limit: 5000; Excess: 100") in found(document)
    assert ("Table", "Category: 2023; Premium: 10\nCategory: 2024; Premium: 12.5") in found(document)
    assert [element.category for element in document.elements].count("Title") == 1
    assert [page.route for page in document.pages] == ["text", "text", "blank"]
    assert [element.metadata.page_number for element in document.elements] == [1, 1, 1, 2, 2]


def test_a_slide_with_only_a_picture_has_failed() -> None:
    def fill(presentation: Any) -> None:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        slide.shapes.add_picture(picture(), 0, 0)

    assert [page.route for page in parse_pptx(slides(fill)).pages] == ["failed"]
