"""The word by which the machines of a Ray cluster know each other.

Belongs here: where it is, and making one. Does not: Ray, which compares it. Without it a cluster runs what anybody gives it.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from tvdb_pipeline.privacy.modes import private_folder
from tvdb_pipeline.settings import Settings

NAMED_BY = ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""Ray's own names: the word itself, or a file with it."""
_BYTES = 32


def ray_environment(settings: Settings) -> dict[str, str]:
    """What Ray and those who ask it need to be let in; nothing where runs stay here.

    Where the environment names no token, a cluster of this machine alone has one in `$TVDB_HOME/ray-token`, made here.
    """
    if settings.run_launcher != "ray":
        return {}
    found = {"RAY_AUTH_MODE": "token"}
    if not is_named() and is_of_this_machine(settings):
        found["RAY_AUTH_TOKEN_PATH"] = str(_own(settings.home))
    return found


def is_named() -> bool:
    """Whether the environment names a token."""
    return any(os.environ.get(name) for name in NAMED_BY)


def is_of_this_machine(settings: Settings) -> bool:
    """Whether nobody else can reach the head."""
    return ip_address(settings.ray_head.partition(":")[0]).is_loopback


def _own(home: Path) -> Path:
    path, fresh = home / "ray-token", home / f".ray-token.{os.getpid()}"
    if not path.exists():
        private_folder(home)
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(_BYTES))
        # Parts that start at once agree on the first one.
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
        fresh.unlink()
    return path
