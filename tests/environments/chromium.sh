#!/bin/sh
# The browser tests need Chromium and its driver of the same version. Installed only by root on Debian and Ubuntu.
# Never fails: without a browser those tests skip and say so.
set -u
if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! [ -e /etc/debian_version ]; then
    echo "no chromium and chromedriver here; the browser tests will skip (Debian: apt-get install chromium chromium-driver)" >&2
    exit 0
fi
mkdir -p .oracles
echo "installing chromium and chromium-driver for the browser tests" >&2
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium chromium-driver; } \
    >.oracles/chromium.log 2>&1 ||
    echo "chromium cannot be installed (.oracles/chromium.log); the browser tests will skip" >&2
exit 0
