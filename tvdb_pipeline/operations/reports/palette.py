"""Colours of plots and page, by what they mean.

Belongs here: their values. Does not: where they are used. INK, RULE and GROUND occur in plots for nothing else, so that the page
can replace them by those of its light or dark appearance.
"""

INK, RULE, GROUND = "#1f2430", "#d5dbe3", "#fffffe"
OURS, PEER, SECOND = "#2f7fb8", "#9aa5b1", "#c8553d"
GOOD, BAD = "#3f9a63", "#c4473a"
SERIES = (OURS, SECOND, "#4f8a5b", "#8e6bb0", "#b8860b", "#7a7f87", "#d0709f", "#3fa7a0")
"""For lines side by side."""
