"""The parts of a Word, PowerPoint or Excel package, rewritten so that the usual libraries can read all of it.

Belongs here: what the three formats share: strict and macro variants, parts that must not be loaded, safe XML. Does
not: the meaning of a part (`word_parts`, `slide_parts`, `workbook`).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from tvdb_pipeline.errors import DocumentRefused
from tvdb_pipeline.parsing.containers import OfficeKind, Unpacking, corrupt, open_office_file
from tvdb_pipeline.parsing.xml_tree import parse_xml

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
MC = "http://schemas.openxmlformats.org/markup-compatibility/2006"
M = "http://schemas.openxmlformats.org/officeDocument/2006/math"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WP = "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"
VML = "urn:schemas-microsoft-com:vml"

_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/")
_MAIN_TYPES = (
    (rb"ms-word\.(?:document|template)\.macroEnabled(?:Template)?", b"wordprocessingml.document"),
    (rb"openxmlformats-officedocument\.wordprocessingml\.template", b"wordprocessingml.document"),
    (rb"ms-powerpoint\.\w+\.macroEnabled", b"presentationml.presentation"),
    (rb"openxmlformats-officedocument\.presentationml\.(?:slideshow|template)", b"presentationml.presentation"),
)
_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_LIKE_XML = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff|\0<|\s*<")
_DECLARATION = re.compile(rb"<\?xml\b[^>]*?\?>")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([\w.:-]+)["']""")
_ENCODINGS = re.compile(rb"utf-?8|us-ascii|iso-8859-\d+|windows-125\d", re.IGNORECASE)
_UNREAD = ("media/", "embeddings/", "fonts/", "printersettings/", "thumbnail", "vbaproject", "activex/")

Rewriter = Callable[[bytes], bytes]


class Package:
    """The parts of one Office file by name, and the sizes of those nobody reads."""

    def __init__(self, data: bytes, kind: OfficeKind) -> None:
        self.kind: OfficeKind = kind
        self.parts: dict[str, bytes] = {}
        self.picture_sizes: dict[str, int] = {}
        with open_office_file(data, kind) as archive:
            unpacking = Unpacking(archive)
            try:
                for entry in archive.infolist():
                    self._take(unpacking, entry)
            except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, zlib.error):
                raise corrupt(kind) from None

    def _take(self, unpacking: Unpacking, entry: zipfile.ZipInfo) -> None:
        name = entry.filename.lstrip("/").replace("\\", "/")
        if entry.is_dir():
            return
        if any(word in name.lower() for word in _UNREAD):
            # Libraries load every part they find a relationship to; an empty one satisfies them.
            self.parts[name] = b""
            self.picture_sizes[name] = entry.file_size
            return
        content = unpacking.read(entry)
        # A part is what its relationships make of it, whatever its name.
        if name.endswith((".xml", ".rels", ".vml")) or _LIKE_XML.match(content):
            content = _in_utf8(content)
            if _DTD.search(content):
                raise DocumentRefused("corrupt", "The file declares entities, as no Office file does; save it again.")
            content = _transitional(content)
        self.parts[name] = content

    def rewrite(self, names: re.Pattern[str], rewriter: Rewriter) -> None:
        """Replace every part whose whole name matches."""
        for name in [name for name in self.parts if names.fullmatch(name)]:
            self.parts[name] = rewriter(self.parts[name])

    def xml(self, name: str) -> Any | None:
        """The root of an XML part, None where there is no such part."""
        content = self.parts.get(name)
        return parse_xml(content) if content else None

    def relations(self, name: str) -> Mapping[str, str]:
        """Relationship id -> the part it leads to, for the part `name`; links out of the package are left out."""
        folder, _, file = name.rpartition("/")
        root = self.xml(f"{folder}/_rels/{file}.rels")
        found: dict[str, str] = {}
        for relation in root if root is not None else ():
            target = relation.get("Target") or ""
            if relation.get("TargetMode") != "External" and relation.get("Id"):
                found[relation.get("Id")] = _resolved(folder, target)
        return found

    def to_bytes(self) -> bytes:
        """The package as a file again."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            for name, content in self.parts.items():
                archive.writestr(name, content)
        return buffer.getvalue()


def choose_alternatives(root: Any) -> None:
    """Keep one form of content written twice for old and new programs: the first, which holds the text."""
    for block in list(root.iter(f"{{{MC}}}AlternateContent")):
        forms = [form for form in block if isinstance(form.tag, str)]
        # The choice keeps formulas and text boxes as text where the fallback is often a picture of them.
        chosen = next((form for form in forms if _has_text(form)), forms[0] if forms else None)
        replace_with_children(block, chosen)


def replace_with_children(node: Any, source: Any | None = None) -> None:
    """Put the children of `source` (the node itself by default) in the node's place; None of them where it has none."""
    parent = node.getparent()
    if parent is None:
        return
    place = parent.index(node)
    children = list(node if source is None else source)
    parent.remove(node)
    for offset, child in enumerate(children):
        parent.insert(place + offset, child)


def _has_text(node: Any) -> bool:
    return any((leaf.text or "").strip() for leaf in node.iter(f"{{{W}}}t", f"{{{A}}}t", f"{{{M}}}t"))


def _in_utf8(content: bytes) -> bytes:
    """XML whose markup can be searched as bytes. Raises ValueError for encodings that no Office program writes."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or content[:2] in (b"<\0", b"\0<"):
        wide = "utf-16" if content[0] > 0x7F else "utf-16-le" if content[0] else "utf-16-be"
        content = content.decode(wide).encode()
        return _DECLARATION.sub(b"", content, count=1)
    content = content.removeprefix(b"\xef\xbb\xbf")
    declared = _DECLARATION.match(content.lstrip())
    encoding = _ENCODING.search(declared[0]) if declared else None
    if encoding and not _ENCODINGS.fullmatch(encoding[1]):
        raise ValueError
    return content


def _transitional(content: bytes) -> bytes:
    if b"purl.oclc.org/ooxml/" in content:
        content = _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/", content)
    if b"<Types" in content[:1000]:
        for pattern, plain in _MAIN_TYPES:
            standard = b"application/vnd.openxmlformats-officedocument." + plain + b".main+xml"
            content = re.sub(rb"application/vnd\." + pattern + rb"\.main\+xml", standard, content)
    return content


def _resolved(folder: str, target: str) -> str:
    path = [] if target.startswith("/") else folder.split("/")
    for step in target.strip("/").split("/"):
        if step == "..":
            path = path[:-1]
        elif step != ".":
            path.append(step)
    return "/".join(path)
