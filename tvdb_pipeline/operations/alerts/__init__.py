"""Telling people what is wrong, and when it is over.

Belongs here: what is measured (`measuring`, `machine`, `uploads`), judged (`rules`), kept (`store`, `memory`), told (`channels`,
`messages`), and the round that goes through it all (`rounds`, `watching`). Does not: mending anything, or Dagster. Alerts hold
keys, counts and codes only: no document text and no file name.
"""
