"""Getting an identity with a token, and regaining it after an outage longer than the certificate's life."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc
import grpc.aio
from certwright.agent.v1 import enrollment_pb2, enrollment_pb2_grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from agents.runtime.channels import enrollment_channel
from agents.runtime.errors import AgentError, AgentRemoved, EnrollmentRefused, HubNotTrusted, HubUnreachable
from agents.runtime.first_contact import find_authority
from agents.runtime.hub_address import Dialled
from agents.runtime.identity import Identity, accept_certificate, identity_csr, new_identity_key
from agents.runtime.messages import AgentFacts
from agents.runtime.tokens import EnrollmentToken
from agents.runtime.wire import facts_message
from pki.errors import LIBRARY_FAULTS

_Answer = TypeVar("_Answer")
CALL_TIMEOUT_S = 30.0

_REFUSALS: dict[grpc.StatusCode, type[AgentError]] = {
    grpc.StatusCode.UNAVAILABLE: HubUnreachable,
    grpc.StatusCode.DEADLINE_EXCEEDED: HubUnreachable,
    grpc.StatusCode.PERMISSION_DENIED: AgentRemoved,
}


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What enrollment gave."""

    identity: Identity = field(repr=False)
    agent_id: str
    control_address: str
    organization: str


def _stub(channel: grpc.aio.Channel) -> enrollment_pb2_grpc.EnrollmentStub:
    return enrollment_pb2_grpc.EnrollmentStub(channel)  # type: ignore[no-untyped-call]  # generated code


async def _asked(call: Awaitable[_Answer], address: str) -> _Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as fault:
        refusal = _REFUSALS.get(fault.code(), EnrollmentRefused)
        details = fault.details() or fault.code().name
        raise refusal(f"{address}: {details}") from fault


async def enroll(token: EnrollmentToken, facts: AgentFacts, *, dialled: Dialled, name: str = "") -> Enrolled:
    """Spend the token for an identity.

    Raises HubUnreachable, HubNotTrusted (before the secret is sent), EnrollmentRefused or IdentityRejected.
    """
    address = dialled.address
    ca = await find_authority(address, token.ca_sha256)
    key = new_identity_key()
    request = enrollment_pb2.EnrollRequest(
        token_secret=token.secret, csr=identity_csr(key), facts=facts_message(facts), name=name
    )
    ca_pem = ca.public_bytes(Encoding.PEM)
    async with enrollment_channel(address, ca_pem, server_name=dialled.server_name) as channel:
        stub = _stub(channel)
        answer = await _asked(stub.Enroll(request, timeout=CALL_TIMEOUT_S), address)
    _same_authority(answer.agent_ca, ca)
    return Enrolled(
        identity=Identity(key, accept_certificate(answer.certificate, key=key, ca=ca), ca),
        agent_id=answer.agent_id,
        control_address=answer.control_address,
        organization=answer.organization,
    )


def _same_authority(der: bytes, ca: x509.Certificate) -> None:
    try:
        same = not der or x509.load_der_x509_certificate(der) == ca
    except LIBRARY_FAULTS as fault:
        raise HubNotTrusted("the hub's answer holds an unreadable authority") from fault
    if not same:
        raise HubNotTrusted("the hub's answer names another authority than the token")


async def rejoin(
    identity: Identity, facts: AgentFacts, *, agent_id: str, address: str, server_name: str = ""
) -> Identity:
    """Get a fresh certificate for the key that enrolled.

    Raises HubUnreachable, AgentRemoved, EnrollmentRefused or IdentityRejected.
    """
    async with enrollment_channel(address, identity.ca_pem, server_name=server_name) as channel:
        stub = _stub(channel)
        begin = enrollment_pb2.BeginRejoinRequest(agent_id=agent_id)
        challenge = (await _asked(stub.BeginRejoin(begin, timeout=CALL_TIMEOUT_S), address)).challenge
        complete = enrollment_pb2.CompleteRejoinRequest(
            agent_id=agent_id,
            challenge=challenge,
            signature=identity.sign_rejoin(agent_id, challenge),
            facts=facts_message(facts),
        )
        answer = await _asked(stub.CompleteRejoin(complete, timeout=CALL_TIMEOUT_S), address)
    return identity.renewed(answer.certificate)
