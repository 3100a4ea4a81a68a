"""What every document shares: the mark that says it is invented, and the fixed moment at which all were drawn."""

from datetime import UTC, datetime

SYNTHETIC = "SYNTHETIC DOCUMENT"
MARK = f"{SYNTHETIC} - NOT A REAL"
CLAIM_MARK = f"{MARK} CLAIM"
DRAWN = datetime(2025, 1, 15, 9, 30, tzinfo=UTC)
