#!/bin/sh
set -e
if ! getent passwd certwright-agent >/dev/null; then
    if command -v adduser >/dev/null 2>&1 && [ -e /etc/debian_version ]; then
        adduser --system --group --no-create-home --home /var/lib/certwright-agent --quiet certwright-agent
    else
        useradd --system --user-group --no-create-home --home-dir /var/lib/certwright-agent \
            --shell /usr/sbin/nologin certwright-agent
    fi
fi
chown certwright-agent:certwright-agent /var/lib/certwright-agent
chmod 0750 /var/lib/certwright-agent
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || true
    # An upgrade restarts the instances that run; a first installation has none.
    systemctl try-restart 'certwright-agent@*.service' || true
fi
