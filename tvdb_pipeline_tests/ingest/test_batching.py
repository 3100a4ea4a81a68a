"""Which documents share a run: neighbours only, by number and by pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tvdb_pipeline.documents import registry
from tvdb_pipeline.ingest.batching import ALONE, BYTES_A_PAGE, RunSize, contiguous_ranges, expected_pages
from tvdb_pipeline.ingest.planning import make_plan
from tvdb_pipeline.ingest.walk import walk
from tvdb_pipeline.ingest.workshop import Workshop
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs


def test_ranges_hold_neighbours_only_and_no_more_than_asked() -> None:
    order = list("abcdefgh")
    two = RunSize(2, 1000)
    assert list(contiguous_ranges(order, "abdefh", two, {})) == [["a", "b"], ["d", "e"], ["f"], ["h"]]
    assert list(contiguous_ranges(order, "", two, {})) == []


def test_a_document_of_600_pages_does_not_share_a_run_with_49_small_ones() -> None:
    order = [f"{number:02}" for number in range(50)]
    ranges = list(contiguous_ranges(order, order, RunSize(50, 1000), {"20": 600}))
    assert [len(batch) for batch in ranges] == [20, 1, 29]
    assert ranges[1] == ["20"]


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 400)), max_size=40),
    st.integers(1, 7),
    st.integers(1, 500),
)
def test_every_wanted_document_is_in_one_range_and_no_range_is_over_its_size(
    documents: list[tuple[bool, int]], most: int, most_pages: int
) -> None:
    order = [f"{number:02}" for number in range(len(documents))]
    wanted = [key for key, (chosen, _) in zip(order, documents, strict=True) if chosen]
    pages = {key: count for key, (_, count) in zip(order, documents, strict=True)}
    ranges = list(contiguous_ranges(order, wanted, RunSize(most, most_pages), pages))
    assert [key for batch in ranges for key in batch] == wanted
    for batch in ranges:
        first = order.index(batch[0])
        assert batch == order[first : first + len(batch)]
        assert len(batch) <= most
        weights = [max(pages[key], 1) for key in batch]
        assert len(batch) == 1 or (sum(weights) <= most_pages and max(weights) <= most_pages * ALONE)


def test_pages_are_those_read_last_and_before_that_what_the_bytes_make(shop: Workshop) -> None:
    small, large = shop.settings.upload_dir / "a.pdf", shop.settings.upload_dir / "b.txt"
    small.write_bytes(flowing_pdf(paragraphs(40)))
    large.write_text("The policy covers water damage. " * 5000)
    keys = make_plan(shop, [shop.settings.upload_dir]).keys
    before = expected_pages(shop, registry.load(shop.database, keys))
    assert before[keys[1]] == -(-large.stat().st_size // BYTES_A_PAGE)
    list(walk(shop, keys))
    documents = registry.load(shop.database, keys)
    after = expected_pages(shop, documents)
    assert after[keys[0]] == documents[0].pages > 1
