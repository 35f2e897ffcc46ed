"""Second factors: codes once, recovery codes once, enrolment by policy, no session before all is shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from hub.access.errors import SessionEnded, TooManyLogins, WeakPassword, WrongCredentials
from hub.access.models import AuditEntry, Session
from hub.access.signin.errors import (
    CodeAlreadyUsed,
    FactorRequired,
    NoTotp,
    SignInExpired,
    TotpInUse,
    WrongCode,
    WrongStep,
)
from hub.access.signin.models import PendingSignIn, RecoveryCode, TotpSecret
from hub.access.signin.sign_in_policy import require_second_factor
from hub.access.signin.states import State
from hub.access.signin.totp import matching_step
from hub.http.principal import Role

PASSWORD = "correct horse battery staple"
# RFC 6238, appendix B: SHA-1, 8 digits there, the last 6 of them here.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


def _code(secret, clock, steps=0):
    return pyotp.TOTP(secret).at(clock() + timedelta(seconds=30 * steps))


@pytest.fixture
async def secret(room, clock):
    """Alice has an authenticator app."""
    made = await room.write(lambda uow: room.signin.factors.begin_totp(uow, 1))
    codes = await room.write(
        lambda uow: room.signin.factors.confirm_totp(uow, room.principal(), _code(made.secret, clock))
    )
    assert len(codes) == 10
    room.codes = codes
    clock.forward(seconds=60)
    return made.secret


@pytest.mark.parametrize(("seconds", "code"), RFC_CODES)
def test_codes_are_those_of_the_rfc(seconds, code):
    at = datetime.fromtimestamp(seconds, UTC)
    assert matching_step(RFC_SECRET, code, at=at) == seconds // 30


async def test_the_password_alone_opens_no_session(room, secret):
    progress = await room.password()
    assert (progress.opened, progress.state) == (None, State.SECOND_FACTOR)
    assert progress.factors == ("totp", "recovery_code")
    async with room.db.read() as session:
        assert (await session.scalars(select(Session))).all() == []
        assert progress.token not in str([vars(row) for row in await session.scalars(select(PendingSignIn))])
    with pytest.raises(SessionEnded):
        await room.access.by_session(progress.token)


async def test_a_code_finishes_the_sign_in_under_a_new_token(room, clock, secret):
    progress = await room.password()
    done = await room.signin.by_code(progress.token, _code(secret, clock), room.browser())
    assert done.opened.token != progress.token
    principal = await room.access.by_session(done.opened.token)
    assert principal.methods == {"password", "totp"}
    with pytest.raises(SignInExpired):
        await room.signin.by_code(progress.token, _code(secret, clock), room.browser())


async def test_a_used_code_and_all_before_it_are_refused(room, clock, secret):
    first = await room.password()
    early = _code(secret, clock, -1)
    now = _code(secret, clock)
    await room.signin.by_code(first.token, now, room.browser())
    for code in (now, early):
        again = await room.password()
        with pytest.raises(CodeAlreadyUsed):
            await room.signin.by_code(again.token, code, room.browser())
    clock.forward(seconds=30)
    last = await room.password()
    assert (await room.signin.by_code(last.token, _code(secret, clock), room.browser())).opened


@pytest.mark.parametrize(("steps", "taken"), [(-2, False), (-1, True), (1, True), (2, False)])
async def test_clocks_may_differ_by_one_step(room, clock, secret, steps, taken):
    clock.forward(seconds=300)
    progress = await room.password()
    code = _code(secret, clock, steps)
    if taken:
        assert (await room.signin.by_code(progress.token, code, room.browser())).opened
    else:
        with pytest.raises(WrongCode):
            await room.signin.by_code(progress.token, code, room.browser())


async def test_a_recovery_code_works_once(room, secret):
    code = room.codes[3].upper().replace("-", " ")
    progress = await room.password()
    assert (await room.signin.by_code(progress.token, code, room.browser())).opened
    again = await room.password()
    with pytest.raises(WrongCode):
        await room.signin.by_code(again.token, code, room.browser())
    async with room.db.read() as session:
        stored = str([vars(row) for row in await session.scalars(select(RecoveryCode))])
        assert (await room.signin.factors.state(session, room.principal())).recovery_codes_left == 9
    assert room.codes[3] not in stored
    assert room.codes[3].replace("-", "") not in stored


async def test_the_secret_is_encrypted_at_rest(room, secret):
    async with room.db.read() as session:
        stored = (await session.scalars(select(TotpSecret.secret))).one()
    assert secret.encode() not in stored


async def test_codes_are_guessed_slowly_whoever_gives_the_password_again(room, clock, secret):
    for _ in range(5):
        progress = await room.password()
        with pytest.raises(WrongCode):
            await room.signin.by_code(progress.token, "000000", room.browser())
    progress = await room.password()
    with pytest.raises(TooManyLogins):
        await room.signin.by_code(progress.token, _code(secret, clock), room.browser())
    clock.forward(minutes=16)
    progress = await room.password()
    assert (await room.signin.by_code(progress.token, _code(secret, clock), room.browser())).opened


async def test_a_pending_sign_in_ends_after_ten_minutes(room, clock, secret):
    progress = await room.password()
    clock.forward(minutes=10)
    with pytest.raises(SignInExpired):
        await room.signin.by_code(progress.token, _code(secret, clock), room.browser())


async def test_an_account_switched_off_half_way_does_not_come_in(room, clock, secret):
    await room.add("bob")
    progress = await room.password()
    await room.write(
        lambda uow: room.access.administrators.change(uow, 1, principal=room.principal(2), active=False)
    )
    with pytest.raises(WrongCredentials):
        await room.signin.by_code(progress.token, _code(secret, clock), room.browser())


async def test_an_unconfirmed_app_is_not_asked_for_and_a_confirmed_one_not_replaced(room, clock):
    made = await room.write(lambda uow: room.signin.factors.begin_totp(uow, 1))
    assert made.qr_svg.startswith("<svg")
    assert "secret=" + made.secret in made.uri
    assert (await room.password()).opened
    with pytest.raises(WrongCode):
        await room.write(lambda uow: room.signin.factors.confirm_totp(uow, room.principal(), "000000"))
    await room.write(
        lambda uow: room.signin.factors.confirm_totp(uow, room.principal(), _code(made.secret, clock))
    )
    assert (await room.password()).state is State.SECOND_FACTOR
    with pytest.raises(TotpInUse):
        await room.write(lambda uow: room.signin.factors.begin_totp(uow, 1))


async def test_a_role_that_needs_a_factor_sets_one_up_while_signing_in(room, clock):
    await room.write(lambda uow: require_second_factor(uow, {Role.MRAO}, principal=room.principal()))
    progress = await room.password()
    assert (progress.opened, progress.state) == (None, State.ENROLMENT)
    with pytest.raises(WrongStep):
        await room.signin.by_code(progress.token, "000000", room.browser())
    made = await room.signin.enrol_totp(progress.token)
    done = await room.signin.confirm_totp(progress.token, _code(made.secret, clock), room.browser())
    assert done.opened
    assert len(done.recovery_codes) == 10
    clock.forward(seconds=60)
    with pytest.raises(FactorRequired):
        await room.write(
            lambda uow: room.signin.factors.remove_totp(uow, room.principal(), _code(made.secret, clock))
        )
    # The refusal undid everything: the code that it cost is good again.
    assert (await room.password()).state is State.SECOND_FACTOR


async def test_an_app_is_removed_for_a_code_and_takes_the_recovery_codes_along(room, clock, secret):
    with pytest.raises(WrongCode):
        await room.write(lambda uow: room.signin.factors.remove_totp(uow, room.principal(), "123456"))
    await room.write(lambda uow: room.signin.factors.remove_totp(uow, room.principal(), _code(secret, clock)))
    assert (await room.password()).opened
    async with room.db.read() as session:
        assert (await session.scalars(select(RecoveryCode))).all() == []
    with pytest.raises(NoTotp):
        await room.write(lambda uow: room.signin.factors.renew_codes(uow, room.principal()))


async def test_a_given_password_is_changed_before_the_session_opens(room):
    await room.add("bob", must_change_password=True)
    progress = await room.password("bob")
    assert (progress.opened, progress.state) == (None, State.NEW_PASSWORD)
    for bad in (PASSWORD, "short"):
        with pytest.raises(WeakPassword):
            await room.signin.new_password(progress.token, bad, room.browser())
    done = await room.signin.new_password(progress.token, "an entirely new one", room.browser())
    assert done.opened.principal.must_change_password is False
    assert (await room.password("bob", "an entirely new one")).opened


async def test_a_second_factor_comes_before_the_password_change(room, clock, secret):
    await room.write(
        lambda uow: room.access.administrators.set_password(
            uow, 1, "set by somebody else", principal=room.principal()
        )
    )
    progress = await room.password(password="set by somebody else")
    with pytest.raises(WrongStep):
        await room.signin.new_password(progress.token, "an entirely new one", room.browser())
    progress = await room.signin.by_code(progress.token, _code(secret, clock), room.browser())
    assert progress.state is State.NEW_PASSWORD
    assert (await room.signin.new_password(progress.token, "an entirely new one", room.browser())).opened


async def test_refusals_and_sign_ins_are_in_the_audit_log_without_secrets(room, clock, secret):
    progress = await room.password()
    with pytest.raises(WrongCode):
        await room.signin.by_code(progress.token, "000000", room.browser())
    await room.signin.by_code(progress.token, _code(secret, clock), room.browser())
    async with room.db.read() as session:
        rows = (await session.scalars(select(AuditEntry).order_by(AuditEntry.sequence))).all()
    told = {row.action: (row.details, row.remote) for row in rows}
    assert told["SignInRefused"] == ({"method": "code", "reason": "wrong_code"}, "192.0.2.1")
    assert told["SignedIn"] == ({"methods": "password, totp"}, "192.0.2.1")
    assert secret not in str([vars(row) for row in rows])
