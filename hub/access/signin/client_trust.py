"""Which client certificates the hub believes: chain to configured CAs, validity, purpose, revocation lists.

The TLS listener has checked chain and validity already; behind a proxy (RFC 9440) nobody here has. Both come
through this check. CRLs are read again when their file changes; one that is out of date refuses everybody of
its CA, or a revoked certificate would be good again (RFC 5280, 6.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID

from hub.access.signin.errors import ClientCertificateRefused

_PURPOSES = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


@dataclass(frozen=True, slots=True)
class ClientTrust:
    """CAs whose client certificates count, and where their CRLs come from."""

    authorities: tuple[x509.Certificate, ...] = ()
    crls: Callable[[], tuple[x509.CertificateRevocationList, ...]] = tuple

    def check(self, certificate: x509.Certificate, *, now: datetime) -> None:
        """Do nothing if ``certificate`` is good at ``now``.

        Raises:
            ClientCertificateRefused: the message says what is wrong with it.
        """
        if not self.authorities:
            raise ClientCertificateRefused("no CA for client certificates is configured")
        if now >= certificate.not_valid_after_utc:
            raise ClientCertificateRefused("the client certificate has expired")
        if now < certificate.not_valid_before_utc:
            raise ClientCertificateRefused("the client certificate is not valid yet")
        self._check_chain(certificate, now)
        self._check_revocation(certificate, now)

    def _check_chain(self, certificate: x509.Certificate, now: datetime) -> None:
        roots = [item for item in self.authorities if item.issuer == item.subject] or list(self.authorities)
        others = [item for item in self.authorities if item not in roots]
        verifier = (
            verification.PolicyBuilder()
            .store(verification.Store(roots))
            .time(now)
            .extension_policies(ca_policy=_ca_policy(), ee_policy=_end_entity_policy())
            .build_client_verifier()
        )
        try:
            verifier.verify(certificate, others)
        except verification.VerificationError as error:
            raise ClientCertificateRefused(
                "the client certificate was not issued for this by a configured CA"
            ) from error

    def _check_revocation(self, certificate: x509.Certificate, now: datetime) -> None:
        for crl in self.crls():
            if crl.issuer != certificate.issuer or not self._is_authentic(crl):
                continue
            if crl.next_update_utc is not None and now >= crl.next_update_utc:
                raise ClientCertificateRefused("the revocation list of its CA is out of date")
            if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
                raise ClientCertificateRefused("the client certificate is revoked")

    def _is_authentic(self, crl: x509.CertificateRevocationList) -> bool:
        for authority in self.authorities:
            key = authority.public_key()
            if authority.subject == crl.issuer and crl.is_signature_valid(key):  # type: ignore[arg-type]
                return True
        return False


def _end_entity_policy() -> verification.ExtensionPolicy:
    return verification.ExtensionPolicy.permit_all().may_be_present(
        x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, _for_clients
    )


def _ca_policy() -> verification.ExtensionPolicy:
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _is_ca)
        .may_be_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, _signs_certificates)
    )


def _for_clients(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    if usage is not None and _PURPOSES.isdisjoint(usage):
        raise ValueError("not for client authentication")


def _is_ca(
    _policy: verification.Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints
) -> None:
    if not constraints.ca:
        raise ValueError("not a CA")


def _signs_certificates(
    _policy: verification.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("does not sign certificates")


def load_authorities(path: Path) -> tuple[x509.Certificate, ...]:
    """Read the CA certificates of a PEM file.

    Raises:
        OSError: it can't be read.
        ValueError: it holds no certificate.
    """
    return tuple(x509.load_pem_x509_certificates(path.read_bytes()))


class CrlFile:
    """CRLs of a PEM file, read again when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed_ns = -1
        self._crls: tuple[x509.CertificateRevocationList, ...] = ()

    def __call__(self) -> tuple[x509.CertificateRevocationList, ...]:
        """Return the lists.

        Raises:
            ClientCertificateRefused: the file can't be read: then nobody knows what is revoked.
        """
        try:
            changed_ns = self._path.stat().st_mtime_ns
            if changed_ns != self._changed_ns:
                self._crls = _load_crls(self._path.read_bytes())
                self._changed_ns = changed_ns
        except (OSError, ValueError) as error:
            raise ClientCertificateRefused("the revocation lists can't be read") from error
        return self._crls


def _load_crls(pem: bytes) -> tuple[x509.CertificateRevocationList, ...]:
    end = b"-----END X509 CRL-----"
    return tuple(x509.load_pem_x509_crl(part + end) for part in pem.split(end)[:-1])
