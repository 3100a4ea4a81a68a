"""Insurance documents in, searchable and priced vectors out.

A document walks one way: uploads -> documents -> parsing -> chunking -> embedding -> vectorstore -> search, with `budget`
beside the embedding and all state in the database. Each of those words is a package here; `ingest` walks a batch through
them and `orchestration` (the only package that imports dagster) shows the walk to Dagster.

Nothing belongs in this file: importing the package does no work.
"""
