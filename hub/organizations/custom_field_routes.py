"""Admin REST of custom fields."""

from __future__ import annotations

from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.routing import RouteSet, delete, get, patch, post
from hub.organizations.person_schemas import (
    CustomFieldChange,
    CustomFieldCreate,
    CustomFieldList,
    CustomFieldQuery,
    CustomFieldView,
)
from hub.organizations.records import CustomFieldFields
from hub.organizations.service import OrganizationService


class CustomFieldRoutes(RouteSet):
    """``/custom-fields``: read by whoever requests, defined by administrators of the whole system."""

    prefix, tag = "/custom-fields", "custom fields"

    def __init__(self, db: Database, organizations: OrganizationService) -> None:
        self._db = db
        self._fields = organizations.custom_fields

    @get(
        "",
        action="custom_fields.view",
        summary="List custom fields",
        query=CustomFieldQuery,
        returns=CustomFieldList,
    )
    async def list(self, call: Call[None, CustomFieldQuery]) -> CustomFieldList:
        """Return the fields; there are few, so in one piece."""
        async with self._db.read() as session:
            records = await self._fields.list(
                session, certificate_type=call.query.certificate_type, only_active=call.query.only_active
            )
        return CustomFieldList(items=[CustomFieldView.model_validate(item) for item in records])

    @post(
        "",
        action="custom_fields.edit",
        summary="Define a custom field",
        body=CustomFieldCreate,
        returns=CustomFieldView,
        status=201,
    )
    async def create(self, call: Call[CustomFieldCreate, None]) -> CustomFieldView:
        """Define a field."""
        values = call.body.model_dump(mode="json")
        fields = CustomFieldFields(**values | {"choices": tuple(call.body.choices)})
        async with self._db.write() as uow:
            record = await self._fields.create(uow, fields, principal=call.principal)
        return CustomFieldView.model_validate(record)

    @get("/{id:int}", action="custom_fields.view", summary="Read a custom field", returns=CustomFieldView)
    async def read(self, call: Call[None, None]) -> CustomFieldView:
        """Return one field."""
        async with self._db.read() as session:
            return CustomFieldView.model_validate(await self._fields.get(session, call.int_path("id")))

    @patch(
        "/{id:int}",
        action="custom_fields.edit",
        summary="Change a custom field",
        body=CustomFieldChange,
        returns=CustomFieldView,
    )
    async def update(self, call: Call[CustomFieldChange, None]) -> CustomFieldView:
        """Change a field; deactivating it keeps its values."""
        changes = call.body.model_dump(mode="json", exclude_none=True)
        if "choices" in changes:
            changes["choices"] = tuple(changes["choices"])
        async with self._db.write() as uow:
            record = await self._fields.update(
                uow, call.int_path("id"), changes=changes, principal=call.principal
            )
        return CustomFieldView.model_validate(record)

    @delete("/{id:int}", action="custom_fields.edit", summary="Delete a custom field")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete a field; the values that certificates have are no longer shown."""
        async with self._db.write() as uow:
            await self._fields.delete(uow, call.int_path("id"), principal=call.principal)
