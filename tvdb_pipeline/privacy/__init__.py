"""What a process may say, and who may read what it writes.

Belongs here: our own log (`logs`), the logs of libraries (`libraries`), unforeseen exceptions (`faults`), modes of files
(`modes`), and a process that begins with all of them (`process`). Does not: finding or removing what is secret in a text. Every
room may use it; it knows of none.
"""
