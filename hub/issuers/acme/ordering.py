"""Making an order at an ACME server once (RFC 8555, 7.4), although asking for one is not idempotent.

Every address of an order is claimed for the attempt that it is for, in the database, before anything else
happens to it. After a crash between the CA's answer and the claim the order is found in the account's list,
where the CA has one (7.1.2.1), as the one that nobody has claimed. Where it has none, an order without a
claim is left to expire: nothing is issued on an order that was never finalized.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.db.clock import Clock
from hub.issuers.acme.accounts import Account
from hub.issuers.acme.client import AcmeClient, Signer
from hub.issuers.acme.errors import CaRefused, CaUnreachable
from hub.issuers.acme.objects import Identifier, Order, read_json, read_order
from hub.issuers.acme.settings import AcmeSettings
from hub.issuers.contract import CertificateOrder, Keepsakes

CLAIM = "order:"
_MAX_PAGES = 100
_MAX_FRESH = 20_000
_MAX_LOOKED_AT = 200
# A week is how long CAs keep orders that nobody finalizes.
_KEEP_CLAIMS = timedelta(days=8)
_ADOPTABLE = frozenset({"pending", "ready"})


@dataclass(frozen=True, slots=True)
class NoOrderYet:
    """No order was made: why, and when to try again."""

    message: str
    retry_after_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt at an order. ``fresh``: nobody can have asked the CA for it before."""

    key: str
    replaces: str
    fresh: bool


def identifiers_of(order: CertificateOrder) -> tuple[Identifier, ...]:
    """Return what an order is to be for."""
    names = [Identifier(type="dns", value=name.lower()) for name in order.dns_names]
    return (*names, *(Identifier(type="ip", value=address) for address in order.ip_addresses))


class FreshOrders:
    """Orders that this process has prepared and not yet asked for: for these, no look-up is needed.

    A process that was restarted knows of none, and looks all of them up; so does one that forgot some.
    """

    def __init__(self) -> None:
        self._keys: dict[str, None] = {}

    def add(self, key: str) -> None:
        """Note an order that was prepared; the oldest is forgotten when there are too many."""
        self._keys[key] = None
        if len(self._keys) > _MAX_FRESH:
            del self._keys[next(iter(self._keys))]

    def take(self, key: str) -> bool:
        """Tell whether an order is fresh; it is no longer, from now on."""
        if key not in self._keys:
            return False
        del self._keys[key]
        return True


class Ordering:
    """Makes orders, and finds those again that were made."""

    def __init__(
        self, settings: AcmeSettings, *, account: Account, keepsakes: Keepsakes, clock: Clock
    ) -> None:
        self._settings = settings
        self._account = account
        self._keepsakes = keepsakes
        self._clock = clock

    async def make(
        self, client: AcmeClient, signer: Signer, order: CertificateOrder, *, attempt: Attempt
    ) -> str | NoOrderYet:
        """Return the address of the order for this attempt.

        Raises:
            CaRefused, CaUnreachable, AccountNotUsable: the CA makes none, or can't be asked.
        """
        key = attempt.key.encode()
        url = None if attempt.fresh else await self._adopt(client, signer, order, key)
        if url is None:
            limited = await self._over_limit()
            if limited is not None:
                return limited
            url = await self._new_order(client, signer, order, attempt.replaces)
        owner = await self._keepsakes.put_if_absent(_claim(url), key)
        if owner != key:
            # Some CAs answer with an order that is there already for the same names.
            return NoOrderYet("the CA's order for these names is that of another request", 30)
        return url

    async def _over_limit(self) -> NoOrderYet | None:
        settings = self._settings
        if not settings.max_orders:
            return None
        now: datetime = self._clock()
        window = timedelta(hours=settings.max_orders_hours)
        made = await self._keepsakes.count_since(CLAIM, now - window)
        if made < settings.max_orders:
            return None
        retry = max(60, int(window.total_seconds()) // 12)
        text = f"{made} orders were made within {settings.max_orders_hours} hours, the limit set for this CA"
        return NoOrderYet(text, retry)

    async def _new_order(
        self, client: AcmeClient, signer: Signer, order: CertificateOrder, replaces: str
    ) -> str:
        directory = await client.directory()
        payload = self._payload(order)
        if replaces and directory.renewal_info and self._settings.send_replaces:
            payload["replaces"] = replaces
        try:
            reply = await client.post(directory.new_order, payload, signer)
        except CaRefused:
            # RFC 9773, 5: what is replaced already, or was ordered by another account, can't be named.
            # Whatever a CA has against it, the order is none the worse without.
            if "replaces" not in payload:
                raise
            del payload["replaces"]
            reply = await client.post(directory.new_order, payload, signer)
        kept = max(_KEEP_CLAIMS, timedelta(hours=self._settings.max_orders_hours))
        await self._keepsakes.drop_before(CLAIM, self._clock() - kept)
        url = reply.headers.get("location", "")
        if not url:
            raise CaUnreachable("the CA names no address for the order")
        return url

    def _payload(self, order: CertificateOrder) -> dict[str, Any]:
        payload: dict[str, Any] = {
            "identifiers": [{"type": item.type, "value": item.value} for item in identifiers_of(order)]
        }
        if self._settings.send_dates:
            end = order.not_before + timedelta(days=order.term_days)
            end = min(end, order.not_after) if order.not_after else end
            payload["notAfter"] = end.strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._settings.profile:
            payload["profile"] = self._settings.profile
        return payload

    async def _adopt(
        self, client: AcmeClient, signer: Signer, order: CertificateOrder, key: bytes
    ) -> str | None:
        claims = await self._keepsakes.under(CLAIM)
        wanted = set(identifiers_of(order))
        looked_at = 0
        page = await self._account.orders_url(client, signer)
        for _ in range(_MAX_PAGES):
            if not page:
                return None
            reply = await client.post(page, None, signer)
            for url in read_json(reply.body).get("orders") or []:
                owner = claims.get(_claim(str(url)))
                if owner == key:
                    return str(url)
                if owner is not None or looked_at >= _MAX_LOOKED_AT:
                    continue
                looked_at += 1
                if _may_be_ours(await _order_at(client, signer, str(url)), wanted):
                    return str(url)
            page = next(iter(reply.linked("next")), "")
        return None


def _may_be_ours(found: Order | None, wanted: set[Identifier]) -> bool:
    return found is not None and found.status in _ADOPTABLE and set(found.identifiers) == wanted


async def _order_at(client: AcmeClient, signer: Signer, url: str) -> Order | None:
    try:
        return read_order(read_json((await client.post(url, None, signer)).body))
    except CaRefused:
        return None


def _claim(url: str) -> str:
    return CLAIM + hashlib.sha256(url.encode()).hexdigest()[:40]
