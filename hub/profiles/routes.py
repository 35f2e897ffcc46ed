"""Admin REST of certificate profiles."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import BaseModel

from hub.access.redaction import plain
from hub.db.uow import Database
from hub.http.calls import Call
from hub.http.principal import Principal
from hub.http.routing import RouteSet, delete, get, patch, post
from hub.profiles.errors import ProfileNotFound
from hub.profiles.preview import ProfilePreview
from hub.profiles.records import ProfileFields, ProfileRecord, RenewalPolicy, default_subject_policy
from hub.profiles.schemas import (
    CertificateProfileChange,
    FieldChange,
    FindingView,
    MisfitView,
    ProfileCreate,
    ProfileList,
    ProfilePreviewView,
    ProfileView,
    ReasonCount,
    Renewal,
)
from hub.profiles.service import ProfileService, is_offered_to
from hub.profiles.terms import terms_on


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
        return ProfileList(items=[self._view(record) for record in records])

    @get("/{id:int}", action="profiles.view", summary="Read a certificate profile", returns=ProfileView)
    async def read(self, call: Call[None, None]) -> ProfileView:
        """Return one profile."""
        async with self._db.read() as session:
            record = await self._profiles.get(session, call.int_path("id"))
        if not is_offered_to(record, _scope(call.principal)):
            # The same words as for one that there never was.
            raise ProfileNotFound(f"there is no certificate profile {record.id}", field="profile_id")
        return self._view(record)

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
        values = _typed(call.body)
        if call.body.subject_policy is None:
            values["subject_policy"] = default_subject_policy(call.body.trust, call.body.sub_type)
        async with self._db.write() as uow:
            record = await self._profiles.create(uow, ProfileFields(**values), principal=call.principal)
        return self._view(record)

    @patch(
        "/{id:int}",
        action="profiles.edit",
        summary="Change a certificate profile",
        body=CertificateProfileChange,
        returns=ProfileView,
    )
    async def update(self, call: Call[CertificateProfileChange, None]) -> ProfileView:
        """Change a profile."""
        changes = _changes(call.body)
        async with self._db.write() as uow:
            record = await self._profiles.update(
                uow, call.int_path("id"), changes=changes, principal=call.principal
            )
        return self._view(record)

    @post(
        "/{id:int}/preview",
        action="profiles.edit",
        summary="See what a change to a certificate profile would do",
        body=CertificateProfileChange,
        returns=ProfilePreviewView,
    )
    async def preview(self, call: Call[CertificateProfileChange, None]) -> ProfilePreviewView:
        """Tell which certificates a changed profile would not allow any more; nothing is changed."""
        async with self._db.read() as session:
            result = await self._profiles.preview(session, call.int_path("id"), changes=_changes(call.body))
        return _preview_view(result)

    @delete("/{id:int}", action="profiles.edit", summary="Delete a certificate profile")
    async def remove(self, call: Call[None, None]) -> None:
        """Delete a profile; refused when requests or certificates refer to it."""
        async with self._db.write() as uow:
            await self._profiles.delete(uow, call.int_path("id"), principal=call.principal)

    def _view(self, record: ProfileRecord) -> ProfileView:
        return _view(record, on=self._db.clock().date())


def _scope(principal: Principal) -> frozenset[int] | None:
    return None if principal.sees_everything else principal.organization_ids


def _view(record: ProfileRecord, *, on: date) -> ProfileView:
    names = ProfileView.model_fields.keys() - {"terms"}
    values = {name: getattr(record, name) for name in names}
    values |= {"ip_addresses": record.takes_ip_addresses, "internal_names": record.takes_internal_names}
    terms = terms_on(record.terms_days, is_public=record.is_public, on=on)
    return ProfileView.model_validate({**values, "terms": terms}, from_attributes=True)


def _preview_view(result: ProfilePreview) -> ProfilePreviewView:
    return ProfilePreviewView(
        changes=[
            FieldChange(field=name, before=plain(old), after=plain(new))
            for name, (old, new) in result.changed.items()
        ],
        examined=result.examined,
        complete=result.complete,
        misfits=result.misfits,
        renewals_at_risk=result.renewals_at_risk,
        reasons=[
            ReasonCount(reason=reason, certificates=count) for reason, count in result.reasons.most_common()
        ],
        first=[
            MisfitView(
                id=misfit.use.id,
                status=misfit.use.status,
                common_name=misfit.use.common_name,
                organization_id=misfit.use.organization_id,
                not_after=misfit.use.not_after,
                findings=[FindingView.model_validate(item) for item in misfit.findings],
            )
            for misfit in result.first
        ],
    )


def _changes(body: CertificateProfileChange) -> dict[str, Any]:
    # Null means something for the organizations only: all of them.
    return {
        name: value for name, value in _typed(body).items() if value is not None or name == "organization_ids"
    }


def _typed(body: BaseModel) -> dict[str, Any]:
    # Lists become the record's immutable values; only what the caller sent.
    values: dict[str, Any] = {}
    for name in body.model_fields_set:
        value = getattr(body, name)
        if isinstance(value, list):
            value = frozenset(value) if name == "organization_ids" else tuple(value)
        elif isinstance(value, Renewal):
            value = RenewalPolicy(**value.model_dump())
        values[name] = value
    return values
