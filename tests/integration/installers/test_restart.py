"""Servers that are not reloaded: a certificate is deployed, and served once somebody has them restarted."""

from __future__ import annotations

import pytest

from agents.network.restart_server import RestartServerHandler
from agents.runtime.commands import RestartServer
from agents.runtime.errors import CommandFailed
from agents.runtime.handlers import Tools
from agents.runtime.policy import parse_policy
from pki.sealing import generate_receiver_key


class Context:
    command_id = "c-1"

    def progress(self, share, message):
        pass

    async def emit(self, finds, *, memo=""):
        raise AssertionError("a restart has no batches")


@pytest.fixture
def deferred(bench):
    """The bench's server, whose owner wants no reloads."""
    definition = bench.state_dir / "servers.toml"
    definition.write_text(f'{definition.read_text()}activation = "restart"\n')
    return bench


@pytest.fixture
def inventories():
    return []


@pytest.fixture
def handler(deferred, inventories):
    tools = Tools(
        agent_id="a-1",
        state_dir=deferred.state_dir,
        keys=None,
        receiver_key=generate_receiver_key(),
        policy=lambda: parse_policy("commands = []"),
    )
    return RestartServerHandler(
        tools, deferred.installers, after_restart=lambda: inventories.append("sent"), verify_s=5
    )


def restart_of(bench, leaf, *names):
    nodes = tuple(f"{name}@127.0.0.1:{bench.server.port}" for name in names or ("a.test",))
    return RestartServer(server="front", node_ids=nodes, certificate_sha256=bytes.fromhex(leaf.fingerprint))


async def deploy(bench):
    leaf = bench.authority.leaf("a.test", "www.a.test")
    outcome = await bench.rollout().install(bench.request(leaf))
    return leaf, outcome


async def test_deployed_first_and_served_after_the_restart(deferred, handler, inventories):
    leaf, outcome = await deploy(deferred)
    assert outcome.status == "RestartRequired"
    assert deferred.leftovers() == []
    assert (await deferred.served()).fingerprint == deferred.old.fingerprint == outcome.fingerprint
    # Again: it still waits.
    again = await deferred.rollout().install(deferred.request(leaf, transaction="t-2"))
    assert again.status == "RestartRequired"

    result = await handler.run(restart_of(deferred, leaf), Context())
    [restarted] = result.outcomes
    assert (restarted.status, restarted.reason) == ("installed", "")
    assert {port.certificate_sha256.hex() for port in restarted.served} == {leaf.fingerprint}
    assert (await deferred.served()).fingerprint == leaf.fingerprint
    assert (await deferred.served("b.test")).fingerprint != leaf.fingerprint
    assert inventories == ["sent"]
    done = await deferred.rollout().install(deferred.request(leaf, transaction="t-3"))
    assert done.status == "AlreadyInstalled"


async def test_what_is_served_already_is_not_restarted(deferred, handler):
    leaf, _ = await deploy(deferred)
    await handler.run(restart_of(deferred, leaf), Context())
    before = deferred.server.pid_file.read_text()
    result = await handler.recover(restart_of(deferred, leaf), Context())
    assert [each.status for each in result.outcomes] == ["installed"]
    assert deferred.server.pid_file.read_text() == before


async def test_a_server_that_would_not_come_up_is_left_running(deferred, handler):
    leaf, _ = await deploy(deferred)
    with deferred.server.config.open("a") as config:
        config.write("\nNoSuchDirective on;\n")
    with pytest.raises(CommandFailed) as failed:
        await handler.run(restart_of(deferred, leaf), Context())
    assert failed.value.code == "ConfigurationCheckFailed"
    assert "NoSuchDirective" in str(failed.value)
    assert (await deferred.served()).fingerprint == deferred.old.fingerprint


async def test_a_server_that_was_down_is_started(deferred, handler):
    leaf, _ = await deploy(deferred)
    deferred.server.stop()
    result = await handler.run(restart_of(deferred, leaf), Context())
    assert [each.status for each in result.outcomes] == ["installed"]


async def test_nodes_that_serve_something_else_say_so(deferred, handler):
    leaf, _ = await deploy(deferred)
    result = await handler.run(restart_of(deferred, leaf, "a.test", "b.test", "gone.test"), Context())
    by_node = {each.node_id.partition("@")[0]: (each.status, each.reason) for each in result.outcomes}
    assert by_node == {
        "a.test": ("installed", ""),
        "b.test": ("failed", "OtherCertificateServed"),
        "gone.test": ("failed", "NodeNotFound"),
    }


async def test_a_server_that_is_not_there(deferred, handler):
    leaf, _ = await deploy(deferred)
    body = RestartServer(
        server="back", node_ids=("a.test",), certificate_sha256=bytes.fromhex(leaf.fingerprint)
    )
    with pytest.raises(CommandFailed) as failed:
        await handler.run(body, Context())
    assert failed.value.code == "ServerNotFound"
