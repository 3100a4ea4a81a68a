"""Which documents there are, what state each is in, who works on it, and the bytes and artifacts kept for it.

Belongs here: identity, discovery of files, admission, the document table, claims, data versions, the artifact store.
Does not: reading what a document says, or anything about vectors.
"""
