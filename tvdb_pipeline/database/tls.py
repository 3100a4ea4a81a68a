"""TLS to a PostgreSQL on another machine: verified, unless the operator answers for the network.

Belongs here: whether an address is another machine's, and what its URL must say. Does not: connecting.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from pathlib import Path
from typing import Literal

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tvdb_pipeline.errors import TvdbError

Trust = Literal["verified", "trusted_network"]
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where distributions keep the certificates of public authorities, in one file."""


def other_machine(url: str) -> str | None:
    """The name of the machine, or of one of them; None where all are this one, by a socket or its loopback interface.

    What is not said in the URL, libpq takes from its own variables and files; a service of its service file may be anywhere.
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return None
    names = str(given.get("host") or os.environ.get("PGHOST") or "")
    addresses = str(given.get("hostaddr") or os.environ.get("PGHOSTADDR") or "")
    service = str(given.get("service") or os.environ.get("PGSERVICE") or "")
    if not names and not addresses:
        return service or None
    # A name counts by what it says, not by where it leads: a forwarded port ends on another machine.
    return next((host for host in (names or addresses).split(",") if not _here(host)), None) or next(
        (address for address in addresses.split(",") if not _here(address)), None
    )


def verified(url: str, trust: Trust) -> str:
    """The URL, saying that the server's certificate and name are verified where it is another machine's.

    trust: TVDB_DATABASE_TLS; `trusted_network` leaves the URL as it is. Raises TvdbError(`bad_setting`) for one that says less.
    """
    if trust == "trusted_network" or other_machine(url) is None:
        return url
    given = conninfo_to_dict(url)
    mode = given.get("sslmode")
    if mode not in (None, "verify-full"):
        raise TvdbError(
            "bad_setting",
            f"TVDB_DATABASE_URL names another machine with sslmode={mode}, which does not verify it: leave sslmode out, or set "
            "TVDB_DATABASE_TLS=trusted_network if nobody else can reach that network.",
        )
    added = {} if mode else {"sslmode": "verify-full"}
    if not given.get("sslrootcert") and not os.environ.get("PGSSLROOTCERT") and not _own_authority():
        added["sslrootcert"] = _public_authorities()
    if "://" not in url:
        return make_conninfo(url, **added)
    pairs = [f"{name}={value}" for name, value in added.items()]
    return url + ("&" if "?" in url else "?") + "&".join(pairs) if pairs else url


def refusal(error: Exception) -> TvdbError | None:
    """The sentence for a connection that failed because the server did not prove who it is; None for another failure."""
    said = str(error)
    # A server that goes away also ends TLS, which proves nothing.
    if "certificate" not in said and "does not support SSL" not in said:
        return None
    return TvdbError(
        "database_unverified",
        "The PostgreSQL of TVDB_DATABASE_URL does not prove by TLS that it is the machine named there: correct the host, or name "
        "the authority that certified it with sslrootcert=FILE.",
    )


def _here(host: str) -> bool:
    """An empty name is libpq's default: a socket. One with a slash or an @ is a socket, too."""
    if not host or host[0] in "/@" or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _own_authority() -> bool:
    """Whether libpq finds a certificate by itself."""
    return Path("~/.postgresql/root.crt").expanduser().is_file()


def _public_authorities() -> str:
    """A file, where there is one: the libraries inside wheels look for `system` in places of the machines they were built on."""
    found = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    return next((path for path in found if path and Path(path).is_file()), "system")
