"""Draws the example documents with their ground truth: `python data/examples/draw.py [OUT_DIR]`.

Only the order of work stands here. What a document says and how it looks is in the `drawing` package.
"""

import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from drawing import booklets, letters, marks, pocket, policies, records, schedules, truth  # noqa: E402
from drawing.drawn import Drawn  # noqa: E402

BY_HAND = ("questions.jsonl", ".tvdbignore", "README.md")


def documents() -> list[Drawn]:
    """All example documents."""
    policies.register_fonts()
    return [
        *policies.short_policies(),
        *letters.letters(),
        booklets.evidence_of_coverage(),
        booklets.dental_certificate(),
        schedules.compensation(),
        schedules.professional_fees(),
        schedules.dental_fees(),
        records.claim_form(),
        records.prior_authorization(),
        records.physician_letter(),
        records.disability_packet(),
        pocket.identification_card(),
        pocket.receipt(),
    ]


def main(out: Path) -> None:
    """Write everything, then check the marks and the questions against the truth."""
    out.mkdir(parents=True, exist_ok=True)
    shown = truth.Truth()
    for document in documents():
        (out / document.name).write_bytes(document.content)
        shown.record(document.name, document.pages)
    shown.write(out / "truth.jsonl")
    if out.resolve() != HERE:
        for name in BY_HAND:
            shutil.copyfile(HERE / name, out / name)
    assert shown.marked(marks.SYNTHETIC), "a document is not marked as synthetic"
    faults = truth.faults(truth.read_questions(HERE / "questions.jsonl"), shown)
    assert not faults, "\n".join(faults)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
