"""Search over many vectors: how fast, how right, at 10,000 rows, at 100,000 and at 250,000.

Belongs here: passages of real text, vectors for them, a table full of both, and what searching it takes. Does not: whether the
right passage answers a question (`benchmarks/search_recall.py`).
"""
