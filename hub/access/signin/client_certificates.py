"""Client certificates of administrators: bound one by one by their SHA-256, or by issuer and subject.

A rule of issuer and subject goes on to hold when a certificate is renewed; a bound certificate does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.access.administrators import require_authority
from hub.access.errors import NoSuchAdministrator
from hub.access.models import Administrator
from hub.access.signin.client_trust import ClientTrust
from hub.access.signin.errors import (
    CertificateTaken,
    ClientCertificateRefused,
    NoClientCertificate,
    NoSuchBinding,
)
from hub.access.signin.models import ClientCertificateBinding
from hub.db.errors import Malformed
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal

IsRevoked = Callable[[AsyncSession, str], Awaitable[bool]]
"""Whether the hub itself knows a certificate, by its SHA-256 in hex, as revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBinding:
    """What is bound to an administrator: a certificate, or any of this issuer and subject (RFC 4514)."""

    administrator_id: int
    certificate: x509.Certificate | None = None
    issuer: str = ""
    subject: str = ""


def load_certificate(der: bytes | None) -> x509.Certificate:
    """Return the certificate that came with a request.

    Raises:
        NoClientCertificate: none did.
        ClientCertificateRefused: what came is no certificate.
    """
    if der is None:
        raise NoClientCertificate
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise ClientCertificateRefused("that is no certificate") from error


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 fingerprint in hex."""
    return certificate.fingerprint(SHA256()).hex()


async def never_revoked(_session: AsyncSession, _sha256: str) -> bool:
    """Say that no certificate is revoked, where nobody keeps an inventory."""
    return False


class ClientCertificates:
    """The rules for client certificates."""

    def __init__(self, trust: ClientTrust, *, is_revoked: IsRevoked = never_revoked) -> None:
        self._trust = trust
        self._is_revoked = is_revoked

    @property
    def are_configured(self) -> bool:
        """Whether any CA is believed."""
        return bool(self._trust.authorities)

    async def administrator_of(self, uow: UnitOfWork, der: bytes | None) -> int:
        """Return whose certificate this is.

        Raises:
            NoClientCertificate: none came.
            ClientCertificateRefused: it is expired, revoked, of an unknown CA, or bound to nobody.
        """
        certificate = load_certificate(der)
        self._trust.check(certificate, now=uow.now)
        sha256 = fingerprint(certificate)
        if await self._is_revoked(uow.session, sha256):
            raise ClientCertificateRefused("the client certificate is revoked")
        names = (ClientCertificateBinding.issuer == certificate.issuer.rfc4514_string()) & (
            ClientCertificateBinding.subject == certificate.subject.rfc4514_string()
        )
        statement = (
            select(
                ClientCertificateBinding.id,
                ClientCertificateBinding.administrator_id,
                ClientCertificateBinding.revoked_at,
            )
            .where(
                (ClientCertificateBinding.sha256 == sha256)
                | (ClientCertificateBinding.sha256.is_(None) & names)
            )
            .order_by(ClientCertificateBinding.sha256.is_(None), ClientCertificateBinding.id.desc())
        )
        rows = (await uow.session.execute(statement)).all()
        if not rows:
            raise ClientCertificateRefused("the client certificate is bound to no administrator")
        # The certificate's own binding goes before a rule, so that one certificate can be barred alone.
        if rows[0].revoked_at is not None:
            raise ClientCertificateRefused("the client certificate's binding was revoked")
        await uow.session.execute(
            update(ClientCertificateBinding)
            .where(ClientCertificateBinding.id == rows[0].id)
            .values(last_used_at=uow.now)
        )
        administrator_id: int = rows[0].administrator_id
        return administrator_id

    async def bind(self, uow: UnitOfWork, binding: NewBinding, *, principal: Principal) -> int:
        """Bind a certificate, or an issuer and subject; return the binding's id.

        Raises:
            NoSuchAdministrator: there is none of this id.
            CertificateTaken: it is bound already.
            ClientCertificateRefused: the certificate would not be accepted.
            Malformed: neither is given.
        """
        known = select(Administrator.id).where(Administrator.id == binding.administrator_id)
        if (await uow.session.execute(known)).first() is None:
            raise NoSuchAdministrator(field="administrator_id")
        await require_authority(uow.session, binding.administrator_id, principal)
        row = self._row(uow, binding)
        if await self._is_bound(uow.session, row):
            raise CertificateTaken
        uow.session.add(row)
        await uow.session.flush()
        await _note(uow, principal, "ClientCertificateBound", row)
        return row.id

    def _row(self, uow: UnitOfWork, binding: NewBinding) -> ClientCertificateBinding:
        row = ClientCertificateBinding(administrator_id=binding.administrator_id, created_at=uow.now)
        if binding.certificate is not None:
            self._trust.check(binding.certificate, now=uow.now)
            row.sha256 = fingerprint(binding.certificate)
            row.issuer = binding.certificate.issuer.rfc4514_string()
            row.subject = binding.certificate.subject.rfc4514_string()
            row.not_after = binding.certificate.not_valid_after_utc
            return row
        if not binding.issuer or not binding.subject:
            raise Malformed("give a certificate, or both issuer and subject", field="certificate_pem")
        row.sha256, row.issuer, row.subject = None, _dn(binding.issuer), _dn(binding.subject)
        return row

    async def _is_bound(self, session: AsyncSession, row: ClientCertificateBinding) -> bool:
        bound = (
            ClientCertificateBinding.sha256 == row.sha256
            if row.sha256 is not None
            else ClientCertificateBinding.sha256.is_(None)
            & (ClientCertificateBinding.issuer == row.issuer)
            & (ClientCertificateBinding.subject == row.subject)
            & ClientCertificateBinding.revoked_at.is_(None)
        )
        return (await session.execute(select(ClientCertificateBinding.id).where(bound))).first() is not None

    async def revoke(self, uow: UnitOfWork, binding_id: int, *, principal: Principal) -> None:
        """End a binding for good; the same certificate can't be bound again.

        Raises:
            NoSuchBinding: there is none, or it ended already.
        """
        row = (
            await uow.session.execute(
                select(ClientCertificateBinding)
                .where(
                    ClientCertificateBinding.id == binding_id, ClientCertificateBinding.revoked_at.is_(None)
                )
                .with_for_update()
            )
        ).scalar_one_or_none()
        if row is None:
            raise NoSuchBinding
        row.revoked_at = uow.now
        await _note(uow, principal, "ClientCertificateUnbound", row)


def _dn(text: str) -> str:
    try:
        return x509.Name.from_rfc4514_string(text).rfc4514_string()
    except ValueError as error:
        raise Malformed(f"{text[:64]!r} is no distinguished name (RFC 4514)", field="subject") from error


async def _note(
    uow: UnitOfWork, principal: Principal, action: str, binding: ClientCertificateBinding
) -> None:
    await audit.record(
        uow,
        principal=principal,
        action=action,
        object_type="administrator",
        object_id=str(binding.administrator_id),
        organization_id=None,
        details={"sha256": binding.sha256 or "", "issuer": binding.issuer, "subject": binding.subject},
    )
