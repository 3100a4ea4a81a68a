"""The searchable rows: writing them a document at a time, their indexes, and search over them.

Belongs here: the table tvdb.vector_rows and all that reads or writes it. Does not: making vectors.
"""
