"""The refusals of object storage.

Belongs here: their names and sentences. Does not: which fault of the library is which (`faults`).
"""

from __future__ import annotations

from tvdb_pipeline.errors import TvdbError


class StorageAway(TvdbError):
    """Storage cannot be used at the moment: nothing is wrong with any document, and all wait until it can."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message, kind="system", retryable=True)


class UnlistableName(StorageAway):
    """A name of an object that the storage library takes for no path; it names none of those it would be listed with."""

    def __init__(self) -> None:
        super().__init__(
            "storage_bad_name",
            "An object has a name with empty or dotted parts (like a//b or ../c), which cannot be listed; rename it: what lies "
            "beside it waits.",
        )


class ObjectChanged(Exception):
    """The object is no longer the one that was seen."""


def unreachable() -> StorageAway:
    """Nobody answers, or only with a fault of its own."""
    return StorageAway("storage_unreachable", "Object storage cannot be reached; documents wait and are tried again.")


def credentials() -> StorageAway:
    """Somebody answers, and does not know or allow us."""
    return StorageAway(
        "storage_credentials",
        "Object storage refuses our credentials (expired, wrong, or without the right); renew them, documents wait.",
    )


def no_bucket() -> StorageAway:
    """Somebody answers, and has no such bucket."""
    return StorageAway(
        "storage_no_bucket", "The bucket of the storage URL does not exist; create it or correct the URL."
    )


def no_folder() -> StorageAway:
    """A folder all machines share is not where it is mounted."""
    return StorageAway(
        "storage_no_folder", "The folder of the storage URL is not there; mount it, or create it: documents wait."
    )
