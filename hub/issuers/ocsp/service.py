"""The OCSP responder: from the octets of a request to those of its answer (RFC 6960; RFC 5019; RFC 9654).

Every serial number in the ledger is known: it is recorded before anything is signed, and nobody outside
learns of it before the certificate is handed over. So an existing certificate is never ``unknown``, and a
serial number that was not recorded here (one that somebody made with a stolen key) is never ``good``.

Answers to plain requests are kept in memory. A revocation drops its answers with the commit in this process,
and in other replicas with a notice; whoever misses the notice sees it at the next look, seconds later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import Database
from hub.issuers import ledger
from hub.issuers.authorities import AuthorityStore
from hub.issuers.crls import REVOCATIONS
from hub.issuers.errors import AuthorityKeyUnavailable, AuthorityNotFound
from hub.issuers.ledger import SerialState
from hub.issuers.models import CaAuthority, CaBackendRow, CaCrl
from hub.issuers.ocsp.answer_cache import AnswerCache, CachedAnswer
from hub.issuers.ocsp.responders import OpenResponder, Responders
from pki.errors import MalformedOcspRequest, PkiError
from pki.ocsp import IssuerHashes, OcspRequest, encode_cert_id, parse_request, plain_request, plain_requests
from pki.ocsp_responses import (
    ResponseStatus,
    Revoked,
    SignedResponse,
    SingleAnswer,
    build_response_data,
    error_response,
)

_log = structlog.get_logger(__name__)

MEMORY_BYTES = 64 * 1024 * 1024
"""For the answers of each authority: about 90,000 certificates."""
LOOK_S = 5.0
"""Seconds after which a revocation is seen here even if its notice was lost."""
DEFAULT_LIFETIME_HOURS = 8
"""Of an answer, for backends whose settings were stored before there were answers."""
# Longer ago, settings and responder are read again.
_DESK_MEMORY = timedelta(seconds=60)
_UNKNOWN_LIFETIME = timedelta(minutes=5)
_MANY = 1_000
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes out. Times are in seconds since 1970.

    ``until`` None: it answers this request only, or may change any moment, so nobody may keep it. ``tag``
    differs between all answers to one request.
    """

    body: bytes = field(repr=False)
    produced_at: float = 0.0
    until: float | None = None
    tag: str = ""


@dataclass(slots=True)
class _Desk:
    """What it takes to answer for one authority."""

    authority_id: int
    issuer: IssuerHashes
    cache: AnswerCache
    lifetime: timedelta
    responder: OpenResponder | None
    read_at: datetime
    seen: dict[int, int] = field(default_factory=dict)


