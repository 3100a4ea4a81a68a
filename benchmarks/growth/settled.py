"""Files that are known and ready, without the work of ingesting them: for measuring what a tick costs among them.

Belongs here: registering them as a run would have left them. Does not: measuring (`dagster_costs`).
"""

from __future__ import annotations

import hashlib
import json

import psycopg

from tvdb_pipeline.database.pools import Database
from tvdb_pipeline.documents.discovery import discover
from tvdb_pipeline.documents.stages import data_versions
from tvdb_pipeline.embedding.modes import create_client
from tvdb_pipeline.ingest.fingerprints import fingerprints
from tvdb_pipeline.ingest.planning import register_files
from tvdb_pipeline.ingest.workshop import build_workshop
from tvdb_pipeline.orchestration.home import open_instance
from tvdb_pipeline.orchestration.partitions import add_partitions
from tvdb_pipeline.settings import load_settings

_READY = "UPDATE tvdb.documents SET state = 'ready', media_type = 'text/plain', versions = %s::jsonb WHERE key = %s"
FILES_A_FOLDER = 100


def settle(url: str, files: int) -> None:
    """Write so many text files into the uploads, and make the document table and Dagster know them as ready."""
    settings = load_settings()
    for number in range(files):
        path = settings.upload_dir / f"{number // FILES_A_FOLDER:03}" / f"{number:06}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"Claim file {number:06}, synthetic.\n" + "deductible " * 150)
    database = Database(url).open()
    try:
        workshop = build_workshop(settings, database, create_client(settings))
        named = register_files(workshop, discover(settings.upload_dir), str(settings.upload_dir))
        stages = fingerprints(settings, workshop.embedding.client.model, "text/plain")
        with psycopg.connect(url) as conn, conn.cursor() as cursor:
            cursor.executemany(
                _READY,
                [
                    (json.dumps(data_versions(hashlib.sha256(file.path.read_bytes()).hexdigest(), stages)), key)
                    for key, file in named.items()
                ],
            )
            conn.execute("ANALYZE tvdb.documents")
    finally:
        database.close()
    with open_instance(settings, url) as instance:
        add_partitions(instance, list(named))
