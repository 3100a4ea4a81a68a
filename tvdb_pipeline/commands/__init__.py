"""Commands for operators, a module each; `cli` puts them beside the others.

Belongs here: a command's arguments, calling `operations`, and how its answer looks. Does not: the work itself. Heavy imports
stand inside the functions: every `tvdb` command imports these modules.
"""
