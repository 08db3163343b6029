#!/bin/sh
# Print the path of a Python >= 3.12 that can make a venv, or say how to get one.
# Order: $PYTHON, pyenv's real interpreters (never its shims), the PATH, uv.
MIN_MINOR=12

ok() { # by running it: a pyenv shim for another version is on the PATH but exits with 127
    "$1" -c "import sys, ssl, sqlite3, venv, ensurepip
sys.exit(not ((3, $MIN_MINOR) <= sys.version_info[:2] < (3, 16)))" >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    ok "$PYTHON" && echo "$PYTHON" && exit
    echo "PYTHON=$PYTHON is not a Python 3.$MIN_MINOR+ with venv." >&2
    exit 1
fi

for candidate in $(ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3 2>/dev/null | sort -rV); do
    ok "$candidate" && echo "$candidate" && exit
done

for name in python3.14 python3.13 python3.12 python3 python /usr/local/bin/python3 /opt/homebrew/bin/python3; do
    candidate=$(command -v "$name" 2>/dev/null) && ok "$candidate" &&
        "$candidate" -c 'import sys; print(sys.executable)' && exit
done

if command -v uv >/dev/null 2>&1; then
    candidate=$(uv python find --no-project ">=3.$MIN_MINOR" 2>/dev/null) && ok "$candidate" &&
        echo "$candidate" && exit
    uv python install 3.13 >&2 && uv python find --no-project 3.13 && exit
fi

cat >&2 <<TEXT
No Python 3.$MIN_MINOR or newer with venv was found. Install one:
    Debian, Ubuntu   apt install python3 python3-venv
    macOS            brew install python@3.13
    pyenv            pyenv install 3.13
    uv               uv python install 3.13
or name one: make run PYTHON=/path/to/python3
TEXT
exit 1
