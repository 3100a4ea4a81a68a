"""How every process of ours begins.

Belongs here: everything at once. Does not: any of it. Processes that parse begin with more (`parsing.sandbox`).
"""

from __future__ import annotations

import os
import resource

from tvdb_pipeline.privacy import faults, libraries, modes


def begin() -> None:
    """Files for this user only, no core dumps, and no words of others on stderr; children inherit the first two."""
    os.umask(modes.UMASK)
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
    be_discreet()


def be_discreet() -> None:
    """Nothing a library says, and no exception nobody catches, is printed or stored with its words."""
    libraries.withhold()
    faults.tell_uncaught()
