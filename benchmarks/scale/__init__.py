"""What more machines than one do: a worker lost in the middle, throughput by workers, and very many partitions.

Belongs here: measuring these, all on this machine. Does not: what is concluded (docs/scale.md).
"""
