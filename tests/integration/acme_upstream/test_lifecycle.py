"""Certificates from request to revocation with an ACME CA behind the profile: lifecycle, REST, crashes."""

import asyncio
import contextlib

import pytest
from aiohttp import web
from sqlalchemy import update

from hub.access.policy import PolicyAuthorizer
from hub.http.principal import SYSTEM
from hub.http.shell import ShellOptions, build_application
from hub.issuers.acme.renewal_info import certificate_id
from hub.issuers.acme.routes import AccountKeyRoutes
from hub.lifecycle.models import Certificate, CertificateBody
from hub.lifecycle.renewal import Renewal
from hub.profiles.models import Profile
from tests.integration.acme_upstream.conftest import ZoneWriter
from tests.integration.lifecycle.conftest import Client, Tokens
from tests.simulators.acme_server import AcmeServer
from tests.simulators.hub_world import ADMIN, World, csr
from tests.simulators.web_server import WebServer


class AcmeWorld(World):
    """A hub whose profiles order at an ACME CA."""

    writer: ZoneWriter
    client: object = None

    def open(self) -> None:
        super().open()
        self.issuers.prove_by(dns=self.writer, agents=None)

    async def use(self, at, **settings) -> None:
        values = {
            "directory_url": at.url,
            "ca_bundle": at.ca_bundle,
            "terms_agreed": True,
            "dns_writer_id": 1,
            "propagation_s": 0,
        }
        async with self.db.write() as uow:
            self.backend_id = await self.issuers.create_backend(
                uow, name="ACME", kind="acme", settings=values | settings, principal=SYSTEM
            )
            await uow.session.execute(update(Profile).values(backend_id=self.backend_id))

    async def enroll(self, **changes) -> int:
        return (await self.lifecycle.request(ADMIN, self.request(**changes))).id

    async def until(self, certificate_id: int, status: str, *, reopen: bool = False) -> Certificate:
        """Let time pass, and the CA work, until a certificate has a status."""
        for _ in range(120):
            row = await self.certificate(certificate_id)
            if row.status == status:
                return row
            assert row.status in {"Approved", "Applied", "Requested"}, (row.status, row.status_message)
            if reopen:
                await self.reopen()
            await self.run()
            self.clock.forward(seconds=5)
            await asyncio.sleep(0.05)
        raise AssertionError(f"it stays {row.status}: {row.status_reason} {row.status_message}")


@pytest.fixture
async def world(tmp_path, dns):
    made = AcmeWorld(f"sqlite:///{tmp_path / 'hub.db'}")
    made.writer = ZoneWriter(dns)
    made.open()
    await made.create()
    yield made
    await made.db.close()


@pytest.mark.parametrize("reopen", [False, True])
async def test_a_request_becomes_a_certificate_and_is_revoked(world, pebble, reopen):
    """With ``reopen``, the hub is killed before every single step."""
    await world.use(pebble)
    certificate_id_ = await world.enroll()
    row = await world.until(certificate_id_, "Issued", reopen=reopen)
    assert pebble.log_text().count("Added order") == 1
    assert row.order_number
    await world.lifecycle.revoke(ADMIN, certificate_id_, reason="superseded")
    for _ in range(5):
        await world.run()
        world.clock.forward(minutes=1)
    status = await pebble.management(f"cert-status-by-serial/{row.serial_hex}")
    assert b"Revoked" in status


async def test_a_refusal_is_seen_in_the_ca_s_words(world, pebble, dns):
    await world.use(pebble, validation_attempts=1)

    async def nothing(_record):
        return None

    world.writer.publish = nothing
    certificate_id_ = await world.enroll()
    row = await world.until(certificate_id_, "Rejected")
    assert "dns-01" in row.status_message


@pytest.fixture
async def simulated(tmp_path):
    ca = AcmeServer()
    folder = tmp_path / "simulator"
    folder.mkdir()
    server = WebServer(ca.application(), folder)
    await server.start()
    server.ca, server.ca_bundle = ca, server.certificate
    server.url = f"{server.url}/dir"
    yield server
    await server.stop()


async def test_a_renewal_tells_the_ca_what_it_replaces(world, simulated):
    await world.use(simulated)
    first = await world.until(await world.enroll(), "Issued")
    async with world.db.read() as session:
        body = await session.get(CertificateBody, first.fingerprint_sha256)
    second = await world.lifecycle.renew(ADMIN, first.id, Renewal(csr=csr()))
    await world.until(second.id, "Issued")
    assert [order.get("replaces") for order in simulated.ca.orders] == [None, certificate_id(body.der)]


@pytest.fixture
async def rest(world):
    application = build_application(
        [AccountKeyRoutes(world.db, world.issuers)],
        authenticator=Tokens(),
        authorizer=PolicyAuthorizer(),
        options=ShellOptions(over_tls=False),
    )
    async with contextlib.AsyncExitStack() as stack:
        runner = web.AppRunner(application, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        client = Client("http://{}:{}".format(*runner.addresses[0][:2]))
        stack.push_async_callback(client.close)
        yield client


async def test_the_account_s_key_is_changed_over_rest(world, pebble, rest):
    private = world.backend_id
    await world.use(pebble)
    seen = [await rest.post(f"/ca-backends/{world.backend_id}/account-key") for _ in range(2)]
    assert len({found["thumbprint"] for found in seen}) == 2
    await world.until(await world.enroll(), "Issued")
    await rest.post(f"/ca-backends/{world.backend_id}/account-key", token="rao-1", expect=403)
    problem = await rest.post(f"/ca-backends/{private}/account-key", expect=409)
    assert problem["code"] == "no_account_key"
