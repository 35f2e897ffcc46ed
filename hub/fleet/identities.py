"""Agents' identities: given for a token, renewed over the stream, regained with the enrolled key.

The hub chooses every name in an identity certificate; of a request it takes the key alone, once the request
is signed by it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select, update

from hub.db.errors import HubError
from hub.db.outbox import Event
from hub.db.uow import UnitOfWork
from hub.db.upsert import insert_for
from hub.fleet import rejoin, tokens
from hub.fleet.authority import Authority, IssuedIdentity
from hub.fleet.errors import (
    AgentNotAdmitted,
    ChallengeSpent,
    IdentityRequestRefused,
    RejoinRefused,
    RemovedAgentRefused,
)
from hub.fleet.messages import AgentFacts
from hub.fleet.models import Agent, SpentChallenge
from pki.csrs import parse_csr
from pki.errors import PkiError
from pki.keys import KeyType, decode_public_key

ACTIVE = "active"
_MAX_NAME = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """What an agent gets: its id and certificate, and the organization that it belongs to."""

    agent_id: str
    certificate: bytes = field(repr=False)
    organization_id: int | None


@dataclass(frozen=True, slots=True)
class RenewalRequest:
    """A connected agent asks for a fresh certificate, for the key in use or a new one."""

    agent_id: str
    spki: bytes = field(repr=False)

    def answer_type(self) -> IssuedIdentity:
        """The certificate."""
        raise NotImplementedError


def requested_key(csr: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of an identity request.

    Raises:
        IdentityRequestRefused: the request is malformed, not signed by its key, or not over EC P-256.
    """
    try:
        parsed = parse_csr(csr)
    except PkiError as fault:
        raise IdentityRequestRefused(str(fault)) from fault
    if parsed.key_type != KeyType.EC_P256:
        raise IdentityRequestRefused(
            f"an agent's identity is an {KeyType.EC_P256} key, not {parsed.key_type}"
        )
    return parsed.spki_der


