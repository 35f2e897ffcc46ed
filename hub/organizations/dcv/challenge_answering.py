"""Answering challenges of other CAs: what their backends need of DNS writers and agents.

It stands here, beside the hub's own validation, so that the rooms of CAs and of agents both know it without
knowing one another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hub.organizations.dcv.contract import DnsWriter


class DnsWriters(Protocol):
    """The DNS writers that administrators configured."""

    async def open(self, writer_id: int) -> DnsWriter:
        """Return a writer, ready to write; raise HubError if there is none or it can't be opened."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeTask:
    """A challenge of ACME that an agent shall answer (RFC 8555, 8.3; RFC 8737).

    ``method``: "http-01" or "tls-alpn-01". ``key`` identifies the task: the same is never done twice.
    """

    key: str
    method: str
    identifier: str
    token: str
    key_authorization: str = field(repr=False)
    lifetime_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeStanding:
    """How far an agent is. ``state``: "waiting", "served" or "failed", then with a reason and a text."""

    state: str
    reason: str = ""
    message: str = ""


class ChallengeAgents(Protocol):
    """Agents that answer challenges on the servers that names lead to."""

    async def present(self, agent_id: str, task: ChallengeTask) -> ChallengeStanding:
        """Have a challenge answered; asked again, tell how far that is. Raises HubError: it can't be."""
        ...

    async def withdraw(self, agent_id: str, task: ChallengeTask) -> None:
        """Have the answer removed before its time. Raises HubError."""
        ...
