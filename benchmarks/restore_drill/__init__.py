"""Everything is lost and brought back: `make restore-drill`.

Belongs here: that drill and its table. Does not: backups themselves (`tvdb_pipeline.operations.backup`).
"""
