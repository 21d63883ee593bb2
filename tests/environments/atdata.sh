#!/bin/sh
# atdata, the reader of the AT Protocol's datasets: an environment of its own, because it wants Python 3.12 and 80 packages.
# Never fails: without such a Python, or without the network, the test that needs it skips and says so.
set -u
mkdir -p .oracles

# Every interpreter that may be one, the likeliest first: on the path, known to uv, kept by pyenv (whose shims answer for none).
candidates() {
    for name in python3.12 python3.13 python3.14 python3; do command -v "$name"; done
    .uv/bin/uv python list --only-installed 2>/dev/null | awk '{print $2}'
    root=$(pyenv root 2>/dev/null) && ls -d "$root"/versions/3.1[2-9]*/bin/python3
}

suitable() {
    candidates 2>/dev/null | while read -r python; do
        "$python" -c 'import sys, venv; assert sys.version_info >= (3, 12); print(sys.executable)' 2>/dev/null && break
    done
}

PYTHON=$(suitable)
if [ -z "$PYTHON" ]; then
    echo "no Python 3.12 or newer here; asking uv for one ..." >&2
    if UV_PYTHON_DOWNLOADS=manual .uv/bin/uv python install --no-bin --install-dir .oracles/python 3.12 >.oracles/atdata.log 2>&1; then
        PYTHON=$(ls -d .oracles/python/cpython-3.12*/bin/python3.12 | head -n 1)
    fi
fi
if [ -n "$PYTHON" ]; then
    PYTHON=$PYTHON sh tests/environments/oracle.sh atdata --prerelease allow atdata==0.7.0b1
else
    echo "no Python 3.12 or newer here, and uv could not get one (.oracles/atdata.log); the test that reads with atdata will skip" >&2
fi
