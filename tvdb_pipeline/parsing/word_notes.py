"""Footnotes, endnotes and comments of a Word document, put behind the paragraph they belong to.

Belongs here: moving those texts into the body, so that a passage and its note are read together. Does not: anything
else in Word's XML (`word_parts`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tvdb_pipeline.parsing.ooxml import Package, W
from tvdb_pipeline.parsing.word_parts import paragraph, plain, w
from tvdb_pipeline.parsing.xml_tree import etree


class _Note(NamedTuple):
    text: str
    author: str


def spell_out_notes(root: Any, package: Package) -> None:
    """Add notes and comments to the body of `root`, each marked at the place that refers to it."""
    footnotes = _notes(package, "footnotes")
    endnotes = _notes(package, "endnotes")
    comments = _notes(package, "comments")
    for name, notes, mark in (("footnoteReference", footnotes, "[{}]"), ("endnoteReference", endnotes, "[e{}]")):
        references = list(enumerate(root.iter(w(name)), start=1))
        first = {node.get(w("id")): number for number, node in reversed(references)}
        # Backwards, because each note goes right behind the paragraph and the first must end up first.
        for number, node in reversed(references):
            note = notes.get(node.get(w("id")))
            if note:
                label = mark.format(first[node.get(w("id"))])
                # A few bytes refer to a note; its words stand once, however often that is done.
                if first[node.get(w("id"))] == number:
                    _add_behind(node, paragraph(f"{label} {note.text}"))
                leaf = etree.Element(w("t"), {}, {"w": W})
                leaf.text = label
                node.getparent().replace(node, leaf)
    commented = {node.get(w("id")): node for node in reversed(list(root.iter(w("commentReference"))))}
    for node in commented.values():
        note = comments.get(node.get(w("id")))
        if note:
            _add_behind(node, paragraph(f"{f'Comment by {note.author}' if note.author else 'Comment'}: {note.text}"))


def _notes(package: Package, part: str) -> dict[str, _Note]:
    root = package.xml(f"word/{part}.xml")
    found: dict[str, _Note] = {}
    for node in root if root is not None else ():
        lines = ["".join(leaf.text or "" for leaf in block.iter(w("t"))) for block in plain(node).iter(w("p"))]
        text = " ".join(line.strip() for line in lines if line.strip())
        if text:
            found[node.get(w("id"))] = _Note(text, node.get(w("author")) or "")
    return found


def _add_behind(node: Any, block: Any) -> None:
    top = node
    while top.getparent() is not None and top.getparent().tag != w("body"):
        top = top.getparent()
    if top.getparent() is not None:
        top.addnext(block)