class Identities:
    """Gives agents their certificates."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def enroll(
        self, uow: UnitOfWork, *, secret: str, spki: bytes, facts: AgentFacts, name: str
    ) -> Enrolled:
        """Spend a token for a new agent.

        Raises:
            TokenUnknown, TokenRevoked, TokenSpent, TokenExpired, TokenNotForKind: the token is not good.
        """
        agent_id = str(uuid.uuid4())
        token = await tokens.spend(uow, secret, kind=facts.kind, agent_id=agent_id)
        issued = self._issue(uow, spki, agent_id=agent_id, kind=facts.kind)
        shown = name.replace("\x00", "").strip()[:_MAX_NAME] or facts.hostname or agent_id
        await uow.session.execute(
            insert(Agent).values(
                id=agent_id,
                name=shown,
                kind=facts.kind,
                organization_id=token.organization_id,
                status=ACTIVE,
                identity_spki=spki,
                enrolled_at=uow.now,
                **_facts_columns(facts),
                **_certificate_columns(issued),
            )
        )
        data = {"name": shown, "kind": facts.kind, "token_id": token.id}
        uow.emit(_event("AgentEnrolled", agent_id, token.organization_id, data))
        return Enrolled(
            agent_id=agent_id, certificate=issued.certificate, organization_id=token.organization_id
        )

    async def renew(
        self, uow: UnitOfWork, requests: Sequence[RenewalRequest]
    ) -> list[IssuedIdentity | HubError]:
        """Issue fresh certificates to connected agents."""
        return [await self._renew_one(uow, request) for request in requests]

    async def _renew_one(self, uow: UnitOfWork, request: RenewalRequest) -> IssuedIdentity | HubError:
        agent = await uow.session.get(Agent, request.agent_id, with_for_update=True, populate_existing=True)
        if agent is None or agent.status != ACTIVE:
            return AgentNotAdmitted()
        issued = self._issue(uow, request.spki, agent_id=agent.id, kind=agent.kind)
        columns = _certificate_columns(issued) | {"previous_certificate_sha256": agent.certificate_sha256}
        if request.spki != agent.identity_spki:
            columns |= {"identity_spki": request.spki, "previous_spki": agent.identity_spki}
        await uow.session.execute(update(Agent).where(Agent.id == agent.id).values(columns))
        return issued

    async def rejoin(
        self, uow: UnitOfWork, *, agent_id: str, challenge: bytes, signature: bytes, facts: AgentFacts
    ) -> Enrolled:
        """Give a fresh certificate to an agent that answers a challenge with its enrolled key.

        Raises:
            ChallengeExpired, ChallengeSpent, RejoinRefused: it does not, or not in time, or not for the
                first time.
            RemovedAgentRefused: it does, and has been removed.
        """
        key = self._authority.challenge_key
        expires_at = rejoin.check_challenge(key, agent_id, challenge, now=uow.now)
        spki, agent = await self._answering(uow, agent_id, challenge, signature)
        fresh = (
            insert_for(uow.session, SpentChallenge)
            .values(
                challenge_sha256=rejoin.challenge_sha256(challenge), agent_id=agent_id, expires_at=expires_at
            )
            .on_conflict_do_nothing()
            .returning(SpentChallenge.challenge_sha256)
        )
        if (await uow.session.execute(fresh)).first() is None:
            raise ChallengeSpent
        if agent.status != ACTIVE:
            raise RemovedAgentRefused
        if facts.kind != agent.kind:
            raise RejoinRefused(f"this agent was enrolled as {agent.kind}")
        issued = self._issue(uow, spki, agent_id=agent.id, kind=agent.kind)
        columns = _certificate_columns(issued) | _facts_columns(facts) | {"identity_spki": spki}
        # Whatever certificate was lost with the old key's copy is good no longer.
        columns |= {"previous_certificate_sha256": None, "previous_spki": None}
        await uow.session.execute(update(Agent).where(Agent.id == agent.id).values(columns))
        uow.emit(_event("AgentRejoined", agent.id, agent.organization_id, {"name": agent.name}))
        return Enrolled(
            agent_id=agent.id, certificate=issued.certificate, organization_id=agent.organization_id
        )

    @staticmethod
    async def _answering(
        uow: UnitOfWork, agent_id: str, challenge: bytes, signature: bytes
    ) -> tuple[bytes, Agent]:
        statement = select(Agent).where(Agent.id == agent_id.replace("\x00", "")[:36]).with_for_update()
        agent = (await uow.session.execute(statement)).scalar_one_or_none()
        keys = [spki for spki in (agent.identity_spki, agent.previous_spki) if spki] if agent else []
        for spki in keys:
            if agent and rejoin.answered_by(
                spki, agent_id=agent_id, challenge=challenge, signature=signature
            ):
                return spki, agent
        raise RejoinRefused

    def _issue(self, uow: UnitOfWork, spki: bytes, *, agent_id: str, kind: str) -> IssuedIdentity:
        key = decode_public_key(spki)
        return self._authority.issue_identity(key, agent_id=agent_id, kind=kind, now=uow.now)


def _event(kind: str, agent_id: str, organization_id: int | None, data: dict[str, str]) -> Event:
    return Event(
        kind=kind, object_type="agent", object_id=agent_id, organization_id=organization_id, data=data
    )


def _facts_columns(facts: AgentFacts) -> dict[str, object]:
    return {
        "version": facts.version,
        "hostname": facts.hostname,
        "platform": facts.platform,
        "capabilities": list(facts.capabilities),
        "receiver_public_key": facts.receiver_public_key,
    }


def _certificate_columns(issued: IssuedIdentity) -> dict[str, object]:
    return {
        "certificate_sha256": issued.sha256,
        "certificate_serial": issued.serial_hex,
        "certificate_not_after": issued.not_after,
    }
