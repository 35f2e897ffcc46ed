#!/bin/sh
set -e
# Keys and identities stay until the package is purged: removing a program must not destroy keys.
if [ "${1:-}" = purge ]; then
    rm -rf /var/lib/certwright-agent
    if getent passwd certwright-agent >/dev/null && command -v deluser >/dev/null 2>&1; then
        deluser --system --quiet certwright-agent || true
    fi
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
fi
