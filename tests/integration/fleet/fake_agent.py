"""An agent of our own making that speaks real gRPC over mutual TLS, and does only what a test tells it to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import grpc
import grpc.aio
from certwright.agent.v1 import (
    commands_pb2,
    control_pb2,
    control_pb2_grpc,
    enrollment_pb2,
    enrollment_pb2_grpc,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

ALL_KINDS = (
    "DiscoverNetwork",
    "DiscoverServers",
    "GenerateCertificate",
    "StoreCertificate",
    "InstallCertificate",
    "ExportKey",
    "DeleteKey",
)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def csr_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def facts(kind: str = "network", **changes: object) -> enrollment_pb2.AgentFacts:
    values: dict[str, object] = {
        "kind": kind,
        "version": "0.1.0",
        "hostname": "web-1",
        "platform": "linux-x86_64",
        "capabilities": ALL_KINDS,
        "receiver_public_key": bytes(range(32)),
    }
    return enrollment_pb2.AgentFacts(**(values | changes))


def pem(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM)


@dataclass
class FakeAgent:
    agent_id: str
    key: ec.EllipticCurvePrivateKey
    certificate: bytes
    agent_ca: bytes
    control_address: str
    enrollment_address: str
    organization: str = ""
    kind: str = "network"
    channel: grpc.aio.Channel | None = None
    call: grpc.aio.StreamStreamCall | None = None
    others: list[control_pb2.HubMessage] = field(default_factory=list)
    hub_hello: control_pb2.HubHello | None = None

    @classmethod
    async def enroll(
        cls,
        address: str,
        ca_pem: bytes,
        secret: str,
        *,
        kind: str = "network",
        name: str = "",
        key: ec.EllipticCurvePrivateKey | None = None,
        csr: bytes | None = None,
    ) -> FakeAgent:
        key = key or new_key()
        credentials = grpc.ssl_channel_credentials(root_certificates=ca_pem)
        async with grpc.aio.secure_channel(address, credentials) as channel:
            stub = enrollment_pb2_grpc.EnrollmentStub(channel)
            answer = await stub.Enroll(
                enrollment_pb2.EnrollRequest(
                    token_secret=secret, csr=csr or csr_of(key), facts=facts(kind), name=name
                ),
                timeout=10,
            )
        return cls(
            agent_id=answer.agent_id,
            key=key,
            certificate=answer.certificate,
            agent_ca=answer.agent_ca,
            control_address=answer.control_address,
            enrollment_address=answer.enrollment_address,
            organization=answer.organization,
            kind=kind,
        )

    async def rejoin(
        self, *, challenge: bytes | None = None, key: ec.EllipticCurvePrivateKey | None = None
    ) -> bytes:
        """Answer a challenge; return it. The certificate is replaced on success."""
        credentials = grpc.ssl_channel_credentials(root_certificates=pem(self.agent_ca))
        async with grpc.aio.secure_channel(self.enrollment_address, credentials) as channel:
            stub = enrollment_pb2_grpc.EnrollmentStub(channel)
            if challenge is None:
                begun = await stub.BeginRejoin(enrollment_pb2.BeginRejoinRequest(agent_id=self.agent_id))
                challenge = begun.challenge
            signed = b"certwright-rejoin-v1\x00" + self.agent_id.encode() + b"\x00" + challenge
            answer = await stub.CompleteRejoin(
                enrollment_pb2.CompleteRejoinRequest(
                    agent_id=self.agent_id,
                    challenge=challenge,
                    signature=(key or self.key).sign(signed, ec.ECDSA(hashes.SHA256())),
                    facts=facts(self.kind),
                ),
                timeout=10,
            )
        self.certificate = answer.certificate
        return challenge

    # ---- the stream

    async def connect(
        self,
        *,
        address: str | None = None,
        running: tuple[str, ...] = (),
        credits_: int = 8,
        agent_facts: enrollment_pb2.AgentFacts | None = None,
    ) -> FakeAgent:
        """Open a stream and exchange Hellos."""
        await self.dial(address)
        await self.send(
            hello=control_pb2.AgentHello(
                facts=agent_facts or facts(self.kind),
                running_command_ids=running,
                command_credits=credits_,
            )
        )
        first = await self.read()
        assert first.WhichOneof("body") == "hello", first
        self.hub_hello = first.hello
        return self

    async def dial(self, address: str | None = None) -> None:
        credentials = grpc.ssl_channel_credentials(
            root_certificates=pem(self.agent_ca),
            private_key=self.key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
            certificate_chain=pem(self.certificate),
        )
        self.channel = grpc.aio.secure_channel(
            address or self.control_address, credentials, options=[("grpc.use_local_subchannel_pool", 1)]
        )
        self.call = control_pb2_grpc.ControlStub(self.channel).Connect()

    async def send(self, **body: object) -> None:
        assert self.call is not None
        await self.call.write(control_pb2.AgentMessage(**body))

    async def read(self, timeout_s: float = 10) -> control_pb2.HubMessage:
        assert self.call is not None
        async with asyncio.timeout(timeout_s):
            message = await self.call.read()
        if message is grpc.aio.EOF:
            code, details = await self.call.code(), await self.call.details()
            raise StreamEnded(code, details or "")
        return message

    async def expect(self, kind: str, timeout_s: float = 10):
        """Return the next message of ``kind``; messages of other kinds are kept in ``others``."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self.read(timeout_s)
                if message.WhichOneof("body") == kind:
                    return getattr(message, kind)
                self.others.append(message)

    async def ended(self, timeout_s: float = 10) -> StreamEnded:
        """Wait for the stream's end and return it."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    self.others.append(await self.read(timeout_s))
        except StreamEnded as end:
            return end
        except grpc.aio.AioRpcError as error:
            return StreamEnded(error.code(), error.details() or "")

    async def close(self) -> None:
        """Drop the connection, as a cut network would."""
        if self.channel is not None:
            await self.channel.close(None)
            self.channel = self.call = None

    # ---- commands

    async def command(self, timeout_s: float = 10) -> commands_pb2.CommandEnvelope:
        signed = await self.expect("command", timeout_s)
        return commands_pb2.CommandEnvelope.FromString(signed.envelope)

    async def accept(self, command_id: str) -> None:
        await self.send(accepted=control_pb2.CommandAccepted(command_id=command_id))

    async def progress(self, command_id: str, share: float, message: str = "") -> None:
        await self.send(
            progress=control_pb2.CommandProgress(command_id=command_id, share=share, message=message)
        )

    async def batch(self, command_id: str, sequence: int, **finds: object) -> None:
        await self.send(
            batch=control_pb2.ResultBatch(
                command_id=command_id, sequence=sequence, network_finds=commands_pb2.NetworkFinds(**finds)
            )
        )

    async def succeed(self, command_id: str, **result: object) -> None:
        body = result or {"key_deleted": commands_pb2.KeyDeleted(key_id="k")}
        await self.send(
            done=control_pb2.CommandDone(command_id=command_id, result=commands_pb2.CommandResult(**body))
        )

    async def fail(self, command_id: str, reason: str, *, message: str = "", retryable: bool = False) -> None:
        await self.send(
            done=control_pb2.CommandDone(
                command_id=command_id,
                failure=control_pb2.CommandFailure(reason=reason, message=message, retryable=retryable),
            )
        )


class StreamEnded(Exception):
    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(f"{code.name}: {details}")
        self.code = code
        self.details = details
