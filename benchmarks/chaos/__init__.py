"""A whole deployment whose parts are killed at random while documents arrive: `make chaos`.

Belongs here: the killing, the alerts that came of it, and what is left when it is over. Does not: kills at named points of one
process (`tvdb_pipeline_tests.resilience.crash_points`), or processes that spend (`storm`).
"""
