#!/bin/sh
# PostgreSQL calls this with each file of its log that is full or a minute old: its path and its name.
# Only what says 0 is forgotten here, so a shared folder that isn't mounted loses nothing.
set -eu
umask 077
kept="@{archive}/log/$2.gz"
if [ -e "$kept" ]; then
    # Sent before a crash, and not noted any more. Never replaced: it could be another cluster's.
    gzip -dc "$kept" | cmp -s - "$1" && exit
    echo "$kept is there already, and is not the same." >&2
    exit 1
fi
sending="@{archive}/log/.$2.$(hostname).$$"
trap 'rm -f "$sending"' EXIT
gzip -1 -c "$1" >"$sending"
sync "$sending"
mv "$sending" "$kept"
