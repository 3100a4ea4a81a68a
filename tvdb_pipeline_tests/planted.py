"""Searching for planted words in everything that is kept.

Belongs here: looking into every column of the database and every file of a folder. Does not: planting the words, or which places
may hold them.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SCHEMAS = ("tvdb", "dagster")


def hits(url: str, folders: Collection[Path], words: Collection[str], *, without: Collection[Path] = ()) -> list[str]:
    """Where the words are found, whatever their case, as `<place>: <word>`, each once, sorted; empty: nowhere.

    Places are `<schema>.<table>.<column>` of the database of `url`, and paths of files and folders below `folders`; one whose
    own name holds the word ends in ` (name)`. Bytes are searched as they are, decompressed where they are a zlib stream, and
    member by member where they are a ZIP archive. without: paths left out with all below them.
    """
    wanted = {word: word.lower().encode() for word in words}
    found: set[str] = set()
    for place, content in (*_columns(url), *_files(folders, without)):
        for form in _forms(content):
            found |= {f"{place}: {word}" for word, as_bytes in wanted.items() if as_bytes in form}
    return sorted(found)


def _columns(url: str) -> Iterator[tuple[str, bytes]]:
    """Every value of every column that can hold letters (not numbers, times, bits or vectors)."""
    with psycopg.connect(url) as conn:
        columns = conn.execute(
            """SELECT n.nspname, c.relname, a.attname, t.typname = 'bytea'
               FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                   JOIN pg_type t ON t.oid = a.atttypid
               WHERE n.nspname = ANY(%s) AND c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
                   AND t.typcategory NOT IN ('N', 'B', 'D', 'T', 'V') AND t.typname <> 'vector' ORDER BY 1, 2, 3""",
            (list(SCHEMAS),),
        ).fetchall()
        for schema, table, column, binary in columns:
            shown = sql.Identifier(column) if binary else sql.SQL("{}::text").format(sql.Identifier(column))
            query = sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL")
            for (value,) in conn.execute(query.format(shown, sql.Identifier(schema, table), sql.Identifier(column))):
                yield f"{schema}.{table}.{column}", _as_bytes(value)


def _as_bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def _files(folders: Collection[Path], without: Collection[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for parent, names, files in os.walk(folder):
            names[:] = [name for name in names if Path(parent, name) not in without]
            for name in (*names, *files):
                yield f"{parent}/{name} (name)", os.fsencode(name)
            for path in (Path(parent, name) for name in files):
                # Work may go on meanwhile; pipes and sockets hold nothing.
                with suppress(FileNotFoundError):
                    if path not in without and path.is_file() and not path.is_symlink():
                        yield str(path), path.read_bytes()


def _forms(content: bytes) -> Iterator[bytes]:
    """The bytes, and what they hold in compressed form, in lower case."""
    yield content.lower()
    with suppress(zlib.error):
        content = zlib.decompress(content)
        yield content.lower()
    if content.startswith(b"PK"):
        with (
            suppress(zipfile.BadZipFile, NotImplementedError, zlib.error),
            zipfile.ZipFile(BytesIO(content)) as archive,
        ):
            for member in archive.infolist():
                yield member.filename.lower().encode()
                yield archive.read(member).lower()
