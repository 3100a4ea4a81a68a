"""Files made to harm whoever opens them, and proof that they do not.

Belongs here: drawing such files, running them through the pipeline, and fuzzing. Does not: what a room's own tests cover.
"""
