"""What an installation begins with: at which agents, and whether the certificate is there already."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update

from hub.db.uow import UnitOfWork
from hub.lifecycle import step_queue
from hub.lifecycle.models import CertificateLocation, InstallItem
from hub.lifecycle.orders import OrderRow
from hub.lifecycle.requests import KeyLocation, Method
from hub.lifecycle.states import ItemStatus
from hub.lifecycle.step_queue import NewStep


async def item_agents(uow: UnitOfWork, certificate_id: int) -> list[str]:
    """Return the agents of the nodes that a certificate is to be installed on."""
    agents = await uow.session.execute(
        select(InstallItem.agent_id)
        .where(InstallItem.certificate_id == certificate_id, InstallItem.status != ItemStatus.INVALID)
        .distinct()
    )
    return list(agents.scalars())


async def install_at_once(uow: UnitOfWork, certificate_id: int) -> None:
    """Let the installation that begins now mind no schedule."""
    await uow.session.execute(
        update(InstallItem)
        .where(InstallItem.certificate_id == certificate_id, InstallItem.status != ItemStatus.INVALID)
        .values(at_once=True, missed_windows=0)
    )


async def install_steps(uow: UnitOfWork, row: OrderRow, agents: Sequence[str]) -> list[NewStep]:
    """Return what has to be done next at each agent: install, or bring certificate and key there first."""
    stored = await uow.session.execute(
        select(CertificateLocation.agent_id).where(
            CertificateLocation.certificate_id == row.id,
            CertificateLocation.kind == "network_agent",
            CertificateLocation.present,
        )
    )
    has_certificate = set(stored.scalars())
    steps = [
        NewStep(certificate_id=row.id, name=step_queue.INSTALL, agent_id=agent_id)
        for agent_id in agents
        if agent_id in has_certificate
    ]
    waiting = [agent_id for agent_id in agents if agent_id not in has_certificate]
    if row.method == Method.AUTO_INSTALL and row.key_location == KeyLocation.PKS:
        steps += [
            NewStep(certificate_id=row.id, name=step_queue.EXPORT_KEY, agent_id=agent_id)
            for agent_id in waiting
        ]
    elif row.key_agent_id is not None and (waiting or not agents):
        steps.append(NewStep(certificate_id=row.id, name=step_queue.STORE, agent_id=row.key_agent_id))
    return steps
