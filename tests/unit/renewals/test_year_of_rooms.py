"""A year of certificates of 47 days through the real rooms, on SQLite, with a CA and agents that fail."""

import random
from datetime import timedelta

from sqlalchemy import func, select

from hub.db.errors import BackendRefused, Unavailable
from hub.db.outbox import OutboxEvent
from hub.fleet.commands import CommandFailure
from hub.issuers.private_ca.backend import PrivateCaBackend
from hub.lifecycle.models import Certificate, CertificateBody
from hub.lifecycle.requests import AutoRenew
from tests.simulators.hub_world import ADMIN
from tests.simulators.renewal_years import BEGIN, Outages, outages

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FLEET = 60
DAYS = 365
HOP, FARTHEST = timedelta(hours=2), timedelta(hours=24)


class Year:
    """A year: whose CA is away at times, whose agents are, and whose people approve late."""

    def __init__(self, world, monkeypatch, *, seed):
        self.world = world
        self.rng = random.Random(seed)
        self.end = world.clock.now + DAYS * DAY
        shift = world.clock.now
        self.ca = self._outages(shift, every_days=12, hours=[3, 8, 12, 40])
        self.agents = {}
        self.asked = {}
        self.approve_at = {}
        self.refused = 0.0
        submit = PrivateCaBackend.submit

        async def faulty(backend, order, intent):
            if self.ca.until(world.clock.now):
                raise Unavailable("the CA is being mended", retry_after_s=900)
            if self.rng.random() < self.refused:
                raise BackendRefused("not today")
            return await submit(backend, order, intent)

        monkeypatch.setattr(PrivateCaBackend, "submit", faulty)

    def _outages(self, begin, *, every_days, hours):
        drawn = outages(self.rng, self.end, every_days=every_days, hours=lambda r: r.choice(hours))
        # The simulation in memory begins at another time.
        move = begin - BEGIN
        return Outages(
            tuple(at + move for at in drawn.starts),
            tuple(at + move for at in drawn.ends),
        )

    def add_agent(self, agent_id):
        self.agents[agent_id] = self._outages(self.world.clock.now, every_days=20, hours=[2, 10, 30, 60])

    async def work(self):
        """Agents that are there do their work; commands for others end when their time is over."""
        fleet, now, done = self.world.fleet, self.world.clock.now, 0
        for command in fleet.open_commands():
            since = self.asked.setdefault(command.id, now)
            agent = self.agents.get(command.agent_id)
            if agent is None or agent.until(now) is None:
                await fleet.finish(command.id, result=fleet.perform(command))
                done += 1
            elif now - since > timedelta(seconds=command.deadline_s):
                failure = CommandFailure(reason="Expired", message="the agent did not connect in time")
                await fleet.finish(command.id, failure=failure)
                done += 1
        return done

    async def approve(self):
        """Somebody looks at the requests within two days."""
        rows = await self.world.rows(select(Certificate.id).where(Certificate.status == "Requested"))
        for (certificate_id,) in rows:
            due = self.approve_at.setdefault(
                certificate_id, self.world.clock.now + timedelta(hours=self.rng.uniform(0, 48))
            )
            if due <= self.world.clock.now:
                await self.world.lifecycle.approve(ADMIN, certificate_id)

    async def pass_(self):
        while self.world.clock.now < self.end:
            await self.world.lifecycle.expire()
            await self.approve()
            for _ in range(30):
                if not await self.world.run() + await self.work():
                    break
            self.world.clock.now += await self._hop()

    async def _hop(self):
        """How far to jump: not far while somebody or an agent is waited for."""
        waiting = await self.world.rows(
            select(Certificate.id).where(Certificate.status == "Requested").limit(1)
        )
        due = await self.world.next_due()
        if waiting or due is None or self.world.fleet.open_commands():
            return HOP
        return min(max(due - self.world.clock.now, HOP), FARTHEST)


async def test_a_year(world, monkeypatch):
    quick = await world.profile(renewal={"revoke_after_hours": 24})
    by_hand = await world.profile("By hand", auto_approve=False)
    year = Year(world, monkeypatch, seed=7)
    lines = []
    for number in range(FLEET):
        name = {"common_name": f"n{number}.example.com", "names": ()}
        world.clock.now += 7 * HOUR
        if number % 4 == 0:
            certificate_id = await world.installing(quick, **name)
        elif number % 4 == 1:
            certificate_id = await world.issued(by_hand, **name)
        else:
            certificate_id = await world.issued(quick, auto_renew=AutoRenew(enabled=True, share=0.6), **name)
        lines.append(certificate_id)
    for agent_id in world.fleet.state.agents:
        year.add_agent(agent_id)
    year.refused = 0.03
    await year.pass_()

    counted = select(func.count()).select_from(Certificate)
    ((issued,),) = await world.rows(counted.where(Certificate.issued_at.is_not(None)))
    assert issued > FLEET * DAYS / 47
    # Each line has exactly one certificate that is not followed by another; it is valid.
    last = await world.rows(
        select(Certificate.common_name, Certificate.status, Certificate.not_after).where(
            Certificate.renewed_by_id.is_(None), Certificate.status.in_(("Issued", "Downloaded", "Expired"))
        )
    )
    assert len(last) == FLEET
    assert [row for row in last if row.not_after <= world.clock.now] == []
    # None expired before its successor was issued.
    old = Certificate.__table__.alias()
    late = await world.rows(
        select(old.c.id, old.c.not_after, Certificate.issued_at)
        .join(Certificate, Certificate.id == old.c.renewed_by_id)
        .where(Certificate.issued_at > old.c.not_after)
    )
    assert late == []
    # Each order was issued once, and the old ones that the profile wants revoked are revoked or over.
    bodies = await world.rows(
        select(func.count())
        .select_from(CertificateBody)
        .join(Certificate, Certificate.fingerprint_sha256 == CertificateBody.sha256)
    )
    assert bodies[0][0] == issued
    stale = await world.rows(
        select(old.c.id)
        .join(Certificate, Certificate.id == old.c.renewed_by_id)
        .where(
            old.c.profile_id == quick,
            old.c.renewal_state == "Successful",
            old.c.status == "Issued",
            Certificate.issued_at < world.clock.now - 10 * DAY,
        )
    )
    assert stale == []
    failures = await world.rows(
        select(OutboxEvent.data).where(
            OutboxEvent.kind == "RenewalFinished",
        )
    )
    failed = [data for (data,) in failures if data["renewal_state"] == "Failed"]
    assert len(failed) > 5
    assert all(data["instruction"] and data["hours_left"] > 0 and data["next_try_at"] for data in failed)
