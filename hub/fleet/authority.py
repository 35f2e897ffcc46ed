"""The agent CA, its certificates, and the command signing key.

One EC P-256 root, kept in the database with its key encrypted under the hub's key-encryption key, so that all
replicas share it. It issues agents' identities (client authentication, 30 days), the hub's own server
certificates, and the certificate of the Ed25519 key that signs commands (the extended key usage of
:mod:`pki.oids`). RFC 5280 profiles throughout.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database, UnitOfWork
from hub.fleet.errors import AuthorityMissing
from hub.fleet.models import FleetAuthority
from hub.fleet.wire import CommandSigner
from pki.algorithms import VerifyingKey
from pki.at_rest import KeyEncryptionKey
from pki.keys import decode_private_key, encode_private_key
from pki.oids import COMMAND_SIGNING

CA_LIFETIME = timedelta(days=20 * 365)
IDENTITY_LIFETIME = timedelta(days=30)
SIGNER_LIFETIME = timedelta(days=398)
# A host whose clock is a little late must not find its certificate "not yet valid".
BACKDATE = timedelta(minutes=5)

CA_KEY_PURPOSE = b"fleet agent ca key"
SIGNER_KEY_PURPOSE = b"fleet command signing key"
_ROW = 1


def renew_after(not_after: datetime, lifetime: timedelta) -> datetime:
    """Return when two thirds of a certificate's lifetime are over."""
    return not_after - lifetime / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedIdentity:
    """A certificate made by the agent CA, with what the registry stores about it."""

    certificate: bytes = field(repr=False)
    sha256: str
    serial_hex: str
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The agent CA, ready to sign."""

    ca: x509.Certificate
    ca_key: ec.EllipticCurvePrivateKey = field(repr=False)
    signer: CommandSigner = field(repr=False)

    @property
    def ca_der(self) -> bytes:
        """The CA certificate."""
        return self.ca.public_bytes(serialization.Encoding.DER)

    @property
    def ca_pem(self) -> bytes:
        """The CA certificate as PEM."""
        return self.ca.public_bytes(serialization.Encoding.PEM)

    @property
    def ca_sha256(self) -> str:
        """Hex fingerprint of the CA certificate: what enrollment tokens carry."""
        return hashlib.sha256(self.ca_der).hexdigest()

    @property
    def challenge_key(self) -> bytes:
        """A secret for re-join challenges, the same in all replicas."""
        hkdf = HKDF(hashes.SHA256(), 32, salt=None, info=b"certwright rejoin challenge v1")
        return hkdf.derive(encode_private_key(self.ca_key))

    def issue_identity(
        self, public_key: VerifyingKey, *, agent_id: str, kind: str, now: datetime
    ) -> IssuedIdentity:
        """Sign an agent's identity: client authentication only, named by the hub alone."""
        uri = x509.UniformResourceIdentifier(f"urn:certwright:agent:{kind}:{agent_id}")
        return self._sign(
            public_key,
            common_name=agent_id,
            alt_names=[uri],
            usage=ExtendedKeyUsageOID.CLIENT_AUTH,
            now=now,
            not_after=now + IDENTITY_LIFETIME,
        )

    def issue_server(
        self, public_key: VerifyingKey, *, names: list[x509.GeneralName], now: datetime, lifetime: timedelta
    ) -> IssuedIdentity:
        """Sign a server certificate of the hub."""
        return self._sign(
            public_key,
            common_name="Certwright hub",
            alt_names=names,
            usage=ExtendedKeyUsageOID.SERVER_AUTH,
            now=now,
            not_after=now + lifetime,
        )

    def _sign(
        self,
        public_key: VerifyingKey,
        *,
        common_name: str,
        alt_names: list[x509.GeneralName],
        usage: x509.ObjectIdentifier,
        now: datetime,
        not_after: datetime,
    ) -> IssuedIdentity:
        builder = _leaf(public_key, ca=self.ca, common_name=common_name, usage=usage)
        builder = builder.not_valid_before(now - BACKDATE).not_valid_after(not_after)
        builder = builder.add_extension(x509.SubjectAlternativeName(alt_names), critical=False)
        certificate = builder.sign(self.ca_key, hashes.SHA256())
        der = certificate.public_bytes(serialization.Encoding.DER)
        return IssuedIdentity(
            certificate=der,
            sha256=hashlib.sha256(der).hexdigest(),
            serial_hex=f"{certificate.serial_number:x}",
            not_after=certificate.not_valid_after_utc,
        )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _leaf(
    public_key: VerifyingKey, *, ca: x509.Certificate, common_name: str, usage: x509.ObjectIdentifier
) -> x509.CertificateBuilder:
    authority_key = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(
        ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    )
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(ca.subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(authority_key, critical=False)
    )


