"""Profiles in the database."""

import pytest
from sqlalchemy import select, text

from hub.access.models import AuditEntry
from hub.db.outbox import OutboxEvent
from hub.http.principal import SYSTEM
from hub.profiles.errors import InvalidProfile, ProfileInUse, ProfileNameTaken, ProfileNotFound
from hub.profiles.service import SanRule, SubjectSource

# Stands for the tables of rooms above, which refer to profiles.
CREATE_REFERENCE = text("CREATE TABLE referring (profile_id INTEGER REFERENCES profiles (id))")
REFER = text("INSERT INTO referring SELECT id FROM profiles")
REFER_NO_MORE = text("DELETE FROM referring")


async def test_a_profile_comes_back_as_it_was_made(db, profiles, create):
    made = await create(
        terms_days=(365, 90, 90),
        key_types=("RSA-2048", "EC-P256"),
        san_rule=SanRule.ANY,
        key_usage=("digitalSignature",),
        extended_key_usage=("serverAuth", "clientAuth"),
        organization_ids=frozenset({3, 4}),
        auto_approve=True,
    )
    async with db.read() as session:
        assert await profiles.get(session, made.id) == made
        assert await profiles.by_name(session, "Servers") == made
    assert made.terms_days == (90, 365)
    assert made.key_types == ("RSA-2048", "EC-P256")
    assert made.san_rule is SanRule.ANY
    assert made.organization_ids == frozenset({3, 4})
    assert made.subject_policy["organization"] is SubjectSource.ORGANIZATION


async def test_a_scope_sees_the_profiles_of_its_organizations(db, profiles, create):
    everybody = await create(name="For all")
    limited = await create(name="For three", organization_ids=frozenset({3}))
    async with db.read() as session:
        assert await profiles.list(session) == [everybody, limited]
        assert await profiles.list(session, organization_ids=frozenset({3})) == [everybody, limited]
        assert await profiles.list(session, organization_ids=frozenset({4})) == [everybody]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"certificate_type": "smime"}, "certificate_type"),
        ({"trust": "blind"}, "trust"),
        ({"terms_days": ()}, "terms_days"),
        ({"terms_days": (0,)}, "terms_days"),
        ({"key_types": ("RSA-1024",)}, "key_types"),
        ({"key_types": ()}, "key_types"),
        ({"max_names": 0}, "max_names"),
        ({"key_usage": ("keyCertSign",)}, "key_usage"),
        ({"key_usage": ("digital_signature",)}, "key_usage"),
        ({"extended_key_usage": ()}, "extended_key_usage"),
        ({"extended_key_usage": ("server",)}, "extended_key_usage"),
        ({"subject_policy": {"title": SubjectSource.OMIT}}, "subject_policy"),
        ({"backend_id": 99}, "backend_id"),
    ],
)
async def test_what_nothing_could_be_issued_under_is_refused_with_its_field(create, fields, field):
    with pytest.raises(InvalidProfile) as caught:
        await create(**fields)
    assert caught.value.field == field


async def test_a_name_is_taken_once(db, profiles, create):
    await create()
    with pytest.raises(ProfileNameTaken):
        await create()
    other = await create(name="Other")
    async with db.write() as uow:
        with pytest.raises(ProfileNameTaken):
            await profiles.update(uow, other.id, changes={"name": "Servers"}, principal=SYSTEM)
        await profiles.update(uow, other.id, changes={"name": "Other"}, principal=SYSTEM)


async def test_a_change_is_stored_audited_and_told(db, profiles, create):
    made = await create(organization_ids=frozenset({3}))
    async with db.write() as uow:
        changed = await profiles.update(
            uow,
            made.id,
            changes={"organization_ids": None, "status": "disabled", "terms_days": (47,)},
            principal=SYSTEM,
        )
    assert (changed.organization_ids, changed.status, changed.terms_days) == (None, "disabled", (47,))
    async with db.read() as session:
        kinds = (await session.scalars(select(OutboxEvent.kind))).all()
        details = (
            await session.scalars(select(AuditEntry.details).where(AuditEntry.action == "ProfileChanged"))
        ).one()
    assert kinds == ["ProfileCreated", "ProfileChanged"]
    assert details["after"] == {"organization_ids": None, "status": "disabled", "terms_days": [47]}
    assert (details["before"]["organization_ids"], details["before"]["status"]) == ([3], "active")


async def test_a_profile_goes_unless_something_refers_to_it(db, profiles, create):
    made = await create()
    async with db.write() as uow:
        await uow.session.execute(CREATE_REFERENCE)
        await uow.session.execute(REFER)
        with pytest.raises(ProfileInUse):
            await profiles.delete(uow, made.id, principal=SYSTEM)
        await uow.session.execute(REFER_NO_MORE)
        await profiles.delete(uow, made.id, principal=SYSTEM)
        with pytest.raises(ProfileNotFound):
            await profiles.delete(uow, made.id, principal=SYSTEM)
