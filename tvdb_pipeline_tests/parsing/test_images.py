from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing import images, ocr
from tvdb_pipeline.parsing.lines import PageLines
from tvdb_pipeline.parsing.parsed import PageReport
from tvdb_pipeline.parsing.tiff_pages import TiffPages
from tvdb_pipeline_tests.parsing.drawn_page import TEXT, drawn_page, words

CORPUS = Path(os.environ.get("TVDB_CORPUS") or Path(__file__).resolve().parents[3] / "shared" / "corpus") / "scans"


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Image.Image, float]]:
    """What would go to OCR, which is left out: these tests are about decoding."""
    frames: list[tuple[Image.Image, float]] = []

    def read_page(image: Image.Image, number: int, dpi: float, engine: str) -> PageLines:
        frames.append((image, dpi))
        return PageLines(PageReport(number, "blank"), 1, 1)

    monkeypatch.setattr(ocr, "read_page", read_page)
    return frames


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_every_kind_of_picture_is_decoded(kind: str, seen: list[tuple[Image.Image, float]]) -> None:
    pages = images.read_image(saved(drawn_page(), kind))

    assert [page.report.number for page in pages] == [1]
    assert seen[0][0].size == (620, 800)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "I;16", "RGBA", "LA"])
def test_paper_is_white_and_ink_dark_in_every_mode(mode: str, seen: list[tuple[Image.Image, float]]) -> None:
    page = drawn_page()
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(page.convert("L"), dtype=np.uint16) * 257)
    elif mode in ("RGBA", "LA"):
        picture = page.convert("L").convert(mode)
        picture.putalpha(page.convert("L").point(lambda shade: 255 - shade))  # ink on nothing
    else:
        picture = page.convert(mode)

    images.read_image(saved(picture, "TIFF" if mode != "LA" else "PNG"))

    gray = np.asarray(seen[0][0].convert("L"))
    assert np.median(gray) > 240
    assert gray.min() < 40
    assert seen[0][0].mode in ("L", "RGB")


def test_a_tiff_has_as_many_pages_as_frames() -> None:
    second = drawn_page(("Second page of the policy",))

    pages = images.read_image(saved(drawn_page(), "TIFF", save_all=True, append_images=[second]))

    assert [page.report.number for page in pages] == [1, 2]
    assert words([line.text for line in pages[0].lines]) == words(list(TEXT))
    assert words([line.text for line in pages[1].lines]) == {"second", "page", "of", "the", "policy"}


def test_a_broken_later_frame_is_a_failed_page(seen: list[tuple[Image.Image, float]]) -> None:
    data = saved(drawn_page(), "TIFF", save_all=True, append_images=[drawn_page()], compression="tiff_lzw")
    first = Image.open(io.BytesIO(data))
    first.seek(1)
    start = first.tag_v2[273][0]
    broken = data[:start] + b"\xff" * 400 + data[start + 400 :]

    pages = images.read_image(broken)

    assert [(page.report.route, page.report.note) for page in pages] == [
        ("blank", None),
        ("failed", "the picture is damaged"),
    ]


def test_only_the_first_frame_of_an_animation_is_read(seen: list[tuple[Image.Image, float]]) -> None:
    moving = saved(drawn_page(), "WEBP", save_all=True, append_images=[drawn_page(("Other",))])

    assert len(images.read_image(moving)) == 1


def test_too_many_frames_are_refused(monkeypatch: pytest.MonkeyPatch, seen: list[tuple[Image.Image, float]]) -> None:
    monkeypatch.setattr(images, "MAX_FRAMES", 2)
    tiny = Image.new("1", (8, 8))

    with pytest.raises(DocumentRefused) as caught:
        images.read_image(saved(tiny, "TIFF", save_all=True, append_images=[tiny, tiny]))
    assert (caught.value.code, seen) == ("too_large", [])


def test_pages_with_too_many_pixels_in_all_are_refused_before_any_is_decoded(
    monkeypatch: pytest.MonkeyPatch, seen: list[tuple[Image.Image, float]]
) -> None:
    monkeypatch.setattr(images, "MAX_ALL_PIXELS", 150)
    tiny = Image.new("1", (8, 8))

    assert len(images.read_image(saved(tiny, "TIFF", save_all=True, append_images=[tiny]))) == 2
    seen.clear()
    with pytest.raises(DocumentRefused) as caught:
        images.read_image(saved(tiny, "TIFF", save_all=True, append_images=[tiny, tiny]))
    assert (caught.value.code, seen) == ("too_large", [])


