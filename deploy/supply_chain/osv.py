"""Asking the OSV database (https://osv.dev) which known vulnerabilities distributions of PyPI have.

Belongs here: its protocol. Does not: what follows from an answer (`advisories`). One request asks about all distributions; each
vulnerability that was found is then looked up. What is told to OSV is names and versions of public packages.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, cast
from urllib.parse import quote

from packaging.utils import canonicalize_name

SERVICE = "https://api.osv.dev"
_TIMEOUT_SECONDS = 20.0
_AT_ONCE = 1000
_PAGES = 20


class Unavailable(Exception):
    """No answer was to be had; says why in a few words."""


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One that a distribution has. ids: all it goes by, the one it was found under first; fixed: versions that lack it."""

    package: str
    version: str
    ids: tuple[str, ...]
    fixed: tuple[str, ...]


def known(packages: Iterable[tuple[str, str]], service: str = SERVICE) -> list[Vulnerability]:
    """The vulnerabilities of these (name, version) pairs, each once however many ids it has. Raises Unavailable."""
    asked = list(packages)
    found: list[Vulnerability] = []
    for start in range(0, len(asked), _AT_ONCE):
        some = asked[start : start + _AT_ONCE]
        for (name, version), ids in zip(some, _ids(some, service), strict=True):
            entries = [_get(f"{service}/v1/vulns/{quote(each, safe='')}") for each in ids]
            found += _merged(name, version, [entry for entry in entries if not entry.get("withdrawn")])
    return found


def _ids(packages: Sequence[tuple[str, str]], service: str) -> list[list[str]]:
    """Ids for each package. What does not fit into one answer is asked for again, with the mark it gave."""
    found: list[list[str]] = [[] for _ in packages]
    waiting: dict[int, str | None] = dict.fromkeys(range(len(packages)))
    for _ in range(_PAGES):
        queries = [_query(*packages[index], mark) for index, mark in waiting.items()]
        results = _list(_get(f"{service}/v1/querybatch", {"queries": queries}).get("results"))
        if len(results) != len(queries):
            raise Unavailable("its answer is not about what was asked")
        following: dict[int, str | None] = {}
        for index, result in zip(waiting, results, strict=True):
            found[index] += [str(each["id"]) for each in _list(result.get("vulns", []))]
            if mark := result.get("next_page_token"):
                following[index] = str(mark)
        waiting = following
        if not waiting:
            return found
    raise Unavailable("its answer does not come to an end")


def _query(name: str, version: str, mark: str | None) -> dict[str, object]:
    query: dict[str, object] = {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
    return query | ({"page_token": mark} if mark else {})


def _merged(name: str, version: str, entries: Sequence[Mapping[str, Any]]) -> list[Vulnerability]:
    """One for each vulnerability: databases write down the same one under ids of their own, and name each other's."""
    found: list[Vulnerability] = []
    for entry in entries:
        ids = [str(entry.get("id")), *(str(alias) for alias in entry.get("aliases", []))]
        fixed = _fixed(name, entry)
        same = next((each for each in found if set(each.ids) & set(ids)), None)
        if same is not None:
            found.remove(same)
            ids, fixed = [*same.ids, *ids], [*same.fixed, *fixed]
        found.append(Vulnerability(name, version, tuple(dict.fromkeys(ids)), tuple(dict.fromkeys(fixed))))
    return found


def _fixed(name: str, entry: Mapping[str, Any]) -> list[str]:
    return [
        str(event["fixed"])
        for affected in entry.get("affected", [])
        if canonicalize_name(affected.get("package", {}).get("name", "")) == name
        for span in affected.get("ranges", [])
        if span.get("type") != "GIT"
        for event in span.get("events", [])
        if "fixed" in event
    ]


def _get(url: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
    """The JSON object at a URL; with a body, the answer to posting it. Raises Unavailable."""
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, content, {"Content-Type": "application/json", "User-Agent": "tvdb-pipeline-check"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            said: object = json.load(answer)
    except urllib.error.HTTPError as error:
        raise Unavailable(f"it answers {error.code}") from None
    except urllib.error.URLError as error:
        raise Unavailable(f"it cannot be reached ({type(error.reason).__name__})") from None
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(f"its answer broke off ({type(error).__name__})") from None
    if not isinstance(said, dict):
        raise Unavailable("its answer is of another form")
    return cast("dict[str, Any]", said)


def _list(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in cast("list[object]", value)):
        raise Unavailable("its answer is of another form")
    return cast("list[dict[str, Any]]", value)
