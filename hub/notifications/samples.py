"""A made-up object of each kind, for previews."""

from __future__ import annotations

from datetime import datetime, timedelta

from hub.notifications.catalog import NotificationType
from hub.notifications.objects import ObjectFacts, time_text
from hub.notifications.variables import OF_OBJECTS

_VALUES = {
    "common_name": "www.example.com",
    "names": "www.example.com, example.com",
    "type": "ssl",
    "serial": "4a1f6c0e77b2d9381c55",
    "issuer": "CN=Example Issuing CA,O=Example,C=LU",
    "fingerprint": "3f9c1a74" * 8,
    "term_days": "47",
    "profile": "Public TLS server",
    "key_type": "ECDSA P-256",
    "order_number": "204518",
    "requester": "Jane Doe",
    "external_requesters": "webmaster@example.com",
    "approver": "John Smith",
    "decision_message": "Checked with the web team.",
    "comments": "For the new shop.",
    "revocation_reason": "superseded",
    "install_state": "Successful",
    "renewal_state": "Scheduled",
    "reason": "ExampleReason",
    "instruction": "What somebody has to do about it.",
    "message": "What the program or the person said.",
    "name": "Example",
    "agent": "agent-1",
    "kind": "network",
    "hostname": "agent-1.example.com",
    "version": "1.0.0",
    "domain": "example.com",
    "method": "dns_txt",
    "requested_by": "Jane Doe",
    "decided_by": "John Smith",
    "username": "jane",
    "email": "jane@example.com",
    "created_by": "admin",
    "backend": "Example CA",
    "started_by": "Jane Doe",
    "targets_scanned": "256",
    "endpoints_found": "41",
    "certificates_found": "37",
    "certificates_new": "5",
    "rotations": "2",
    "disappeared": "1",
    "imported": "120",
    "failed": "3",
    "days_left": "14",
    "organization": "Example Inc.",
    "department": "Web",
}
_STATUS = {"certificate": "Issued", "scan": "Successful", "agent": "active", "domain": "requested"}


def sample(kind: NotificationType, now: datetime) -> ObjectFacts:
    """Return an object that the type could be about."""
    times = {
        "not_before": now - timedelta(days=33),
        "not_after": now + timedelta(days=14),
        "trial_until": now + timedelta(days=5),
        "started": now - timedelta(minutes=2),
        "ended": now,
        "validated_at": now - timedelta(days=180),
        "last_seen": now - timedelta(minutes=20),
    }
    known = {*OF_OBJECTS[kind.object_type], "organization", "department", "reason", "message", "instruction"}
    values = {name: value for name, value in _VALUES.items() if name in known}
    values |= {name: time_text(at) for name, at in times.items() if name in known}
    return ObjectFacts(
        object_type=kind.object_type,
        object_id="1",
        path="",
        has_passphrase=kind.object_type == "certificate",
        status=_STATUS.get(kind.object_type, "active"),
        values=values,
    )
