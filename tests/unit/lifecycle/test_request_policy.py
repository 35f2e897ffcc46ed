"""Requests that break rules: which field, which reason."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from sqlalchemy import func, select

from hub.lifecycle.errors import RequestRefused
from hub.lifecycle.models import Certificate
from hub.lifecycle.requests import KeyLocation, Method, TargetNode
from hub.organizations.models import Person
from tests.simulators.hub_world import ADMIN, csr, rao


async def refused(world, principal=ADMIN, **changes):
    with pytest.raises(RequestRefused) as error:
        await world.lifecycle.request(principal, world.request(**changes))
    stored = await world.rows(select(func.count()).select_from(Certificate))
    assert stored[0][0] == 0
    return {(finding.field, finding.reason) for finding in error.value.findings}


def rsa_csr(bits: int, name: str = "www.example.com") -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM)


def broken_signature() -> bytes:
    der = bytearray(csr())
    der[-1] ^= 1
    return bytes(der)


async def test_a_csr_that_its_key_did_not_sign(world):
    assert await refused(world, csr=broken_signature()) == {("csr", "BadCsrSignature")}


async def test_an_rsa_key_of_1024_bits(world):
    assert await refused(world, csr=rsa_csr(1024)) == {
        ("csr", "RsaKeyTooSmall"),
        ("csr", "KeyTypeNotAllowed"),
    }


async def test_text_that_is_no_csr(world):
    assert await refused(world, csr=b"hello") == {("csr", "MalformedCsr")}


async def test_no_csr_at_all(world):
    assert await refused(world, csr=None) == {("csr", "CsrMissing")}


async def test_a_private_key_pasted_instead_of_the_csr(world):
    pem = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
    assert await refused(world, csr=pem) == {("csr", "PrivateKeyDisclosed")}


async def test_a_name_that_is_not_delegated_to_the_organization(world):
    assert await refused(world, names=("www.example.com", "www.elsewhere.example")) == {
        ("subject_alternative_names", "NameNotDelegated")
    }


async def test_a_name_that_is_delegated_to_another_organization(world):
    assert await refused(world, common_name="a.other.example", names=()) == {
        ("subject_alternative_names", "NameDelegatedElsewhere")
    }


async def test_names_outside_the_profile(world):
    assert await refused(world, common_name="*.example.com", names=()) == {
        ("subject_alternative_names", "WildcardNotAllowed")
    }


async def test_names_that_are_no_names(world):
    found = await refused(world, csr=csr(), common_name="not a name", names=("a_b.example.com",))
    assert ("common_name", "NameMalformed") in found
    assert ("subject_alternative_names", "NameMalformed") in found


async def test_everything_that_is_wrong_is_said_at_once(world):
    found = await refused(world, csr=rsa_csr(1024), term_days=1000, names=("www.elsewhere.example",))
    assert found == {
        ("csr", "RsaKeyTooSmall"),
        ("csr", "KeyTypeNotAllowed"),
        ("term_days", "TermNotOffered"),
        ("subject_alternative_names", "NameNotDelegated"),
    }


async def test_a_profile_and_an_organization_that_do_not_exist(world):
    assert await refused(world, profile_id=99) == {("profile_id", "ProfileUnknown")}
    assert ("organization_id", "OrganizationUnknown") in await refused(world, organization_id=99)


async def test_a_department_of_another_organization(world):
    async with world.db.write() as uow:
        department = await world.organizations.create_department(
            uow, world.other_organization_id, "Sales", principal=ADMIN
        )
    assert await refused(world, department_id=department.id) == {("department_id", "DepartmentUnknown")}


async def test_an_organization_outside_the_callers_scope_is_as_good_as_absent(world):
    who = rao(world.other_organization_id)
    assert await refused(world, who) == {("organization_id", "OrganizationUnknown")}


@pytest.fixture
async def agents(world):
    return {
        "pks": await world.fleet.enroll("pks", organization_id=world.organization_id),
        "network": await world.fleet.enroll("network", organization_id=world.organization_id),
        "foreign": await world.fleet.enroll("pks", organization_id=world.other_organization_id),
    }


@pytest.mark.parametrize(
    ("agent", "reason"),
    [
        (None, "AgentMissing"),
        ("network", "AgentOfOtherKind"),
        ("foreign", "AgentUnknown"),
        ("unheard-of", "AgentUnknown"),
    ],
)
async def test_key_store_agents_that_can_not_be_used(world, agents, agent, reason):
    agent_id = agents.get(agent, agent)
    assert await refused(world, method=Method.PKS, pks_agent_id=agent_id) == {("pks_agent_id", reason)}


async def test_a_key_type_that_nobody_makes(world, agents):
    found = await refused(world, method=Method.PKS, pks_agent_id=agents["pks"], key_type="RSA-512")
    assert ("key_type", "KeyTypeUnknown") in found


def target(agent_id, node="a:443"):
    return TargetNode(agent_id=agent_id, server="web", node_id=node)


async def test_nodes_that_can_not_be_installed_on(world, agents):
    network = agents["network"]
    world.fleet.add_node(network, node_id="a:443")
    world.fleet.add_node(network, node_id="b:443", manageable=False)
    assert await refused(world, method=Method.AUTO_INSTALL) == {("targets", "TargetsMissing")}
    found = await refused(
        world,
        method=Method.AUTO_INSTALL,
        targets=(
            target(network),
            target(network),
            target(network, "b:443"),
            target(network, "c:443"),
            target(agents["pks"]),
        ),
    )
    assert found == {
        ("targets", "TargetRepeated"),
        ("targets", "NodeNotManageable"),
        ("targets", "NodeUnknown"),
        ("targets", "AgentOfOtherKind"),
        ("key_location", "TargetsOfSeveralAgents"),
    }


async def test_a_key_in_the_store_needs_a_store(world, agents):
    world.fleet.add_node(agents["network"])
    assert await refused(
        world,
        method=Method.AUTO_INSTALL,
        key_location=KeyLocation.PKS,
        targets=(target(agents["network"]),),
    ) == {("pks_agent_id", "AgentMissing")}


async def test_a_term_beyond_the_cas_own_end_is_refused_when_it_is_asked_for(world):
    async with world.db.write() as uow:
        await world.profiles.update(uow, world.profile_id, changes={"terms_days": (3650,)}, principal=ADMIN)
    world.clock.forward(days=30)
    assert await refused(world, term_days=3650) == {("profile_id", "LeafOutlivesIssuingCa")}


async def test_who_a_certificate_is_asked_for_becomes_a_person_of_the_organization_once(world):
    request = world.request(external_requester="jo@example.com, someone@elsewhere.test")
    for _ in range(2):
        await world.lifecycle.request(ADMIN, request)
    assert await world.rows(select(Person.email)) == [("jo@example.com",)]
