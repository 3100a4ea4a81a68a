"""Shared libraries that came inside wheels of the default install, beside the code their metadata speaks of.

Belongs here: their licences, stated by hand, as wheels name them nowhere in a form that can be looked up. Does not: what is
linked into an extension module; that, wheels name in their licence files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution
from pathlib import Path

from packaging.utils import canonicalize_name

COPYLEFT = {
    "libavcodec": ("LGPL-2.1-or-later", "FFmpeg, built without its GPL parts; reads video, which nothing here does"),
    "libavformat": ("LGPL-2.1-or-later", "FFmpeg"),
    "libavutil": ("LGPL-2.1-or-later", "FFmpeg"),
    "libcrypt": ("LGPL-2.1-or-later", "libxcrypt"),
    "libgeos": ("LGPL-2.1-only", "GEOS, a library that can be exchanged"),
    "libgeos_c": ("LGPL-2.1-only", "GEOS"),
    "libgfortran": ("GPL-3.0-or-later WITH GCC-exception-3.1", "the exception is for programs that only link it"),
    "libgomp": ("GPL-3.0-or-later WITH GCC-exception-3.1", "the exception is for programs that only link it"),
    "libkeyutils": ("LGPL-2.1-or-later", "a library that can be exchanged"),
    "libquadmath": ("LGPL-2.1-or-later", "a library that can be exchanged"),
    "libreadline": (
        "GPL-3.0-or-later",
        "linked by psql alone, which comes with the embedded server and is never started",
    ),
    "libswresample": ("LGPL-2.1-or-later", "FFmpeg"),
    "libswscale": ("LGPL-2.1-or-later", "FFmpeg"),
}
"""Name without version -> licence, and why that is no hindrance."""

PERMISSIVE = frozenset(
    {
        "libXau", "libaom", "libavif", "libbrotlicommon", "libbrotlidec", "libcom_err", "libcrypto", "libdrm", "libecpg",
        "libfreetype", "libgssapi_krb5", "libharfbuzz", "libjpeg", "libk5crypto", "libkrb5", "libkrb5support", "liblber",
        "liblcms2", "libldap", "liblzma", "libopenblasp", "libopenjp2", "libpcre", "libpgtypes", "libpng16", "libpq", "libsasl2",
        "libscipy_openblas64_", "libselinux", "libsharpyuv", "libssl", "libtiff", "libtinfo", "libvpx", "libwebp", "libwebpdemux",
        "libwebpmux", "libxcb", "libzstd",
    }
)  # fmt: skip


def libraries(wheels: Iterable[Distribution]) -> set[str]:
    """Names, without version or build, of the libraries in the `*.libs` folders of these distributions."""
    found: set[str] = set()
    for wheel in wheels:
        folder = Path(str(wheel.locate_file(f"{canonicalize_name(wheel.metadata['Name']).replace('-', '_')}.libs")))
        found.update(re.split(r"-r\d|-[0-9a-f]{8}|\.so", file.name)[0] for file in folder.glob("*.so*"))
    return found
