from contextlib import suppress

import pytest

from hub.fleet.commands import DeleteKey, DiscoverServers
from hub.fleet.errors import AgentNotFound, AgentOutsideOrganization, AgentRemoved, KindNotSupported
from hub.fleet.service import NewCommand
from tests.integration.fleet.conftest import Hub
from tests.integration.fleet.fake_agent import FakeAgent, facts


def order(body=None, *, organization_id=1) -> NewCommand:
    return NewCommand(
        body=body or DeleteKey(key_id="k"),
        deadline_s=600,
        subject_type="test",
        subject_id="1",
        organization_id=organization_id,
        requested_by="tests",
    )


async def test_a_command_for_many_reaches_all_who_are_connected_and_waits_for_the_others(hub: Hub):
    # One row of the database more than are named in notices.
    secrets = [await hub.token() for _ in range(3)]
    connected = [
        await FakeAgent.enroll(hub.server.addresses.enrollment, hub.authority.ca_pem, secret)
        for secret in secrets
    ]
    hub.agents += connected
    for agent in connected:
        await agent.connect()
    away = await hub.enrolled()
    everybody = [agent.agent_id for agent in (*connected, away)] * 30
    async with hub.db.write() as uow:
        ids = await hub.service.enqueue_many(uow, order(), agent_ids=everybody)
    assert len(set(ids)) == 120
    for place, agent in enumerate(connected):
        assert (await agent.command()).command_id == ids[place]
    assert (await hub.command(ids[3])).state == "queued"
    assert len(await hub.events("CommandQueued")) == 120


async def test_of_a_command_for_many_nothing_is_queued_when_one_of_them_can_t_have_it(hub: Hub):
    mine, theirs = await hub.enrolled(), await hub.enrolled(organization_id=2)
    with pytest.raises(AgentOutsideOrganization):
        async with hub.db.write() as uow:
            await hub.service.enqueue_many(uow, order(), agent_ids=[mine.agent_id, theirs.agent_id])
    assert await hub.events("CommandQueued") == []


async def test_a_command_needs_an_agent_of_its_organization_or_one_that_serves_all(hub: Hub):
    theirs = await hub.enrolled(organization_id=2)
    with pytest.raises(AgentOutsideOrganization):
        await hub.enqueue(theirs, organization_id=1)
    with pytest.raises(AgentOutsideOrganization):
        await hub.enqueue(theirs, organization_id=None)
    everybody_s = await hub.enrolled(organization_id=None)
    assert await hub.enqueue(everybody_s, organization_id=1)


async def test_nobody_to_execute_it(hub: Hub):
    agent = await hub.enrolled()
    async with hub.db.write() as uow:
        await hub.service.remove_agent(uow, agent.agent_id)
    with pytest.raises(AgentRemoved):
        await hub.enqueue(agent)
    agent.agent_id = "nobody"
    with pytest.raises(AgentNotFound):
        await hub.enqueue(agent)


async def test_a_kind_that_the_agent_does_not_understand_is_refused_at_once(hub: Hub):
    agent = await hub.enrolled()
    await agent.connect(agent_facts=facts(capabilities=("DeleteKey",)))
    with pytest.raises(KindNotSupported, match="DiscoverServers"):
        await hub.enqueue(agent, DiscoverServers())


async def test_a_deadline_is_never_longer_than_agents_accept(hub: Hub):
    agent = await hub.enrolled()
    row = await hub.command(await hub.enqueue(agent, deadline_s=10**9))
    assert (row.deadline - row.created_at).days == 30


async def test_what_is_enqueued_in_a_transaction_that_fails_was_never_there(hub: Hub):
    agent = await hub.connected()
    with suppress(RuntimeError):
        async with hub.db.write() as uow:
            await hub.service.enqueue_many(uow, order(), agent_ids=[agent.agent_id])
            raise RuntimeError("after all")
    later = await hub.enqueue(agent)
    assert (await agent.command()).command_id == later


async def test_commands_of_one_transaction_go_out_in_their_order(hub: Hub):
    agent = await hub.connected(credits_=64)
    async with hub.db.write() as uow:
        ids = [
            (await hub.service.enqueue_many(uow, order(), agent_ids=[agent.agent_id]))[0] for _ in range(20)
        ]
    assert [(await agent.command()).command_id for _ in ids] == ids
