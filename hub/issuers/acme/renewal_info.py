"""ACME Renewal Information (RFC 9773): which certificate is asked about, and what the CA suggests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from hub.issuers.acme.errors import CaUnreachable
from hub.issuers.acme.jws import b64u
from hub.issuers.contract import RenewalInfo

DEFAULT_RETRY_S = 6 * 3600
# A CA may want to be asked again soon, or hardly ever; the hub does neither (RFC 9773, 4.3.2).
_MIN_RETRY_S, _MAX_RETRY_S = 60, 86_400


def certificate_id(certificate_der: bytes) -> str:
    """Return key identifier and serial number, joined as in RFC 9773, 4.1; "" where there is no key id."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    try:
        extension = certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    except x509.ExtensionNotFound:
        return ""
    value = extension.value
    if not isinstance(value, x509.AuthorityKeyIdentifier) or value.key_identifier is None:
        return ""
    return f"{b64u(value.key_identifier)}.{b64u(_serial_bytes(certificate.serial_number))}"


def _serial_bytes(serial: int) -> bytes:
    # The content of the DER INTEGER: a zero byte in front where the first bit would make it negative.
    return serial.to_bytes(serial.bit_length() // 8 + 1)


def read_renewal_info(value: Mapping[str, Any], *, retry_after_s: int) -> RenewalInfo:
    """Read the CA's suggestion (4.2). Raises CaUnreachable: it makes no sense."""
    window = value.get("suggestedWindow")
    if not isinstance(window, dict):
        raise CaUnreachable("the CA's renewal information has no window")
    start, end = _time(window.get("start")), _time(window.get("end"))
    if end <= start:
        raise CaUnreachable("the CA's renewal window ends before it begins")
    return RenewalInfo(
        start=start,
        end=end,
        explanation_url=str(value.get("explanationURL") or "")[:500],
        retry_after_s=max(_MIN_RETRY_S, min(retry_after_s, _MAX_RETRY_S)),
    )


def _time(value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise CaUnreachable("the CA's renewal window has a time that is none") from fault
    return at if at.tzinfo else at.replace(tzinfo=UTC)
