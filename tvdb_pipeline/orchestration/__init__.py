"""Dagster's view of the pipeline: the only package that imports dagster.

Belongs here: partitions, assets, checks, resources, jobs, sensors, and launching runs. Does not: any decision about a document;
those are made by `ingest` and only translated here.
"""
