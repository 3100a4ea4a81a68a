# pyright: basic, reportMissingImports=false
"""LangChain: PyPDFLoader, RecursiveCharacterTextSplitter, index() with a SQLRecordManager, PGVectorStore with HNSW.

Belongs here: LangChain set up as its documentation has it. Does not: anything it does not offer itself.
"""

from __future__ import annotations

import figures
import psycopg
from langchain_classic.indexes import SQLRecordManager
from langchain_community.document_loaders import PyPDFLoader
from langchain_core.indexing import index
from langchain_openai import OpenAIEmbeddings
from langchain_postgres import PGEngine, PGVectorStore
from langchain_postgres.v2.indexes import HNSWIndex
from langchain_text_splitters import RecursiveCharacterTextSplitter

TABLE = "langchain"


def main() -> None:
    """Bring the index in step with the folder."""
    given = figures.options()
    first = not (given.state / "record_manager.sqlite").exists()
    engine = PGEngine.from_connection_string(given.database.replace("postgresql://", "postgresql+asyncpg://", 1))
    if first:
        engine.init_vectorstore_table(table_name=TABLE, vector_size=figures.DIMENSIONS)
    # Counting tokens here needs a vocabulary that tiktoken fetches from the network; pieces are short enough without.
    embeddings = OpenAIEmbeddings(
        model=figures.MODEL, base_url=given.provider, api_key=figures.KEY, check_embedding_ctx_length=False
    )
    store = PGVectorStore.create_sync(engine, embedding_service=embeddings, table_name=TABLE)
    records = SQLRecordManager(f"pgvector/{TABLE}", db_url=f"sqlite:///{given.state / 'record_manager.sqlite'}")
    records.create_schema()
    splitter = RecursiveCharacterTextSplitter(chunk_size=figures.CHUNK_CHARACTERS, chunk_overlap=200)
    clock = figures.Clock()
    pages = [page for path in figures.pdfs(given.documents) for page in PyPDFLoader(str(path)).load()]
    # "full" is the mode that also removes what is no longer in the folder.
    index(splitter.split_documents(pages), records, store, cleanup="full", source_id_key="source")
    if first:
        store.apply_vector_index(HNSWIndex())
    clock.stop()
    with psycopg.connect(given.database) as connection:
        counted = connection.execute(
            f"SELECT count(DISTINCT langchain_metadata->>'source'), count(*) FROM {TABLE}"
        ).fetchone()
    figures.tell("langchain", "langchain-core", clock, *(counted or (0, 0)))


if __name__ == "__main__":
    main()
