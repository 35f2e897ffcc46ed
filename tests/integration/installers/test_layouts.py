"""Configurations as people write them: macros, defines, includes, chain files, one file for all."""

from __future__ import annotations

import pytest

from agents.network.installers.apache import ApacheInstaller
from agents.network.installers.contract import Status
from agents.network.servers.definitions import detect
from tests.integration.installers.conftest import Bench
from tests.real_servers.apache import PrivateApache
from tests.real_servers.certificates import Authority
from tests.real_servers.nginx import PrivateNginx
from tests.real_servers.site import Site

pytestmark = pytest.mark.server


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    return folder


@pytest.fixture
def started(tmp_path):
    running = []

    def start(server_class, authority, old, sites, **options):
        server = server_class(tmp_path / "server", sites, **options)
        state = tmp_path / "state"
        state.mkdir()
        (state / "servers.toml").write_text(server.toml())
        server.start()
        running.append(server)
        return Bench(server, authority, state, old)

    yield start
    for server in running:
        server.stop()


async def test_apache_macros_defines_and_includes_are_seen_as_the_server_sees_them(started, files):
    authority = Authority()
    plain, made = authority.leaf("a.test"), authority.leaf("m.test")
    site = Site(("a.test",), files / "a.pem", files / "a.key")
    plain.write(site)
    made.write(Site(("m.test",), files / "m.pem", files / "m.key"))
    bench = started(PrivateApache, authority, plain, [site])
    extra = f"""
Define FOLDER {files}
<Macro Tls $name>
  SSLEngine on
  SSLCertificateFile "${{FOLDER}}/$name.pem"
  SSLCertificateKeyFile \\
      "${{FOLDER}}/$name.key"
</Macro>
<IfModule mod_ssl.c>
<VirtualHost 127.0.0.1:{bench.server.port}>
  ServerName m.test
  Use Tls m
</VirtualHost>
</IfModule>
<IfDefine NeverDefined>
<VirtualHost 127.0.0.1:{bench.server.port}>
  ServerName never.test
</VirtualHost>
</IfDefine>
"""
    (bench.server.directory / "sites" / "m.conf").write_text(extra)
    bench.server.stop()
    bench.server.start()

    found = await ApacheInstaller().discover(bench.definition)

    assert [node.names for node in found.nodes] == [("a.test",), ("m.test",)]
    assert found.nodes[1].files.certificate == files / "m.pem"
    assert found.nodes[1].source == f"{bench.server.directory}/sites/m.conf:10"

    new = authority.leaf("m.test")
    outcome = await bench.rollout().install(bench.request(new, name="m.test"))
    assert outcome.status is Status.INSTALLED
    assert (await bench.served("m.test")).fingerprint == new.fingerprint
    assert (await bench.served("a.test")).fingerprint == plain.fingerprint


async def test_apache_with_a_chain_file_of_its_own_serves_the_new_chain(started, files):
    authority, other = Authority(), Authority()
    old = authority.leaf("a.test")
    site = Site(("a.test",), files / "a.pem", files / "a.key", files / "chain.pem")
    old.write(site)
    bench = started(PrivateApache, authority, old, [site])
    new = other.leaf("a.test")

    outcome = await bench.rollout().install(bench.request(new))

    assert outcome.status is Status.INSTALLED, outcome
    assert site.certificate.read_bytes().count(b"BEGIN CERTIFICATE") == 1
    assert (await bench.served()).chain == bench.request(new).material.expectation.chain
    assert len((await bench.served()).chain) == 2


@pytest.mark.parametrize("server_class", [PrivateApache, PrivateNginx])
async def test_one_file_with_certificate_chain_and_key(started, files, server_class):
    authority = Authority()
    old = authority.leaf("a.test")
    both = files / "all.pem"
    old.write(Site(("a.test",), both, files / "key"))
    both.write_bytes(both.read_bytes() + (files / "key").read_bytes())
    both.chmod(0o600)
    bench = started(server_class, authority, old, [Site(("a.test",), both, both)])
    new = authority.leaf("a.test")

    outcome = await bench.rollout().install(bench.request(new))

    assert outcome.status is Status.INSTALLED, outcome
    assert (await bench.served()).fingerprint == new.fingerprint
    assert both.stat().st_mode & 0o777 == 0o600


async def test_every_address_of_a_node_and_every_node_of_the_files_is_verified(started, files):
    authority = Authority()
    old = authority.leaf("a.test", "*.a.test")
    paths = (files / "a.pem", files / "a.key")
    sites = [
        Site(("a.test",), *paths),
        Site(("x.a.test",), *paths),
        Site(("y.a.test",), *paths, port_index=1),
    ]
    old.write(sites[0])
    bench = started(PrivateNginx, authority, old, sites, ports=2)
    new = authority.leaf("a.test", "*.a.test")

    plan = await bench.rollout().plan(bench.request(new))
    outcome = await bench.rollout().install(bench.request(new))

    ports = bench.server.ports
    assert [(each.port, each.server_name) for each in plan.endpoints] == [
        (ports[0], "a.test"),
        (ports[0], "x.a.test"),
        (ports[1], "y.a.test"),
    ]
    assert outcome.status is Status.INSTALLED
    assert (await bench.served("y.a.test", 1)).fingerprint == new.fingerprint


async def test_the_packaged_apache_of_this_machine_is_read_through_its_wrapper():
    (apache,) = [found for found in detect() if found.kind == "apache"]

    found = await ApacheInstaller().discover(apache)

    assert {node.management.reason for node in found.nodes} <= {"NoTls", ""}
