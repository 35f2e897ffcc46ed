"""Signing in and out: wrong credentials, time-outs, lock-outs, tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.access.errors import (
    HandoverRefused,
    InvalidToken,
    LastMaster,
    NoSuchToken,
    SessionEnded,
    TooManyLogins,
    UsernameTaken,
    WeakPassword,
    WrongCredentials,
)
from hub.access.login_limits import MAX_WAIT_S, AddressLimiter, wait_after
from hub.access.models import ApiToken, AuditEntry, Session
from hub.access.passwords import check_password, random_password
from hub.access.sessions import SignIn
from hub.db.errors import Forbidden, Malformed
from hub.http.principal import SYSTEM, Principal, Role, RoleGrant

PASSWORD = "correct horse battery staple"


async def _sign_in(access, attempt):
    return (await access.signin.by_password(attempt)).opened


def _attempt(password=PASSWORD, username="alice", **more):
    return SignIn(username=username, password=password, remote="192.0.2.1", **more)


async def test_signing_in_opens_a_session_of_which_only_a_hash_is_stored(access, db):
    opened = await _sign_in(access, _attempt(username="ALICE"))
    principal = await access.by_session(opened.token)
    assert (principal.name, principal.sees_everything) == ("Alice A.", True)
    async with db.read() as session:
        row = (await session.scalars(select(Session))).one()
    assert opened.token not in str(vars(row))


async def test_a_new_sign_in_ends_the_session_that_the_browser_had(access):
    first = await _sign_in(access, _attempt())
    second = await _sign_in(access, _attempt(previous_token=first.token))
    assert second.token != first.token
    with pytest.raises(SessionEnded):
        await access.by_session(first.token)


@pytest.mark.parametrize("bad", [{"password": "wrong"}, {"username": "nobody"}, {"password": "x" * 4000}])
async def test_wrong_credentials_are_told_alike(access, bad):
    with pytest.raises(WrongCredentials) as caught:
        await _sign_in(access, _attempt(**bad))
    assert caught.value.message == "Wrong user name or password."


async def test_unknown_names_cost_a_hash_too(access, passwords, monkeypatch):
    verified = []
    original = passwords._verify
    monkeypatch.setattr(
        passwords, "_verify", lambda stored, password: verified.append(stored) or original(stored, password)
    )
    for attempt in (_attempt(username="nobody"), _attempt(password="wrong")):
        with pytest.raises(WrongCredentials):
            await _sign_in(access, attempt)
    assert len(verified) == 2
    assert all(stored.startswith("$argon2id$") for stored in verified)


@pytest.mark.parametrize("username", ["alice", "nobody"])
async def test_guessing_is_slowed_down_whether_the_name_exists_or_not(access, clock, username):
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            await _sign_in(access, _attempt("wrong", username))
    with pytest.raises(TooManyLogins) as caught:
        await _sign_in(access, _attempt("wrong", username))
    assert caught.value.retry_after_s >= 1
    if username == "alice":
        # Even the right password waits; then it works, and the count starts again.
        with pytest.raises(TooManyLogins):
            await _sign_in(access, _attempt())
        clock.forward(seconds=2)
        await _sign_in(access, _attempt())
        with pytest.raises(WrongCredentials):
            await _sign_in(access, _attempt("wrong"))


def test_waits_grow_and_end():
    assert [wait_after(count) for count in (0, 4, 5, 6, 10)] == [0, 0, 2, 4, 64]
    assert wait_after(1000) == MAX_WAIT_S


def test_an_address_has_its_own_limit():
    limiter = AddressLimiter(burst=2, interval_s=10.0, addresses=2)
    limiter.take("2001:db8::1", now_s=0)
    limiter.take("2001:db8::2", now_s=0)
    with pytest.raises(TooManyLogins) as caught:
        limiter.take("2001:db8::3", now_s=1)
    assert caught.value.retry_after_s == 9
    limiter.take("192.0.2.1", now_s=1)
    limiter.take("2001:db8::3", now_s=11)


async def test_failed_attempts_stand_in_the_audit_log(access, db):
    with pytest.raises(WrongCredentials):
        await _sign_in(access, _attempt("wrong"))
    await _sign_in(access, _attempt())
    async with db.read() as session:
        actions = list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.sequence)))
    assert actions == ["AdministratorCreated", "SignInRefused", "SignedIn"]


async def test_sessions_time_out(access, clock):
    opened = await _sign_in(access, _attempt())
    for _ in range(20):
        clock.forward(minutes=29)
        await access.by_session(opened.token)
    clock.forward(minutes=31)
    with pytest.raises(SessionEnded):
        await access.by_session(opened.token)
    opened = await _sign_in(access, _attempt())
    while clock.now + timedelta(minutes=29) < opened.expires_at:
        clock.forward(minutes=29)
        await access.by_session(opened.token)
    clock.forward(minutes=29)
    with pytest.raises(SessionEnded):
        await access.by_session(opened.token)


async def test_signing_out_ends_the_session(access):
    opened = await _sign_in(access, _attempt())
    await access.sessions.sign_out(opened.token, opened.principal)
    with pytest.raises(SessionEnded):
        await access.by_session(opened.token)


async def test_a_new_password_ends_the_other_sessions(access):
    other = await _sign_in(access, _attempt())
    own = await _sign_in(access, _attempt())
    with pytest.raises(WrongCredentials):
        await access.signin.passwords.change(
            own.principal, current="wrong", new="entirely different", token=own.token
        )
    await access.signin.passwords.change(
        own.principal, current=PASSWORD, new="entirely different", token=own.token
    )
    await access.by_session(own.token)
    with pytest.raises(SessionEnded):
        await access.by_session(other.token)
    with pytest.raises(WrongCredentials):
        await _sign_in(access, _attempt())
    await _sign_in(access, _attempt("entirely different"))


async def test_an_administrator_who_is_switched_off_is_out(access, db):
    async with db.write() as uow:
        bob = await access.administrators.create(
            uow,
            principal=SYSTEM,
            username="bob",
            name="Bob",
            password=PASSWORD,
            grants=[RoleGrant(role=Role.MRAO)],
        )
        token = await access.api_tokens.create(uow, principal=SYSTEM, administrator_id=bob, name="t")
    opened = await _sign_in(access, _attempt(username="bob"))
    async with db.write() as uow:
        await access.administrators.change(uow, bob, principal=SYSTEM, active=False)
    with pytest.raises(SessionEnded):
        await access.by_session(opened.token)
    with pytest.raises(InvalidToken):
        await access.by_api_token(token.token)
    with pytest.raises(WrongCredentials):
        await _sign_in(access, _attempt(username="bob"))


async def test_the_last_master_stays(access, db):
    with pytest.raises(LastMaster):
        async with db.write() as uow:
            await access.administrators.change(uow, 1, principal=SYSTEM, active=False)
    await _sign_in(access, _attempt())


async def test_new_administrators_are_checked(access, db):
    base = {"principal": SYSTEM, "name": "x", "password": PASSWORD, "grants": [RoleGrant(role=Role.MRAO)]}
    for error, change in (
        (UsernameTaken, {"username": "ALICE"}),
        (WeakPassword, {"username": "carol", "password": "short"}),
        (HandoverRefused, {"username": "carol", "grants": [RoleGrant(role=Role.RAO)]}),
        (HandoverRefused, {"username": "carol", "grants": []}),
    ):
        with pytest.raises(error):
            async with db.write() as uow:
                await access.administrators.create(uow, **{**base, **change})


def test_passwords_have_rules():
    check_password(random_password(), username="alice")
    for bad in ("short", "aaaaaaaaaaaaaa", "my name is alice", "x1" * 200):
        with pytest.raises(WeakPassword):
            check_password(bad, username="Alice")


async def test_api_tokens_expire_and_can_be_revoked(access, db, clock):
    async with db.write() as uow:
        made = await access.api_tokens.create(
            uow,
            principal=SYSTEM,
            administrator_id=1,
            name="t",
            scopes=["agents.*"],
            expires_at=clock.now + timedelta(days=1),
        )
    principal = await access.by_api_token(made.token)
    assert (principal.kind, principal.scopes) == ("api_token", {"agents.*"})
    async with db.read() as session:
        row = (await session.scalars(select(ApiToken))).one()
    assert made.token not in str(vars(row))
    assert row.last_used_at == clock.now
    clock.forward(days=1)
    with pytest.raises(InvalidToken):
        await access.by_api_token(made.token)
    async with db.write() as uow:
        other = await access.api_tokens.create(uow, principal=SYSTEM, administrator_id=1, name="u")
    stranger = Principal(kind="administrator", id="2", name="x")
    with pytest.raises(NoSuchToken):
        async with db.write() as uow:
            await access.api_tokens.revoke(uow, other.id, principal=stranger)
    async with db.write() as uow:
        await access.api_tokens.revoke(uow, other.id, principal=principal)
    with pytest.raises(InvalidToken):
        await access.by_api_token(other.token)


async def test_a_narrow_token_makes_no_wider_one(access, db):
    scopes = frozenset({"agents.*", "api_tokens.edit"})
    grants = (RoleGrant(role=Role.MRAO),)
    narrow = Principal(kind="api_token", id="1", name="x", grants=grants, scopes=scopes)
    for scopes, error in ((["*"], Forbidden), (["certificates.view"], Forbidden), (["no.such"], Malformed)):
        with pytest.raises(error):
            async with db.write() as uow:
                await access.api_tokens.create(
                    uow, principal=narrow, administrator_id=1, name="t", scopes=scopes
                )
    async with db.write() as uow:
        await access.api_tokens.create(
            uow, principal=narrow, administrator_id=1, name="t", scopes=["agents.view"]
        )


@pytest.mark.parametrize(
    ("maker", "allowed"),
    [
        ({"kind": "administrator", "methods": frozenset({"password"})}, False),
        ({"kind": "administrator", "methods": frozenset({"password", "recovery_code"})}, False),
        ({"kind": "administrator", "methods": frozenset({"password", "totp"})}, True),
        ({"kind": "administrator", "methods": frozenset({"client_certificate"})}, True),
        ({"kind": "api_token", "scopes": frozenset({"*"})}, False),
        ({"kind": "api_token", "scopes": frozenset({"certificates.*"})}, False),
        ({"kind": "api_token", "scopes": frozenset({"certificates.download_key"})}, True),
    ],
)
async def test_a_token_for_keys_takes_a_second_factor_to_make(access, db, maker, allowed):
    grants, privileges = (RoleGrant(role=Role.MRAO),), frozenset({"download_keys"})
    principal = Principal(id="1", name="x", grants=grants, privileges=privileges, **maker)

    async def make():
        async with db.write() as uow:
            await access.api_tokens.create(
                uow,
                principal=principal,
                administrator_id=1,
                name="keys",
                scopes=["certificates.download_key"],
            )

    if allowed:
        await make()
        return
    with pytest.raises(Forbidden):
        await make()
