"""The network agent on real servers: discover, make a key, store, install, survive death."""

import asyncio
import contextlib
import hashlib
import json
import os
import signal
import stat
import sys

import pytest
from certwright.agent.v1 import commands_pb2, control_pb2
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from agents.network.agent import KIND
from agents.network.verify import served_certificate
from agents.pks.agent import KIND as PKS
from agents.runtime.default_policy import default_policy
from agents.runtime.receiver_key import load_receiver_key
from agents.runtime.state_dir import StateDirectory
from agents.runtime.store_key import open_store_key
from tests.integration.agent.conftest import Bench
from tests.integration.agent.fake_hub import envelope
from tests.real_servers.apache import PrivateApache
from tests.real_servers.certificates import Authority
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

pytestmark = pytest.mark.server
DER = Encoding.DER


@pytest.fixture
def authority():
    return Authority()


@pytest.fixture(params=[PrivateNginx, PrivateApache], ids=["nginx", "apache"])
def server(request, tmp_path, authority):
    folder = tmp_path / "server"
    folder.mkdir()
    site = Site(("a.test",), folder / "a.pem", folder / "a.key")
    authority.leaf("a.test", days=-1).write(site)
    server = request.param(folder, [site])
    server.start()
    yield server
    server.stop()


@pytest.fixture
def nginx(tmp_path, authority):
    folder = tmp_path / "server"
    folder.mkdir()
    site = Site(("a.test",), folder / "a.pem", folder / "a.key")
    authority.leaf("a.test", days=-1).write(site)
    server = PrivateNginx(folder, [site])
    server.start()
    yield server
    server.stop()


def policy_for(server) -> str:
    return default_policy("network").replace('"/etc/ssl"', f'"{server.directory}"')


async def prepared(bench, server, *, toml=None, policy=None):
    bench.kind = KIND
    await bench.enroll(policy=policy or policy_for(server))
    (bench.directory.path / "servers.toml").write_text(toml or server.toml("front"))


def certified(authority, csr_der: bytes) -> list[bytes]:
    """What a CA would answer to a CSR: leaf and issuer."""
    csr = x509.load_der_x509_csr(csr_der)
    template = authority.leaf("a.test").certificate
    builder = x509.CertificateBuilder(
        template.issuer, csr.subject, csr.public_key(), x509.random_serial_number()
    )
    builder = builder.not_valid_before(template.not_valid_before_utc)
    builder = builder.not_valid_after(template.not_valid_after_utc)
    for extension in template.extensions:
        if extension.oid == x509.OID_SUBJECT_ALTERNATIVE_NAME:
            builder = builder.add_extension(extension.value, extension.critical)
    leaf = builder.sign(authority._key, hashes.SHA256())
    return [leaf.public_bytes(DER), authority.issuer.public_bytes(DER)]


async def ask(hub, agent_id, **body):
    return await hub.done(hub.command(envelope(agent_id, **body)), timeout_s=30)


async def stored(hub, agent_id, authority) -> bytes:
    """Have a key made on the target and certified; return the certificate's SHA-256."""
    generate = commands_pb2.GenerateCertificate(
        key_id="order-1", key_type="EC-P256", common_name="a.test", dns_names=["a.test"]
    )
    generated = await ask(hub, agent_id, generate_certificate=generate)
    chain = certified(authority, generated.result.certificate_generated.csr)
    store = commands_pb2.StoreCertificate(key_id="order-1", chain=chain)
    done = await ask(hub, agent_id, store_certificate=store)
    return done.result.certificate_stored.certificate_sha256


def install(sha256, server, **options):
    return commands_pb2.InstallCertificate(
        key_id="order-1",
        certificate_sha256=sha256,
        targets=[
            commands_pb2.InstallTarget(server="front", node_id=f"a.test@127.0.0.1:{server.port}"),
        ],
        **options,
    )


async def served(server) -> bytes:
    return bytes.fromhex((await served_certificate("127.0.0.1", server.port, "a.test", 3)).fingerprint)


async def test_the_inventory_comes_with_each_connect_and_says_what_is_served(bench, hub, server):
    await prepared(bench, server)
    await bench.start()
    await hub.until(lambda: hub.messages("inventory"))

    (found,) = hub.messages("inventory")[0].servers
    (node,) = found.nodes
    assert (found.name, found.kind, list(node.names)) == ("front", server.kind, ["a.test"])
    assert node.manageable, node.problem
    assert node.ports[0].certificate_sha256 == await served(server)

    done = await ask(hub, bench.agent_id, discover_servers=commands_pb2.DiscoverServers())
    assert done.result.server_inventory.servers == hub.messages("inventory")[0].servers


