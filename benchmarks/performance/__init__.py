"""How fast the pipeline is, what that is measured against, and the report of it.

Belongs here: measuring our own pipeline, the floor under any pipeline, targets, and the report. Does not: other systems
(`benchmarks.peers`), or where and on what is measured (`benchmarks.grounds`).
"""
