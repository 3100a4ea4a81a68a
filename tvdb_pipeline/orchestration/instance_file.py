"""The instance file of Dagster's home, composed.

Belongs here: which file of the project it is, and what the settings change in it. Does not: where it goes (`home`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tvdb_pipeline.errors import TvdbError
from tvdb_pipeline.settings import Settings, project_root

_BACKFILL_SHARE = 0.75
"""Of the runs at once: what is left is for uploads, while somebody's backfill lasts."""


def instance_file(settings: Settings) -> bytes:
    """The project's dagster.yaml, in production that of deploy/; for a cluster with deploy/scale/dagster.yaml laid over it.

    Raises TvdbError(`scale_missing`) where the launcher is not installed.
    """
    root = project_root()
    content = ((root / "deploy" if settings.env == "production" else root) / "dagster.yaml").read_bytes()
    if settings.run_launcher == "local":
        return content
    if importlib.util.find_spec("dagster_ray") is None or importlib.util.find_spec("ray") is None:
        raise TvdbError("scale_missing", "TVDB_RUN_LAUNCHER=ray needs the extra `scale`; install tvdb_pipeline[scale].")
    import yaml

    merged = _laid_over(yaml.safe_load(content), _filled_in(root / "deploy" / "scale" / "dagster.yaml", settings))
    return yaml.safe_dump(merged, sort_keys=False).encode()


def _filled_in(file: Path, settings: Settings) -> dict[str, Any]:
    import yaml

    overlay: dict[str, Any] = yaml.safe_load(file.read_bytes())
    runs = overlay["concurrency"]["runs"]
    overlay["run_launcher"]["config"]["ray"]["address"] = settings.ray_address
    runs["max_concurrent_runs"] = settings.concurrent_runs
    runs["tag_concurrency_limits"][0]["limit"] = max(1, int(settings.concurrent_runs * _BACKFILL_SHARE))
    return overlay


def _laid_over(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        # A launcher of another kind takes none of the settings of the one before.
        merged[name] = _laid_over(merged[name], value) if both and name != "run_launcher" else value
    return merged
