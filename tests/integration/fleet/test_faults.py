import sqlite3

import grpc
import pytest

import hub.db.engine
from tests.integration.fleet.conftest import Hub, until


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(hub.db.engine, "BUSY_TIMEOUT_MS", 100)


@pytest.mark.parametrize("hubs", ["sqlite"], indirect=True)
async def test_a_locked_database_ends_the_stream_and_loses_nothing(impatient, hubs):
    a_hub: Hub = await hubs.start()
    agent = await a_hub.connected()
    command_id = await a_hub.enqueue(agent)
    await agent.command()
    await agent.accept(command_id)
    await a_hub.state(command_id, "accepted")
    other = sqlite3.connect(hubs.url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        await agent.succeed(command_id)
        end = await agent.ended()
        # Not acknowledged, so the agent will repeat it.
        assert end.code is grpc.StatusCode.UNAVAILABLE
        assert (await a_hub.command(command_id)).state == "accepted"
        other.execute("ROLLBACK")
    finally:
        other.close()

    async def back():
        try:
            await agent.connect()
        except (AssertionError, grpc.aio.AioRpcError):
            return False
        return True

    await until(back, lambda connected: connected)
    await agent.succeed(command_id)
    await agent.expect("done_committed")
    assert (await a_hub.command(command_id)).state == "successful"


async def test_an_outcome_handler_that_breaks_its_transaction_spoils_no_other_s(hubs):
    from sqlalchemy import text

    async def broken(uow, command):
        await uow.session.execute(text("INSERT INTO no_such_table VALUES (1)"))

    a_hub: Hub = await hubs.start(configure=lambda service: service.on_outcome("DiscoverServers", broken))
    from hub.fleet.commands import DiscoverServers

    agent = await a_hub.connected()
    one, two = await a_hub.enqueue(agent, DiscoverServers()), await a_hub.enqueue(agent)
    await agent.command()
    await agent.command()
    from certwright.agent.v1 import commands_pb2

    await agent.succeed(one, server_inventory=commands_pb2.ServerInventory())
    await agent.succeed(two)
    await agent.expect("done_committed")
    await agent.expect("done_committed")
    row = await a_hub.command(one)
    assert (row.state, row.outcome_state) == ("successful", "pending")
    assert "no_such_table" in row.outcome_error
    assert (await a_hub.command(two)).state == "successful"
