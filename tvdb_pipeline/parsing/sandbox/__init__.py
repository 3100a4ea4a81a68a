"""What a process that decodes documents of strangers is allowed to do: as little as the system lets us take away.

Belongs here: limits, namespaces, file system, privileges and system calls of the calling process. Does not: documents, or
starting processes (`parsing.pool`). Every measure says for itself whether it is in force; none is needed for the others.
"""
