"""From request to revocation with CAs elsewhere, through hubs that are killed after each step."""

import pytest
from sqlalchemy import select

from hub.http.principal import SYSTEM
from hub.lifecycle.models import LifecycleStep
from tests.simulators.certificate_manager import CertificateManager
from tests.simulators.est_server import EstServer
from tests.simulators.hub_world import ADMIN
from tests.simulators.vault import Vault

MANAGER = {
    "customer_uri": "example",
    "login": "api",
    "password": "correct horse",
    "organization_id": 7,
    "certificate_profile_id": 27,
}
CASES = {
    "certificate_manager_rest": (CertificateManager, MANAGER),
    "est": (EstServer, {"username": "hub", "password": "correct horse"}),
    "vault_pki": (Vault, {"role": "servers", "role_id": "role-1", "secret_id": "secret-1"}),
}


async def configure(world, server, kind, settings):
    values = {"url": server.url, "ca_bundle": server.certificate, "timeout_s": 5, **settings}
    async with world.db.write() as uow:
        backend_id = await world.issuers.create_backend(
            uow, name=kind, kind=kind, settings=values, principal=SYSTEM
        )
        await world.profiles.update(
            uow, world.manual_profile_id, changes={"backend_id": backend_id}, principal=SYSTEM
        )
    return backend_id


async def ordered(world):
    request = world.request(profile_id=world.manual_profile_id)
    certificate_id = (await world.lifecycle.request(ADMIN, request)).id
    await world.lifecycle.approve(ADMIN, certificate_id)
    return certificate_id


@pytest.mark.parametrize("kind", CASES)
async def test_issued_and_revoked(world, serve, kind):
    simulator, settings = CASES[kind]
    ca = simulator()
    backend_id = await configure(world, await serve(ca.application()), kind, settings)
    assert await world.issuers.test(backend_id) is None
    certificate_id = await ordered(world)
    await world.settle()
    row = await world.certificate(certificate_id)
    assert row.status == "Issued", row.status_message
    assert len(row.chain) == 3
    assert [int(row.serial_hex, 16)] == list(ca.signing.issued)
    await world.lifecycle.revocation.revoke(ADMIN, certificate_id, reason="superseded")
    await world.settle()
    assert (await world.certificate(certificate_id)).status == "Revoked"
    assert await world.rows(select(LifecycleStep.id)) == []
    # EST knows no revocation.
    assert list(ca.signing.revoked) == ([] if kind == "est" else [int(row.serial_hex, 16)])


async def test_a_hub_that_is_restarted_after_every_step_orders_once(world, serve):
    ca = CertificateManager(first_status="Requested")
    await configure(world, await serve(ca.application()), "certificate_manager_rest", MANAGER)
    certificate_id = await ordered(world)
    for _ in range(12):
        await world.lifecycle.worker().run_due(limit=1)
        await world.reopen()
        world.clock.forward(seconds=40)
    assert (await world.certificate(certificate_id)).status_message == "the CA's status: requested"
    ca.issue(ca.orders[5001])
    world.clock.forward(hours=1)
    await world.settle()
    row = await world.certificate(certificate_id)
    assert (row.status, row.order_number, len(ca.orders)) == ("Issued", "5001", 1)


async def test_the_wrong_names_are_not_taken(world, serve):
    ca = CertificateManager(other_names=["other.example.com"])
    await configure(world, await serve(ca.application()), "certificate_manager_rest", MANAGER)
    certificate_id = await ordered(world)
    await world.settle()
    row = await world.certificate(certificate_id)
    assert (row.status, row.status_reason) == ("Invalid", "CaAnsweredWrongCertificate")
    assert row.status_message == "the CA's certificate lacks www.example.com"
