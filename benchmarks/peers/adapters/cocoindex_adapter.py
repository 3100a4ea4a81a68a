# pyright: basic, reportMissingImports=false
"""CocoIndex: an app with a memoized function for each file, LiteLLMEmbedder, a Postgres target with HNSW.

Belongs here: CocoIndex set up as its PDF example has it. Does not: anything it does not offer itself.
The example turns PDFs into Markdown by marker, whose models are gigabytes of downloads and want a GPU. pypdf, which an
example for elements of PDFs uses, stands in for it: a plain text reader like that of the other frameworks.
"""

from __future__ import annotations

import asyncio
import io
import pathlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import cocoindex as coco
import figures
from cocoindex.connectors import localfs, postgres
from cocoindex.ops.litellm import LiteLLMEmbedder
from cocoindex.ops.text import RecursiveSplitter
from cocoindex.resources.chunk import Chunk
from cocoindex.resources.file import FileLike, PatternFilePathMatcher
from cocoindex.resources.id import IdGenerator
from numpy.typing import NDArray
from pypdf import PdfReader

TABLE = "cocoindex"
GIVEN = figures.options()
DATABASE = coco.ContextKey[asyncpg.Pool]("database")
EMBEDDER = coco.ContextKey[LiteLLMEmbedder]("embedder", detect_change=True)
SPLITTER = RecursiveSplitter()


@dataclass
class Passage:
    """One row."""

    id: int
    filename: str
    chunk_start: int
    chunk_end: int
    text: str
    embedding: Annotated[NDArray, EMBEDDER]


@coco.lifespan
async def lifespan(builder: coco.EnvironmentBuilder) -> AsyncIterator[None]:
    """The connections, and where CocoIndex keeps its state."""
    builder.settings.db_path = GIVEN.state / "cocoindex.db"
    async with asyncpg.create_pool(GIVEN.database) as pool:
        builder.provide(DATABASE, pool)
        # litellm chooses OpenAI's protocol by the prefix.
        embedder = LiteLLMEmbedder(f"openai/{figures.MODEL}", api_base=GIVEN.provider, api_key=figures.KEY)
        builder.provide(EMBEDDER, embedder)
        yield


@coco.fn
async def store(chunk: Chunk, filename: str, ids: IdGenerator, table: postgres.TableTarget[Passage]) -> None:
    """Embed one passage."""
    table.declare_row(
        row=Passage(
            id=await ids.next_id(chunk.text),
            filename=filename,
            chunk_start=chunk.start.char_offset,
            chunk_end=chunk.end.char_offset,
            text=chunk.text,
            embedding=await coco.use_context(EMBEDDER).embed(chunk.text),
        )
    )


@coco.fn(memo=True)
async def read(file: FileLike, table: postgres.TableTarget[Passage]) -> None:
    """Read and cut one file; skipped as long as the file and this code are the same."""
    reader = PdfReader(io.BytesIO(await file.read()))
    text = "\n\n".join(page.extract_text() for page in reader.pages)
    chunks = SPLITTER.split(text, chunk_size=figures.CHUNK_CHARACTERS, chunk_overlap=500, language="markdown")
    await coco.map(store, chunks, str(file.file_path.path), IdGenerator(), table)


@coco.fn
async def ingest(folder: pathlib.Path) -> None:
    """The whole app."""
    table = await postgres.mount_table_target(
        DATABASE, table_name=TABLE, table_schema=await postgres.TableSchema.from_class(Passage, primary_key=["id"])
    )
    table.declare_vector_index(column="embedding", metric="cosine", method="hnsw")
    files = localfs.walk_dir(
        folder, recursive=False, path_matcher=PatternFilePathMatcher(included_patterns=["**/*.pdf"])
    )
    await coco.mount_each(read, files.items(), table)


async def counts() -> tuple[int, int]:
    """Documents and rows."""
    connection = await asyncpg.connect(GIVEN.database)
    row = await connection.fetchrow(f"SELECT count(DISTINCT filename), count(*) FROM {TABLE}")
    await connection.close()
    return row[0], row[1]


def main() -> None:
    """Bring the table in step with the folder."""
    app = coco.App(coco.AppConfig(name="peers"), ingest, folder=GIVEN.documents)
    clock = figures.Clock()
    app.update_blocking()
    clock.stop()
    figures.tell("cocoindex", "cocoindex", clock, *asyncio.run(counts()))


if __name__ == "__main__":
    main()
