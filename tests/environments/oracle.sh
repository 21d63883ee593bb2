#!/bin/sh
# Make an environment of its own for a program that the tests compare with: oracle.sh NAME REQUIREMENT...
# Never fails: without the network the tests that need it skip and say so.
set -u
name=$1
shift
folder=.oracles/$name
log=$folder.log
mkdir -p .oracles

if [ "$name" = scopefoundry ] && [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
    # What PyQt6's wheel expects of the system, even offscreen.
    missing=
    for library in libgl1 libegl1 libxkbcommon0 libdbus-1-3 libfontconfig1; do
        dpkg -s "$library" >/dev/null 2>&1 || missing="$missing $library"
    done
    if [ -n "$missing" ]; then
        # shellcheck disable=SC2086 the names are words
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 ||
            echo "the libraries$missing cannot be installed ($log)" >&2
    fi
fi

if .uv/bin/uv venv --quiet --clear --python "${PYTHON:-python3}" "$folder" >>"$log" 2>&1 &&
    .uv/bin/uv pip install --quiet --python "$folder/bin/python" "$@" >>"$log" 2>&1; then
    touch "$folder/.ready"
else
    echo "$name cannot be installed ($log); the tests that need it will skip" >&2
fi
