"""How well documents are read, scored against known truth.

Belongs here: measures, truths and the table that `make evaluate` prints. Does not: speed, or search.
"""
