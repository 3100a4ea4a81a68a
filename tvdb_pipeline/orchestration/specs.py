"""What the UI says about the five assets: group, owner, tags, and an overview of each in Markdown.

Belongs here: the specs. Does not: computing an asset (`assets`), its checks (`checks`), or its figures (`ingest.figures`).
"""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from tvdb_pipeline.documents.stages import STAGES, Stage, upstream

OWNER = "team:documents"
_DESCRIPTIONS: dict[Stage, str] = {
    "raw_file": "The uploaded file, admitted by its size and content and kept under its content hash.",
    "parsed_text": "Its text as elements (titles, paragraphs, list items, tables), every page accounted for.",
    "chunks": "Passages of at most 512 tokens with their pages and section.",
    "embeddings": "A vector for every passage, bought within the limits or found in the cache.",
    "vector_rows": "The searchable rows in pgvector, swapped in one transaction.",
}
_KINDS: dict[Stage, set[str]] = {
    "raw_file": {"file"},
    "parsed_text": {"python"},
    "chunks": {"python"},
    "embeddings": {"openai"},
    "vector_rows": {"postgres", "pgvector"},
}
_KEPT_IN: dict[Stage, str] = {
    "raw_file": "artifacts",
    "parsed_text": "artifacts",
    "chunks": "artifacts",
    "embeddings": "tvdb.embedding_cache",
    "vector_rows": "tvdb.vector_rows",
}
_OVERVIEWS: dict[Stage, str] = {
    "raw_file": """
A partition is one document. It fails here when the file itself is unfit: encrypted, damaged, empty, unsupported, too large. It is
then left alone until the file changes.

| plot | is |
|---|---|
| `bytes` | size of the file |
| `pages` | its pages, once this very content has been read |

More: docs/parsing.md; docs/operations.md.
""",
    "parsed_text": """
Pages with a usable text layer are read as text, pictures by OCR. A page that cannot be read is named in `tvdb status`, and the
rest of the document goes on.

| plot | is |
|---|---|
| `pages` | all pages; by route: `pages_text`, `pages_ocr`, `pages_blank`, `pages_failed` |
| `elements`, `characters` | how much was read |
| `attachments` | files attached to a message, which are documents of their own |
| `seconds` | of decoding; 0 where an earlier result was taken |

More: docs/architecture.md, "Reading PDFs"; docs/parsing.md; docs/quality.md.
""",
    "chunks": """
Cuts depend on nearby content only: an edit changes the passages around it, and all others keep their vectors.

| plot | is |
|---|---|
| `chunks` | passages |
| `tokens` | cl100k tokens in all of them |
| `seconds` | of cutting |

More: docs/architecture.md, "Cutting".
""",
    "embeddings": """
Texts of many documents share a request. A text that was embedded before, in any document, is not bought again. Where the budget
or the provider refuses, the document waits and goes on by itself.

| plot | is |
|---|---|
| `vectors` | passages that have one |
| `provisional` | of these, vectors that stand in until the provider is back |
| `refused` | passages the provider does not accept |
| `tokens` | in all texts that have a vector |
| `texts_bought`, `texts_reused` | asked for by this run for this document, or there already |
| `bill_usd`, `bill_tokens`, `bill_requests` | what the document cost so far, over all its versions |
| `seconds` | its share of the time its requests took |

More: docs/architecture.md, "Money"; docs/operations.md, "Limits", "The breaker".
""",
    "vector_rows": """
Readers see the old or the new document, never a mixture. A run that fails leaves the earlier rows.

| plot | is |
|---|---|
| `rows`, `vectors` | what is searchable by words, and by meaning |
| `provisional` | vectors that stand in until the provider is back |
| `seconds` | of swapping the rows in; 0 or nearly, where they were right already |

More: docs/architecture.md, "Search".
""",
}


def build_specs(versions: Mapping[Stage, str]) -> list[dg.AssetSpec]:
    """The five specs in order. versions: fingerprints by stage, which become code versions."""
    return [
        dg.AssetSpec(
            stage,
            deps=[before] if (before := upstream(stage)) else [],
            description=_DESCRIPTIONS[stage],
            metadata={"overview": dg.MetadataValue.md(_OVERVIEWS[stage].strip()), "kept_in": _KEPT_IN[stage]},
            skippable=True,
            group_name="documents",
            code_version=versions.get(stage, "1"),
            owners=[OWNER],
            tags={"tvdb/stage": f"{number}-{stage}", "tvdb/data": "health"},
            kinds=_KINDS[stage],
        )
        for number, stage in enumerate(STAGES, 1)
    ]
