#!/bin/sh
# Installs the real servers that the tests talk to, from Debian's packages. Does nothing where all are present.
# Without root it says what is missing and how to get it.
set -eu
missing=""
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
need apache2 apache2
need nginx nginx-light
need chromium chromium
need openssl openssl
need curl curl
need dpkg-deb dpkg
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "tests: missing programs. On Debian or Ubuntu, as root: apt-get install$missing" >&2
    exit 1
fi
echo "tests: installing$missing"
# The packages must not start their services: the tests run private instances on free ports.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of names
apt-get install -y -qq --no-install-recommends $missing >/dev/null
