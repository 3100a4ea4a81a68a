# pyright: basic, reportMissingImports=false
"""Unstructured Ingest: local source, partitioned here by `fast`, chunked by title, embedded by OpenAI, into PostgreSQL.

Belongs here: its pipeline set up as its documentation has it. Does not: anything it does not offer itself.
It documents a table, which the user makes, and no vector index. What it keeps in its work folder it knows by path: an edited
file is not read again unless `reprocess` is set, which reads all of them. It embeds one letter at each start, to learn the
dimensions.
"""

from __future__ import annotations

import logging
import os
from urllib.parse import parse_qs, urlsplit

import figures
import offline
import psycopg2

offline.prepare()

# Its steps import these when they run, in processes forked for each step. Here they count as start-up, and once.
import openai  # noqa: E402, F401
import pandas  # noqa: E402, F401
import unstructured.chunking.dispatch  # noqa: E402
import unstructured.partition.auto  # noqa: E402
import unstructured.partition.pdf  # noqa: E402, F401
from unstructured_ingest.interfaces import ProcessorConfig  # noqa: E402
from unstructured_ingest.pipeline.pipeline import Pipeline  # noqa: E402
from unstructured_ingest.processes.chunker import ChunkerConfig  # noqa: E402
from unstructured_ingest.processes.connectors.local import (  # noqa: E402
    LocalConnectionConfig,
    LocalDownloaderConfig,
    LocalIndexerConfig,
)
from unstructured_ingest.processes.connectors.sql.postgres import (  # noqa: E402
    PostgresAccessConfig,
    PostgresConnectionConfig,
    PostgresUploaderConfig,
    PostgresUploadStagerConfig,
)
from unstructured_ingest.processes.embedder import EmbedderConfig  # noqa: E402
from unstructured_ingest.processes.partitioner import PartitionerConfig  # noqa: E402

MAKE_TABLE = f"""
CREATE TABLE IF NOT EXISTS elements (
    id UUID PRIMARY KEY, record_id VARCHAR, element_id VARCHAR, text TEXT, embeddings vector({figures.DIMENSIONS}),
    parent_id VARCHAR, page_number INTEGER, is_continuation BOOLEAN, orig_elements TEXT, partitioner_type VARCHAR)
"""


def main() -> None:
    """Ingest the folder once."""
    given = figures.options()
    url = urlsplit(given.database)
    # Its configuration has no base URL of the provider; the OpenAI client takes it from here.
    os.environ["OPENAI_BASE_URL"] = given.provider
    with psycopg2.connect(given.database) as connection, connection.cursor() as cursor:
        cursor.execute(MAKE_TABLE)
    pipeline = Pipeline.from_configs(
        context=ProcessorConfig(work_dir=str(given.state / "work"), num_processes=len(os.sched_getaffinity(0))),
        indexer_config=LocalIndexerConfig(input_path=given.documents, recursive=False),
        downloader_config=LocalDownloaderConfig(),
        source_connection_config=LocalConnectionConfig(),
        partitioner_config=PartitionerConfig(strategy="fast"),
        chunker_config=ChunkerConfig(
            chunking_strategy="by_title",
            chunk_max_characters=figures.CHUNK_CHARACTERS,
            chunk_include_orig_elements=False,
        ),
        embedder_config=EmbedderConfig(
            embedding_provider="openai", embedding_model_name=figures.MODEL, embedding_api_key=figures.KEY
        ),
        destination_connection_config=PostgresConnectionConfig(
            access_config=PostgresAccessConfig(password=url.password or ""),
            host=url.hostname or parse_qs(url.query)["host"][0],
            port=url.port,
            username=url.username,
            database=url.path.removeprefix("/"),
        ),
        stager_config=PostgresUploadStagerConfig(),
        uploader_config=PostgresUploaderConfig(),
    )
    logging.disable(logging.INFO)
    clock = figures.Clock()
    pipeline.run()
    clock.stop()
    with psycopg2.connect(given.database) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT record_id), count(*) FROM elements WHERE embeddings IS NOT NULL")
        documents, rows = cursor.fetchone() or (0, 0)
    figures.tell("unstructured_ingest", "unstructured-ingest", clock, documents, rows)


if __name__ == "__main__":
    main()