@pytest.mark.parametrize("side", [100_000, 12_000])
def test_a_header_claiming_a_huge_picture_is_refused_before_decoding(side: int) -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")

    with pytest.raises(DocumentRefused) as caught:
        images.read_image(bomb)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_truncated_files_are_refused(kind: str, share: float) -> None:
    data = saved(drawn_page(), kind)

    with pytest.raises(DocumentRefused) as caught:
        images.read_image(data[: max(12, int(len(data) * share))])
    assert caught.value.code == "corrupt"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7\n", saved(Image.new("RGB", (9, 9)), "GIF")])
def test_other_files_are_refused_as_unsupported(data: bytes) -> None:
    with pytest.raises(DocumentRefused) as caught:
        images.read_image(data)
    assert caught.value.code == "unsupported"


def test_orientation_noted_by_a_camera_is_honoured(seen: list[tuple[Image.Image, float]]) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its left side

    images.read_image(saved(drawn_page().rotate(90, expand=True), "JPEG", exif=exif))

    assert seen[0][0].size == (620, 800)


@pytest.mark.parametrize(("stated", "taken"), [(200, 200), (1, 800 / 11), (None, 800 / 11)])
def test_resolution_is_believed_only_when_plausible(
    stated: int | None, taken: float, seen: list[tuple[Image.Image, float]]
) -> None:
    images.read_image(saved(drawn_page(), "PNG", **({"dpi": (stated, stated)} if stated else {})))

    assert seen[0][1] == pytest.approx(taken, rel=0.01)


def test_a_large_photo_is_made_smaller_with_its_resolution(seen: list[tuple[Image.Image, float]]) -> None:
    images.read_image(saved(Image.new("L", (3000, 6800), 255), "PNG", dpi=(600, 600)))

    assert seen[0][0].size == (1500, 3400)
    assert seen[0][1] == pytest.approx(300, rel=0.01)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of scans (TVDB_CORPUS) is not on this machine")
@pytest.mark.parametrize(
    ("name", "truth", "rotation"),
    [
        ("eurotext.tif", "eurotext.txt", 0),
        ("phototest_2.tif", "phototest.gold.txt", 0),
        ("phototest-rotated-180.png", "phototest.gold.txt", 180),
        ("phototest-rotated-R.png", "phototest.gold.txt", 270),
    ],
)
def test_scans_are_read(name: str, truth: str, rotation: int) -> None:
    (page,) = images.read_image((CORPUS / name).read_bytes())

    known = words([(CORPUS / "_gt" / truth).read_text()])
    found = words([line.text for line in page.lines])
    assert page.report.rotation == rotation
    assert len(known & found) >= 0.95 * len(known)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the folder of scans (TVDB_CORPUS) is not on this machine")
@pytest.mark.parametrize("name", ["hebrew.png"])
def test_a_script_the_models_do_not_know_gets_low_confidence(name: str) -> None:
    (page,) = images.read_image((CORPUS / name).read_bytes())

    assert page.report.route == "failed" or (page.report.confidence or 0) < 0.8


def test_the_pages_of_a_tiff_are_read_each_on_its_own() -> None:
    data = saved(drawn_page(), "TIFF", save_all=True, append_images=[Image.new("L", (400, 500), 255)])
    pages = TiffPages(data, "rapidocr")
    assert pages.count == 2
    assert [pages.read(number).report.route for number in (2, 1)] == ["blank", "ocr"]
    pages.close()


def test_a_tiff_whose_only_page_is_damaged_is_refused_before_it_is_read() -> None:
    data = saved(drawn_page(), "TIFF")
    with pytest.raises(DocumentRefused) as refusal:
        TiffPages(data[:200], "rapidocr")
    assert refusal.value.code == "corrupt"


def test_a_tiff_of_more_pages_than_allowed_is_refused_by_that_name() -> None:
    with pytest.raises(DocumentRefused) as refusal:
        TiffPages(saved(drawn_page(), "TIFF", save_all=True, append_images=[drawn_page()]), "rapidocr", 1)
    assert refusal.value.code == "too_many_pages"
