"""Five reports on the pipeline, composed of what was measured: `tvdb report`.

Belongs here: reading the records of reports/data, judging them against targets, and writing Markdown, plots and one page. Does
not: measuring anything, but for the doctor's findings. A figure is from a record or it is not there.
"""
