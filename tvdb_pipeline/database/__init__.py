"""The PostgreSQL that holds all state: the embedded server, connection pools and the migration runner.

Belongs here: reaching and preparing a database. Does not: any table's SQL; each room keeps its own beside its code.
"""
