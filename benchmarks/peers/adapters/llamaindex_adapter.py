# pyright: basic, reportMissingImports=false
"""LlamaIndex: SimpleDirectoryReader, IngestionPipeline with a docstore and UPSERTS, PGVectorStore with HNSW.

Belongs here: LlamaIndex set up as its documentation has it. Does not: anything it does not offer itself.
The pipeline's docstore and cache are kept with `persist` and `load`, as "Ingestion Pipeline + Document Management" does.
"""

from __future__ import annotations

import os

import figures
import psycopg2
from llama_index.core import SimpleDirectoryReader
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.vector_stores.postgres import PGVectorStore

TABLE = "llamaindex"
# The table of the store's documentation.
HNSW = {"hnsw_m": 16, "hnsw_ef_construction": 64, "hnsw_ef_search": 40, "hnsw_dist_method": "vector_cosine_ops"}


def main() -> None:
    """Ingest the folder once."""
    given = figures.options()
    store = PGVectorStore(
        connection_string=given.database.replace("postgresql://", "postgresql+psycopg2://", 1),
        async_connection_string=given.database.replace("postgresql://", "postgresql+asyncpg://", 1),
        table_name=TABLE,
        embed_dim=figures.DIMENSIONS,
        hnsw_kwargs=HNSW,
    )
    pipeline = IngestionPipeline(
        transformations=[
            SentenceSplitter(chunk_size=figures.CHUNK_TOKENS, chunk_overlap=50),
            OpenAIEmbedding(model=figures.MODEL, api_base=given.provider, api_key=figures.KEY),
        ],
        docstore=SimpleDocumentStore(),
        docstore_strategy=DocstoreStrategy.UPSERTS,
        vector_store=store,
    )
    clock = figures.Clock()
    kept = given.state / "pipeline_storage"
    if kept.exists():
        pipeline.load(str(kept))
    # With its path as its id a document is recognized in the next run.
    reader = SimpleDirectoryReader(str(given.documents), required_exts=[".pdf"], filename_as_id=True)
    pipeline.run(documents=reader.load_data(num_workers=len(os.sched_getaffinity(0))))
    pipeline.persist(str(kept))
    clock.stop()
    with psycopg2.connect(given.database) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(DISTINCT metadata_->>'file_path'), count(*) FROM data_{TABLE}")
        documents, rows = cursor.fetchone() or (0, 0)
    figures.tell("llamaindex", "llama-index-core", clock, documents, rows)


if __name__ == "__main__":
    main()
