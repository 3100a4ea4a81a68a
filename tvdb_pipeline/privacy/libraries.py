"""What libraries log and warn of, without what they say.

Belongs here: taking the words out of log records as they are made, whoever prints or stores them afterwards. Does not: our own
log (`logs`). HTTP clients log addresses, database drivers values, parsers what they stumble over, all of it with tracebacks.
"""

from __future__ import annotations

import logging
import warnings
from pathlib import PurePath
from typing import Any, Final, TextIO

from tvdb_pipeline.privacy.faults import described
from tvdb_pipeline.privacy.logs import Fields, line, log

_SPEAK: Final = frozenset({"tvdb_pipeline", "dagster"})
"""Whose messages stay: Dagster's are made of keys, ids and its own sentences. Their tracebacks go, too."""


def withhold() -> None:
    """From now on, a record of a library holds its logger's name, its level and the type of its exception, nothing else."""
    logging.setLogRecordFactory(_record)
    warnings.showwarning = warned


def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    record = logging.LogRecord(*args, **kwargs)
    error = record.exc_info[1] if record.exc_info else None
    # Records read back from somewhere have no name until they are filled.
    if str(record.name).partition(".")[0] not in _SPEAK:
        fields: Fields = {"logger": str(record.name), "level": record.levelname}
        if error is not None:
            fields["error"] = type(error).__name__
        record.msg, record.args = line("library", **fields), ()
    elif error is not None:
        record.msg, record.args = f"{record.getMessage()} ({described(error)})", ()
    record.exc_info = record.exc_text = record.stack_info = None
    return record


def warned(
    message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None,
    _: str | None = None,
) -> None:  # fmt: skip
    """In place of `warnings.showwarning`: the kind of a warning, and where it came from."""
    log("warning", error=category.__name__, place=f"{PurePath(filename).stem}:{lineno}")
