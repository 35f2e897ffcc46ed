"""Talking to an ACME server: nonces, signed requests, and what its errors mean to the hub (RFC 8555, 6)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from hub.db.clock import Clock
from hub.issuers.acme.errors import AccountNotUsable, CaRefused, CaUnreachable
from hub.issuers.acme.jws import AccountKey, compact_json
from hub.issuers.acme.objects import Directory, read_directory, read_json, read_problem
from hub.issuers.acme.transport import Reply, Transport

# Servers under test refuse every second nonce on purpose; a real one rarely refuses two in a row.
_MAX_NONCE_TRIES = 24
_MAX_NONCES = 64
_NOT_NOW = frozenset({"rateLimited", "serverInternal"})
_BUSY_S = 60
_BROKEN_S = 30
_PERSON_S = 3600


@dataclass(slots=True)
class NoncePool:
    """Nonces that answers brought along; the newest is used first, since servers forget the oldest."""

    _nonces: deque[str] = field(default_factory=lambda: deque(maxlen=_MAX_NONCES))

    def keep(self, reply: Reply) -> None:
        """Keep the nonce of an answer, if it has one."""
        nonce = reply.headers.get("replay-nonce", "")
        if nonce:
            self._nonces.append(nonce)

    def take(self) -> str | None:
        """Return a nonce that was not used yet."""
        return self._nonces.pop() if self._nonces else None


@dataclass(frozen=True, slots=True)
class Signer:
    """An account key, and the account's address once it is known."""

    key: AccountKey
    kid: str | None


class AcmeClient:
    """One conversation with one ACME server."""

    def __init__(self, transport: Transport, *, directory_url: str, nonces: NoncePool, clock: Clock) -> None:
        self._transport = transport
        self._directory_url = directory_url
        self._nonces = nonces
        self._clock = clock
        self._directory: Directory | None = None

    async def directory(self) -> Directory:
        """Return the directory, fetched once. Raises CaUnreachable."""
        if self._directory is None:
            reply = await self.get(self._directory_url)
            self._directory = read_directory(read_json(reply.body))
        return self._directory

    async def get(self, url: str) -> Reply:
        """Fetch a public resource. Raises CaRefused, CaUnreachable."""
        reply = await self._transport.request("GET", url)
        self._check(reply)
        return reply

    async def post(self, url: str, payload: Any, signer: Signer, *, accept: str = "") -> Reply:
        """Send a signed request; a payload of None asks for the resource (POST-as-GET, 6.3).

        A refused nonce is replaced by the one that came with the refusal.

        Raises:
            CaRefused: the CA's no, with its problem document.
            CaUnreachable: there is no answer now, or it is overloaded; ``retry_after_s`` as the CA says.
            AccountNotUsable: the account's owner must do something at the CA first.
        """
        content = b"" if payload is None else compact_json(payload)
        for _ in range(_MAX_NONCE_TRIES):
            nonce = self._nonces.take() or await self._new_nonce()
            jws = signer.key.sign(content, url=url, nonce=nonce, kid=signer.kid)
            reply = await self._transport.request("POST", url, body=compact_json(jws), accept=accept)
            self._nonces.keep(reply)
            if not _is_bad_nonce(reply):
                self._check(reply)
                return reply
        raise CaUnreachable(f"the CA refused {_MAX_NONCE_TRIES} nonces in a row", retry_after_s=_BROKEN_S)

    async def _new_nonce(self) -> str:
        reply = await self._transport.request("HEAD", (await self.directory()).new_nonce)
        nonce = reply.headers.get("replay-nonce", "")
        if not nonce:
            raise CaUnreachable(f"the CA gives no nonce (status {reply.status})", retry_after_s=_BROKEN_S)
        return nonce

    def retry_after_s(self, reply: Reply, default: int) -> int:
        """Return when an answer says to come again."""
        return reply.retry_after_s(now=self._clock(), default=default)

    def _check(self, reply: Reply) -> None:
        if reply.status < 300:
            return
        problem = read_problem(_json_or_none(reply), status=reply.status)
        if reply.status == 429 or problem.kind in _NOT_NOW or reply.status >= 500:
            default = _BUSY_S if reply.status == 429 else _BROKEN_S
            raise CaUnreachable(problem.text(), retry_after_s=self.retry_after_s(reply, default))
        if problem.kind == "userActionRequired":
            where = reply.linked("terms-of-service")
            hint = f" (see {where[0]})" if where else ""
            raise AccountNotUsable(problem.text() + hint, retry_after_s=_PERSON_S)
        if 300 <= reply.status < 400:
            raise CaUnreachable(f"the CA redirects, which ACME does not allow (status {reply.status})")
        raise CaRefused(problem)


def _json_or_none(reply: Reply) -> dict[str, Any] | None:
    try:
        return read_json(reply.body)
    except CaUnreachable:
        return None


def _is_bad_nonce(reply: Reply) -> bool:
    return reply.status == 400 and read_problem(_json_or_none(reply)).kind == "badNonce"
