"""What Prometheus is told.

Belongs here: reading the figures (`snapshot`, `totals`, `histograms`), writing them as metrics (`exposition`), and the HTTP
endpoint (`endpoint`). Does not: judging them, which the rules in deploy/prometheus and `operations.alerts` do. No document's key,
name or text is ever a label: labels come from closed sets.
"""
