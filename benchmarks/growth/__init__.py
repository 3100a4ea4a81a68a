"""What becomes of cost and speed as documents add up: `make growth`.

Belongs here: many small documents, and measuring with them. Does not: search, whose growth `benchmarks.search_at_scale` measures.
"""
