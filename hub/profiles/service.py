"""Certificate profiles: the only way in for other rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Integer, Row, column, delete, insert, select, table, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.access import audit
from hub.db.outbox import Event
from hub.db.uow import Database, UnitOfWork
from hub.http.principal import Principal
from hub.organizations.service import Findings, OrganizationRecord
from hub.profiles import compromised_keys
from hub.profiles.compromised_keys import KeyKnowledge
from hub.profiles.errors import InvalidProfile, ProfileInUse, ProfileNameTaken, ProfileNotFound
from hub.profiles.field_rules import check_terms, stored_values
from hub.profiles.models import Profile
from hub.profiles.policy import ProfileCheckInput, check_request
from hub.profiles.preview import NoUses, ProfilePreview, ProfileUse, ProfileUses, preview, shown
from hub.profiles.records import ProfileFields, ProfileRecord, RenewalPolicy, SanRule, SubjectSource
from hub.profiles.subjects import compose_subject
from hub.profiles.terms import public_term_fault, public_term_limit
from pki.weak_key_lists import NO_KNOWN_KEYS, KnownKeys

__all__ = [
    "KeyKnowledge",
    "OrganizationRecord",
    "ProfileCheckInput",
    "ProfileFields",
    "ProfileRecord",
    "ProfileService",
    "ProfileUse",
    "RenewalPolicy",
    "SanRule",
    "SubjectSource",
    "check_request",
    "compose_subject",
    "public_term_fault",
    "public_term_limit",
]

# The room of CA backends is above this one: only its table's key is known here.
_BACKENDS = table("ca_backends", column("id", Integer))

COLUMNS = (
    Profile.id,
    Profile.name,
    Profile.description,
    Profile.certificate_type,
    Profile.trust,
    Profile.backend_id,
    Profile.backup_backend_ids,
    Profile.cost_note,
    Profile.terms_days,
    Profile.key_types,
    Profile.san_rule,
    Profile.min_names,
    Profile.max_names,
    Profile.www_included,
    Profile.ip_addresses,
    Profile.internal_names,
    Profile.auto_approve,
    Profile.approvals,
    Profile.sub_type,
    Profile.agreement,
    Profile.renewal,
    Profile.key_usage,
    Profile.extended_key_usage,
    Profile.subject_policy,
    Profile.organization_ids,
    Profile.status,
)


class ProfileService:
    """Reads and changes certificate profiles, and knows the keys that are never certified.

    ``weak_keys`` are published keys, read from files once; ``uses`` tells what was issued under a profile.
    """

    def __init__(
        self, db: Database, *, weak_keys: KnownKeys = NO_KNOWN_KEYS, uses: ProfileUses | None = None
    ) -> None:
        self.db = db
        self._weak_keys = weak_keys
        self._uses = uses or NoUses()

    async def get(self, session: AsyncSession, profile_id: int) -> ProfileRecord:
        """Return one profile; raise ProfileNotFound."""
        rows = await session.execute(select(*COLUMNS).where(Profile.id == profile_id))
        return _record(rows.one_or_none(), profile_id)

    async def by_name(self, session: AsyncSession, name: str) -> ProfileRecord:
        """Return the profile of this exact name; raise ProfileNotFound."""
        rows = await session.execute(select(*COLUMNS).where(Profile.name == name))
        return _record(rows.one_or_none(), name)

    async def list(
        self, session: AsyncSession, *, organization_ids: frozenset[int] | None = None
    ) -> Sequence[ProfileRecord]:
        """Return profiles by name; of a scope: those that at least one of its organizations may use."""
        rows = await session.execute(select(*COLUMNS).order_by(Profile.name))
        records = [_record(row, "") for row in rows]
        return [item for item in records if is_offered_to(item, organization_ids)]

    def check_request(self, check: ProfileCheckInput) -> Findings:
        """Return everything about a request that its profile does not allow."""
        return check_request(check)

    async def create(self, uow: UnitOfWork, fields: ProfileFields, *, principal: Principal) -> ProfileRecord:
        """Create a profile.

        Raises:
            InvalidProfile: a value that no certificate could satisfy, a term that is too long today for
                public trust, or a CA backend that does not exist.
            ProfileNameTaken: there is one of this name.
        """
        values = await self._values(uow.session, fields, profile_id=None)
        check_terms(fields, on=uow.now.date())
        try:
            async with uow.savepoint():
                statement = insert(Profile).values(**values, created_at=uow.now).returning(Profile.id)
                profile_id = (await uow.session.execute(statement)).scalar_one()
        except IntegrityError as fault:
            raise _no_backend(fields) from fault
        await _note(uow, "ProfileCreated", profile_id, principal=principal, details=values)
        return await self.get(uow.session, profile_id)

    async def update(
        self, uow: UnitOfWork, profile_id: int, *, changes: dict[str, Any], principal: Principal
    ) -> ProfileRecord:
        """Change fields of a profile; what was requested before keeps the terms it was requested under.

        A term that it has already may stay when it is too long for public trust by now: it is not offered.

        Raises as :meth:`create` and :meth:`get` do.
        """
        before = await self.get(uow.session, profile_id)
        fields = replace(before, **changes)
        values = await self._values(uow.session, fields, profile_id=profile_id)
        check_terms(fields, on=uow.now.date(), kept=before.terms_days)
        try:
            async with uow.savepoint():
                await uow.session.execute(update(Profile).where(Profile.id == profile_id).values(**values))
        except IntegrityError as fault:
            raise _no_backend(fields) from fault
        old, new = ({name: shown(getattr(item, name)) for name in changes} for item in (before, fields))
        details = audit.changes(old, new)
        await _note(uow, "ProfileChanged", profile_id, principal=principal, details=details)
        return await self.get(uow.session, profile_id)

    async def preview(
        self, session: AsyncSession, profile_id: int, *, changes: dict[str, Any]
    ) -> ProfilePreview:
        """Return what such a change would do to what was issued under the profile; nothing is changed.

        Raises as :meth:`update` does.
        """
        before = await self.get(session, profile_id)
        after = replace(before, **changes)
        await self._values(session, after, profile_id=profile_id)
        on = self.db.clock().date()
        check_terms(after, on=on, kept=before.terms_days)
        return await preview(self._uses, session, before=before, after=after, on=on)

    async def key_knowledge(self, session: AsyncSession, spki_sha256: Collection[str]) -> KeyKnowledge:
        """Return what is known of keys: the published ones, and which of these are compromised."""
        compromised = await compromised_keys.sources_of(session, spki_sha256)
        return KeyKnowledge(weak_keys=self._weak_keys, compromised=compromised)

    async def add_compromised(
        self, uow: UnitOfWork, spki_sha256: Iterable[str], *, source: str, principal: Principal
    ) -> int:
        """Never certify these keys again; return how many were not known. ``source``: how that is known."""
        return await compromised_keys.add(uow, spki_sha256, source=source, principal=principal)

    async def remove_compromised(self, uow: UnitOfWork, spki_sha256: str, *, principal: Principal) -> None:
        """Take a key off the list; raise CompromisedKeyNotFound."""
        await compromised_keys.remove(uow, spki_sha256, principal=principal)

    async def delete(self, uow: UnitOfWork, profile_id: int, *, principal: Principal) -> None:
        """Delete a profile that nothing refers to.

        Raises:
            ProfileInUse: requests or certificates refer to it; the database's foreign keys say so.
            ProfileNotFound: there is none of this id.
        """
        record = await self.get(uow.session, profile_id)
        try:
            async with uow.savepoint():
                await uow.session.execute(delete(Profile).where(Profile.id == profile_id))
        except IntegrityError as fault:
            raise ProfileInUse from fault
        await _note(uow, "ProfileDeleted", profile_id, principal=principal, details={"name": record.name})

    async def _values(
        self, session: AsyncSession, fields: ProfileFields, *, profile_id: int | None
    ) -> dict[str, Any]:
        values = stored_values(fields)
        same_name = select(Profile.id).where(Profile.name == values["name"])
        if profile_id is not None:
            same_name = same_name.where(Profile.id != profile_id)
        if (await session.execute(same_name)).first() is not None:
            raise ProfileNameTaken(f"there is a profile named {values['name']!r} already", field="name")
        await _check_backups(session, fields.backup_backend_ids)
        return values


def is_offered_to(profile: ProfileRecord, organization_ids: frozenset[int] | None) -> bool:
    """Tell whether a profile is for at least one of the organizations (None: whoever looks sees all)."""
    if organization_ids is None or profile.organization_ids is None:
        return True
    return bool(profile.organization_ids & organization_ids)


def _record(row: Row[*tuple[Any, ...]] | None, wanted: int | str) -> ProfileRecord:
    if row is None:
        raise ProfileNotFound(f"there is no certificate profile {wanted!r}", field="profile_id")
    values = row._asdict()
    for name in ("backup_backend_ids", "terms_days", "key_types", "key_usage", "extended_key_usage"):
        values[name] = tuple(values[name])
    values["san_rule"] = SanRule(values["san_rule"])
    values["renewal"] = RenewalPolicy(**values["renewal"])
    values["subject_policy"] = {
        name: SubjectSource(source) for name, source in values["subject_policy"].items()
    }
    if values["organization_ids"] is not None:
        values["organization_ids"] = frozenset(values["organization_ids"])
    return ProfileRecord(**values)


def _no_backend(fields: ProfileFields) -> InvalidProfile:
    return InvalidProfile(f"there is no CA backend {fields.backend_id}", field="backend_id")


async def _check_backups(session: AsyncSession, backend_ids: Collection[int]) -> None:
    # A list has no foreign keys.
    if not backend_ids:
        return
    rows = await session.execute(select(_BACKENDS.c.id).where(_BACKENDS.c.id.in_(list(backend_ids))))
    missing = set(backend_ids) - set(rows.scalars())
    if missing:
        raise InvalidProfile(f"there is no CA backend {min(missing)}", field="backup_backend_ids")


async def _note(
    uow: UnitOfWork, kind: str, profile_id: int, *, principal: Principal, details: dict[str, Any]
) -> None:
    uow.emit(Event(kind=kind, object_type="profile", object_id=str(profile_id)))
    await audit.record(
        uow,
        principal=principal,
        action=kind,
        object_type="profile",
        object_id=str(profile_id),
        organization_id=None,
        details=details,
    )
