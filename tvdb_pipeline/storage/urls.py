"""What names object storage, and opening it.

Belongs here: telling a URL from a path. Does not: reading or writing (`bucket`, which loads the library).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tvdb_pipeline.errors import TvdbError

if TYPE_CHECKING:
    from tvdb_pipeline.storage.bucket import Bucket

SCHEMES = ("s3", "gs", "az", "file")


def is_url(text: str) -> bool:
    """Whether this names object storage, and no path."""
    return text.partition("://")[0] in SCHEMES and "://" in text


def open_bucket(url: str, *, allow_http: bool = False) -> Bucket:
    """The objects under `url`; nothing is asked of the server yet. Raises TvdbError(`storage_missing` | `bad_setting`)."""
    try:
        from tvdb_pipeline.storage.bucket import Bucket
    except ImportError:
        raise TvdbError(
            "storage_missing", "Object storage needs the extra `scale`; install tvdb_pipeline[scale]."
        ) from None
    return Bucket(url, allow_http=allow_http)
