#!/bin/sh
# Patroni calls this once, on the first primary of a new cluster, with the address of its database.
# There is no standby yet that could confirm, so it doesn't wait for one.
set -eu
export PGOPTIONS="-c synchronous_commit=local"
exec "@{postgres}/psql" --no-psqlrc --quiet --set ON_ERROR_STOP=1 "$1" <<'SQL'
CREATE ROLE mesto LOGIN PASSWORD '@{site_password}';
CREATE DATABASE mesto OWNER mesto;
SQL
