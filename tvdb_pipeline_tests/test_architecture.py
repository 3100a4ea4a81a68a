"""The arrows between rooms, kept by reading the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tvdb_pipeline

PACKAGE = Path(tvdb_pipeline.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
ROOMS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
HEAVY = (
    "unstructured", "spacy", "onnxruntime", "pandas", "openai", "presidio_analyzer", "phonenumbers", "obstore", "ray",
)  # fmt: skip
STATE = ("embedding", "vectorstore", "ingest", "orchestration", "operations")
FORBIDDEN = {
    "parsing": {*STATE, "chunking", "budget", "database"},
    "chunking": {*STATE, "parsing", "budget", "database", "documents"},
    "budget": {*STATE, "parsing", "chunking", "documents"},
    "documents": {*STATE, "parsing", "chunking", "budget"},
    "database": {*STATE, "parsing", "chunking", "budget", "documents"},
    "privacy": {*STATE, "parsing", "chunking", "budget", "documents", "database", "redaction"},
    "storage": {*STATE, "parsing", "chunking", "budget", "documents", "database", "privacy", "redaction"},
    "redaction": {*STATE, "parsing", "chunking", "budget", "documents", "database"},
    "embedding": {"vectorstore", "ingest", "orchestration", "operations", "parsing", "documents", "redaction"},
    "vectorstore": {"redaction", "ingest", "orchestration", "operations", "parsing", "documents"},
    "ingest": {"orchestration", "operations"},
    "orchestration": {"operations"},
}
"""What a room may not import, directly."""
MAY_USE_DAGSTER = ("orchestration/", "definitions.py")
MAY_OPEN_ORCHESTRATION_LATE = ("operations/", "cli.py")


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(node: ast.AST) -> Iterator[str]:
    """Full names of the modules a piece of code imports, wherever in it."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Import):
            yield from (alias.name for alias in inner.names)
        elif isinstance(inner, ast.ImportFrom):
            assert inner.level == 0, "imports are absolute"
            yield from (f"{inner.module}.{alias.name}" for alias in inner.names)


def at_import(module: ast.Module) -> Iterator[str]:
    """What is imported as the module is: not inside functions, not for type checkers only."""
    for node in module.body:
        type_checking = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) and not type_checking:
            yield from imported(node)


def rooms_of(names: Iterator[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("tvdb_pipeline.")}


def test_the_rooms_are_those_of_the_design() -> None:
    assert set(FORBIDDEN) < set(ROOMS)


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_rooms_before_it(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        assert not rooms_of(imported(tree(path))) & FORBIDDEN[room], named(path)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_dagster_is_imported_in_orchestration_only(path: Path) -> None:
    tops = {name.split(".")[0] for name in imported(tree(path))}
    uses = any(top == "dagster" or top.startswith("dagster_") for top in tops)
    assert not uses or named(path).startswith(MAY_USE_DAGSTER)


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_orchestration_is_opened_late_by_those_who_may(path: Path) -> None:
    name = named(path)
    if name.startswith(MAY_USE_DAGSTER):
        return
    opened_late_ok = name.startswith(MAY_OPEN_ORCHESTRATION_LATE)
    looked_at = at_import(tree(path)) if opened_late_ok else imported(tree(path))
    rooms = {part for part in looked_at if part.startswith("tvdb_pipeline.orchestration")}
    assert not rooms


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_only_settings_reads_our_names_from_the_environment(path: Path) -> None:
    if named(path) == "settings.py":
        return
    for node in ast.walk(tree(path)):
        read = ""
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "os.getenv",
            "os.environ.get",
            "getenv",
            "environ.get",
        ):
            read = ast.unparse(node.args[0])
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value) in ("os.environ", "environ"):
            read = ast.unparse(node.slice)
        elif isinstance(node, ast.Compare) and any(ast.unparse(part).endswith("environ") for part in node.comparators):
            read = ast.unparse(node.left)
        assert not read.strip("'\"").startswith(("TVDB_", "OPENAI_")), read


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=named)
def test_a_package_file_holds_a_docstring_and_nothing_else(path: Path) -> None:
    module = tree(path)
    assert ast.get_docstring(module)
    assert len(module.body) == 1


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_says_what_belongs_in_it(path: Path) -> None:
    text = " ".join((ast.get_docstring(tree(path)) or "").split())
    assert "elong" in text, "a module's docstring says what belongs in it"


def test_loading_the_definitions_imports_nothing_heavy_and_opens_nothing() -> None:
    code = f"""
import socket, sys
def refuse(*_, **__): raise SystemExit("a socket was opened")
socket.socket.connect = refuse
import tvdb_pipeline.definitions
print(",".join(name for name in {HEAVY!r} if name in sys.modules))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout.strip()) == (0, ""), result.stderr[-500:]


def test_the_parent_process_parses_nothing() -> None:
    code = """
import sys, tvdb_pipeline.ingest.walk
print(",".join(name for name in ("pypdfium2", "PIL", "unstructured") if name in sys.modules))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
