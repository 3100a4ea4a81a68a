"""One consistent copy of everything that cannot be made again, and the way back.

Belongs here: backups, restores and the drill. Does not: the upload folder, which is the source, or keys and settings, which are
not copied.
"""
