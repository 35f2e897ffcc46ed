import asyncio
from datetime import timedelta

import grpc
import grpc.aio
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

from agents.runtime.tokens import parse_token
from hub.fleet.authority import load_authority
from hub.fleet.models import EnrollmentToken
from tests.integration.fleet.conftest import Hub
from tests.integration.fleet.fake_agent import FakeAgent, csr_of, new_key


async def enroll(hub: Hub, secret: str, **options) -> FakeAgent:
    return await FakeAgent.enroll(hub.server.addresses.enrollment, hub.authority.ca_pem, secret, **options)


async def refusal(hub: Hub, secret: str, **options) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await enroll(hub, secret, **options)
    return caught.value.code(), caught.value.details().partition(":")[0]


async def test_a_good_token_gives_an_identity_for_client_authentication(hub: Hub):
    key = new_key()
    agent = await enroll(hub, await hub.token(), name="Web server 1", key=key)
    assert agent.organization == "Org A"
    certificate = x509.load_der_x509_certificate(agent.certificate)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(agent.agent_ca))
    assert certificate.public_key() == key.public_key()
    assert certificate.subject.rfc4514_string() == f"CN={agent.agent_id}"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [
        f"urn:certwright:agent:network:{agent.agent_id}"
    ]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    row = await hub.agent(agent.agent_id)
    assert (row.name, row.kind, row.organization_id, row.status) == ("Web server 1", "network", 1, "active")
    assert [event.data["name"] for event in await hub.events("AgentEnrolled")] == ["Web server 1"]


async def test_the_token_text_is_what_agents_read(hub: Hub):
    async with hub.db.write() as uow:
        contents = await hub.service.create_token(
            uow,
            kinds=("pks", "network"),
            organization_id=None,
            lifetime_s=600,
            enroll_address=hub.server.addresses.enrollment,
            created_by="tests",
        )
    token = parse_token(contents.text())
    assert token.address == hub.server.addresses.enrollment
    assert token.ca_sha256.hex() == hub.authority.ca_sha256
    assert token.kinds == ("network", "pks")
    assert (await enroll(hub, token.secret, kind="pks")).organization == ""


async def test_a_used_token_is_refused_and_says_so(hub: Hub):
    secret = await hub.token()
    await enroll(hub, secret)
    assert await refusal(hub, secret) == (grpc.StatusCode.UNAUTHENTICATED, "TokenSpent")


async def test_an_expired_token_is_refused_and_says_so(hub: Hub):
    secret = await hub.token(lifetime_s=60)
    hub.clock.ahead += timedelta(seconds=61)
    assert await refusal(hub, secret) == (grpc.StatusCode.UNAUTHENTICATED, "TokenExpired")


async def test_a_withdrawn_token_is_refused_and_says_so(hub: Hub):
    secret = await hub.token()
    async with hub.db.write() as uow:
        await hub.service.revoke_token(uow, secret.partition(".")[0])
    assert await refusal(hub, secret) == (grpc.StatusCode.UNAUTHENTICATED, "TokenRevoked")


@pytest.mark.parametrize("spoil", ["other secret", "other id", "", "x" * 100_000, "\x00.\x00"])
async def test_who_does_not_hold_the_secret_learns_nothing(hub: Hub, spoil: str):
    secret = await hub.token()
    await enroll(hub, secret)
    token_id, _, rest = secret.partition(".")
    wrong = {"other secret": f"{token_id}.{rest[::-1]}", "other id": f"{token_id[::-1]}.{rest}"}
    code, reason = await refusal(hub, wrong.get(spoil, spoil))
    if len(spoil) < 1000:
        assert (code, reason) == (grpc.StatusCode.UNAUTHENTICATED, "TokenUnknown")
    else:
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_token_for_another_kind_stays_good(hub: Hub):
    secret = await hub.token(kinds=("pks",))
    assert await refusal(hub, secret) == (grpc.StatusCode.INVALID_ARGUMENT, "TokenNotForKind")
    await enroll(hub, secret, kind="pks")


async def test_of_many_that_spend_one_token_at_once_one_wins(hub: Hub):
    secret = await hub.token()
    results = await asyncio.gather(*(enroll(hub, secret) for _ in range(10)), return_exceptions=True)
    assert [isinstance(result, FakeAgent) for result in results].count(True) == 1
    assert {result.details().partition(":")[0] for result in results if isinstance(result, Exception)} == {
        "TokenSpent"
    }


