"""What the project is made of that others wrote: which licences it comes under, and which known vulnerabilities it has.

Belongs here: reading the lock and the installed metadata, and asking about advisories; standard library and `packaging` only, as
it judges everything else. Does not: anything the pipeline itself needs.
"""
