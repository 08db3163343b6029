#!/bin/sh
# Bring .venv to what a lock says: `venv.sh requirements.txt`, or requirements-dev.txt,
# which holds everything of the other. The copy of a lock inside .venv says that it is
# installed, so nothing happens until the lock changes.
set -eu
lock=$1
python=.venv/bin/python

if ! $python -c 'import pip, sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
    base=$(scripts/find_python.sh)
    echo "Making .venv with $base"
    rm -rf .venv
    "$base" -m venv .venv
fi

if cmp -s "$lock" ".venv/$lock"; then
    exit
fi

echo "Installing $lock"
rm -f .venv/requirements-dev.txt
$python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
cp requirements.txt .venv/
cp "$lock" .venv/