@pytest.mark.parametrize("spoil", ["malformed", "signature", "curve"])
async def test_a_bad_request_does_not_spend_the_token(hub: Hub, spoil: str):
    from cryptography.hazmat.primitives.asymmetric import ec

    secret = await hub.token()
    good = csr_of(new_key())
    bad = {
        "malformed": b"not a request",
        "signature": good[:-4] + bytes(byte ^ 1 for byte in good[-4:]),
        "curve": csr_of(ec.generate_private_key(ec.SECP384R1())),
    }
    assert await refusal(hub, secret, csr=bad[spoil]) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "IdentityRequestRefused",
    )
    await enroll(hub, secret)


async def test_the_secret_is_not_in_the_database(hub: Hub):
    secret = await hub.token()
    async with hub.db.read() as session:
        row = await session.get(EnrollmentToken, secret.partition(".")[0])
    assert secret.partition(".")[2] not in str(vars(row))


async def test_an_agent_whose_certificate_expired_comes_back_with_its_key(hub: Hub):
    agent = await hub.enrolled()
    before = agent.certificate
    hub.clock.ahead += timedelta(days=60)
    await agent.rejoin()
    fresh = x509.load_der_x509_certificate(agent.certificate)
    assert fresh.not_valid_after_utc > hub.clock() + timedelta(days=29)
    old = x509.load_der_x509_certificate(before)
    assert fresh.public_key() == old.public_key()
    assert fresh.subject == old.subject
    assert len(await hub.events("AgentRejoined")) == 1


async def test_rejoined_within_the_real_time_the_agent_can_connect(hub: Hub):
    agent = await hub.enrolled()
    await agent.rejoin()
    await agent.connect()
    assert (await hub.agent(agent.agent_id)).session_id is not None


async def rejoin_refusal(agent: FakeAgent, **options) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await agent.rejoin(**options)
    return caught.value.code(), caught.value.details().partition(":")[0]


async def test_a_challenge_is_good_once(hub: Hub):
    agent = await hub.enrolled()
    challenge = await agent.rejoin()
    assert await rejoin_refusal(agent, challenge=challenge) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "ChallengeSpent",
    )


async def test_a_challenge_is_good_for_its_agent_and_its_time_only(hub: Hub):
    one, other = await hub.enrolled(), await hub.enrolled()
    challenge = await one.rejoin()
    expired = (grpc.StatusCode.UNAUTHENTICATED, "ChallengeExpired")
    assert await rejoin_refusal(other, challenge=challenge) == expired
    assert await rejoin_refusal(other, challenge=b"\x00" * 32) == expired
    hub.clock.ahead += timedelta(minutes=3)
    assert await rejoin_refusal(one, challenge=challenge) == expired


async def test_another_key_and_an_agent_that_does_not_exist_get_the_same_answer(hub: Hub):
    agent = await hub.enrolled()
    other = await hub.enrolled()
    refused = (grpc.StatusCode.UNAUTHENTICATED, "RejoinRefused")
    assert await rejoin_refusal(agent, key=other.key) == refused
    other.agent_id = "00000000-0000-4000-8000-000000000000"
    assert await rejoin_refusal(other) == refused


async def test_a_removed_agent_does_not_come_back(hub: Hub):
    agent = await hub.enrolled()
    async with hub.db.write() as uow:
        await hub.service.remove_agent(uow, agent.agent_id)
    assert await rejoin_refusal(agent) == (grpc.StatusCode.PERMISSION_DENIED, "AgentRemoved")


async def test_a_command_signing_certificate_near_its_end_is_replaced_at_start(hubs):
    hub = await hubs.start()
    before = hub.authority.signer.certificate
    hub.clock.ahead += timedelta(days=300)
    after = (await load_authority(hub.db, hub.kek)).signer.certificate
    assert after != before
    assert (await load_authority(hub.db, hub.kek)).signer.certificate == after


async def test_the_enrollment_listener_shows_the_agent_ca_so_that_it_can_be_pinned(hub: Hub):
    from agents.runtime.first_contact import find_authority

    found = await find_authority(hub.server.addresses.enrollment, bytes.fromhex(hub.authority.ca_sha256))
    assert found.public_bytes(serialization.Encoding.DER) == hub.authority.ca_der


async def test_a_certificate_replaced_and_confirmed_is_good_no_longer(hub: Hub):
    agent = await hub.enrolled()
    old = agent.certificate
    await agent.rejoin()
    await agent.connect()
    await agent.close()
    agent.certificate = old
    await agent.dial()
    from certwright.agent.v1 import control_pb2

    from tests.integration.fleet.fake_agent import facts

    await agent.send(hello=control_pb2.AgentHello(facts=facts(), command_credits=1))
    assert (await agent.ended()).code is grpc.StatusCode.PERMISSION_DENIED


async def test_facts_that_can_not_be_are_refused(hub: Hub):
    secret = await hub.token(kinds=("network", "pks", "msad"))
    assert await refusal(hub, secret, kind="toaster") == (grpc.StatusCode.INVALID_ARGUMENT, "FactsMalformed")
