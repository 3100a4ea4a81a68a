"""The Dagster UI in a real browser, over a real service.

Belongs here: what a person sees and clicks. Does not: what can be tested without a browser. `make test-ui` runs it; `make test`
leaves it out (see `conftest`).
"""
