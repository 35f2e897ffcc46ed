"""Admin REST of certificate profiles."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.principal import Principal
from hub.http.routing import RouteSet, delete, get, patch, post
from hub.profiles.errors import ProfileNotFound
from hub.profiles.records import ProfileFields, ProfileRecord
from hub.profiles.schemas import ProfileChange, ProfileCreate, ProfileList, ProfileView
from hub.profiles.service import ProfileService, is_offered_to


class ProfileRoutes(RouteSet):
    """``/profiles``: read by whoever may request, changed by whoever runs the CA backends."""

    prefix, tag = "/profiles", "profiles"

    def __init__(self, db: Database, profiles: ProfileService) -> None:
        self._db = db
        self._profiles = profiles

    @get("", action="profiles.view", summary="List certificate profiles", returns=ProfileList)
    async def list(self, call: Call[None, None]) -> ProfileList:
        """Return the profiles that the caller's organizations may use; there are few, so in one piece."""
        async with self._db.read() as session:
            records = await self._profiles.list(session, organization_ids=_scope(call.principal))
        return ProfileList(items=[_view(record) for record in records])

    @get("/{id:int}", action="profiles.view", summary="Read a certificate profile", returns=ProfileView)
    async def read(self, call: Call[None, None]) -> ProfileView:
        """Return one profile."""
        async with self._db.read() as session:
            record = await self._profiles.get(session, call.int_path("id"))
        if not is_offered_to(record, _scope(call.principal)):
            # The same words as for one that there never was.
            raise ProfileNotFound(f"there is no certificate profile {record.id}", field="profile_id")
        return _view(record)

    @post(
        "",
        action="profiles.edit",
        summary="Create a certificate profile",
        body=ProfileCreate,
        returns=ProfileView,
        status=201,
    )
    async def create(self, call: Call[ProfileCreate, None]) -> ProfileView:
        """Create a profile."""
        fields = ProfileFields(**_typed(call.body))
        async with self._db.write() as uow:
            return _view(await self._profiles.create(uow, fields, principal=call.principal))

    @patch(
        "/{id:int}",
        action="profiles.edit",
        summary="Change a certificate profile",
        body=ProfileChange,
        returns=ProfileView,
    )
    async def update(self, call: Call[ProfileChange, None]) -> ProfileView:
        """Change a profile."""
        changes = {
            name: value
            for name, value in _typed(call.body).items()
            if value is not None or name == "organization_ids"
        }
        async with self._db.write() as uow:
            record = await self._profiles.update(
                uow, call.int_path("id"), changes=changes, principal=call.principal
            )
        return _view(record)

    @delete("/{id:int}", action="profiles.edit", summary="Delete a certificate profile")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete a profile; refused when requests or certificates refer to it."""
        async with self._db.write() as uow:
            await self._profiles.delete(uow, call.int_path("id"), principal=call.principal)


def _scope(principal: Principal) -> frozenset[int] | None:
    return None if principal.sees_everything else principal.organization_ids


def _view(record: ProfileRecord) -> ProfileView:
    return ProfileView.model_validate(record)


def _typed(body: BaseModel) -> dict[str, Any]:
    # Lists become the record's immutable values; only what the caller sent.
    values: dict[str, Any] = {}
    for name in body.model_fields_set:
        value = getattr(body, name)
        if isinstance(value, list):
            value = frozenset(value) if name == "organization_ids" else tuple(value)
        values[name] = value
    return values