async def test_a_key_made_on_the_target_is_certified_installed_and_served(bench, hub, server, authority):
    await prepared(bench, server)
    await bench.start()
    await hub.connected()
    sha256 = await stored(hub, bench.agent_id, authority)
    before = await served(server)

    plan = await ask(hub, bench.agent_id, install_certificate=install(sha256, server, dry_run=True))
    (planned,) = plan.result.certificate_installed.outcomes
    assert (planned.status, await served(server)) == ("planned", before)
    assert any("replace" in step for step in planned.steps)

    command = envelope(bench.agent_id, install_certificate=install(sha256, server))
    done = await hub.done(hub.command(command), timeout_s=30)
    (outcome,) = done.result.certificate_installed.outcomes
    assert (outcome.status, outcome.reason) == ("installed", "")
    assert outcome.served[0].certificate_sha256 == sha256 == await served(server)
    assert stat.S_IMODE(server.sites[0].key.stat().st_mode) & 0o007 == 0

    repeated = await ask(hub, bench.agent_id, install_certificate=install(sha256, server))
    assert repeated.result.certificate_installed.outcomes[0].status == "already_installed"
    inventories = await hub.until(lambda: [*hub.messages("inventory")][1:])
    await hub.until(
        lambda: hub.messages("inventory")[-1].servers[0].nodes[0].ports[0].certificate_sha256 == sha256
    )
    assert inventories


async def test_a_key_made_in_the_pks_agent_travels_sealed_and_is_served(
    bench, hub, nginx, authority, tmp_path
):
    await prepared(bench, nginx)
    await bench.start()
    vault = Bench(hub, StateDirectory(tmp_path / "vault"), PKS)
    kek = open_store_key(bench.directory, store_config(bench), credentials=None)
    receiver = load_receiver_key(bench.directory, kek)
    allowed = default_policy("pks").replace(
        'key_export = "never"', f'key_export = ["{receiver.fingerprint}"]'
    )
    await vault.enroll(policy=allowed)
    await vault.start()
    await hub.connected(times=2)

    generate = commands_pb2.GenerateCertificate(
        key_id="order-1", key_type="RSA-2048", common_name="a.test", dns_names=["a.test"]
    )
    generated = (await ask(hub, vault.agent_id, generate_certificate=generate)).result
    chain = certified(authority, generated.certificate_generated.csr)
    export = commands_pb2.ExportKey(
        key_id="order-1", receiver_public_key=receiver.public, receiver_agent_id=bench.agent_id
    )
    exported = (await ask(hub, vault.agent_id, export_key=export)).result
    store = commands_pb2.StoreCertificate(
        key_id="order-1", chain=chain, sealed_key=exported.key_exported.sealed_key
    )
    sha256 = (
        await ask(hub, bench.agent_id, store_certificate=store)
    ).result.certificate_stored.certificate_sha256
    done = await ask(hub, bench.agent_id, install_certificate=install(sha256, nginx))

    assert done.result.certificate_installed.outcomes[0].status == "installed"
    assert await served(nginx) == hashlib.sha256(chain[0]).digest()
    await vault.kill()


def store_config(bench):
    from agents.runtime.config import load_config

    return load_config(bench.directory.config).store


async def test_paths_outside_the_policy_are_not_written(bench, hub, nginx, authority):
    await prepared(bench, nginx, policy=default_policy("network"))
    await bench.start()
    inventory = (await hub.until(lambda: hub.messages("inventory")))[0]
    sha256 = await stored(hub, bench.agent_id, authority)
    before = await served(nginx)

    done = await ask(hub, bench.agent_id, install_certificate=install(sha256, nginx))

    (outcome,) = done.result.certificate_installed.outcomes
    assert (outcome.status, outcome.reason) == ("failed", "PathNotAllowed")
    assert await served(nginx) == before
    node = inventory.servers[0].nodes[0]
    assert not node.manageable
    assert node.problem.startswith("PathNotAllowed")


async def test_an_unknown_server_or_certificate_is_told(bench, hub, nginx, authority):
    await prepared(bench, nginx)
    await bench.start()
    await hub.connected()
    sha256 = await stored(hub, bench.agent_id, authority)
    elsewhere = install(sha256, nginx)
    elsewhere.targets[0].server = "back"

    unknown = await ask(hub, bench.agent_id, install_certificate=elsewhere)
    missing = await ask(hub, bench.agent_id, install_certificate=install(b"\x00" * 32, nginx))

    assert unknown.result.certificate_installed.outcomes[0].reason == "ServerNotFound"
    assert missing.failure.reason == "CertificateNotStored"


async def test_a_scan_finds_the_server_and_counts_the_rest(bench, hub, server, authority):
    await prepared(bench, server)
    await bench.start()
    await hub.connected()
    scan = commands_pb2.DiscoverNetwork(
        ranges=[commands_pb2.ScanRange(target="127.0.0.1", ports=[str(server.port), "1"])], timeout_ms=2000
    )

    command_id = hub.command(envelope(bench.agent_id, discover_network=scan))
    done = await hub.done(command_id, timeout_s=30)

    counts = done.result.network_discovered
    assert (counts.targets, counts.open, counts.closed) == (2, 1, 1)
    endpoints = [each for batch in hub.messages("batch") for each in batch.network_finds.endpoints]
    (endpoint,) = endpoints
    assert (endpoint.status, endpoint.port) == ("ok", server.port)
    assert endpoint.chain_sha256[0] == await served(server)
    sent = [der for batch in hub.messages("batch") for der in batch.network_finds.certificates]
    assert [hashlib.sha256(der).digest() for der in sent] == list(endpoint.chain_sha256)
    assert hub.messages("batch")[-1].network_finds.cursor == 2


