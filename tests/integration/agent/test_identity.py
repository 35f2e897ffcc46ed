"""Certificates run out, agents are removed, clocks go wrong."""

from datetime import timedelta

import grpc
from certwright.agent.v1 import control_pb2

from agents.runtime.identity import load_identity


async def test_the_hub_asks_and_the_certificate_is_renewed(bench, hub):
    await bench.enroll()
    before = load_identity(bench.directory).certificate
    agent = await bench.start()
    await hub.connected()

    hub.send(control_pb2.HubMessage(renew_identity=control_pb2.RenewIdentity()))
    await agent.milestones.reached("identity_renewed")
    hub.cut()
    await hub.connected(times=2)

    after = load_identity(bench.directory).certificate
    assert after.serial_number != before.serial_number
    assert after.public_key() == before.public_key()


async def test_a_certificate_for_another_key_is_not_taken(bench, hub):
    await bench.enroll()
    before = load_identity(bench.directory).certificate
    agent = await bench.start()
    await hub.connected()

    other = hub.authority.signer.public_bytes(grpc_der())
    issued = control_pb2.IdentityIssued(certificate=other, agent_ca=hub.authority.der)
    hub.send(control_pb2.HubMessage(identity_issued=issued))
    await agent.milestones.reached("identity_rejected")

    assert load_identity(bench.directory).certificate == before


def grpc_der():
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.DER


async def test_an_expired_agent_rejoins_by_its_key(bench, hub):
    hub.behaviour.identity_days = -0.5
    await bench.enroll()

    agent = await bench.start()
    await hub.connected()

    assert hub.rejoins == 1
    assert agent.milestones.count("rejoined") == 1


async def test_an_agent_that_is_not_admitted_rejoins(bench, hub):
    await bench.enroll()
    hub.behaviour.refuse = grpc.StatusCode.UNAUTHENTICATED
    agent = await bench.start()
    await agent.milestones.reached("disconnected")
    hub.behaviour.refuse = None

    await hub.connected()

    assert hub.rejoins == 1


async def test_a_removed_agent_says_so_and_waits_long(bench, hub):
    hub.behaviour.refuse = grpc.StatusCode.PERMISSION_DENIED
    await bench.enroll()
    hub.removed.add(bench.agent_id)

    agent = await bench.start()
    removed = await agent.milestones.reached("agent_removed")

    assert removed.facts["next_attempt_s"] >= 900
    assert b'"removed"' in bench.directory.status.read_bytes()


async def test_an_agent_whose_certificate_is_not_the_latest_rejoins_and_comes_back(bench, hub):
    hub.behaviour.refuse = grpc.StatusCode.PERMISSION_DENIED
    await bench.enroll()
    agent = await bench.start()
    await agent.milestones.reached("rejoined")
    hub.behaviour.refuse = None

    await hub.connected()

    assert agent.milestones.count("agent_removed") == 0


async def test_a_removed_agent_whose_certificate_expired_is_refused_the_rejoin(bench, hub):
    hub.behaviour.identity_days = -0.5
    await bench.enroll()
    hub.removed.add(bench.agent_id)

    agent = await bench.start()

    await agent.milestones.reached("agent_removed")
    assert hub.streams == []


async def test_a_wrong_clock_is_told(bench, hub):
    hub.behaviour.clock_offset = timedelta(hours=2)
    await bench.enroll()

    agent = await bench.start()
    told = await agent.milestones.reached("clock_differs")

    assert 7190 < told.facts["hub_is_ahead_s"] < 7210


async def test_a_hub_that_does_not_say_hello_first_is_left(bench, hub):
    hub.behaviour.send_first = control_pb2.HubMessage(renew_identity=control_pb2.RenewIdentity())
    await bench.enroll()

    agent = await bench.start()
    left = await agent.milestones.reached("disconnected")

    assert left.facts["ending"] == "violation"