def _new_root(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Certwright agent CA")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _new_signer(
    ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, now: datetime
) -> tuple[Ed25519PrivateKey, x509.Certificate]:
    key = Ed25519PrivateKey.generate()
    builder = _leaf(key.public_key(), ca=ca, common_name="Certwright command signing", usage=COMMAND_SIGNING)
    builder = builder.not_valid_before(now - BACKDATE).not_valid_after(now + SIGNER_LIFETIME)
    return key, builder.sign(ca_key, hashes.SHA256())


def _signer_columns(
    key: Ed25519PrivateKey, certificate: x509.Certificate, kek: KeyEncryptionKey
) -> dict[str, object]:
    return {
        "signer_certificate": certificate.public_bytes(serialization.Encoding.DER),
        "signer_key_wrapped": kek.wrap(encode_private_key(key), SIGNER_KEY_PURPOSE),
        "signer_not_after": certificate.not_valid_after_utc,
    }


async def create_authority(uow: UnitOfWork, kek: KeyEncryptionKey) -> Authority:
    """Create the agent CA and the command signing key, once per database; called by ``hub init``."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _new_root(ca_key, uow.now)
    signer_key, signer = _new_signer(ca, ca_key, uow.now)
    columns = {
        "id": _ROW,
        "ca_certificate": ca.public_bytes(serialization.Encoding.DER),
        "ca_key_wrapped": kek.wrap(encode_private_key(ca_key), CA_KEY_PURPOSE),
        "created_at": uow.now,
        **_signer_columns(signer_key, signer, kek),
    }
    await uow.session.execute(insert(FleetAuthority).values(columns))
    return Authority(ca=ca, ca_key=ca_key, signer=CommandSigner(signer_key, _der(signer)))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


async def _stored(session: AsyncSession) -> FleetAuthority:
    row = await session.get(FleetAuthority, _ROW)
    if row is None:
        raise AuthorityMissing
    return row


def _opened(row: FleetAuthority, kek: KeyEncryptionKey) -> Authority:
    ca_key = decode_private_key(kek.unwrap(row.ca_key_wrapped, CA_KEY_PURPOSE))
    signer_key = decode_private_key(kek.unwrap(row.signer_key_wrapped, SIGNER_KEY_PURPOSE))
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey) or not isinstance(signer_key, Ed25519PrivateKey):
        raise AuthorityMissing("the agent CA's keys are of the wrong kind")
    signer = CommandSigner(signer_key, row.signer_certificate)
    return Authority(ca=x509.load_der_x509_certificate(row.ca_certificate), ca_key=ca_key, signer=signer)


async def load_authority(db: Database, kek: KeyEncryptionKey) -> Authority:
    """Load the agent CA; a command signing certificate near its end is replaced.

    Raises:
        AuthorityMissing: the database has not been initialized.
        PkiError: the key-encryption key is not the one that was used.
    """
    async with db.read() as session:
        row = await _stored(session)
    authority = _opened(row, kek)
    if db.clock() < renew_after(row.signer_not_after, SIGNER_LIFETIME):
        return authority
    async with db.write() as uow:
        key, certificate = _new_signer(authority.ca, authority.ca_key, uow.now)
        # Replicas that start together: the first one replaces it, the others take what it made.
        due = FleetAuthority.signer_not_after == row.signer_not_after
        columns = _signer_columns(key, certificate, kek)
        await uow.session.execute(
            update(FleetAuthority).where(FleetAuthority.id == _ROW, due).values(columns)
        )
        fresh = (
            await uow.session.execute(
                select(FleetAuthority)
                .where(FleetAuthority.id == _ROW)
                .execution_options(populate_existing=True)
            )
        ).scalar_one()
    return _opened(fresh, kek)
