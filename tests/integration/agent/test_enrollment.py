import stat

import pytest

from agents.runtime.enrollment import enroll
from agents.runtime.errors import EnrollmentRefused, HubNotTrusted, HubUnreachable
from agents.runtime.facts import gather_facts
from agents.runtime.hub_address import Dialled
from agents.runtime.identity import load_identity
from agents.runtime.tokens import parse_token
from tests.integration.agent.fake_hub import FakeHub


async def test_enrollment_gives_an_identity_by_the_tokens_authority(bench, hub):
    await bench.enroll()

    identity = load_identity(bench.directory)
    assert identity.ca == hub.authority.certificate
    assert hub.enroll_requests[0].facts.kind == "network"
    assert len(hub.enroll_requests[0].facts.receiver_public_key) == 32
    assert stat.S_IMODE(bench.directory.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(bench.directory.receiver.stat().st_mode) == 0o600


async def test_a_hub_with_another_authority_never_sees_the_secret(bench, hub):
    impostor = FakeHub()
    await impostor.start()
    token = parse_token(hub.token("network", enroll=f"127.0.0.1:{impostor.enroll_port}"))

    with pytest.raises(HubNotTrusted):
        await enroll(token, gather_facts(bench.kind, b"\x01" * 32), dialled=Dialled(token.address))

    assert impostor.enroll_requests == []
    await impostor.stop()


async def test_a_hub_that_only_shows_the_right_authority_never_sees_the_secret(bench, hub):
    impostor = FakeHub()
    # It sends a copy of the genuine CA certificate, which is no secret, behind its own leaf.
    own_leaf = impostor._chain.split(b"-----END CERTIFICATE-----\n")[0] + b"-----END CERTIFICATE-----\n"
    impostor._chain = own_leaf + hub._chain.split(b"-----END CERTIFICATE-----\n")[1]
    impostor._chain += b"-----END CERTIFICATE-----\n"
    await impostor.start()
    token = parse_token(hub.token("network", enroll=f"127.0.0.1:{impostor.enroll_port}"))

    with pytest.raises(HubUnreachable):
        await enroll(token, gather_facts(bench.kind, b"\x01" * 32), dialled=Dialled(token.address))

    assert impostor.enroll_requests == []
    await impostor.stop()


async def test_a_used_token_is_refused_with_the_hubs_words(bench, hub):
    text = hub.token("network")
    facts = gather_facts(bench.kind, b"\x01" * 32)
    await enroll(parse_token(text), facts, dialled=Dialled(parse_token(text).address))

    with pytest.raises(EnrollmentRefused, match="TokenSpent"):
        await enroll(parse_token(text), facts, dialled=Dialled(parse_token(text).address))


async def test_a_hub_that_is_not_there_is_unreachable(bench, hub):
    token = parse_token(hub.token("network"))
    await hub.stop()

    with pytest.raises(HubUnreachable):
        await enroll(token, gather_facts(bench.kind, b"\x01" * 32), dialled=Dialled(token.address))
