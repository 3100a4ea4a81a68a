"""Keeps libraries from logging what is secret.

Belongs here: silencing loggers for the length of a call. Does not: our own log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager


@contextmanager
def quiet(*names: str) -> Generator[None]:
    """Nothing this thread does meanwhile is logged by these loggers: HTTP clients log the URL of each request."""
    mine = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != mine

    with ExitStack() as stack:
        for name in names:
            logger = logging.getLogger(name)
            logger.addFilter(others)
            stack.callback(logger.removeFilter, others)
        yield
