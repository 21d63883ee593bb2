#!/bin/sh
# atdata, the reader of the AT Protocol's datasets: an environment of its own, because it wants Python 3.12 and 80 packages.
# Never fails: without such a Python, or without the network, the test that needs it skips and says so.
set -u
for python in python3.12 python3.13 python3.14; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        PYTHON=$("$python" -c 'import sys; print(sys.executable)') sh tests/environments/oracle.sh atdata --prerelease allow atdata==0.7.0b1
        exit 0
    fi
done
echo "no Python 3.12 or newer here; the test that reads with atdata will skip" >&2
