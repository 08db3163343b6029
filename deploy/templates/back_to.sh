#!/bin/sh
# Go back to a moment, on a machine whose Patroni is stopped: docs/backups.md.
#     back_to@{number}.sh '2026-11-30 12:00:00+00'    show what was there then; once more with another, if need be
#     back_to@{number}.sh latest                      the newest that the archive has
#     back_to@{number}.sh take                        stay there: the database of a new cluster
# After the moment, the number of a timeline that was left by going back before.
set -eu
umask 077
archive="@{archive}"
data="@{data}/postgres@{number}"
server="@{postgres}"
log="@{data}/back_to@{number}.log"

fail() {
    echo "$1" >&2
    exit 1
}

ask() {
    "$server/psql" --no-psqlrc -qAt -h "$data" -p "@{postgres_port}" -U postgres postgres -c "$1"
}

[ $# -ge 1 ] || fail "To which moment? Or 'latest', or 'take'."

if [ "$1" = take ]; then
    is_replaying=$(ask 'SELECT pg_is_in_recovery()') || fail "First name a moment, and look at what is there."
    if [ "$is_replaying" = t ]; then
        "$server/pg_ctl" promote -D "$data" -t 86400 -s
    fi
    "$server/pg_ctl" stop -D "$data" -m fast -t 86400 -s
    # Later bases are of what is left now: nothing leads from them to what comes.
    wanted=$(sed -n 's/^# //p' "$data/back.conf")
    find "$archive/bases" -maxdepth 1 -name '*Z' |
        awk -v wanted="$wanted" -F/ '$NF > wanted' |
        while read -r later; do mv "$later" "$later.left"; done
    rm "$data/back.conf" "$data/back_hba.conf"
    echo "It stays. Now: patronictl remove, and start Patroni here first."
    exit
fi

case $1 in
latest) moment='' wanted=9 ;;
*)
    moment=$(date -u -d "$1" '+%Y-%m-%d %H:%M:%S.%6N+00')
    wanted=$(date -u -d "$1" +%Y%m%dT%H%M%SZ)
    ;;
esac
base=$(find "$archive/bases" -maxdepth 1 -name '*Z' | sort |
    awk -v wanted="$wanted" -F/ '$NF <= wanted' | tail -n 1)
[ -n "$base" ] || fail "No base in $archive/bases is older than that."

if [ -e "$data/back.conf" ]; then
    # Another moment than the one before.
    "$server/pg_ctl" stop -D "$data" -m immediate -s || true # it may have ended by itself
    rm -r "$data"
elif [ -e "$data" ]; then
    ! "$server/pg_ctl" status -D "$data" >/dev/null || fail "PostgreSQL runs here: stop Patroni first."
    [ ! -e "$data.before" ] || fail "$data.before is there from last time: remove it."
    mv "$data" "$data.before"
    echo "What was here is in $data.before."
fi

echo "From $base"
mkdir -m 700 "$data"
touch "$data/back.conf"
tar -xzf "$base/base.tar.gz" -C "$data"
rm -f "$data/standby.signal"
touch "$data/recovery.signal"
# Its socket is in a folder that nobody else enters.
echo "local all postgres trust" >"$data/back_hba.conf"
cat >"$data/back.conf" <<CONF
# $wanted
include 'postgresql.conf'
port = @{postgres_port}
listen_addresses = ''
unix_socket_directories = '$data'
hba_file = '$data/back_hba.conf'
primary_conninfo = ''
synchronous_standby_names = ''
restore_command = 'test -e "$archive/log/%f.gz" && gzip -dc "$archive/log/%f.gz" >"%p"'
recovery_target_time = '$moment'
recovery_target_timeline = '${2:-latest}'
recovery_target_action = 'pause'
CONF
"$server/pg_ctl" start -D "$data" -l "$log" -t 86400 -s -o "-c config_file='$data/back.conf'" ||
    fail "It didn't start: $log says why."
state='not paused'
while [ "$state" = 'not paused' ]; do
    sleep 0.2
    state=$(ask "SELECT CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state()
        ELSE 'done' END" 2>>"$log") ||
        fail "The archive doesn't lead there (after the last change? then: latest). $log says more."
done
echo "The last change in it was at $(ask 'SELECT pg_last_xact_replay_timestamp()')."
echo "Look: psql -h $data -p @{postgres_port} -U postgres mesto"
echo "Then '$0 take', or another moment."
