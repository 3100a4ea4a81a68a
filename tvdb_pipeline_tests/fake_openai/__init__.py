"""A real HTTP server speaking OpenAI's embeddings protocol, for tests and benchmarks.

Belongs here: the protocol, faults on demand, and a record of what was asked and charged, which is the bill our ledger is
compared with. Does not: any of our code but the token counter and the mock's vectors.
"""
