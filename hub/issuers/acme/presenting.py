"""Showing the answers to challenges, by DNS writers and agents, and taking them away again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from hub.db.errors import HubError, Unavailable
from hub.issuers.acme.challenges import DNS, Presented, record_name
from hub.issuers.acme.settings import AcmeSettings
from hub.organizations.dcv.challenge_answering import (
    ChallengeAgents,
    ChallengeStanding,
    ChallengeTask,
    DnsWriters,
)
from hub.organizations.dcv.contract import DnsRecord, DnsWriter
from hub.organizations.dcv.errors import WriterFailed

_log = structlog.get_logger(__name__)
# An answer that nobody takes away goes by itself.
LIFETIME_S = 3600
_PERSON_S = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotPresent:
    """Why one challenge can't be answered by this way at all; another way may do."""

    item: Presented
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentingState:
    """Which challenges somebody is still busy with, and which can't be answered."""

    waiting: tuple[Presented, ...] = ()
    failed: tuple[CannotPresent, ...] = ()


class Presenter:
    """Presents and withdraws. Both can be repeated."""

    def __init__(
        self, settings: AcmeSettings, *, dns: DnsWriters | None, agents: ChallengeAgents | None
    ) -> None:
        self._settings = settings
        self._dns = dns
        self._agents = agents

    async def present(self, items: Sequence[Presented]) -> PresentingState:
        """Show what is to be shown, and tell how far that is.

        Raises:
            Unavailable: a DNS writer or agent can't be used now.
        """
        waiting: list[Presented] = []
        failed: list[CannotPresent] = []
        for item in items:
            if item.type == DNS:
                await self._publish(item)
                continue
            standing = await self._ask_agent(item)
            if standing.state == "failed":
                failed.append(CannotPresent(item=item, reason=standing.reason, message=standing.message))
            elif standing.state != "served":
                waiting.append(item)
        return PresentingState(waiting=tuple(waiting), failed=tuple(failed))

    async def withdraw(self, items: Sequence[Presented]) -> None:
        """Take away what was shown. What can't be is logged: it proves nothing any more."""
        for item in items:
            try:
                if item.type == DNS:
                    await (await self._writer(item)).withdraw(self._record(item))
                elif self._agents is not None:
                    await self._agents.withdraw(self._settings.agent_for(item.identifier), _task(item))
            except (HubError, WriterFailed) as fault:
                _log.warning(
                    "challenge_not_withdrawn",
                    identifier=item.identifier,
                    challenge=item.type,
                    error=str(fault),
                )

    async def _publish(self, item: Presented) -> None:
        try:
            await (await self._writer(item)).publish(self._record(item))
        except Unavailable:
            raise
        except (HubError, WriterFailed) as fault:
            message = f"the DNS record for {item.identifier} can't be written: {fault}"
            raise Unavailable(message, retry_after_s=_PERSON_S) from fault

    async def _writer(self, item: Presented) -> DnsWriter:
        writer_id = self._settings.writer_for(item.identifier)
        if self._dns is None or writer_id is None:
            raise Unavailable(f"no DNS writer is set for {item.identifier}", retry_after_s=_PERSON_S)
        return await self._dns.open(writer_id)

    def _record(self, item: Presented) -> DnsRecord:
        name = record_name(item.identifier, self._settings.dns_alias_zone)
        return DnsRecord(name=name, type="TXT", value=item.proof)

    async def _ask_agent(self, item: Presented) -> ChallengeStanding:
        agent_id = self._settings.agent_for(item.identifier)
        if self._agents is None or not agent_id:
            return ChallengeStanding(
                state="failed", reason="NoAgent", message=f"no agent is set for {item.identifier}"
            )
        try:
            return await self._agents.present(agent_id, _task(item))
        except HubError as fault:
            return ChallengeStanding(state="failed", reason=fault.code, message=fault.message)


def _task(item: Presented) -> ChallengeTask:
    return ChallengeTask(
        key=hashlib.sha256(f"{item.type} {item.identifier} {item.proof}".encode()).hexdigest()[:40],
        method=item.type,
        identifier=item.identifier,
        token=item.token,
        key_authorization=item.proof,
        lifetime_s=LIFETIME_S,
    )
