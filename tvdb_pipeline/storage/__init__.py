"""Object storage: files that several machines share, in S3, GCS or Azure.

Belongs here: listing, reading and writing objects by URL, and what its faults are called. Does not: what the objects are to us
(uploads: `ingest`; artifacts: `documents`).
"""
