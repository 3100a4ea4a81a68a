"""The promises under kills, storms and outages: each module prints its figures at full size, and is a test at a small one.

Belongs here: what takes many processes, kills, or a provider that fails. Does not: the behaviour of single modules, whose tests
stand in the folder of their room.
"""
