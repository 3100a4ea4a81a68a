"""Who the process is: another user without groups, and no capability in any case.

Belongs here: leaving root and giving up rights. Does not: namespaces or files.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tvdb_pipeline.parsing.sandbox import kernel

FIRST_UID, UIDS = 61184, 4336
"""Users nobody has an account for: the range systemd takes its dynamic users from (systemd.io/UIDS-GIDS)."""
_NOBODY: Final = 65534


def leave_root(scratch: str, paths: Sequence[str], number: int) -> str | None:
    """Become a user who owns nothing but the scratch folder; None when done, else the reason why not.

    number: tells this process from its siblings, so that each is a user of its own. Not possible where that user could not
    read the packages (`paths`), as below a home folder nobody else may enter.
    """
    if os.geteuid() != 0:
        return None
    reason = ""
    for uid in (FIRST_UID + number % UIDS, _NOBODY):
        try:
            if (closed := _closed_to(uid, paths)) is not None:
                return f"{closed} cannot be read by another user"
            os.chown(scratch, uid, uid)
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        except OSError as error:
            reason = f"errno {error.errno}"
            continue
        return None
    return reason


def give_up_rights() -> None:
    """Drop every capability and the ability to gain any. Raises OSError."""
    kernel.drop_capabilities()
    kernel.forbid_new_privileges()


def _closed_to(uid: int, paths: Sequence[str]) -> str | None:
    """The first folder among `paths` that `uid` cannot enter."""
    folders = [path for path in paths if Path(path).is_dir()]
    os.seteuid(uid)
    try:
        for folder in folders:
            if not os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
                return folder
        return None
    finally:
        os.seteuid(0)
