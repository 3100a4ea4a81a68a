"""What a person does in the Dagster UI: pages opened, buttons clicked, words looked for.

Belongs here: every name of a page, button or label of Dagster. Does not: what is expected of them (the tests).
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Locator, Page, TimeoutError, expect

SECONDS_PATIENT = 420
"""For work that runs in the background on a machine that is busy."""
SECONDS_A_LOOK = 15
LOCATION = "/locations/tvdb_pipeline.definitions"
WIDTH, HEIGHT = 1400, 900
GRAPH = f"{LOCATION}/asset-groups/documents/lineage"


class Screen:
    """One browser window. pictures: the folder screenshots go to, None for none."""

    def __init__(self, page: Page, url: str, pictures: Path | None) -> None:
        self.page, self._url, self._pictures = page, url, pictures
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)

    def open(self, path: str) -> None:
        """Go to a page of the UI."""
        self.page.goto(self._url + path)

    def open_asset(self, asset: str, view: str = "overview") -> None:
        """Go to an asset; view: overview, partitions or events."""
        self.open(f"/assets/{asset}?view={view}")

    def open_check(self, asset: str, check: str) -> None:
        """Go to a check of an asset."""
        self.open(f"/assets/{asset}?view=checks&checkDetail={check}")

    def open_partition(self, asset: str, key: str) -> None:
        """Go to one document of an asset."""
        self.open(f"/assets/{asset}?view=partitions&partition={quote(key)}")

    def open_sensor(self, name: str) -> None:
        """Go to a sensor."""
        self.open(f"{LOCATION}/sensors/{name}")

    def open_backfill(self) -> None:
        """Go to the backfill that was launched last."""
        self.open("/runs?view=backfills")
        self.page.locator("a[href*='/runs/b/']").first.click()

    def wait_for_backfill(self, assets: int) -> None:
        """Wait on the page of a backfill, which follows what happens, until all of it succeeded."""
        patient = SECONDS_PATIENT * 1000
        expect(self.page.get_by_text("100% completed", exact=True)).to_have_count(assets, timeout=patient)
        # The first is the head of a column, the second the state of the backfill.
        expect(self.page.get_by_text("Succeeded", exact=True)).to_have_count(2, timeout=patient)

    def switch_sensor(self, name: str, *, on: bool) -> None:
        """Click the switch of a sensor."""
        self.open_sensor(name)
        row = self.page.locator("tr").filter(has_text="Running").first
        expect(row.locator("input")).to_be_checked(checked=not on)
        row.locator("label").click()
        expect(row.locator("input")).to_be_checked(checked=on)

    def show_plots(self, asset: str) -> None:
        """Go to the plots of an asset."""
        self.open_asset(asset)
        self.page.get_by_role("button", name="Plots").click()

    def show_graph(self) -> None:
        """Go to the graph of the five assets, near enough to read what each of them says."""
        self.open(GRAPH)
        self.page.get_by_text("Hide navigation").click()
        # The browser remembers it, and the graph is laid out anew over the whole width: large enough to tell its details.
        self.page.reload()
        self.page.get_by_text("Asset checks").first.wait_for()

    def sees(self, *texts: str | re.Pattern[str]) -> None:
        """Expect each of these somewhere on the page."""
        for text in texts:
            expect(self.page.get_by_text(text).first).to_be_visible()

    def sees_exactly(self, *texts: str) -> None:
        """Expect something that says just this, for each of these."""
        for text in texts:
            expect(self.page.get_by_text(text, exact=True).first).to_be_visible()

    def wait_for(self, *texts: str | re.Pattern[str]) -> None:
        """Look at the page anew until it shows all of these: not all of Dagster's pages follow what happens."""
        deadline = time.monotonic() + SECONDS_PATIENT
        while True:
            try:
                for text in texts:
                    self.page.get_by_text(text).first.wait_for(timeout=SECONDS_A_LOOK * 1000)
                return
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
                self.page.reload()

    def wait_for_counts(self, asset: str, *, materialized: int, failed: int) -> None:
        """Wait on the partitions of an asset until so many documents passed and so many did not."""
        self.open_asset(asset, "partitions")
        self.wait_for(f"Materialized ({materialized})", f"Failed ({failed})", "Materializing (0)")

    def partition_keys(self, asset: str) -> list[str]:
        """All documents, as the partitions page lists them."""
        self.open_asset(asset, "partitions")
        whole = self.page.get_by_text(re.compile(r"-[0-9a-f]{16}$"))
        # What is seen may be shortened; a hidden element beside it holds the key.
        whole.first.wait_for(state="attached")
        return sorted({text.strip() for text in whole.all_text_contents()})

    def launch(self, keys: Sequence[str] | None = None, picture: str | None = None) -> None:
        """Materialize all five assets: of these documents, or of those that failed."""
        self.open(GRAPH)
        self.page.get_by_role("button", name="Materialize all").click()
        dialog = self.page.get_by_role("dialog").filter(has_text="Launch runs to materialize")
        dialog.wait_for()
        if keys is None:
            dialog.get_by_role("button", name="Failed", exact=True).click()
        else:
            self._choose(dialog, keys)
        count = 1 if keys is None else len(keys)
        expect(dialog.get_by_text(re.compile(rf"^{count} partitions?$")).first).to_be_visible()
        self.keep(picture)
        dialog.get_by_role("button", name=re.compile("^Launch (backfill|run|1 run)")).click()
        dialog.wait_for(state="hidden")

    def _choose(self, dialog: Locator, keys: Sequence[str]) -> None:
        dialog.get_by_role("button", name="Custom").click()
        dialog.locator("[aria-haspopup=dialog]").first.click()
        self.page.get_by_text("Select all").click()
        for key in keys:
            self.page.get_by_placeholder("Filter partitions").fill(key)
            self.page.get_by_role("menuitem").filter(has_text=key).click()
        dialog.get_by_text("Launch runs to materialize").click(force=True)

    def keep(self, picture: str | None) -> None:
        """Keep what is seen as docs/pictures/NAME.png, where pictures are asked for."""
        if self._pictures is None or picture is None:
            return
        # Plots and dialogs come in moving.
        self.page.wait_for_timeout(2500)
        self._pictures.mkdir(exist_ok=True)
        self.page.screenshot(path=self._pictures / f"{picture}.png")
