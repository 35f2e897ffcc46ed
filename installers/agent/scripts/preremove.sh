#!/bin/sh
set -e
# Debian says "remove" or "upgrade"; rpm says how many versions will be left.
case "${1:-remove}" in
    remove|0)
        if [ -d /run/systemd/system ]; then
            systemctl stop 'certwright-agent@*.service' || true
            systemctl disable 'certwright-agent@.service' 2>/dev/null || true
        fi
        ;;
esac
