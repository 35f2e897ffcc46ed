#!/bin/sh
# Installs real server programs from Debian's packages: those named as arguments, or all that the tests talk to.
# Does nothing where all are present. Without root it says what is missing and how to get it.
set -eu
missing=""
step_ca=""
need() { # need PROGRAM PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="$missing $2"
}
[ $# -gt 0 ] || set -- apache2 nginx chromium openssl curl postgresql systemd-analyze adduser xmlsec1 knotd keytool softhsm2 pebble step-ca
for program in "$@"; do
    case "$program" in
        nginx) need nginx nginx-light ;;
        knotd) need knotd knot ;;
        softhsm2) need softhsm2-util softhsm2 ;;
        keytool) need keytool default-jre-headless ;;
        systemd-analyze) need systemd-analyze systemd ;;
        step-ca) step_ca=wanted ;;
        postgresql) ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql" ;;
        *) need "$program" "$program" ;;
    esac
done
# Not in Debian: built from its pinned source (minutes), once, where there is Go; its tests say when it is missing.
bin="${XDG_CACHE_HOME:-$HOME/.cache}/certwright-tests/bin"
if [ -n "$step_ca" ] && ! command -v step-ca >/dev/null 2>&1 && [ ! -x "$bin/step-ca" ]; then
    if command -v go >/dev/null 2>&1; then
        echo "building step-ca in $bin"
        mkdir -p "$bin"
        CGO_ENABLED=0 GOBIN="$bin" go install github.com/smallstep/certificates/cmd/step-ca@v0.30.2 ||
            echo "step-ca could not be built: its tests will say so" >&2
    else
        echo "step-ca is built from source with Go 1.25 or newer, which is missing" >&2
    fi
fi
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "missing programs; on Debian or Ubuntu, as root: apt-get install$missing" >&2
    exit 1
fi
echo "installing$missing from Debian's packages"
# The packages must not start their services: private instances run on free ports.
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
