"""The production checklist: `tvdb doctor`.

Belongs here: one row a question, with its evidence, found by trying. Does not: mending anything, or printing.
"""
