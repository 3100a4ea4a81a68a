"""The pipeline under load and over time: many documents through several runs at once, and one process for half an hour.

Belongs here: `make load-test` and `make soak`. Does not: how fast one run is (`benchmarks.performance`), or kills and outages
(`tvdb_pipeline_tests.resilience`).
"""
