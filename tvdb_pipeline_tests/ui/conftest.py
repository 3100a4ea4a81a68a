"""A browser, the service, and documents that were uploaded to it.

Collected only where this folder is named, as `make test-ui` does: `make test` needs neither a browser nor its driver.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tvdb_pipeline_tests.fake_openai.process import CHECKOUT
from tvdb_pipeline_tests.ui.service import Service

if TYPE_CHECKING:
    from tvdb_pipeline_tests.ui.screen import Screen

HERE = Path(__file__).parent
EXAMPLES = CHECKOUT / "data" / "examples"
PICTURES = CHECKOUT / "docs" / "pictures"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DOCUMENTS = {
    "auto.pdf": "auto-declarations.pdf",
    "certificate.pdf": "dental-certificate-bright-preferred.pdf",
    "claim.pdf": "claim-form-scan.pdf",
    "denial.docx": "denial-letter.docx",
    "dental.csv": "fee-schedule-dental.csv",
    "faq.html": "student-plan-faq.html",
    "home.pdf": "homeowner-declarations.pdf",
    "notes.txt": "adjuster-notes.txt",
    "notice.md": "premium-rate-notice.md",
    "rates.pdf": "workers-compensation-rates.pdf",
}
"""Uploaded name -> example. Short names make short partition keys, which the UI shows whole."""
TORN, WHOLE = "renewal.pdf", "renewal-notice-english-spanish.pdf"


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--pictures`: keep what the browser shows, for docs/ui.md."""
    parser.addoption("--pictures", action="store_true", help="save screenshots to docs/pictures")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave this folder out unless an argument names it."""
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return None if any(path == HERE or HERE in path.parents for path in named) else True


@pytest.fixture(scope="session")
def chromium() -> str:
    """The machine's browser; nothing is ever downloaded."""
    pytest.importorskip("playwright", reason="playwright is not installed; make test-ui installs it")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser on this machine: install one of {', '.join(BROWSERS)}, or name it in CHROMIUM")
    return found


@pytest.fixture(scope="session")
def service(chromium: str) -> Iterator[Service]:
    """The running service with ten documents and a torn one in its folder."""
    with Service() as running:
        for name, example in DOCUMENTS.items():
            shutil.copyfile(EXAMPLES / example, running.uploads / name)
        (running.uploads / TORN).write_bytes((EXAMPLES / WHOLE).read_bytes()[:3000])
        yield running


@pytest.fixture
def screen(service: Service, chromium: str, pytestconfig: pytest.Config) -> Iterator[Screen]:
    """A fresh browser window on the UI."""
    from playwright.sync_api import sync_playwright

    from tvdb_pipeline_tests.ui.screen import HEIGHT, WIDTH, Screen

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        yield Screen(page, service.url, PICTURES if pytestconfig.getoption("--pictures", default=False) else None)
        browser.close()


@pytest.fixture
def settled(screen: Screen) -> Screen:
    """That window, once the sensor's runs have ended: ten documents searchable, the torn one not."""
    screen.wait_for_counts("vector_rows", materialized=len(DOCUMENTS), failed=1)
    return screen
