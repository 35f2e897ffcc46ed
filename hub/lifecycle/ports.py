"""What the lifecycle needs of the rooms below it, as protocols, so that each can be replaced by a double."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from hub.db.uow import UnitOfWork
from hub.fleet.commands import AgentRecord, CommandBody, FinishedCommand, NodeRecord
from hub.http.principal import Principal
from hub.issuers.contract import CaBackend, Intent
from hub.issuers.records import Health
from hub.organizations.service import (
    CustomFieldRecord,
    DepartmentRecord,
    EffectiveByDepartment,
    OrganizationRecord,
)
from hub.profiles.service import KeyKnowledge, ProfileRecord
from pki.findings import Finding

RemovalHandler = Callable[[UnitOfWork, str], Awaitable[None]]
OutcomeHandler = Callable[[UnitOfWork, FinishedCommand], Awaitable[None]]


class Fleet(Protocol):
    """Commands to agents."""

    async def enqueue(
        self,
        uow: UnitOfWork,
        *,
        agent_id: str,
        body: CommandBody,
        deadline_s: int,
        subject_type: str,
        subject_id: str,
        organization_id: int | None,
        requested_by: str,
        idempotency_key: str | None = None,
    ) -> str:
        """Queue a command and return its id."""

    def on_outcome(self, kind: str, handler: OutcomeHandler) -> None:
        """Call ``handler`` in the transaction that stores an outcome of ``kind``."""

    def on_removed(self, handler: RemovalHandler) -> None:
        """Call ``handler`` in the transaction that removes an agent, with its id."""

    async def agent(self, session: AsyncSession, agent_id: str) -> AgentRecord:
        """Return an agent; raises NotFound."""

    async def find_node(
        self, session: AsyncSession, agent_id: str, server: str, node_id: str
    ) -> NodeRecord | None:
        """Return a node of the agent's inventory, or None."""


class Profiles(Protocol):
    """Certificate profiles."""

    async def get(self, session: AsyncSession, profile_id: int) -> ProfileRecord:
        """Return a profile; raises NotFound."""

    async def key_knowledge(self, session: AsyncSession, spki_sha256: Collection[str]) -> KeyKnowledge:
        """Return what is known of keys beside what their numbers tell."""

    async def add_compromised(
        self, uow: UnitOfWork, spki_sha256: Iterable[str], *, source: str, principal: Principal
    ) -> int:
        """Never let these keys be certified again."""


class Organizations(Protocol):
    """Organizations and the names delegated to them."""

    async def get(self, session: AsyncSession, organization_id: int) -> OrganizationRecord:
        """Return an organization; raises NotFound."""

    async def department(
        self, session: AsyncSession, organization_id: int, department_id: int
    ) -> DepartmentRecord:
        """Return a department of the organization; raises NotFound."""

    async def check_names(
        self,
        session: AsyncSession,
        organization_id: int,
        names: Sequence[str],
        *,
        certificate_type: str = "ssl",
        department_id: int | None = None,
    ) -> list[Finding]:
        """Return why some of the names may not be certified."""

    async def effective_settings(
        self, session: AsyncSession, organization_id: int, certificate_type: str
    ) -> EffectiveByDepartment:
        """Return what the organization and its departments may do with a type of certificate."""

    async def custom_fields_of(
        self, session: AsyncSession, certificate_type: str
    ) -> Sequence[CustomFieldRecord]:
        """Return the custom fields of a type of certificate, inactive ones too."""

    async def know_requesters(
        self,
        uow: UnitOfWork,
        *,
        organization_id: int,
        department_id: int | None,
        external_requester: str,
        principal: Principal,
    ) -> None:
        """Make persons of those on whose behalf a certificate is asked for."""


class Issuers(Protocol):
    """CA backends."""

    async def backend(self, session: AsyncSession, backend_id: int) -> CaBackend:
        """Return a CA backend; raises NotFound."""

    async def health(self, session: AsyncSession, backend_ids: Collection[int]) -> Mapping[int, Health]:
        """Return how CA backends fare, by id."""

    async def backend_asked(self, uow: UnitOfWork, backend_id: int, *, fault: str | None = None) -> None:
        """Note that a CA backend answered or, with ``fault``, why it could not be asked."""

    async def record_intents(self, uow: UnitOfWork, intents: Iterable[Intent]) -> None:
        """Record the intents' serial numbers in the transaction that commits the intents."""

    async def certificate_revoked(
        self, uow: UnitOfWork, *, backend_id: int, serial_hex: str, reason: str, at: datetime
    ) -> None:
        """Record a revocation, so that the CA's next CRL carries it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rooms:
    """The rooms that the lifecycle works with."""

    organizations: Organizations
    profiles: Profiles
    issuers: Issuers
    fleet: Fleet
