"""Elements -> chunks: passages of at most 512 tokens with their pages and section path.

Belongs here: counting tokens and deciding where to cut. Does not: how elements were read, or what becomes of chunks.
"""
