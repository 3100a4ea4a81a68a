"""Running the servers: Dagster's, ours, and what keeps them running.

Belongs here: commands, environments and processes of servers. Does not: what any of them serves.
"""
