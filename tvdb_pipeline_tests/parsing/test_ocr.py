from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.parsing import ink, ocr, tesseract, upright
from tvdb_pipeline.parsing.rapid import respace
from tvdb_pipeline_tests.parsing.drawn_page import DPI, TEXT, drawn_page, words

TABLE = """level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext
1\t1\t0\t0\t0\t0\t0\t0\t620\t800\t-1\t
5\t1\t1\t1\t1\t1\t60\t80\t70\t20\t96.0\tPolicy
5\t1\t1\t1\t1\t2\t136\t80\t80\t20\t90.0\t"number
5\t1\t1\t1\t1\t3\t400\t80\t80\t20\t50.0\t$1,000
5\t1\t1\t1\t2\t1\t60\t140\t40\t20\t80.0\tloss
"""


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_page_is_read_the_right_way_up(turned: int) -> None:
    page = ocr.read_page(drawn_page().rotate(turned, expand=True), 7, DPI)

    assert page.report.route == "ocr"
    assert page.report.number == 7
    assert page.report.rotation == turned  # Pillow turned it counterclockwise, so it is turned back clockwise
    assert page.report.confidence is not None
    assert page.report.confidence > 0.9
    assert words([line.text for line in page.lines]) == words(list(TEXT))
    assert (page.width, page.height) == pytest.approx((620 * 72 / DPI, 800 * 72 / DPI))
    first = min(page.lines, key=lambda line: line.box.top)
    assert first.box.left == pytest.approx(60 * 72 / DPI, abs=3)
    capitals_top = 80 + ImageFont.load_default(size=22).getbbox("H")[1]
    assert first.box.top == pytest.approx(capitals_top * 72 / DPI, abs=3)


def test_the_same_image_gives_the_same_reading() -> None:
    assert ocr.read_page(drawn_page(), 1, DPI) == ocr.read_page(drawn_page(), 1, DPI)


def test_font_size_does_not_depend_on_the_letters_of_a_line() -> None:
    page = ocr.read_page(drawn_page(("sun or moon", "Happy Quality", "DECLARATIONS"), size=30), 1, DPI)

    sizes = [line.size for line in page.lines]
    assert len(sizes) == 3
    assert max(sizes) < 1.25 * min(sizes)
    assert min(sizes) > 0.8 * 30 * 72 / DPI


def test_words_far_apart_on_one_line_stay_apart() -> None:
    page = drawn_page(("Dwelling",))
    ImageDraw.Draw(page).text((450, 80), "$350,000", fill="black", font=ImageFont.load_default(size=22))

    assert {line.text for line in ocr.read_page(page, 1, DPI).lines} == {"Dwelling", "$350,000"}


def test_a_skewed_page_gives_level_boxes() -> None:
    page = drawn_page().rotate(-2, fillcolor="white", resample=Image.Resampling.BICUBIC)

    lines = ocr.read_page(page, 1, DPI).lines

    longest = max(lines, key=lambda line: line.box.right - line.box.left)
    assert longest.box.bottom - longest.box.top < 1.4 * longest.size


def test_an_empty_page_is_blank() -> None:
    page = Image.new("L", (600, 800), 240)
    ImageDraw.Draw(page).point([(300, 300), (310, 402)], 0)

    found = ocr.read_page(page, 1, DPI)

    assert found.report.route == "blank"
    assert found.lines == []


def test_a_page_with_ink_but_no_text_has_failed() -> None:
    page = Image.new("L", (600, 800), 255)
    ImageDraw.Draw(page).polygon([(100, 150), (520, 300), (450, 610), (180, 560)], fill=90)

    report = ocr.read_page(page, 1, DPI).report

    assert (report.route, report.note) == ("failed", "no text recognized")


@pytest.mark.parametrize("size", [(1, 1), (3, 900), (2500, 2)])
def test_slivers_do_no_harm(size: tuple[int, int]) -> None:
    assert ocr.read_page(Image.new("1", size, 1), 1, DPI).report.route == "blank"


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(TvdbError) as caught:
        ocr.read_page(drawn_page(), 1, DPI, engine="abacus")
    assert caught.value.code == "unknown_ocr_engine"


def test_importing_does_not_load_the_engine() -> None:
    code = (
        "import sys, tvdb_pipeline.parsing.ocr, tvdb_pipeline.parsing.images, tvdb_pipeline.parsing.tesseract;"
        "print({'numpy', 'cv2', 'onnxruntime', 'rapidocr'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_reading_says_nothing_on_the_way(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    ocr.read_page(drawn_page(), 1, DPI)

    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize(
    ("read", "tidied"),
    [
        ("Zip:62701  and   more", "Zip: 62701 and more"),
        ("Check all that apply)Diabetes", "Check all that apply) Diabetes"),
        ("□Yes □ No", "□ Yes □ No"),
        ("at 10:30 for $1,000", "at 10:30 for $1,000"),
        ("see https://example.org:80/a?b=c", "see https://example.org:80/a?b=c"),
    ],
)
def test_spaces_lost_after_marks_are_put_back(read: str, tidied: str) -> None:
    assert respace(read) == tidied


def test_a_page_read_badly_both_ways_is_not_turned() -> None:
    quads = np.array([[[0, y], [200, y], [200, y + 20], [0, y + 20]] for y in range(0, 300, 30)], np.float32)

    assert upright.find_turn(quads, lambda numbers, flipped: [("xyzxyz", 0.7 if flipped else 0.5)] * len(numbers)) == 0


def test_ink_share_ignores_dark_edges_of_a_scan() -> None:
    page = Image.new("L", (600, 800), 250)
    ImageDraw.Draw(page).rectangle((0, 0, 15, 800), fill=0)

    assert ink.share(page) == 0


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, orientation: str) -> None:
    """A command that answers like tesseract: the orientation to `--psm 0`, otherwise a table of words."""
    (folder / "table").write_text(TABLE)
    command = folder / "tesseract"
    command.write_text(
        f'#!/bin/sh\ncat > /dev/null\ncase "$*" in *"psm 0"*) {orientation};; *) cat {folder}/table;; esac\n'
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


def test_tesseract_words_become_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, "printf 'Orientation in degrees: 90\\nRotate: 270\\n'")

    reading = tesseract.read(drawn_page())

    assert reading.turn == 270
    assert [span.text for span in reading.spans] == ['Policy "number', "$1,000", "loss"]
    assert reading.spans[0].box == (60, 80, 216, 100)
    assert reading.spans[0].confidence == pytest.approx((6 * 0.96 + 7 * 0.9) / 13)


def test_tesseract_reads_a_page_as_it_lies_when_orientation_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path, monkeypatch, "exit 1")

    assert tesseract.read(drawn_page()).turn == 0


def test_tesseract_absent_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TvdbError) as caught:
        tesseract.read(drawn_page())
    assert caught.value.code == "ocr_engine_missing"
