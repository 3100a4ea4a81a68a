"""Office formulas as one line of plain text.

Belongs here: the markup of formulas. Does not: where a formula stands in a document.
"""

from __future__ import annotations

from typing import Any


def formula_text(node: Any) -> str:
    """A formula read aloud in signs: `(a)/(b)`, `x^2`, `log x`."""
    parts = [formula_text(child) for child in node if isinstance(child.tag, str) and not child.tag.endswith("Pr")]
    name = node.tag.rpartition("}")[2]
    if name == "t":
        return node.text or ""
    if name == "f" and len(parts) == 2:
        return f"({parts[0]})/({parts[1]})"
    if name in ("sSup", "sSub") and len(parts) == 2:
        return f"{parts[0]}{'^' if name == 'sSup' else '_'}{parts[1]}"
    if name == "func" and len(parts) == 2:
        return f"{parts[0]} {parts[1]}"
    return ("√" if name == "rad" else "") + "".join(parts)
