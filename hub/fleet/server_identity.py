"""Server certificates of the hub, for its gRPC listeners and for HTTPS until somebody gives it a public one.

Kept in the database by the names they are for, so that a browser which was told to trust one is not asked
again after every restart, and replicas behind one name show the same.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.fleet.authority import Authority, renew_after
from hub.fleet.models import HubServerIdentity
from pki.at_rest import KeyEncryptionKey
from pki.keys import decode_private_key, encode_private_key, encode_private_key_pem

# Browsers refuse more than 398 days.
SERVER_LIFETIME = timedelta(days=397)
AT_REST_PURPOSE = b"hub server key"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerIdentity:
    """A server certificate of the hub with its key, as PEM."""

    key_pem: bytes = field(repr=False)
    certificate_pem: bytes
    ca_pem: bytes
    not_after: datetime

    @property
    def chain_with_root_pem(self) -> bytes:
        """Leaf and agent CA: an enrolling agent pins the CA that it is shown by its fingerprint."""
        return self.certificate_pem + self.ca_pem


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.lower())


async def server_identity(
    uow: UnitOfWork, authority: Authority, kek: KeyEncryptionKey, *, names: Iterable[str]
) -> ServerIdentity:
    """Return the hub's certificate for ``names`` (DNS names and IP addresses); make one where needed."""
    wanted = sorted({name.lower() for name in names})
    key_of_row = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    row = await uow.session.get(HubServerIdentity, key_of_row)
    if row is not None and uow.now < renew_after(row.not_after, SERVER_LIFETIME) and _is_ours(row, authority):
        key_pem = encode_private_key_pem(decode_private_key(kek.unwrap(row.key_wrapped, AT_REST_PURPOSE)))
        return _identity(authority, row.certificate, key_pem, row.not_after)
    key = ec.generate_private_key(ec.SECP256R1())
    issued = authority.issue_server(
        key.public_key(),
        names=[_general_name(name) for name in wanted],
        now=uow.now,
        lifetime=SERVER_LIFETIME,
    )
    columns = {
        "names": wanted,
        "certificate": issued.certificate,
        "key_wrapped": kek.wrap(encode_private_key(key), AT_REST_PURPOSE),
        "not_after": issued.not_after,
    }
    statement = insert_for(uow.session, HubServerIdentity).values(names_sha256=key_of_row, **columns)
    await uow.session.execute(statement.on_conflict_do_update(index_elements=["names_sha256"], set_=columns))
    return _identity(authority, issued.certificate, encode_private_key_pem(key), issued.not_after)


def _is_ours(row: HubServerIdentity, authority: Authority) -> bool:
    return x509.load_der_x509_certificate(row.certificate).issuer == authority.ca.subject


def _identity(
    authority: Authority, certificate: bytes, key_pem: bytes, not_after: datetime
) -> ServerIdentity:
    pem = x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM)
    return ServerIdentity(key_pem=key_pem, certificate_pem=pem, ca_pem=authority.ca_pem, not_after=not_after)
