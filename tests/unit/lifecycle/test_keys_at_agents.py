"""Keys that agents make and keep: in the private key store, and on the target."""

import pytest
from sqlalchemy import select

from hub.fleet.commands import CertificateGenerated, CommandFailure, ExportKey, StoreCertificate
from hub.lifecycle.models import CertificateCommand, CertificateLocation, InstallItem, LifecycleStep
from hub.lifecycle.requests import Installation, KeyLocation, Method, TargetNode
from pki.csrs import build_csr
from pki.keys import KeyType, generate_key, spki_sha256
from pki.names import SubjectFields
from tests.simulators.hub_world import ADMIN


@pytest.fixture
async def agents(world):
    pks = await world.fleet.enroll("pks", organization_id=world.organization_id)
    network = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(network)
    return pks, network


def auto_install(world, network, **changes):
    return world.request(
        method=Method.AUTO_INSTALL,
        targets=(TargetNode(agent_id=network, server="web", node_id="a:443"),),
        **changes,
    )


async def places(world, certificate_id):
    columns = (CertificateLocation.kind, CertificateLocation.agent_id, CertificateLocation.present)
    rows = await world.rows(
        select(*columns)
        .where(CertificateLocation.certificate_id == certificate_id)
        .order_by(CertificateLocation.id)
    )
    return [tuple(row) for row in rows]


async def item(world, certificate_id):
    rows = await world.rows(
        select(InstallItem.status, InstallItem.reason, InstallItem.message, InstallItem.rolled_back).where(
            InstallItem.certificate_id == certificate_id
        )
    )
    return tuple(rows[0])


async def test_the_private_key_store_makes_the_key_and_gets_the_certificate(world, agents):
    pks, _ = agents
    enrolled = await world.lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    assert enrolled.status == "Approved"
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert row.status == "Issued"
    assert (row.key_location, row.key_agent_id) == ("pks", pks)
    assert world.fleet_state.stored[pks][row.key_id][0]
    assert await places(world, row.id) == [("private_key_agent", pks, True)]


async def test_a_key_made_on_the_target_is_installed_as_soon_as_the_certificate_is_there(world, agents):
    _, network = agents
    request = auto_install(world, network, installation=Installation.IMMEDIATE)
    enrolled = await world.lifecycle.request(ADMIN, request)
    assert (await world.certificate(enrolled.id)).install_state == "Scheduled"
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert (row.status, row.install_state) == ("Issued", "Successful")
    assert world.fleet_state.served[(network, "web", "a:443")].hex() == row.fingerprint_sha256
    assert (await item(world, row.id))[0] == "Installed"
    assert await places(world, row.id) == [("network_agent", network, True), ("server_node", network, True)]
    assert not any(isinstance(c.body, ExportKey) for c in world.fleet_state.commands.values())


async def test_a_triggered_installation_waits_for_the_button(world, agents):
    _, network = agents
    enrolled = await world.lifecycle.request(ADMIN, auto_install(world, network))
    await world.settle()
    assert (await item(world, enrolled.id))[0] == "Certificate Saved"
    assert (await world.certificate(enrolled.id)).install_state == "Not Scheduled"
    await world.lifecycle.install(ADMIN, enrolled.id)
    assert (await world.certificate(enrolled.id)).install_state == "Started"
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Successful"


async def test_a_key_in_the_store_reaches_the_target_sealed_and_only_when_it_is_installed(world, agents):
    pks, network = agents
    request = auto_install(world, network, key_location=KeyLocation.PKS, pks_agent_id=pks)
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.settle()
    assert world.fleet_state.stores.get(network) is None
    await world.lifecycle.install(ADMIN, enrolled.id)
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert row.install_state == "Successful"
    delivered = [
        command.body
        for command in world.fleet_state.commands.values()
        if isinstance(command.body, StoreCertificate) and command.agent_id == network
    ]
    assert len(delivered) == 1
    assert delivered[0].sealed_key is not None
    assert await places(world, row.id) == [
        ("private_key_agent", pks, True),
        ("network_agent", network, True),
        ("server_node", network, True),
    ]
    # The envelope is gone from the hub's rows once it is on its way.
    assert await world.rows(select(LifecycleStep.id)) == []


