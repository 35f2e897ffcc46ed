"""Restarting what a certificate was deployed on, and what items and installation say meanwhile."""

import pytest
from sqlalchemy import select

from hub.fleet.commands import CommandFailure
from hub.lifecycle.errors import CertificateNotFound
from hub.lifecycle.install_errors import CertificateAtWork, NothingToRestart
from hub.lifecycle.models import InstallItem
from hub.lifecycle.requests import Installation, Method, TargetNode
from tests.simulators.hub_world import ADMIN, rao


@pytest.fixture
async def deployed(world):
    """A certificate on two nodes of one server that take it up with a restart."""
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    nodes = ("a:443", "b:443")
    for node_id in nodes:
        world.fleet.add_node(network, node_id=node_id)
        world.fleet_state.needs_restart.add((network, "web", node_id))
    request = world.request(
        method=Method.AUTO_INSTALL,
        targets=tuple(TargetNode(agent_id=network, server="web", node_id=node_id) for node_id in nodes),
        installation=Installation.IMMEDIATE,
    )
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.settle()
    return enrolled.id, network


async def seen(world, certificate_id):
    statement = select(InstallItem.status, InstallItem.reason).where(
        InstallItem.certificate_id == certificate_id
    )
    rows = await world.rows(statement.order_by(InstallItem.id))
    return (await world.certificate(certificate_id)).install_state, [tuple(row) for row in rows]


async def test_it_waits_for_its_restart_and_then_has_succeeded(world, deployed):
    certificate_id, _ = deployed
    assert await seen(world, certificate_id) == ("Restart Required", [("Certificate Deployed", "")] * 2)
    await world.lifecycle.restarts.restart(ADMIN, certificate_id)
    [command] = world.fleet.open_commands("RestartServer")
    assert (command.body.server, command.body.node_ids) == ("web", ("a:443", "b:443"))
    with pytest.raises(CertificateAtWork):
        await world.lifecycle.restarts.restart(ADMIN, certificate_id)
    await world.settle()
    assert await seen(world, certificate_id) == ("Successful", [("Installed", "")] * 2)
    with pytest.raises(NothingToRestart):
        await world.lifecycle.restarts.restart(ADMIN, certificate_id)
    kinds = [kind for kind, _ in await world.events()]
    assert kinds.count("InstallFinished") == 2
    assert "ServerRestartRequested" in kinds


async def test_a_restart_that_was_not_done_leaves_it_waiting_with_the_reason(world, deployed):
    certificate_id, _ = deployed
    world.fleet_state.faults["RestartServer"] = CommandFailure(
        reason="ConfigurationCheckFailed", message="unknown directive"
    )
    await world.lifecycle.restarts.restart(ADMIN, certificate_id)
    await world.settle()
    waiting = [("Certificate Deployed", "ConfigurationCheckFailed")] * 2
    assert await seen(world, certificate_id) == ("Restart Required", waiting)
    assert ("ServerRestartFailed", str(certificate_id)) in await world.events()
    await world.lifecycle.restarts.restart(ADMIN, certificate_id)
    await world.settle()
    assert (await seen(world, certificate_id))[0] == "Successful"


async def test_a_node_that_serves_something_else_afterwards_has_failed(world, deployed):
    certificate_id, network = deployed
    world.fleet_state.install_faults[(network, "web", "b:443")] = ("OtherCertificateServed", "the old one")
    await world.lifecycle.restarts.restart(ADMIN, certificate_id)
    await world.settle()
    after = [("Installed", ""), ("Failed", "OtherCertificateServed")]
    assert await seen(world, certificate_id) == ("Failed", after)


async def test_others_have_no_such_certificate(world, deployed):
    with pytest.raises(CertificateNotFound):
        await world.lifecycle.restarts.restart(rao(world.other_organization_id), deployed[0])
