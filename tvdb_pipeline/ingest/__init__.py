"""The batch engine: plans what is to be done and walks documents through the stages, in plain Python.

Belongs here: claims, order, outcomes, quotes. Does not: how any stage does its work, or dagster.
"""
