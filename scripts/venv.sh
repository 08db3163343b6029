#!/bin/sh
# Bring an environment in line with a lock: `venv.sh .venv requirements.txt`, or requirements-dev.txt,
# which includes the other; or .venv-schemathesis, which is separate. A copy of the
# lock inside marks it as installed, so nothing happens until the lock changes.
set -eu
venv=$1
lock=$2
python=$venv/bin/python

if ! $python -c 'import pip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
    base=$(scripts/find_python.sh)
    echo "Making $venv with $base"
    rm -rf "$venv"
    "$base" -m venv "$venv"
fi

if cmp -s "$lock" "$venv/$lock"; then
    exit
fi

echo "Installing $lock"
rm -f "$venv/requirements-dev.txt"
$python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
if [ "$lock" = requirements-dev.txt ]; then
    cp requirements.txt "$venv/"
fi
cp "$lock" "$venv/"
