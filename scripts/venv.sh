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
# Neither compiles: most of an environment's modules are never imported, and that would take most of the time.
pip_install() { $python -m pip install --quiet --no-compile --disable-pip-version-check --require-hashes -r "$1"; }
# Where pip reaches an index that uv isn't told of, pip installs everything.
if ! cmp -s requirements-uv.txt "$venv/requirements-uv.txt"; then
    pip_install requirements-uv.txt && cp requirements-uv.txt "$venv/" || true
fi
$python -m uv pip install --quiet --system-certs --python "$python" --require-hashes -r "$lock" || pip_install "$lock"
if [ "$lock" = requirements-dev.txt ]; then
    cp requirements.txt "$venv/"
fi
cp "$lock" "$venv/"
