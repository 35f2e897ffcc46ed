"""Access rules, brute force, fixation, sessions, recovery from the command line."""

from __future__ import annotations

import ipaddress

import pyotp
import pytest
from sqlalchemy import select

from hub.access.errors import NoSuchAdministrator, SessionEnded, TooManyLogins, WrongCredentials
from hub.access.login_limits import AddressLimiter, FailureBudget
from hub.access.models import AuditEntry, Session
from hub.access.passwords import Passwords
from hub.access.signin import access_rules
from hub.access.signin.access_rules import Audience, Rule, audiences_of, is_allowed, parse_network
from hub.access.signin.errors import AddressNotAllowed, RuleLocksYouOut
from hub.access.signin.recovery import Recovery, recover
from hub.access.signin.sign_in_policy import require_second_factor
from hub.access.signin.states import State
from hub.db.errors import Malformed
from hub.http.principal import Role, RoleGrant

PASSWORD = "correct horse battery staple"


def _rule(network, applies_to=Audience.ALL):
    return Rule(applies_to, ipaddress.ip_network(network))


async def _set(room, *rules, address="192.0.2.1"):
    await room.write(
        lambda uow: room.signin.rules.replace(uow, rules, principal=room.principal(), address=address)
    )


@pytest.mark.parametrize(
    ("address", "audience", "allowed"),
    [
        ("192.0.2.9", Audience.MRAO, True),
        ("192.0.2.9", Audience.RAO_DRAO, False),
        ("198.51.100.9", Audience.RAO_DRAO, True),
        ("198.51.100.9", Audience.MRAO, False),
        ("::ffff:192.0.2.9", Audience.MRAO, True),
        ("2001:db8::1", Audience.MRAO, False),
        ("not an address", Audience.MRAO, False),
    ],
)
def test_an_address_has_to_be_in_every_list_that_concerns_one(address, audience, allowed):
    rules = [
        _rule("192.0.2.0/24"),
        _rule("198.51.100.0/24"),
        _rule("192.0.2.0/24", Audience.MRAO),
        _rule("198.51.100.0/24", Audience.RAO_DRAO),
    ]
    assert is_allowed(rules, address, frozenset({Audience.ALL, audience})) is allowed


def test_empty_lists_limit_nobody_and_an_mrao_with_other_roles_is_one():
    assert is_allowed([_rule("192.0.2.0/24", Audience.RAO_DRAO)], "203.0.113.1", frozenset({Audience.ALL}))
    grants = [RoleGrant(role=Role.RAO, organization_id=1), RoleGrant(role=Role.MRAO)]
    assert audiences_of(grants) == {Audience.ALL, Audience.MRAO}


@pytest.mark.parametrize("text", ["", "192.0.2.1/24", "300.0.0.0/8", "hub.example", "192.0.2.0/33"])
def test_bad_networks_are_told(text):
    with pytest.raises(Malformed):
        parse_network(text)


async def test_rules_hold_at_sign_in_and_at_each_request(room):
    opened = (await room.password()).opened
    await _set(room, _rule("192.0.2.0/24"))
    await room.access.admit(opened.principal, "192.0.2.77")
    with pytest.raises(AddressNotAllowed) as caught:
        await room.access.admit(opened.principal, "203.0.113.1")
    assert "203.0.113.1" in caught.value.message
    with pytest.raises(AddressNotAllowed):
        await room.password(remote="203.0.113.1")
    assert (await room.password()).opened


async def test_a_rule_for_mraos_is_told_to_nobody_without_the_password(room):
    await _set(room, _rule("192.0.2.0/24", Audience.MRAO))
    with pytest.raises(WrongCredentials):
        await room.password(password="wrong password", remote="203.0.113.1")
    with pytest.raises(AddressNotAllowed):
        await room.password(remote="203.0.113.1")
    async with room.db.read() as session:
        assert (await session.scalars(select(Session))).all() == []


@pytest.mark.parametrize("audience", [Audience.ALL, Audience.MRAO])
async def test_an_mrao_cannot_lock_themselves_out(room, audience):
    with pytest.raises(RuleLocksYouOut) as caught:
        await _set(room, _rule("203.0.113.0/24", audience))
    assert "192.0.2.1" in caught.value.message
    async with room.db.read() as session:
        assert await access_rules.load(session) == []
    # What keeps only others out is theirs to decide.
    await _set(room, _rule("203.0.113.0/24", Audience.RAO_DRAO))