async def test_a_scan_outside_the_policy_is_refused_before_a_packet_is_sent(bench, hub, nginx):
    await prepared(bench, nginx)
    await bench.start()
    await hub.connected()
    scan = commands_pb2.DiscoverNetwork(ranges=[commands_pb2.ScanRange(target="192.0.2.0/30")])

    done = await ask(hub, bench.agent_id, discover_network=scan)

    assert done.failure.reason == "PolicyRefused"
    assert "192.0.2.0" in done.failure.message


async def test_cancelling_a_scan_ends_it_within_a_second(bench, hub, nginx):
    await prepared(bench, nginx)
    await bench.start()
    await hub.connected()
    scan = commands_pb2.DiscoverNetwork(
        ranges=[commands_pb2.ScanRange(target="127.0.0.0/16", ports=["1-1000"])], connects_per_second=50
    )
    command_id = hub.command(envelope(bench.agent_id, discover_network=scan))
    await hub.until(lambda: hub.messages("progress"))

    hub.send(control_pb2.HubMessage(cancel=control_pb2.CancelCommand(command_id=command_id)))
    done = await hub.done(command_id, timeout_s=1.5)

    assert done.failure.reason == "Cancelled"


class Process:
    """The agent as a process of its own, to be killed."""

    def __init__(self, state_dir):
        self._arguments = [sys.executable, "-m", "agents.cli", "run", "--state-dir", str(state_dir)]
        self._process = None

    async def start(self):
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments, stderr=asyncio.subprocess.DEVNULL, start_new_session=True
        )

    async def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()


async def test_an_agent_killed_during_the_reload_undoes_it_and_answers(
    bench, hub, nginx, authority, tmp_path
):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow-reload"
    slow.write_text(f"#!/bin/sh\ncat {gate}\n")
    slow.chmod(0o755)
    toml = nginx.toml("front") + f"reload = {json.dumps([str(slow)])}\n"
    await prepared(bench, nginx, toml=toml)
    before = await served(nginx)
    old_file = nginx.sites[0].certificate.read_bytes()
    process = Process(bench.directory.path)
    await process.start()
    await hub.connected()
    sha256 = await stored(hub, bench.agent_id, authority)
    command_id = hub.command(envelope(bench.agent_id, install_certificate=install(sha256, nginx)))
    # The reload has begun once somebody reads from the gate.
    writing = await asyncio.to_thread(os.open, gate, os.O_WRONLY)
    assert nginx.sites[0].certificate.read_bytes() != old_file
    await process.kill()
    os.close(writing)

    (bench.directory.path / "servers.toml").write_text(nginx.toml("front"))
    slow.write_text("#!/bin/sh\nexit 0\n")
    await process.start()
    done = await hub.done(command_id, timeout_s=60)

    assert (done.failure.reason, done.failure.retryable) == ("Interrupted", True)
    assert nginx.sites[0].certificate.read_bytes() == old_file
    assert await served(nginx) == before
    again = await ask(hub, bench.agent_id, install_certificate=install(sha256, nginx))
    assert again.result.certificate_installed.outcomes[0].status == "installed"
    assert await served(nginx) == sha256
    await process.kill()


async def test_an_agent_killed_in_the_middle_of_a_scan_goes_on_where_it_was(bench, hub, nginx):
    await prepared(bench, nginx)
    process = Process(bench.directory.path)
    await process.start()
    await hub.connected()
    scan = commands_pb2.DiscoverNetwork(
        ranges=[
            commands_pb2.ScanRange(target="127.0.0.1", ports=[str(nginx.port)]),
            commands_pb2.ScanRange(target="127.0.0.1", ports=["1-300"]),
            commands_pb2.ScanRange(target="127.0.0.2-127.0.0.9", ports=[str(nginx.port)]),
        ],
        connects_per_second=60,
    )
    command_id = hub.command(envelope(bench.agent_id, discover_network=scan))
    await hub.until(lambda: hub.messages("progress"))
    await process.kill()

    await process.start()
    done = await hub.done(command_id, timeout_s=60)

    counts = done.result.network_discovered
    assert counts.targets == 309
    assert counts.open + counts.closed + counts.silent <= 309
    endpoints = {
        (each.address, each.port)
        for batch in hub.messages("batch")
        for each in batch.network_finds.endpoints
        if each.status == "ok"
    }
    assert endpoints == {("127.0.0.1", nginx.port)}
    await process.kill()
