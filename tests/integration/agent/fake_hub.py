"""A hub in this process: real gRPC over mutual TLS, does as it is told, and remembers everything."""

import asyncio
import base64
import hashlib
import json
import os
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

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
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pki.oids import COMMAND_SIGNING
from pki.signatures import sign_message

DER = serialization.Encoding.DER
PEM = serialization.Encoding.PEM


def pem_key(key) -> bytes:
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class Authority:
    """A CA with everything that hangs on it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test agent CA")])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(self.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=365))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        self.signing_key = Ed25519PrivateKey.generate()
        self.signer = self.issue(self.signing_key.public_key(), "signer", COMMAND_SIGNING)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)

    def issue(self, public_key, name: str, usage, *, days: float = 30, age_days: float = 0, alt=()):
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5) - timedelta(days=age_days))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if alt:
            builder = builder.add_extension(x509.SubjectAlternativeName(alt), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def sign(self, envelope: bytes, *, key=None, signer=None, context=b"certwright-command-v1"):
        return commands_pb2.SignedCommand(
            envelope=envelope,
            signature=sign_message(key or self.signing_key, context=context, message=envelope),
            signer_certificate=(signer or self.signer).public_bytes(DER),
        )


def envelope(agent_id: str, *, command_id: str | None = None, issued_in_s=0.0, deadline_s=600.0, **body):
    message = commands_pb2.CommandEnvelope(
        command_id=command_id or str(uuid.uuid4()), agent_id=agent_id, **body
    )
    now = datetime.now(UTC)
    message.issued_at.FromDatetime(now + timedelta(seconds=issued_in_s))
    message.deadline.FromDatetime(now + timedelta(seconds=deadline_s))
    return message


@dataclass(eq=False)
class Stream:
    """One open control stream."""

    agent_id: str
    to_agent: asyncio.Queue = field(default_factory=asyncio.Queue)
    received: list[control_pb2.AgentMessage] = field(default_factory=list)


@dataclass
class Behaviour:
    """What the hub does by itself."""

    commit_batches: bool = True
    commit_dones: bool = True
    answer_heartbeats: bool = True
    heartbeat_interval_s: int = 1
    heartbeat_timeout_s: int = 2
    refuse: grpc.StatusCode | None = None
    clock_offset: timedelta = timedelta()
    identity_days: float = 30
    send_first: control_pb2.HubMessage | None = None


class FakeHub(enrollment_pb2_grpc.EnrollmentServicer, control_pb2_grpc.ControlServicer):
    """Both services, each on a port of its own."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.behaviour = Behaviour()
        self.secrets: dict[str, list[str]] = {}
        self.enroll_requests: list[enrollment_pb2.EnrollRequest] = []
        self.agents: dict[str, bytes] = {}
        self.removed: set[str] = set()
        self.streams: list[Stream] = []
        self.open: set[Stream] = set()
        self.committed: dict[str, control_pb2.CommandDone] = {}
        self.rejoins = 0
        self.enroll_port = self.control_port = 0
        self._challenges: dict[str, bytes] = {}
        self._changed = asyncio.Condition()
        self._servers: list[grpc.aio.Server] = []
        key = ec.generate_private_key(ec.SECP256R1())
        alt = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        server = self.authority.issue(key.public_key(), "hub", ExtendedKeyUsageOID.SERVER_AUTH, alt=alt)
        self._key = pem_key(key)
        self._chain = server.public_bytes(PEM) + self.authority.certificate.public_bytes(PEM)

    # ---- life

    async def start(self) -> None:
        root = self.authority.certificate.public_bytes(PEM)
        plain = grpc.ssl_server_credentials([(self._key, self._chain)])
        mutual = grpc.ssl_server_credentials([(self._key, self._chain)], root, require_client_auth=True)
        enrollment, control = grpc.aio.server(), grpc.aio.server()
        enrollment_pb2_grpc.add_EnrollmentServicer_to_server(self, enrollment)
        control_pb2_grpc.add_ControlServicer_to_server(self, control)
        self.enroll_port = enrollment.add_secure_port(f"127.0.0.1:{self.enroll_port}", plain)
        self.control_port = control.add_secure_port(f"127.0.0.1:{self.control_port}", mutual)
        self._servers = [enrollment, control]
        for server in self._servers:
            await server.start()

    async def stop(self) -> None:
        for server in self._servers:
            await server.stop(grace=None)
        self.open.clear()

    def token(self, *kinds: str, **changes) -> str:
        secret = f"{uuid.uuid4()}.{os.urandom(16).hex()}"
        self.secrets[secret] = list(kinds)
        document = {
            "v": 1,
            "id": secret.partition(".")[0],
            "secret": secret,
            "enroll": f"127.0.0.1:{self.enroll_port}",
            "ca": hashlib.sha256(self.authority.der).hexdigest(),
            "kinds": list(kinds),
        } | changes
        return "cwt1." + base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()

    # ---- waiting

    async def until(self, predicate: Callable[[], object], timeout_s: float = 15.0):
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(predicate)
            return predicate()

    async def notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def messages(self, kind: str, stream: Stream | None = None) -> list:
        streams = [stream] if stream else self.streams
        return [
            getattr(message, kind)
            for each in streams
            for message in each.received
            if message.WhichOneof("body") == kind
        ]

    def dones(self, command_id: str) -> list[control_pb2.CommandDone]:
        return [done for done in self.messages("done") if done.command_id == command_id]

    async def done(self, command_id: str, *, times: int = 1, timeout_s: float = 15.0):
        await self.until(lambda: len(self.dones(command_id)) >= times, timeout_s)
        return self.dones(command_id)[-1]

    async def connected(self, *, times: int = 1, timeout_s: float = 15.0) -> Stream:
        await self.until(lambda: len(self.streams) >= times and self.streams[-1].received, timeout_s)
        return self.streams[-1]

    # ---- talking

    def send(self, message: control_pb2.HubMessage) -> None:
        for stream in self.open:
            stream.to_agent.put_nowait(message)

    def command(self, message: commands_pb2.CommandEnvelope) -> str:
        signed = self.authority.sign(message.SerializeToString())
        for stream in self.open:
            if stream.agent_id == message.agent_id:
                stream.to_agent.put_nowait(control_pb2.HubMessage(command=signed))
        return message.command_id

    def cut(self) -> None:
        for stream in list(self.open):
            stream.to_agent.put_nowait(None)

    # ---- enrollment

    def _response(self, agent_id: str, public_key, *, days: float) -> enrollment_pb2.EnrollResponse:
        usage = ExtendedKeyUsageOID.CLIENT_AUTH
        age = 1.0 if days <= 0 else 0.0
        certificate = self.authority.issue(public_key, agent_id, usage, days=days, age_days=age)
        return enrollment_pb2.EnrollResponse(
            agent_id=agent_id,
            certificate=certificate.public_bytes(DER),
            agent_ca=self.authority.der,
            control_address=f"127.0.0.1:{self.control_port}",
            enrollment_address=f"127.0.0.1:{self.enroll_port}",
            organization="Example",
        )

    async def Enroll(self, request, context):
        self.enroll_requests.append(request)
        kinds = self.secrets.pop(request.token_secret, None)
        if kinds is None or request.facts.kind not in kinds:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "TokenSpent: the token has been used")
        csr = x509.load_der_x509_csr(request.csr)
        agent_id = str(uuid.uuid4())
        spki = csr.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.agents[agent_id] = spki
        return self._response(agent_id, csr.public_key(), days=self.behaviour.identity_days)

    async def BeginRejoin(self, request, context):
        self._challenges[request.agent_id] = os.urandom(32)
        return enrollment_pb2.BeginRejoinResponse(challenge=self._challenges[request.agent_id])

    async def CompleteRejoin(self, request, context):
        if request.agent_id in self.removed:
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "AgentRemoved")
        key = serialization.load_der_public_key(self.agents[request.agent_id])
        message = b"\x00".join((b"certwright-rejoin-v1", request.agent_id.encode(), request.challenge))
        fresh = request.challenge == self._challenges.pop(request.agent_id)
        try:
            key.verify(request.signature, message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            fresh = False
        if not fresh:
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "RejoinRefused")
        self.rejoins += 1
        return self._response(request.agent_id, key, days=30)

    # ---- control

    async def Connect(self, request_iterator, context) -> AsyncIterator[control_pb2.HubMessage]:
        if self.behaviour.refuse is not None:
            await context.abort(self.behaviour.refuse, "AgentNotAdmitted")
        stream = Stream(context.auth_context()["x509_common_name"][0].decode())
        self.streams.append(stream)
        self.open.add(stream)
        reader = asyncio.create_task(self._read(stream, request_iterator))
        try:
            while True:
                message = await stream.to_agent.get()
                if message is None:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "cut")
                yield message
        finally:
            self.open.discard(stream)
            reader.cancel()

    async def _read(self, stream: Stream, messages) -> None:
        async for message in messages:
            stream.received.append(message)
            self._answer(stream, message)
            await self.notify()

    def _answer(self, stream: Stream, message: control_pb2.AgentMessage) -> None:
        behaviour, reply = self.behaviour, None
        match message.WhichOneof("body"):
            case "hello":
                reply = behaviour.send_first or self.hello()
            case "heartbeat" if behaviour.answer_heartbeats:
                reply = control_pb2.HubMessage(heartbeat=control_pb2.Heartbeat())
            case "batch" if behaviour.commit_batches:
                committed = control_pb2.BatchCommitted(
                    command_id=message.batch.command_id, sequence=message.batch.sequence
                )
                reply = control_pb2.HubMessage(batch_committed=committed)
            case "done" if behaviour.commit_dones:
                self.committed[message.done.command_id] = message.done
                committed = control_pb2.DoneCommitted(command_id=message.done.command_id)
                reply = control_pb2.HubMessage(done_committed=committed)
            case "identity_request":
                csr = x509.load_der_x509_csr(message.identity_request.csr)
                certificate = self.authority.issue(
                    csr.public_key(), stream.agent_id, ExtendedKeyUsageOID.CLIENT_AUTH
                )
                issued = control_pb2.IdentityIssued(
                    certificate=certificate.public_bytes(DER), agent_ca=self.authority.der
                )
                reply = control_pb2.HubMessage(identity_issued=issued)
        if reply is not None:
            stream.to_agent.put_nowait(reply)

    def hello(self) -> control_pb2.HubMessage:
        behaviour = self.behaviour
        hello = control_pb2.HubHello(
            version="test",
            heartbeat_interval_s=behaviour.heartbeat_interval_s,
            heartbeat_timeout_s=behaviour.heartbeat_timeout_s,
            capabilities=["heartbeat"],
        )
        hello.now.FromDatetime(datetime.now(UTC) + behaviour.clock_offset)
        return control_pb2.HubMessage(hello=hello)


class Cable:
    """A TCP connection to the hub that can be cut without anybody being told."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.port = 0
        self._server: asyncio.Server | None = None
        self._intact = asyncio.Event()
        self._intact.set()
        self._tasks: set[asyncio.Task] = set()
        self._writers: list[asyncio.StreamWriter] = []

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for writer in self._writers:
            writer.transport.abort()
        if self._server:
            self._server.close()

    def cut(self) -> None:
        self._intact.clear()

    def mend(self) -> None:
        """New connections work again; what was under way when it was cut stays dead."""
        for task in self._tasks:
            task.cancel()
        self._intact.set()

    async def _accept(self, reader, writer) -> None:
        self._writers.append(writer)
        try:
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers.append(their_writer)
        for source, sink in ((reader, their_writer), (their_reader, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source, sink) -> None:
        try:
            while data := await source.read(65536):
                await self._intact.wait()
                sink.write(data)
                await sink.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            sink.transport.abort()
