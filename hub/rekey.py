"""Changing the hub's key-encryption key: every secret in the database is encrypted anew, in one transaction.

What is encrypted where stands in :data:`PLACES`. Afterwards all binary columns are searched for what is still
under the old key: a secret that was forgotten here stops the change instead of being lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import LargeBinary, Table, func, select, update

from hub.access import audit, audit_signing
from hub.access.models import AuditKey
from hub.access.signin import identity_providers, totp
from hub.access.signin.models import IdentityProvider, TotpSecret
from hub.config import ConfigurationError
from hub.db.tables import all_tables
from hub.db.uow import Database, UnitOfWork
from hub.fleet import authority, server_identity
from hub.fleet.models import FleetAuthority, HubServerIdentity
from hub.http.principal import SYSTEM
from hub.issuers import backend_settings, keepsakes
from hub.issuers.models import CaAuthority, CaBackendRow, CaKeepsake, CaSigningRequest, OcspResponder
from hub.issuers.private_ca import signer
from hub.notifications import channel_store
from hub.notifications.models import NotificationChannel
from hub.organizations.dcv import writer_store
from hub.organizations.dcv.models import DcvWriter
from pki.at_rest import KeyEncryptionKey
from pki.errors import PkiError


class SecretsLeftBehind(ConfigurationError):
    """Something is encrypted that this program does not know how to encrypt anew; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column of encrypted secrets, and what the one in a row is encrypted for."""

    model: type[Any]
    column: str
    purpose: Callable[[Any], bytes]


PLACES: Sequence[Place] = (
    Place(CaAuthority, "locked_key", lambda row: signer.at_rest_purpose(row.key_sha256)),
    Place(CaSigningRequest, "locked_key", lambda row: signer.at_rest_purpose(row.key_sha256)),
    Place(OcspResponder, "locked_key", lambda row: signer.at_rest_purpose(row.key_sha256)),
    Place(CaBackendRow, "secrets", lambda row: backend_settings.AT_REST_PURPOSE + row.uid.encode()),
    Place(CaKeepsake, "locked", lambda row: keepsakes.at_rest_purpose(row.backend_id, row.name)),
    Place(NotificationChannel, "secrets", lambda row: channel_store.AT_REST_PURPOSE + row.uid.encode()),
    Place(DcvWriter, "secrets", lambda row: writer_store.AT_REST_PURPOSE + row.uid.encode()),
    Place(FleetAuthority, "ca_key_wrapped", lambda _row: authority.CA_KEY_PURPOSE),
    Place(FleetAuthority, "signer_key_wrapped", lambda _row: authority.SIGNER_KEY_PURPOSE),
    Place(HubServerIdentity, "key_wrapped", lambda _row: server_identity.AT_REST_PURPOSE),
    Place(AuditKey, "private_key", lambda _row: audit_signing.AT_REST_PURPOSE),
    Place(TotpSecret, "secret", lambda row: totp.at_rest_purpose(row.administrator_id)),
    Place(IdentityProvider, "secret", lambda row: identity_providers.at_rest_purpose(row.name)),
)
"""Everything that is encrypted under the key."""


async def rekey(db: Database, *, old: KeyEncryptionKey, new: KeyEncryptionKey) -> int:
    """Encrypt all secrets under another key; return how many there were. The hub must not run meanwhile.

    Raises:
        SecretsLeftBehind: one is not known here, or is not under the old key; nothing was changed.
    """
    async with db.write() as uow:
        changed = 0
        for place in PLACES:
            changed += await _move(uow, place, old, new)
        await _refuse_leftovers(uow, old)
        await audit.record(
            uow,
            principal=SYSTEM,
            action="KeyEncryptionKeyChanged",
            object_type="hub",
            object_id="key",
            organization_id=None,
            details={"from": old.key_id, "to": new.key_id, "secrets": changed},
        )
    return changed


async def _move(uow: UnitOfWork, place: Place, old: KeyEncryptionKey, new: KeyEncryptionKey) -> int:
    table: Table = place.model.__table__
    column = table.c[place.column]
    rows = (await uow.session.execute(select(table).where(column.is_not(None)))).all()
    for row in rows:
        purpose = place.purpose(row)
        try:
            secret = old.unwrap(row._mapping[place.column], purpose)  # noqa: SLF001 - a row's public mapping
        except PkiError as fault:
            raise SecretsLeftBehind(f"{table.name}.{place.column}: {fault}; nothing was changed") from fault
        identity = [key == row._mapping[key.name] for key in table.primary_key]  # noqa: SLF001 - as above
        await uow.session.execute(
            update(table).where(*identity).values({place.column: new.wrap(secret, purpose)})
        )
    return len(rows)


async def _refuse_leftovers(uow: UnitOfWork, old: KeyEncryptionKey) -> None:
    prefix = old.blob_prefix
    for table in all_tables().sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, LargeBinary):
                continue
            start = func.substr(column, 1, len(prefix))
            left = await uow.session.scalar(select(func.count()).select_from(table).where(start == prefix))
            if left:
                raise SecretsLeftBehind(f"{table.name}.{column.name}: {SecretsLeftBehind.__doc__}")
