"""Which fault of the storage library is which refusal.

Belongs here: that table. Does not: what is done about them. A message of the library names objects and addresses, so it is
looked at and never shown.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from obstore import exceptions

from tvdb_pipeline.storage.refusals import ObjectChanged, UnlistableName, credentials, no_bucket, unreachable

_EXPIRED = ("ExpiredToken", "TokenRefreshRequired", "InvalidAccessKeyId", "SignatureDoesNotMatch", "401 Unauthorized")
"""Words of S3's answers with status 400 and 403 about credentials:
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html."""
_ABSENT = ("NoSuchBucket", "ContainerNotFound")


@contextmanager
def named_faults() -> Generator[None]:
    """Raises StorageAway (`storage_credentials`, `storage_no_bucket`, `storage_unreachable`), ObjectChanged,
    FileNotFoundError.
    """
    try:
        yield
    except (exceptions.PreconditionError, exceptions.NotModifiedError):
        raise ObjectChanged from None
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError):
        raise credentials() from None
    except exceptions.InvalidPathError:
        raise UnlistableName from None
    except (exceptions.BaseError, OSError) as error:
        said = str(error)
        # The answer to a HEAD has no body that would say more.
        if any(word in said for word in _EXPIRED) or ("performing HEAD" in said and "400 Bad Request" in said):
            raise credentials() from None
        if any(word in said for word in _ABSENT):
            raise no_bucket() from None
        if isinstance(error, FileNotFoundError):
            raise FileNotFoundError from None
        raise unreachable() from None
