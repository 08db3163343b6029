#!/bin/sh
# Every night: a copy of a standby into the archive, from which the log there leads to every later
# second. Each machine tries, and the first one does it (`now`: even if there is one of today).
set -eu
umask 077
archive="@{archive}"
bases="$archive/bases"
keep=7
recent=$(find "$bases" -maxdepth 1 -name '*Z' -mmin -720)
if [ "${1:-}" != now ] && [ -n "$recent" ]; then
    exit
fi
making=$(mktemp -d "$bases/.making-XXXXXX")
trap 'rm -rf "$making"' EXIT
export PGPASSWORD='@{replication_password}'
"@{postgres}/pg_basebackup" --dbname="postgres://replicator@@{replica_address}/" --pgdata="$making" \
    --format=tar --gzip --wal-method=fetch --checkpoint=fast
tar -xzOf "$making/base.tar.gz" --occurrence=1 backup_label |
    sed -n 's/^START WAL LOCATION:.*(file \([0-9A-F]*\))$/\1/p' >"$making/first_log"
test -s "$making/first_log"
# Good for every moment after it was finished.
name=$(date -u -d '+1 second' +%Y%m%dT%H%M%SZ)
mv "$making" "$bases/$name"
echo "$bases/$name"

find "$bases" -maxdepth 1 -name '*Z*' | sort -r | tail -n "+$((keep + 1))" | xargs -r rm -r
# By the place in the log, whatever its timeline: the first eight digits.
oldest=$(cat "$bases"/*Z*/first_log | sort -k 1.9 | head -n 1)
"@{postgres}/pg_archivecleanup" -x .gz "$archive/log" "$oldest"
