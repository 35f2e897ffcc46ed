"""Custom fields of certificates' requests: their definitions. Values are kept with the certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.http.principal import Principal
from hub.organizations.custom_field_rules import check_definition
from hub.organizations.errors import CustomFieldFixed, CustomFieldNameTaken, CustomFieldNotFound
from hub.organizations.models import CustomField
from hub.organizations.records import CustomFieldFields, CustomFieldRecord

_COLUMNS = (
    CustomField.id,
    CustomField.certificate_type,
    CustomField.name,
    CustomField.label,
    CustomField.kind,
    CustomField.choices,
    CustomField.mandatory_admin_ui,
    CustomField.mandatory_api,
    CustomField.mandatory_forms,
    CustomField.active,
)
_FIXED = ("certificate_type", "kind")


class CustomFields:
    """Reads and changes the definitions of custom fields."""

    async def list(
        self, session: AsyncSession, *, certificate_type: str | None = None, only_active: bool = False
    ) -> Sequence[CustomFieldRecord]:
        """Return fields in the order in which they were made."""
        statement = select(*_COLUMNS).order_by(CustomField.id)
        if certificate_type is not None:
            statement = statement.where(CustomField.certificate_type == certificate_type)
        if only_active:
            statement = statement.where(CustomField.active.is_(True))
        return [_record(row) for row in await session.execute(statement)]

    async def get(self, session: AsyncSession, field_id: int) -> CustomFieldRecord:
        """Return one field; raise CustomFieldNotFound."""
        row = (await session.execute(select(*_COLUMNS).where(CustomField.id == field_id))).one_or_none()
        if row is None:
            raise CustomFieldNotFound(f"there is no custom field {field_id}")
        return _record(row)

    async def create(
        self, uow: UnitOfWork, fields: CustomFieldFields, *, principal: Principal
    ) -> CustomFieldRecord:
        """Define a field.

        Raises:
            InvalidCustomField: it can't be defined like this.
            CustomFieldNameTaken: the type has a field of this name.
        """
        values = _values(fields)
        try:
            async with uow.savepoint():
                statement = insert(CustomField).values(**values, created_at=uow.now)
                field_id = (await uow.session.execute(statement.returning(CustomField.id))).scalar_one()
        except IntegrityError as fault:
            raise _taken(fields) from fault
        await _note(uow, "CustomFieldCreated", field_id, principal=principal, details=values)
        return await self.get(uow.session, field_id)

    async def update(
        self, uow: UnitOfWork, field_id: int, *, changes: dict[str, Any], principal: Principal
    ) -> CustomFieldRecord:
        """Change a field; values that certificates have stay as they are.

        Raises:
            CustomFieldNotFound: there is none of this id.
            CustomFieldFixed: type or kind are to be changed.
            InvalidCustomField, CustomFieldNameTaken: as :meth:`create`.
        """
        before = await self.get(uow.session, field_id)
        for name in _FIXED:
            if name in changes and changes[name] != getattr(before, name):
                raise CustomFieldFixed(
                    f"the {name.replace('_', ' ')} of {before.name} can't be changed, certificates may have"
                    " values: make another field and deactivate this one",
                    field=name,
                )
        after = replace(before, **changes)
        values = _values(after)
        try:
            async with uow.savepoint():
                await uow.session.execute(
                    update(CustomField).where(CustomField.id == field_id).values(**values)
                )
        except IntegrityError as fault:
            raise _taken(after) from fault
        details = {
            name: {"before": getattr(before, name), "after": values[name]}
            for name in changes
            if values[name] != _plain(getattr(before, name))
        }
        if details:
            await _note(uow, "CustomFieldChanged", field_id, principal=principal, details=details)
        return await self.get(uow.session, field_id)

    async def delete(self, uow: UnitOfWork, field_id: int, *, principal: Principal) -> None:
        """Delete a field; the values that certificates have are no longer shown. Deactivating keeps them."""
        before = await self.get(uow.session, field_id)
        await uow.session.execute(delete(CustomField).where(CustomField.id == field_id))
        await _note(uow, "CustomFieldDeleted", field_id, principal=principal, details=_values(before))


def _values(fields: CustomFieldFields) -> dict[str, Any]:
    check_definition(fields)
    values = asdict(fields)
    values.pop("id", None)
    values["label"] = fields.label.strip()
    values["choices"] = [item.strip() for item in fields.choices]
    return values


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _record(row: Row[*tuple[Any, ...]]) -> CustomFieldRecord:
    values = row._asdict()
    values["choices"] = tuple(values["choices"])
    return CustomFieldRecord(**values)


def _taken(fields: CustomFieldFields) -> CustomFieldNameTaken:
    return CustomFieldNameTaken(
        f"{fields.certificate_type} certificates have a custom field named {fields.name!r} already",
        field="name",
    )


async def _note(
    uow: UnitOfWork, kind: str, field_id: int, *, principal: Principal, details: dict[str, Any]
) -> None:
    uow.emit(Event(kind=kind, object_type="custom_field", object_id=str(field_id)))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="custom_field",
        object_id=str(field_id),
        organization_id=None,
        details=details,
    )
