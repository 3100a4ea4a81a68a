"""Writes the container of Outlook and legacy Office files, so that tests can build their own.

Belongs here: storages and streams to bytes. Does not: any assertion.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

Tree = Mapping[str, "bytes | Tree"]

_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
_SECTOR, _MINI, _CUTOFF = 512, 64, 4096


@dataclass
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    child: int = _FREE
    right: int = _FREE
    start: int = _END
    size: int = 0
    children: list[int] = field(default_factory=list)


def ole_container(tree: Tree) -> bytes:
    """The container holding `tree`: names to bytes (streams) or to trees (storages)."""
    entries = [_Entry("Root Entry", 5)]
    _add(entries, 0, tree)
    mini, mini_fat = b"", []
    for entry in entries[1:]:
        if entry.kind == 2 and 0 < len(entry.content) < _CUTOFF:
            entry.start = len(mini_fat)
            mini_fat += _chain(len(mini_fat), -(-len(entry.content) // _MINI))
            mini += entry.content.ljust(-(-len(entry.content) // _MINI) * _MINI, b"\0")
    sectors: list[bytes] = []
    fat: list[int] = []

    def put(content: bytes) -> int:
        start, count = len(sectors), -(-len(content) // _SECTOR)
        fat.extend(_chain(start, count))
        sectors.extend(content[i * _SECTOR : (i + 1) * _SECTOR].ljust(_SECTOR, b"\0") for i in range(count))
        return start if count else _END

    entries[0].start, entries[0].size = put(mini), len(mini)
    for entry in entries[1:]:
        if len(entry.content) >= _CUTOFF:
            entry.start = put(entry.content)
    mini_table = b"".join(struct.pack("<I", number) for number in mini_fat)
    mini_start = put(mini_table.ljust(-(-len(mini_table) // _SECTOR) * _SECTOR, b"\xff"))
    directory = put(b"".join(_directory_entry(entry) for entry in entries))
    fat_count = -(-(len(fat) + 4) // (_SECTOR // 4 - 1))
    fat_start = len(fat)
    fat += [_FAT] * fat_count
    table = b"".join(struct.pack("<I", number) for number in fat).ljust(fat_count * _SECTOR, b"\xff")
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<III4xI", 0, fat_count, directory, _CUTOFF)
    header += struct.pack("<IIII", mini_start, -(-len(mini_table) // _SECTOR), _END, 0)
    header += b"".join(struct.pack("<I", fat_start + i if i < fat_count else _FREE) for i in range(109))
    return header + b"".join(sectors) + table


def _add(entries: list[_Entry], parent: int, tree: Tree) -> None:
    previous = None
    for name, content in tree.items():
        number = len(entries)
        is_stream = isinstance(content, bytes)
        entries.append(_Entry(name, 2 if is_stream else 1))
        if previous is None:
            entries[parent].child = number
        else:
            entries[previous].right = number
        previous = number
        if isinstance(content, bytes):
            entries[number].content, entries[number].size = content, len(content)
        else:
            _add(entries, number, content)


def _chain(start: int, count: int) -> list[int]:
    return [start + i + 1 for i in range(count - 1)] + [_END] if count else []


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    start = 0 if entry.kind == 1 else entry.start
    head = name.ljust(64, b"\0") + struct.pack("<HBB", len(name) + 2, entry.kind, 1)
    return (
        head + struct.pack("<III", _FREE, entry.right, entry.child) + bytes(36) + struct.pack("<IQ", start, entry.size)
    )
