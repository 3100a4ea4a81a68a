"""Which texts are being bought right now, so that two processes never pay for the same one.

Belongs here: claiming texts of a model and giving them up. Does not: buying. A claim lapses by itself, should its process be
killed; where its answer was kept on a slip, it is given up as soon as the slip is read.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import uuid4

from tvdb_pipeline.database.pools import Connection, Database


class TextClaims:
    """The claims of one buyer on texts of one model. lease in seconds, from the last `take`."""

    def __init__(self, database: Database, model: str, lease: float) -> None:
        self.owner = uuid4().hex
        self._database = database
        self._model = model
        self._lease = lease

    def take(self, hashes: Collection[str]) -> set[str]:
        """Claim texts, or extend the claim; those that are ours now. The others are being bought elsewhere."""
        rows = self._database.fetch(
            # In the order of the hashes, so that two buyers never wait for each other.
            """INSERT INTO tvdb.embedding_claims AS c (model, text_sha256, owner, until)
               SELECT %(model)s, name, %(owner)s, clock_timestamp() + make_interval(secs => %(lease)s)
               FROM unnest(%(names)s::text[]) AS name ORDER BY name
               ON CONFLICT (model, text_sha256) DO UPDATE SET owner = excluded.owner, until = excluded.until
                   WHERE c.owner = excluded.owner OR c.until < clock_timestamp()
               RETURNING text_sha256""",
            {"model": self._model, "owner": self.owner, "lease": self._lease, "names": list(hashes)},
        )
        return {row[0] for row in rows}

    def give_up(self) -> None:
        """Let go of all claims."""
        with self._database.connection() as conn:
            conn.execute(
                """DELETE FROM tvdb.embedding_claims WHERE (model, text_sha256) IN
                   (SELECT model, text_sha256 FROM tvdb.embedding_claims WHERE owner = %s
                    ORDER BY text_sha256 FOR UPDATE)""",
                (self.owner,),
            )


def fulfil(conn: Connection, owner: str, hashes: Collection[str]) -> None:
    """Let go of these texts of an owner, in the transaction that keeps their vectors."""
    conn.execute(
        """DELETE FROM tvdb.embedding_claims WHERE (model, text_sha256) IN
           (SELECT model, text_sha256 FROM tvdb.embedding_claims WHERE owner = %s AND text_sha256 = ANY(%s)
            ORDER BY text_sha256 FOR UPDATE)""",
        (owner, list(hashes)),
    )