class OcspService:
    """Answers for all authorities of this hub."""

    def __init__(
        self,
        db: Database,
        authorities: AuthorityStore,
        responders: Responders,
        *,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._db = db
        self._authorities = authorities
        self._responders = responders
        self._memory_bytes = memory_bytes
        self._desks: dict[str, _Desk] = {}
        self._by_id: dict[int, _Desk] = {}

    def now(self) -> datetime:
        """Return the hub's time."""
        return self._db.clock()

    async def answer(self, slug: str, request: bytes) -> Answer:
        """Answer one request to the authority of this slug.

        Raises:
            AuthorityNotFound: there is none, or it has no responder.
        """
        now = self._db.clock()
        desk = self._desks.get(slug)
        if desk is not None:
            cached = desk.cache.get(request, now=now.timestamp())
            if cached is not None:
                return _kept(cached)
        try:
            parsed = parse_request(request)
        except MalformedOcspRequest:
            return Answer(error_response(ResponseStatus.MALFORMED_REQUEST))
        try:
            return await self._signed(slug, request, parsed)
        except (SQLAlchemyError, OSError, PkiError, AuthorityKeyUnavailable) as error:
            _log.warning("ocsp_not_answered", slug=slug, error=str(error))
            return Answer(error_response(ResponseStatus.TRY_LATER))

    async def _signed(self, slug: str, request: bytes, parsed: OcspRequest) -> Answer:
        desk = await self._desk(slug)
        if not all(desk.issuer.match(item) for item in parsed.cert_ids):
            return Answer(error_response(ResponseStatus.UNAUTHORIZED))
        epoch = desk.cache.epoch
        async with self._db.read() as session:
            known = await ledger.states(session, desk.authority_id, [item.serial for item in parsed.cert_ids])
        if desk.responder is None:
            return Answer(error_response(ResponseStatus.TRY_LATER))
        now = self._db.clock().replace(microsecond=0)
        ids = [(item.encoded, known.get(item.serial)) for item in parsed.cert_ids]
        response, until = await _sign(desk, desk.responder, ids, now=now, nonce=parsed.nonce)
        if not parsed.is_plain or len(known) != len(parsed.cert_ids):
            return Answer(response.der())
        made = _cached(desk, parsed.cert_ids[0].serial, response, (now, until))
        made.asked = True
        desk.cache.put(request, made, epoch=epoch)
        return _kept(made)

    async def answers(
        self, slug: str, states: Sequence[SerialState], *, hash_name: str
    ) -> tuple[list[tuple[bytes, bytes]], datetime]:
        """Sign the answers to plain requests for serial numbers, for files; return until when they are good.

        Raises:
            AuthorityNotFound: there is no such authority, or it has no responder.
            AuthorityKeyUnavailable, PkiError: a key can't be opened.
        """
        desk = await self._desk(slug)
        if desk.responder is None:
            raise AuthorityNotFound(f"{slug} has no OCSP responder now")
        now = self._db.clock().replace(microsecond=0)
        until = now
        made = []
        for state in states:
            cert_id = encode_cert_id(desk.issuer, state.serial, hash_name=hash_name)
            response, until = await _sign(desk, desk.responder, [(cert_id, state)], now=now)
            made.append((plain_request(cert_id), response.der()))
        return made, until

    def revoked(self, authority_id: int, serial: int) -> None:
        """Forget what was said of a serial number; called when its revocation is committed here."""
        desk = self._by_id.get(authority_id)
        if desk is not None:
            desk.cache.drop(plain_requests(desk.issuer, serial))

    async def watch(self) -> None:
        """Look at what was revoked, whenever there is a notice and every :data:`LOOK_S` seconds."""
        async with self._db.notifier.subscribe(REVOCATIONS) as notices:
            while True:
                await self.look()
                await notices.get(timeout_s=LOOK_S)
                notices.drain()

    async def look(self) -> None:
        """Replace the answers about what was revoked, here or elsewhere, since the last look."""
        if not self._by_id:
            return
        async with self._db.read() as session:
            rows = await session.execute(
                select(CaCrl.authority_id, CaCrl.shard, CaCrl.revision).where(
                    CaCrl.authority_id.in_(list(self._by_id))
                )
            )
            changed = [
                row for row in rows if self._by_id[row.authority_id].seen.get(row.shard) != row.revision
            ]
        for row in changed:
            await self._look_at(self._by_id[row.authority_id], row.shard, row.revision)

    async def _look_at(self, desk: _Desk, shard: int, revision: int) -> None:
        seen = desk.seen.get(shard)
        serials: list[int] = []
        if seen is not None:
            async with self._db.read() as session:
                serials = await ledger.revoked_since(
                    session, desk.authority_id, shard=shard, revision=seen, limit=_MANY + 1
                )
        if seen is None or len(serials) > _MANY:
            desk.cache.clear()
        else:
            desk.cache.drop(request for serial in serials for request in plain_requests(desk.issuer, serial))
            # Whoever asks next asks about these.
            await self._presign(desk, [(_usual_request(desk, serial), serial) for serial in serials])
        desk.seen[shard] = revision

    async def renew(self) -> int:
        """Sign anew what is half through its time and was asked for; return how many answers that were."""
        made = 0
        for slug in list(self._desks):
            desk = await self._desk(slug)
            made += await self._presign(desk, desk.cache.take_due(now=self._db.clock().timestamp()))
        return made

    async def _presign(self, desk: _Desk, wanted: Sequence[tuple[bytes, int]]) -> int:
        for start in range(0, len(wanted), _BATCH):
            if desk.responder is None:
                return start
            batch, epoch = wanted[start : start + _BATCH], desk.cache.epoch
            async with self._db.read() as session:
                known = await ledger.states(session, desk.authority_id, [serial for _, serial in batch])
            now = self._db.clock().replace(microsecond=0)
            for request, serial in batch:
                ids = [(parse_request(request).cert_ids[0].encoded, known.get(serial))]
                response, until = await _sign(desk, desk.responder, ids, now=now)
                desk.cache.put(request, _cached(desk, serial, response, (now, until)), epoch=epoch)
            # Requests come first.
            await asyncio.sleep(0)
        return len(wanted)

    async def _desk(self, slug: str) -> _Desk:
        desk = self._desks.get(slug)
        now = self._db.clock()
        if (
            desk is not None
            and desk.responder is not None
            and timedelta(0) <= now - desk.read_at < _DESK_MEMORY
        ):
            return desk
        async with self._db.read() as session:
            authority = await self._authorities.open(session, slug)
            lifetime = await _lifetime(session, authority.id)
            responder = await self._responders.current(session, authority.id)
        if responder is None:
            await self._responders.supply(authority)
            async with self._db.read() as session:
                responder = await self._responders.current(session, authority.id)
        desk = self._desks.get(slug)
        if desk is None:
            issuer = IssuerHashes.of(authority.ca.certificate)
            cache = AnswerCache(self._memory_bytes)
            desk = _Desk(authority.id, issuer, cache, lifetime, responder, now)
            self._desks[slug] = self._by_id[authority.id] = desk
        desk.lifetime, desk.responder, desk.read_at = lifetime, responder, now
        return desk


async def _lifetime(session: AsyncSession, authority_id: int) -> timedelta:
    row = (
        await session.execute(
            select(CaAuthority.role, CaAuthority.slug, CaBackendRow.settings)
            .join(CaBackendRow, CaAuthority.backend_id == CaBackendRow.id)
            .where(CaAuthority.id == authority_id)
        )
    ).one()
    if row.role != "issuing":
        raise AuthorityNotFound(f"{row.slug} has no OCSP responder")
    return timedelta(hours=row.settings.get("ocsp_lifetime_hours", DEFAULT_LIFETIME_HOURS))


def _usual_request(desk: _Desk, serial: int) -> bytes:
    return plain_request(encode_cert_id(desk.issuer, serial))


async def _sign(
    desk: _Desk,
    responder: OpenResponder,
    ids: Sequence[tuple[bytes, SerialState | None]],
    *,
    now: datetime,
    nonce: bytes | None = None,
) -> tuple[SignedResponse, datetime]:
    until = min(now + desk.lifetime, responder.not_after)
    if any(state is None for _, state in ids):
        until = min(now + _UNKNOWN_LIFETIME, until)
    answers = [
        SingleAnswer(
            cert_id=cert_id,
            known=state is not None,
            revoked=None
            if state is None or state.revoked_at is None
            else Revoked(state.revoked_at, state.reason),
            this_update=now,
            next_update=until,
        )
        for cert_id, state in ids
    ]
    data = build_response_data(responder.name, answers, produced_at=now, nonce=nonce)
    if responder.signs_slowly:
        return await asyncio.to_thread(responder.sign, data), until
    return responder.sign(data), until


def _cached(
    desk: _Desk, serial: int, response: SignedResponse, times: tuple[datetime, datetime]
) -> CachedAnswer:
    now, until = times
    return CachedAnswer(
        serial=serial,
        response=response,
        produced_at=now.timestamp(),
        renew_at=min(now + desk.lifetime / 2, until).timestamp(),
        next_update=until.timestamp(),
    )


def _kept(cached: CachedAnswer) -> Answer:
    # Answers of one second differ in what they say, and so in their signature.
    tag = cached.response.head[-12:].hex()
    return Answer(cached.response.der(), cached.produced_at, cached.next_update, tag)
