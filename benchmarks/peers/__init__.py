"""Programs that data engineers use to do what this pipeline does, run on the same documents, database and provider.

Belongs here: installing them (`installation`), running one (`running`, `processes`), and an adapter for each (`adapters`).
Does not: our own pipeline, repeats, or reports. Nothing here imports a peer; each runs in an environment of its own.
"""
