"""Changing configured CA backends: name, settings, and whether they take orders.

A secret that is not sent stays as it is, since nobody was shown it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.issuers import backend_settings
from hub.issuers.errors import BackendNameTaken, BackendNotFound
from hub.issuers.models import CaBackendRow
from hub.issuers.registry import BackendKinds, kind_named
from pki.at_rest import KeyEncryptionKey


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendChanges:
    """What to change of a backend; None: it stays."""

    name: str | None = None
    settings: dict[str, Any] | None = None
    status: str | None = None


async def change(
    uow: UnitOfWork,
    backend_id: int,
    changes: BackendChanges,
    *,
    principal: Principal,
    kinds: BackendKinds,
    kek: KeyEncryptionKey,
) -> None:
    """Change a backend.

    Raises:
        BackendNotFound, BackendNameTaken, UnknownBackendKind, InvalidBackendSettings: see there.
    """
    rows = await uow.session.execute(
        select(
            CaBackendRow.uid,
            CaBackendRow.name,
            CaBackendRow.kind,
            CaBackendRow.settings,
            CaBackendRow.secrets,
            CaBackendRow.status,
        ).where(CaBackendRow.id == backend_id)
    )
    row = rows.one_or_none()
    if row is None:
        raise BackendNotFound(f"there is no CA backend {backend_id}", field="backend_id")
    values: dict[str, Any] = {}
    if changes.name is not None:
        values["name"] = changes.name
    if changes.status is not None:
        values["status"] = changes.status
    if changes.settings is not None:
        model = kind_named(kinds, row.kind).settings_model
        old = backend_settings.restore(model, row.settings, row.secrets, key=kek, uid=row.uid)
        new = backend_settings.validate(model, _with_old_secrets(old, changes.settings))
        values["settings"], values["secrets"] = backend_settings.store(new, key=kek, uid=row.uid)
    if not values:
        return
    try:
        async with uow.savepoint():
            await uow.session.execute(
                update(CaBackendRow).where(CaBackendRow.id == backend_id).values(**values)
            )
    except IntegrityError as fault:
        raise BackendNameTaken(
            f"there is a CA backend named {changes.name!r} already", field="name"
        ) from fault
    secrets_changed = "secrets" in values and values.pop("secrets") is not None
    before = {name: getattr(row, name) for name in values}
    details = audit.changes(before, values)
    if secrets_changed:
        details["secrets"] = "stored anew"
    uow.emit(Event(kind="CaBackendChanged", object_type="ca_backend", object_id=str(backend_id)))
    await audit.record(
        uow,
        principal=principal,
        action="CaBackendChanged",
        object_type="ca_backend",
        object_id=str(backend_id),
        organization_id=None,
        details=details,
    )


def _with_old_secrets(old: BaseModel, settings: dict[str, Any]) -> dict[str, Any]:
    kept = {
        name: value.get_secret_value()
        for name, value in ((name, getattr(old, name)) for name in type(old).model_fields)
        if isinstance(value, SecretStr) and settings.get(name) is None
    }
    return {**settings, **kept}