async def test_one_account_guessed_from_everywhere_is_slowed_down(room):
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await room.password(password="wrong password", remote=f"198.51.{number}.1")
    with pytest.raises(TooManyLogins):
        await room.password(password="wrong password", remote="203.0.113.200")


async def test_many_accounts_guessed_from_one_address_are_slowed_down(room):
    room.signin.passwords._addresses = AddressLimiter(burst=5, interval_s=60)
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await room.password(f"user{number}", "wrong password", remote="198.51.100.1")
    with pytest.raises(TooManyLogins):
        await room.password("user9", "wrong password", remote="198.51.100.1")
    # A neighbour in the same /64 of IPv6 is the same customer.
    for number in range(5):
        with pytest.raises(WrongCredentials):
            await room.password(f"v6user{number}", "wrong password", remote=f"2001:db8::{number}")
    with pytest.raises(TooManyLogins):
        await room.password("v6user9", "wrong password", remote="2001:db8::ffff")


async def test_passwords_sprayed_over_names_and_addresses_use_up_a_budget_but_not_that_of_known_places(room):
    budget = FailureBudget(burst=10, interval_s=1000)
    room.signin.passwords._budget = room.signin._flow._budget = budget
    assert (await room.password()).opened
    for number in range(10):
        with pytest.raises(WrongCredentials):
            await room.password(f"user{number}", "wrong password", remote=f"198.51.{number}.1")
    with pytest.raises(TooManyLogins):
        await room.password("user99", "wrong password", remote="203.0.113.200")
    assert (await room.password()).opened


def test_the_budget_fills_up_again():
    budget = FailureBudget(burst=2, interval_s=1)
    for _ in range(3):
        budget.failed(now_s=100)
    with pytest.raises(TooManyLogins):
        budget.check("192.0.2.1", now_s=100)
    budget.check("192.0.2.1", now_s=102)


async def test_every_step_up_gives_a_new_token_and_voids_the_old_one(room):
    opened = (await room.password()).opened
    before = await room.access.by_session(opened.token)
    renewed = await room.write(
        lambda uow: room.access.sessions.step_up(uow, opened.token, before, method="client_certificate")
    )
    assert renewed != opened.token
    with pytest.raises(SessionEnded):
        await room.access.by_session(opened.token)
    after = await room.access.by_session(renewed)
    assert after.methods == {"password", "client_certificate"}
    assert after.session_id == before.session_id


async def test_sessions_are_ended_one_by_one(room):
    first, second = (await room.password()).opened, (await room.password()).opened
    session_id = (await room.access.by_session(first.token)).session_id
    ended = await room.write(
        lambda uow: room.access.sessions.end(
            uow, Session.id == session_id, principal=room.principal(), reason="revoked"
        )
    )
    assert ended == [session_id]
    with pytest.raises(SessionEnded):
        await room.access.by_session(first.token)
    await room.access.by_session(second.token)


async def test_the_last_mrao_is_recovered_from_the_command_line(room):
    await room.write(lambda uow: require_second_factor(uow, {Role.MRAO}, principal=room.principal()))
    made = await room.write(lambda uow: room.signin.factors.begin_totp(uow, 1))
    code = pyotp.TOTP(made.secret).at(room.clock())
    await room.write(lambda uow: room.signin.factors.confirm_totp(uow, room.principal(), code))
    await _set(room, _rule("192.0.2.0/24"))
    for _ in range(6):
        with pytest.raises((WrongCredentials, TooManyLogins)):
            await room.password(password="wrong password")
    passwords = room.signin.passwords._passwords
    wanted = Recovery(reset_factors=True, lift_access_rules=True)
    recovered = await room.write(lambda uow: recover(uow, wanted, passwords))
    assert recovered.username == "alice"
    assert recovered.password not in repr(recovered)
    # A hub that runs looks at the rules again within two seconds.
    room.signin.rules._forget()
    with pytest.raises(WrongCredentials):
        await room.password(remote="203.0.113.1")
    progress = await room.password(password=recovered.password, remote="203.0.113.1")
    # The policy still holds: a new factor first, then a password of one's own.
    assert progress.state is State.ENROLMENT
    async with room.db.read() as session:
        entry = (
            await session.scalars(select(AuditEntry).where(AuditEntry.action == "AdministratorRecovered"))
        ).one()
    assert entry.actor_name == "command line of the host"
    assert recovered.password not in str(entry.details)


async def test_somebody_who_is_no_mrao_is_not_recovered(room):
    with pytest.raises(NoSuchAdministrator):
        await room.write(lambda uow: recover(uow, Recovery(username="nobody"), Passwords()))
