#!/bin/sh
# Makes the database of tvdb and, by deploy/roles.sql, its roles, as the administrator; then gives each login its password, from lines
# `LOGIN PASSWORD`. Runs once, on an empty volume.
set -eu
psql -v ON_ERROR_STOP=1 --username postgres --command 'CREATE DATABASE tvdb'
psql -v ON_ERROR_STOP=1 --username postgres --dbname tvdb --file /opt/tvdb/roles.sql
while read -r login password || [ -n "$login" ]; do
    # By the environment: arguments of a process can be read by everybody on the machine.
    PASSWORD=$password psql -v ON_ERROR_STOP=1 -v login="$login" --username postgres --dbname tvdb <<'SQL'
\getenv password PASSWORD
ALTER ROLE :"login" PASSWORD :'password';
SQL
done < /run/secrets/database-passwords
