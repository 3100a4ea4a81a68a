"""What a second run costs after a small change: texts sent to the provider.

Belongs here: the changes, the same for every system. Does not: how each system notices them.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from benchmarks import grounds
from benchmarks.peers.running import Absent, empty_database
from benchmarks.performance.systems import OURS, Site, peers, run_ours, run_peer
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

CHANGES = ("unchanged", "edit", "copy", "rename")
PARAGRAPHS = 200  # about thirty passages


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """Texts sent by each system for its first run over one document, and for a run after each change."""
    figures: dict[str, dict[str, Any]] = {}
    server = grounds.database_in(folder)
    with grounds.provider(folder, 0.0) as provider:
        for name in (OURS, *peers()):
            peer = None if name == OURS else peers()[name]
            if isinstance(peer, Absent):
                figures[name] = {"absent": peer.reason}
                continue
            with empty_database(server) as url:
                state, documents = folder / f"changes-{name}", folder / f"changing-{name}"
                state.mkdir()
                documents.mkdir()
                texts = list(paragraphs(PARAGRAPHS, seed=7))
                told: dict[str, Any] = {}
                for change in ("first", *CHANGES):
                    change_folder(documents, texts, change)
                    site = Site(url, provider, state)
                    done = run_peer(peer, documents, site) if peer else run_ours(documents, site)
                    told[change] = done.get("texts", "failed")
                figures[name] = told
    return figures


def change_folder(documents: Path, texts: list[str], change: str) -> None:
    """Make this change to a folder that holds one policy."""
    policy, copy = documents / "policy.pdf", documents / "policy copy.pdf"
    if change == "edit":
        texts[PARAGRAPHS // 2] = "The deductible of this section is now $1,250 for each occurrence."
    if change in ("first", "edit"):
        policy.write_bytes(flowing_pdf(texts))
    elif change == "copy":
        shutil.copy(policy, copy)
    elif change == "rename":
        copy.rename(documents / "policy renamed.pdf")
