"""Texts -> vectors: the clients, the packing of requests, and the cache that makes sure nothing is bought twice.

Belongs here: everything between a text and its vector. Does not: limits and prices (`budget`), or where rows are kept.
"""
