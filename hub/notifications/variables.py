"""The variables of templates: for every notification, and for each kind of object one is about."""

from __future__ import annotations

from collections.abc import Mapping

COMMON: Mapping[str, str] = {
    "title": "The type of the notification, in words",
    "occurred_at": "When it happened, in UTC",
    "organization": "Name of the organization",
    "department": "Name of the department",
    "url": "Where the object is in the console",
    "hub_url": "Address of the console",
}
OF_EVENTS: Mapping[str, str] = {
    "reason": "The stable word for why it happened, if there is one",
    "message": "What was said about it, by a person or by the program that failed",
    "instruction": "What somebody has to do about it",
    "actor": "Who did it, if the event tells",
}

_CERTIFICATE = {
    "id": "The certificate's number here",
    "common_name": "Common name",
    "names": "All DNS names and addresses, with commas",
    "status": "Its status",
    "type": "ssl, client, code_signing or device",
    "serial": "Serial number, in hex",
    "issuer": "Distinguished name of the issuer",
    "fingerprint": "SHA-256 fingerprint",
    "not_before": "First day of validity, in UTC",
    "not_after": "End of validity, in UTC",
    "days_left": "Whole days until the end of validity",
    "term_days": "Ordered term in days",
    "profile": "Name of the certificate profile",
    "key_type": "Type of the key",
    "order_number": "The CA's number of the order",
    "requester": "Who asked for it",
    "external_requesters": "E-mail addresses of external requesters",
    "approver": "Who approved or declined it",
    "decision_message": "What they said",
    "comments": "Comments on the request",
    "revocation_reason": "Why it was revoked",
    "install_state": "Where its installation is",
    "renewal_state": "Where its renewal is",
    "download_url": "Where it is collected",
    "self_service_url": "Where it is collected without an account, if it has a passphrase",
}
_DOMAIN_VALIDATION = {
    "id": "Number of the validation",
    "domain": "The domain",
    "status": "State of the validation",
    "method": "How control is shown",
    "validated_at": "When control was shown last",
    "not_after": "Until when that counts",
    "days_left": "Whole days until then",
}

OF_OBJECTS: Mapping[str, Mapping[str, str]] = {
    "certificate": _CERTIFICATE,
    "scan": {
        "id": "Number of the scan",
        "name": "Name of the discovery task",
        "agent": "The agent that scanned",
        "status": "How it ended",
        "started": "When it began",
        "ended": "When it ended",
        "started_by": "Who started it",
        "targets_scanned": "How many targets were looked at",
        "endpoints_found": "How many TLS ports answered",
        "certificates_found": "How many different certificates they showed",
        "certificates_new": "How many of these were new",
        "rotations": "On how many ports the certificate had changed",
        "disappeared": "How many ports no longer answered",
    },
    "agent": {
        "id": "The agent's id",
        "name": "The agent's name",
        "kind": "network, pks or msad",
        "status": "active or removed",
        "hostname": "Its host",
        "version": "Its version",
        "last_seen": "When it was last heard of",
        "not_after": "Until when its identity certificate is valid",
        "days_left": "Whole days until then",
    },
    "domain_validation": _DOMAIN_VALIDATION,
    "domain": {
        "id": "Number of the delegation",
        "name": "The domain",
        "status": "requested, approved or rejected",
        "requested_by": "Who asked for it",
        "decided_by": "Who decided",
        "decision_message": "What they said",
    },
    "organization": {
        "id": "The organization's number",
        "name": "Its name",
        "status": "State of its validation",
        "not_after": "Until when the validation counts",
        "days_left": "Whole days until then",
    },
    "administrator": {
        "id": "The administrator's number",
        "name": "Name",
        "username": "User name",
        "email": "E-mail address",
        "status": "active or inactive",
        "created_by": "Who created them",
    },
    "ca_authority": {
        "id": "The CA certificate's number",
        "name": "Short name of the CA",
        "backend": "The backend it belongs to",
        "status": "root or issuing",
        "not_after": "End of its validity",
        "days_left": "Whole days until then",
        "trial_until": "End of its trial, if it is in trial mode",
    },
    "certificate_import": {
        "id": "Number of the import",
        "name": "The file",
        "status": "How it ended",
        "imported": "How many certificates came in",
        "failed": "How many files could not be read",
    },
}
"""Type of object -> its variables."""
