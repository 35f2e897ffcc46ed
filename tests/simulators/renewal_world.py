"""A world whose certificates renew themselves: the real rooms, and a clock that jumps to what is due."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from hub.http.principal import SYSTEM
from hub.lifecycle.models import Certificate, LifecycleStep
from hub.lifecycle.requests import Installation, Method, TargetNode
from hub.profiles.service import ProfileFields, RenewalPolicy, SanRule
from hub.renewals.calendar_port import Interval, PlannedCertificate
from hub.renewals.models import RenewalSchedule
from hub.renewals.service import RenewalRooms, RenewalService
from tests.simulators.hub_world import ADMIN, World


@dataclass
class CalendarDouble:
    """Freezes and windows that a test sets."""

    intervals: list[Interval] = field(default_factory=list)

    async def closed(
        self, _session: Any, _certificate: PlannedCertificate, begin: datetime, end: datetime
    ) -> list[Interval]:
        return [item for item in self.intervals if item.start < end and item.end > begin]


@dataclass
class RenewalWorld(World):
    """A world with the room of renewals."""

    calendar: CalendarDouble = field(default_factory=CalendarDouble)
    renewals: RenewalService = field(init=False)

    def open(self) -> None:
        super().open()
        rooms = RenewalRooms(
            profiles=self.profiles, issuers=self.issuers, fleet=self.fleet, calendar=self.calendar
        )
        self.renewals = RenewalService(self.db, self.lifecycle, rooms)

    async def profile(self, name: str = "Renewing", **changes: Any) -> int:
        """A profile whose certificates renew themselves, of 47 days."""
        policy = RenewalPolicy(**({"enabled": True} | changes.pop("renewal", {})))
        values: dict[str, Any] = {
            "backend_id": self.backend_id,
            "san_rule": SanRule.MULTI,
            "terms_days": (47,),
            "auto_approve": True,
            "renewal": policy,
        } | changes
        async with self.db.write() as uow:
            fields = ProfileFields(name=name, **values)
            return (await self.profiles.create(uow, fields, principal=SYSTEM)).id

    async def issued(self, profile_id: int, **changes: Any) -> int:
        """The id of a certificate that was requested, approved if that is needed, and issued."""
        changes = {"profile_id": profile_id, "term_days": 47} | changes
        enrolled = await self.lifecycle.request(ADMIN, self.request(**changes))
        if enrolled.status == "Requested":
            await self.lifecycle.approve(ADMIN, enrolled.id)
        await self.settle()
        return enrolled.id

    async def installing(
        self, profile_id: int, *, installation: Installation = Installation.IMMEDIATE, **changes: Any
    ) -> int:
        """The id of a certificate that was issued and is installed on a node of an agent."""
        network = await self.fleet.enroll("network", organization_id=self.organization_id)
        self.fleet.add_node(network)
        certificate_id = await self.issued(
            profile_id,
            method=Method.AUTO_INSTALL,
            targets=(TargetNode(agent_id=network, server="web", node_id="a:443"),),
            installation=installation,
            **changes,
        )
        if installation is Installation.TRIGGERED:
            await self.lifecycle.install(ADMIN, certificate_id)
            await self.settle()
        return certificate_id

    async def run(self) -> int:
        """Do what is due, once: the lifecycle's steps and the renewals."""
        return await super().run() + await self.renewals.engine().run_due()

    async def next_due(self) -> datetime | None:
        """When something is to be done next without anybody's hand."""
        rows = await self.rows(
            select(
                select(func.min(Certificate.renewal_due_at))
                .where(Certificate.renewal_state.in_(("Scheduled", "Failed")))
                .scalar_subquery(),
                select(func.min(RenewalSchedule.look_at)).scalar_subquery(),
                select(func.min(LifecycleStep.due_at)).scalar_subquery(),
            )
        )
        return min((at for at in rows[0] if at is not None), default=None)

    async def advance(self, until: datetime, *, agents: bool = True) -> None:
        """Let time pass, stopping wherever something is due."""
        while True:
            await self.lifecycle.expire()
            await (self.settle() if agents else self.settle_hub())
            due = await self.next_due()
            if due is None or due > until:
                self.clock.now = max(self.clock.now, until)
                await self.lifecycle.expire()
                return
            self.clock.now = max(due, self.clock.now + timedelta(seconds=1))

    async def settle_hub(self) -> None:
        """Let the hub work until it has nothing to do; agents do nothing."""
        for _ in range(50):
            if not await self.run():
                return
        raise AssertionError("the hub never comes to rest")

    async def successor(self, certificate_id: int) -> Certificate | None:
        """The newest request for a certificate's successor."""
        async with self.db.read() as session:
            rows = await session.execute(
                select(Certificate)
                .where(Certificate.renews_id == certificate_id)
                .order_by(Certificate.id.desc())
                .limit(1)
            )
            return rows.scalars().first()

    async def answer(self, certificate_id: int) -> Any:
        """Why it was (not) renewed."""
        return (await self.renewals.why(ADMIN, certificate_id)).why
