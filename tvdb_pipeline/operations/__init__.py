"""What an operator does with the pipeline as a whole: ingest from the shell, look at it, run its servers.

Belongs here: commands' work that spans rooms. Does not: anything a run does to a document.
"""
