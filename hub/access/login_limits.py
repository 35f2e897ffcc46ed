"""Slowing down guesses: per address and altogether in memory, per user name in the database.

The user name's limit counts names that don't exist as well, or it would tell which ones do. It grows from
seconds to a quarter of an hour and no further: somebody who guesses at my name must not lock me out for long.
An attempt is counted before the password is looked at, so that many at once are no way round.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from datetime import timedelta

from sqlalchemy import delete, select

from hub.access.errors import TooManyLogins
from hub.access.models import LoginFailures
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for

FREE_FAILURES = 5
MAX_WAIT_S = 900
_FORGET_AFTER = timedelta(days=1)


def wait_after(failures: int) -> int:
    """Return how many seconds the next attempt has to wait after ``failures`` in a row."""
    if failures < FREE_FAILURES:
        return 0
    doublings = min(failures - FREE_FAILURES + 1, 10)
    return min(MAX_WAIT_S, 1 << doublings)


class AddressLimiter:
    """A token bucket for each address: ``burst`` at once, then one every ``interval_s``."""

    def __init__(self, *, burst: int = 20, interval_s: float = 3.0, addresses: int = 10_000) -> None:
        self._burst = burst
        self._interval_s = interval_s
        self._addresses = addresses
        # Network -> (tokens, time); the longest unused is forgotten first.
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str, *, now_s: float) -> None:
        """Take one attempt of ``address``; ``now_s`` is any clock that only runs forward.

        Raises:
            TooManyLogins: none is left.
        """
        key = _network(address)
        tokens, then_s = self._buckets.pop(key, (float(self._burst), now_s))
        tokens = min(float(self._burst), tokens + (now_s - then_s) / self._interval_s)
        allowed = tokens >= 1
        self._buckets[key] = (tokens - 1 if allowed else tokens, now_s)
        while len(self._buckets) > self._addresses:
            self._buckets.popitem(last=False)
        if not allowed:
            raise TooManyLogins(retry_after_s=max(1, round((1 - tokens) * self._interval_s)))


def _network(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    # One customer has a whole /64 of IPv6.
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address


class FailureBudget:
    """Failures of everybody together: guesses spread over many names and addresses still add up.

    While it is used up, only networks from which somebody signed in before may go on, so that those who spray
    passwords from everywhere don't shut out the people who work here.
    """

    def __init__(self, *, burst: int = 300, interval_s: float = 1.0, known: int = 10_000) -> None:
        self._burst = float(burst)
        self._interval_s = interval_s
        self._limit = known
        self._left = self._burst
        self._at_s: float | None = None
        self._known: OrderedDict[str, None] = OrderedDict()

    def check(self, address: str, *, now_s: float) -> None:
        """Let an attempt begin.

        Raises:
            TooManyLogins: there were too many failures, and nobody is known to come from there.
        """
        self._refill(now_s)
        if self._left < 1 and _network(address) not in self._known:
            raise TooManyLogins(retry_after_s=max(1, round((1 - self._left) * self._interval_s)))

    def failed(self, *, now_s: float) -> None:
        """Count a failure."""
        self._refill(now_s)
        self._left = max(0.0, self._left - 1)

    def succeeded(self, address: str) -> None:
        """Remember where somebody signed in from."""
        self._known[_network(address)] = None
        self._known.move_to_end(_network(address))
        while len(self._known) > self._limit:
            self._known.popitem(last=False)

    def _refill(self, now_s: float) -> None:
        if self._at_s is not None:
            self._left = min(self._burst, self._left + (now_s - self._at_s) / self._interval_s)
        self._at_s = now_s


def _key(username: str, kind: str) -> str:
    return hashlib.sha256(f"{kind}:{username}".encode("utf-8", "surrogatepass")).hexdigest()


async def begin_attempt(uow: UnitOfWork, username: str, *, kind: str = "password") -> int:
    """Count an attempt in advance and return how many failures there are now.

    ``kind`` "factor" counts second factors, with the administrator's id as name: whoever has the password
    must not guess codes for ever by giving the password again.

    Raises:
        TooManyLogins: the name has to wait.
    """
    key = _key(username, kind)
    row = (
        await uow.session.execute(
            select(LoginFailures.failures, LoginFailures.last_at)
            .where(LoginFailures.username_sha256 == key)
            .with_for_update()
        )
    ).first()
    failures = 0 if row is None or row.last_at + _FORGET_AFTER < uow.now else row.failures
    if row is not None:
        allowed_at = row.last_at + timedelta(seconds=wait_after(failures))
        if uow.now < allowed_at:
            raise TooManyLogins(retry_after_s=max(1, round((allowed_at - uow.now).total_seconds())))
    values = {"failures": failures + 1, "last_at": uow.now}
    statement = insert_for(uow.session, LoginFailures).values(username_sha256=key, **values)
    await uow.session.execute(
        statement.on_conflict_do_update(index_elements=["username_sha256"], set_=values)
    )
    return failures + 1


async def forget_failures(uow: UnitOfWork, username: str, *, kind: str = "password") -> None:
    """Start again at zero after a successful sign-in; forget what is long past."""
    old = LoginFailures.last_at < uow.now - _FORGET_AFTER
    await uow.session.execute(
        delete(LoginFailures).where((LoginFailures.username_sha256 == _key(username, kind)) | old)
    )
