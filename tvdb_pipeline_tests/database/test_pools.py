from __future__ import annotations

import numpy as np
from psycopg.adapt import AdaptersMap

from tvdb_pipeline.database.pools import Database


def test_vectors_go_in_and_come_out_of_every_connection(database: Database) -> None:
    vector = np.arange(3, dtype=np.float32)
    with database.connection() as one, database.connection() as other:
        for conn in (one, other):
            row = conn.execute("SELECT %s::vector, %s::vector <-> %s", (vector, vector, vector)).fetchone()
            assert row is not None
            assert row[0].to_list() == [0, 1, 2]
            assert row[1] == 0


def test_opening_the_database_again_and_again_leaves_nothing_behind(database: Database) -> None:
    # psycopg keeps each class that was ever registered with it.
    def open_and_close() -> None:
        other = Database(database.url).open()
        other.fetch("SELECT '[1,2]'::vector")
        other.close()

    open_and_close()
    before = len(AdaptersMap._optimised)
    for _ in range(5):
        open_and_close()
    assert len(AdaptersMap._optimised) == before
