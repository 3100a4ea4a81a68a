#!/bin/sh
# Makes the role and the database of tvdb, as the administrator. The extension is made here, because the role may not.
set -eu
password=$(cat /run/secrets/postgres-password)
psql -v ON_ERROR_STOP=1 -v password="$password" --username postgres <<'SQL'
CREATE ROLE tvdb LOGIN PASSWORD :'password';
CREATE DATABASE tvdb OWNER tvdb;
\connect tvdb
CREATE EXTENSION vector;
SQL
