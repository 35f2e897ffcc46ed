"""Administrators: who may create, see, change and delete whom, and what stays."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from hub.access.actions import CERTIFICATE_TYPES
from hub.access.administrators import AdministratorChanges, Administrators, NewAdministrator, load_grants
from hub.access.delegation import within
from hub.access.errors import HandoverRefused, LastMaster, NoSuchAdministrator, PlaceUnknown
from hub.access.models import Administrator, AuditEntry, RoleGrantRow
from hub.access.policy import types_of
from hub.access.privileges import API_ONLY, EVERY_POWER
from hub.access.visibility import types_key, visible_administrator
from hub.db.errors import Malformed
from hub.http.principal import SYSTEM, Principal, Role, RoleGrant
from hub.organizations.models import Department, Organization

PASSWORD = "correct horse battery staple"
MRAO = RoleGrant(role=Role.MRAO)


def rao(organization=1, *types):
    return RoleGrant(role=Role.RAO, organization_id=organization, certificate_types=frozenset(types))


def drao(organization=1, department=11, *types):
    return RoleGrant(
        role=Role.DRAO,
        organization_id=organization,
        department_id=department,
        certificate_types=frozenset(types),
    )


@pytest.fixture
def administrators(passwords):
    return Administrators(passwords)


@pytest.fixture
async def places(db, clock):
    """Organizations 1 and 2 with the departments 11, 12 and 21."""
    async with db.write() as uow:
        for number in (1, 2):
            uow.session.add(
                Organization(id=number, name=f"o{number}", public_id=f"p{number}", created_at=clock())
            )
        await uow.session.flush()
        for number, organization in ((11, 1), (12, 1), (21, 2)):
            uow.session.add(
                Department(id=number, organization_id=organization, name=f"d{number}", created_at=clock())
            )


@pytest.fixture
def make(db, administrators, places):
    async def one(username, *grants, by=SYSTEM, **more):
        more.setdefault("password", PASSWORD)
        wanted = NewAdministrator(username=username, name=username.title(), grants=grants, **more)
        async with db.write() as uow:
            made = await administrators.add(uow, wanted, principal=by)
        return await principal_of(db, made)

    return one


async def principal_of(db, administrator_id):
    async with db.read() as session:
        row = await session.get(Administrator, administrator_id)
        grants = await load_grants(session, administrator_id)
    return Principal(
        kind="administrator",
        id=str(administrator_id),
        name=row.name,
        grants=grants,
        privileges=frozenset(row.privileges),
    )


async def apply(db, administrators, subject, by, **changes):
    async with db.write() as uow:
        await administrators.apply(uow, int(subject.id), AdministratorChanges(**changes), principal=by)


async def test_the_first_master_has_every_power_and_hands_on_the_usual(make):
    root = await make("root", MRAO)
    assert root.privileges == EVERY_POWER
    helper = await make("helper", rao(1), by=root)
    assert helper.privileges == {
        "edit_requests",
        "dcv",
        "discovery",
        "manage_agents",
        "manage_organizations",
    } | (helper.privileges & {"approve_domains"})


async def test_an_organizations_officer_makes_officers_of_its_departments_only(make):
    officer = await make("officer", rao(1))
    clerk = await make("clerk", drao(1, 11), by=officer)
    assert clerk.grants == (drao(1, 11),)
    for beyond in (MRAO, rao(2), drao(2, 21), rao(1)):
        with pytest.raises(HandoverRefused):
            await make("nobody", beyond, by=officer)


@pytest.mark.parametrize("grant", [rao(9), drao(1, 21), drao(2, 11)])
async def test_a_department_must_be_of_the_organization_that_is_named(make, grant):
    """Or an officer of one organization would reach into another one."""
    with pytest.raises(PlaceUnknown):
        await make("nobody", grant)


async def test_privileges_are_not_handed_on_by_who_lacks_them(make):
    root = await make("root", MRAO)
    weak = await make("weak", MRAO, by=root, privileges={"create_peers", "edit_peers"})
    with pytest.raises(HandoverRefused) as caught:
        await make("strong", MRAO, by=weak, privileges={"download_keys"})
    assert [finding.reason for finding in caught.value.findings] == ["PrivilegeBeyondYours"]


async def test_nobody_raises_themselves(make, db, administrators):
    officer = await make("officer", rao(1, "client"), privileges={"edit_peers"})
    for changes in (
        {"grants": [MRAO]},
        {"grants": [rao(1)]},
        {"grants": [rao(1, "client"), rao(2, "client")]},
        {"privileges": {"edit_peers", "dcv"}},
    ):
        with pytest.raises(HandoverRefused):
            await apply(db, administrators, officer, officer, **changes)
    # Lowering oneself is everybody's right.
    await apply(db, administrators, officer, officer, grants=[drao(1, 11, "client")])
    assert (await principal_of(db, officer.id)).grants == (drao(1, 11, "client"),)


async def test_resetting_a_password_is_no_way_up(make, db, administrators):
    root = await make("root", MRAO)
    weak = await make("weak", MRAO, by=root, privileges={"edit_peers"})
    with pytest.raises(HandoverRefused):
        async with db.write() as uow:
            await administrators.set_password(uow, int(root.id), "another good password", principal=weak)
    async with db.write() as uow:
        await administrators.set_password(uow, int(weak.id), "another good password", principal=root)
    async with db.read() as session:
        row = await session.get(Administrator, int(weak.id))
    assert row.must_change_password


async def test_administrators_out_of_reach_do_not_exist(make, db, administrators):
    officer = await make("officer", rao(1))
    stranger = await make("stranger", rao(2))
    for subject in (stranger.id, "999"):
        with pytest.raises(NoSuchAdministrator):
            async with db.write() as uow:
                await administrators.change(uow, int(subject), principal=officer, active=False)
        with pytest.raises(NoSuchAdministrator):
            async with db.write() as uow:
                await administrators.remove(uow, int(subject), principal=officer)


async def test_the_last_active_master_stays(make, db, administrators):
    root = await make("root", MRAO)
    template = await make("template", MRAO, type="idp_template", password=None)
    with pytest.raises(LastMaster):
        await apply(db, administrators, root, root, active=False)
    with pytest.raises(LastMaster):
        await apply(db, administrators, root, SYSTEM, grants=[rao(1)], privileges=())
    with pytest.raises(LastMaster):
        async with db.write() as uow:
            await administrators.remove(uow, int(root.id), principal=SYSTEM)
    second = await make("second", MRAO)
    await apply(db, administrators, root, second, active=False)
    with pytest.raises(LastMaster):
        await apply(db, administrators, second, second, active=False)
    assert template.id != second.id


async def test_switching_off_keeps_the_history_and_deleting_keeps_the_log(make, db, administrators):
    root = await make("root", MRAO)
    gone = await make("gone", rao(1), by=root)
    await apply(db, administrators, gone, root, active=False)
    async with db.read() as session:
        row = await session.get(Administrator, int(gone.id))
    assert (row.active, row.deactivated_at is not None) == (False, True)
    async with db.write() as uow:
        await administrators.remove(uow, int(gone.id), principal=root)
    async with db.read() as session:
        entries = (
            await session.execute(
                select(AuditEntry.action, AuditEntry.actor_name, AuditEntry.details)
                .where(AuditEntry.object_id == gone.id)
                .order_by(AuditEntry.sequence)
            )
        ).all()
        assert not (
            await session.execute(select(RoleGrantRow).where(RoleGrantRow.administrator_id == int(gone.id)))
        ).first()
    assert [entry.action for entry in entries] == [
        "AdministratorCreated",
        "AdministratorChanged",
        "AdministratorDeleted",
    ]
    assert entries[1].details == {"before": {"active": True}, "after": {"active": False}}
    assert entries[2].details["username"] == "gone"
    assert {entry.actor_name for entry in entries} == {"Root"}


async def test_types_of_administrators(make):
    with pytest.raises(Malformed, match="password"):
        await make("script", MRAO, type="api")
    script = await make("script", MRAO, type="api", password=None)
    assert API_ONLY in script.privileges
    person = await make("person", rao(1), type="idp_user", password=None)
    assert API_ONLY not in person.privileges
    with pytest.raises(Malformed):
        await make("odd", MRAO, type="robot", password=None)
    with pytest.raises(Malformed, match="first password"):
        await make("none", MRAO, password=None)


async def test_profiles_are_changed_by_their_owners_within_limits(make, db, administrators):
    officer = await make("officer", rao(1))
    async with db.write() as uow:
        await administrators.change_own(uow, {"title": "Dr.", "country": "DE"}, principal=officer)
    async with db.read() as session:
        row = await session.get(Administrator, int(officer.id))
        details = (
            await session.scalars(select(AuditEntry.details).order_by(AuditEntry.sequence.desc()))
        ).first()
    assert (row.title, row.country, row.name) == ("Dr.", "DE", "Officer")
    assert details == {"before": {"title": "", "country": ""}, "after": {"title": "Dr.", "country": "DE"}}


_TYPES = st.frozensets(st.sampled_from(sorted(CERTIFICATE_TYPES)), max_size=3)


@st.composite
def _grants(draw):
    role = draw(st.sampled_from(Role))
    if role is Role.MRAO:
        return MRAO
    types = draw(_TYPES)
    if role is Role.RAO:
        return rao(draw(st.sampled_from([1, 2])), *types)
    department = draw(st.sampled_from([11, 12, 21]))
    return drao(department // 10, department, *types)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    own=st.lists(_grants(), min_size=1, max_size=3),
    others=st.lists(st.lists(_grants(), min_size=1, max_size=2), min_size=1, max_size=4),
)
async def test_the_list_shows_whom_one_may_touch(db, clock, places, own, others):
    """The database's condition and the rule of handing over agree."""
    viewer = Principal(kind="administrator", id="0", name="x", grants=tuple(own))
    async with db.write() as uow:
        await uow.session.execute(RoleGrantRow.__table__.delete())
        await uow.session.execute(Administrator.__table__.delete())
        for number, grants in enumerate(others, 1):
            values = {
                "id": number,
                "username": f"u{number}",
                "name": "x",
                "password_hash": "",
                "created_at": clock(),
            }
            await uow.session.execute(insert(Administrator).values(**values))
            for grant in grants:
                await uow.session.execute(
                    insert(RoleGrantRow).values(
                        administrator_id=number,
                        role=grant.role.value,
                        organization_id=grant.organization_id,
                        department_id=grant.department_id,
                        certificate_types=sorted(grant.certificate_types),
                        types_key=types_key(types_of(grant)),
                    )
                )
        statement = select(Administrator.id).where(*visible_administrator(viewer))
        listed = set(await uow.session.scalars(statement))
    reached = {
        number for number, grants in enumerate(others, 1) if all(within(grant, viewer) for grant in grants)
    }
    assert listed == reached