async def test_a_failed_installation_says_why_and_can_be_tried_again(world, agents):
    _, network = agents
    place = (network, "web", "a:443")
    world.fleet_state.install_faults[place] = ("ConfigurationInvalid", "nginx -t: unknown directive")
    enrolled = await world.lifecycle.request(
        ADMIN, auto_install(world, network, installation=Installation.IMMEDIATE)
    )
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Failed"
    assert await item(world, enrolled.id) == (
        "Failed",
        "ConfigurationInvalid",
        "nginx -t: unknown directive",
        True,
    )
    await world.lifecycle.install(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Successful"
    assert await item(world, enrolled.id) == ("Installed", "", "", False)


async def test_an_agent_that_can_not_store_fails_the_installation_with_its_reason(world, agents):
    _, network = agents
    world.fleet_state.faults["StoreCertificate"] = CommandFailure(
        reason="DiskFull", message="no space left on device"
    )
    enrolled = await world.lifecycle.request(
        ADMIN, auto_install(world, network, installation=Installation.IMMEDIATE)
    )
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert (row.status, row.install_state) == ("Issued", "Failed")
    assert (await item(world, enrolled.id))[:3] == ("Failed", "DiskFull", "no space left on device")
    commands = await world.rows(
        select(CertificateCommand.kind, CertificateCommand.outcome, CertificateCommand.reason)
        .where(CertificateCommand.certificate_id == enrolled.id)
        .order_by(CertificateCommand.created_at)
    )
    assert [tuple(row) for row in commands] == [
        ("GenerateCertificate", "Successful", ""),
        ("StoreCertificate", "Failed", "DiskFull"),
    ]
    await world.lifecycle.install(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Successful"


async def test_an_agent_that_can_not_make_the_key_makes_the_request_invalid(world, agents):
    pks, _ = agents
    world.fleet_state.faults["GenerateCertificate"] = CommandFailure(
        reason="PolicyForbids", message="the agent's policy allows no EC keys"
    )
    enrolled = await world.lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    await world.settle()
    row = await world.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Invalid", "PolicyForbids")
    assert "no EC keys" in row.status_message


@pytest.mark.parametrize(
    ("key_type", "names", "reason"),
    [
        (KeyType.EC_P384, ("www.example.com",), "CsrOfOtherKeyType"),
        (KeyType.EC_P256, ("www.example.com", "evil.example"), "CsrOfOtherNames"),
        (KeyType.EC_P256, (), "CsrOfOtherNames"),
    ],
)
async def test_an_agents_csr_that_is_not_what_was_asked_for_is_refused(
    world, agents, key_type, names, reason
):
    pks, _ = agents
    enrolled = await world.lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    await world.run()
    (command,) = world.fleet.open_commands("GenerateCertificate")
    wrong = build_csr(generate_key(key_type), SubjectFields(common_name="www.example.com"), names)
    result = CertificateGenerated(key_id=command.body.key_id, csr=wrong, spki_sha256=b"")
    await world.fleet.finish(command.id, result=result)
    row = await world.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Invalid", reason)


async def test_an_agents_key_that_is_known_to_be_compromised_is_refused(world, agents):
    pks, _ = agents
    enrolled = await world.lifecycle.request(ADMIN, world.request(method=Method.PKS, pks_agent_id=pks))
    await world.run()
    (command,) = world.fleet.open_commands("GenerateCertificate")
    key = generate_key(KeyType.EC_P256)
    async with world.db.write() as uow:
        keys = [spki_sha256(key.public_key())]
        await world.profiles.add_compromised(uow, keys, source="a list", principal=ADMIN)
    csr = build_csr(key, SubjectFields(common_name="www.example.com"), ("www.example.com",))
    result = CertificateGenerated(key_id=command.body.key_id, csr=csr, spki_sha256=b"")
    await world.fleet.finish(command.id, result=result)
    row = await world.certificate(enrolled.id)
    assert (row.status, row.status_reason) == ("Invalid", "KeyCompromised")


async def test_a_request_with_two_agents_is_successful_when_both_are_done(world, agents):
    pks, first = agents
    second = await world.fleet.enroll("network", organization_id=world.organization_id)
    world.fleet.add_node(second, "web", "b:443")
    world.fleet_state.install_faults[(second, "web", "b:443")] = ("ReloadFailed", "nginx did not come back")
    request = world.request(
        method=Method.AUTO_INSTALL,
        key_location=KeyLocation.PKS,
        pks_agent_id=pks,
        targets=(
            TargetNode(agent_id=first, server="web", node_id="a:443"),
            TargetNode(agent_id=second, server="web", node_id="b:443"),
        ),
        installation=Installation.IMMEDIATE,
    )
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Failed"
    statuses = await world.rows(select(InstallItem.status).order_by(InstallItem.id))
    assert [row.status for row in statuses] == ["Installed", "Failed"]
    await world.lifecycle.install(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Successful"


async def test_an_agent_that_was_removed_meanwhile_fails_what_waits_for_it(world, agents, monkeypatch):
    from hub.db.errors import Conflict

    class AgentRemoved(Conflict):
        code = "agent_removed"

    async def removed(*_, **__):
        raise AgentRemoved("the agent web-1 has been removed")

    _, network = agents
    enrolled = await world.lifecycle.request(ADMIN, auto_install(world, network))
    await world.settle()
    monkeypatch.setattr(world.fleet, "enqueue", removed)
    await world.lifecycle.install(ADMIN, enrolled.id)
    await world.settle()
    assert (await world.certificate(enrolled.id)).install_state == "Failed"
    assert (await item(world, enrolled.id))[1:3] == ("AgentRemoved", "the agent web-1 has been removed")
    second = await world.lifecycle.request(ADMIN, auto_install(world, network))
    await world.settle()
    row = await world.certificate(second.id)
    assert (row.status, row.status_reason) == ("Invalid", "AgentRemoved")


async def test_an_installation_ends_even_if_the_store_is_the_last_to_answer(world, agents):
    pks, network = agents
    request = auto_install(
        world,
        network,
        key_location=KeyLocation.PKS,
        pks_agent_id=pks,
        installation=Installation.IMMEDIATE,
    )
    enrolled = await world.lifecycle.request(ADMIN, request)
    await world.run()
    (generate,) = world.fleet.open_commands("GenerateCertificate")
    await world.fleet.finish(generate.id, result=world.fleet.perform(generate))
    for _ in range(3):
        await world.run()
    (export,) = world.fleet.open_commands("ExportKey")
    (store,) = world.fleet.open_commands("StoreCertificate")
    failure = CommandFailure(reason="PolicyForbids", message="keys do not leave this store")
    await world.fleet.finish(export.id, failure=failure)
    await world.fleet.finish(store.id, result=world.fleet.perform(store))
    assert (await world.certificate(enrolled.id)).install_state == "Failed"
    assert (await item(world, enrolled.id))[1] == "PolicyForbids"
