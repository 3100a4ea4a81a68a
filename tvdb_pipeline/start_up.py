"""What keeps a process from starting: settings that are wrong, misspelt or missing, each refused in one sentence.

Belongs here: those judgements, over names and values they are given. Does not: reading the environment (`settings`), or whether
the machine is fit (`operations.readiness`). A refusal names settings as the environment spells them, and never a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from tvdb_pipeline.errors import TvdbError

PREFIX = "TVDB_"
NOT_SETTINGS = frozenset({"TVDB_CORPUS", "TVDB_DAGSTER_DATABASE_URL", "TVDB_BENCH_STARTED"})
"""Names with our prefix that others read: tests, dagster.yaml, benchmarks."""
_NEAR = 0.8
"""Likeness without prefix from which on an unknown name is taken for a setting misspelt, as `difflib` counts: 1 is equal."""


def refuse_unknown_environment(env: str, file: Path) -> None:
    """An environment is what its file makes it; only development can do without one."""
    if env != "development" and not file.is_file():
        raise TvdbError(
            "bad_setting", "TVDB_ENV names an environment that has no .env.<name> file; correct it, or write that file."
        )


def refuse_misspelt(present: Iterable[str], known: Collection[str]) -> None:
    """A name that is almost a setting's: left alone, the setting would fall back to its default without a word."""
    found: list[str] = []
    for name in sorted(set(present)):
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known and upper not in NOT_SETTINGS:
            meant = _meant(upper, known)
            found += [f"{name} ({meant}?)"] if meant else []
    if found:
        raise TvdbError("bad_setting", f"No such setting, but almost: {', '.join(found)}; correct it or unset it.")


def _meant(name: str, known: Collection[str]) -> str | None:
    """The setting whose letters are nearly these, or which has all these words and more."""
    bare = {setting.removeprefix(PREFIX): setting for setting in known}
    given = name.removeprefix(PREFIX)
    words = set(given.split("_"))
    holding = [setting for setting in bare if len(words) > 1 and words <= set(setting.split("_"))]
    near = difflib.get_close_matches(given, bare, 1, _NEAR) or holding
    return bare[near[0]] if near else None


def invalid(error: ValidationError, names: Mapping[str, str]) -> TvdbError:
    """The refusal for values that are not valid. names: of a setting's field in the environment."""
    wrong: dict[str, str] = {}
    for each in error.errors(include_input=False, include_url=False, include_context=False):
        field = str(each["loc"][0]) if each["loc"] else "?"
        wrong.setdefault(names.get(field, field), each["msg"])
    listed = "; ".join(f"{name} ({message})" for name, message in wrong.items())
    return TvdbError("bad_setting", f"Setting{'s' * (len(wrong) > 1)} not valid: {listed}; correct and try again.")


def refuse_incomplete(env: str, missing: Sequence[str]) -> None:
    """What an environment cannot do without."""
    if missing:
        raise TvdbError(
            "missing_setting", f"TVDB_ENV={env} cannot start without {', '.join(missing)}; set what is missing."
        )
