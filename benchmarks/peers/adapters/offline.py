# pyright: basic, reportMissingImports=false
"""unstructured without the network.

Belongs here: what keeps unstructured from fetching a language model and from reporting use. Does not: partitioning.
It downloads spaCy's `en_core_web_sm` at the first text it partitions, and fails where it cannot. The model our own parser
puts there instead decides between titles and paragraphs alike, and takes less time: it is in the peer's favour.
"""

from __future__ import annotations

import sys
from pathlib import Path


def prepare() -> None:
    """To be called before unstructured is imported."""
    sys.path.append(str(Path(__file__).parents[3]))
    from tvdb_pipeline.parsing import language_model

    language_model.prepare()
