"""What may be spent, what was spent, and on whom.

Belongs here: prices, limits, the ledger. Does not: making requests, or knowing what an embedding is.
"""
