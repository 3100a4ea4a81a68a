"""What a second run costs after a small change: texts sent to the provider.

Belongs here: the changes, the same for every system. Does not: how each system notices them.
"""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import Any

from benchmarks import grounds
from benchmarks.peers.running import Absent, empty_database
from benchmarks.performance.systems import OURS, Site, peers, run_ours, run_peer
from tvdb_pipeline_tests.pdf_writer import flowing_pdf
from tvdb_pipeline_tests.prose import paragraphs

CHANGES = ("unchanged", "edit", "copy", "rename")
PARAGRAPHS = 200  # about thirty passages
EDITED = (20, 60, 100, 140, 180)
"""Paragraphs edited one after the other, each before a run of its own: how many passages an edit touches hangs on its place."""


def measure(folder: Path) -> dict[str, dict[str, Any]]:
    """Texts sent by each system for its first run over one document, and for a run after each change.

    edit: the median over the edits; `each edit`: all of them.
    """
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
                    sent: list[Any] = []
                    for place in EDITED if change == "edit" else (None,):
                        change_folder(documents, texts, change, place)
                        site = Site(url, provider, state)
                        done = run_peer(peer, documents, site) if peer else run_ours(documents, site)
                        sent.append(done.get("texts", "failed"))
                    told[change] = "failed" if "failed" in sent else statistics.median(sent)
                    if change == "edit":
                        told["each edit"] = ", ".join(map(str, sent))
                figures[name] = told
    return figures


def change_folder(documents: Path, texts: list[str], change: str, place: int | None = None) -> None:
    """Make this change to a folder that holds one policy. place: of the paragraph that is edited."""
    policy, copy = documents / "policy.pdf", documents / "policy copy.pdf"
    if place is not None:
        texts[place] = f"The deductible of this section is now $1,{place:03} for each occurrence."
    if change in ("first", "edit"):
        policy.write_bytes(flowing_pdf(texts))
    elif change == "copy":
        shutil.copy(policy, copy)
    elif change == "rename":
        copy.rename(documents / "policy renamed.pdf")
