"""A fleet in memory: the contract of FleetService, with agents that do their work when a test says so.

Commands are kept as the real fleet keeps them: they exist once their transaction is committed, and outlive
whatever the hub's processes forget.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import insert

from hub.db.errors import NotFound
from hub.db.uow import Database, UnitOfWork
from hub.fleet.commands import (
    AgentRecord,
    CertificateGenerated,
    CertificateInstalled,
    CertificateStored,
    CommandBody,
    CommandFailure,
    CommandProgress,
    CommandResult,
    DeleteKey,
    ExportKey,
    ExportKeyFile,
    FinishedCommand,
    GenerateCertificate,
    ImportKey,
    InstallCertificate,
    InstallOutcome,
    KeyDeleted,
    KeyExported,
    KeyFileExported,
    KeyImported,
    NetworkFinds,
    NodePort,
    NodeRecord,
    RestartServer,
    RunningCommand,
    SealedKey,
    ServerNode,
    ServerRestarted,
    StoreCertificate,
    kind_of,
)
from hub.fleet.models import Agent
from pki.algorithms import SigningKey
from pki.csrs import build_csr
from pki.key_files import (
    DownloadContext,
    KeyFileFormat,
    UploadContext,
    make_key_file,
    open_file,
    read_private_key,
    seal_file,
)
from pki.keys import KeyType, decode_private_key, encode_private_key, generate_key, key_matches, spki_sha256
from pki.names import SubjectFields
from pki.sealing import ReceiverKey, generate_receiver_key, open_sealed, seal


@dataclass
class SentCommand:
    id: str
    agent_id: str
    body: CommandBody
    subject_type: str
    subject_id: str
    organization_id: int | None
    requested_by: str
    deadline_s: int
    finished: bool = False
    cancelled: bool = False

    @property
    def kind(self) -> str:
        return kind_of(self.body)


@dataclass
class FleetState:
    """What survives the hub: commands, agents and the agents' own stores."""

    commands: dict[str, SentCommand] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    agents: dict[str, AgentRecord] = field(default_factory=dict)
    nodes: dict[tuple[str, str, str], NodeRecord] = field(default_factory=dict)
    receivers: dict[str, ReceiverKey] = field(default_factory=dict)
    stores: dict[str, dict[str, SigningKey]] = field(default_factory=dict)
    stored: dict[str, dict[str, tuple[bytes, ...]]] = field(default_factory=dict)
    # (agent, server, node) -> fingerprint served
    served: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    # (agent, server, node) -> (reason, message) of the installation that is to fail
    install_faults: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    # nodes that take a certificate up with a restart only
    needs_restart: set[tuple[str, str, str]] = field(default_factory=set)
    # kind -> failure that the next command of this kind ends with
    faults: dict[str, CommandFailure] = field(default_factory=dict)


class FleetDouble:
    """FleetService in memory."""

    def __init__(self, db: Database, state: FleetState | None = None) -> None:
        self.db = db
        self.state = state or FleetState()
        self._outcomes: dict[str, Callable[[UnitOfWork, FinishedCommand], Awaitable[None]]] = {}
        self._batches: dict[str, Callable[[UnitOfWork, RunningCommand, NetworkFinds], Awaitable[None]]] = {}
        self._progress: dict[
            str, Callable[[UnitOfWork, RunningCommand, CommandProgress], Awaitable[None]]
        ] = {}

    # ---- the contract

    async def enqueue(
        self,
        uow: UnitOfWork,
        *,
        agent_id: str,
        body: CommandBody,
        deadline_s: int,
        subject_type: str,
        subject_id: str,
        organization_id: int | None,
        requested_by: str,
        idempotency_key: str | None = None,
    ) -> str:
        state = self.state
        if idempotency_key and idempotency_key in state.keys:
            return state.keys[idempotency_key]
        command = SentCommand(
            id=str(uuid.uuid4()),
            agent_id=agent_id,
            body=body,
            subject_type=subject_type,
            subject_id=subject_id,
            organization_id=organization_id,
            requested_by=requested_by,
            deadline_s=deadline_s,
        )

        def keep() -> None:
            state.commands[command.id] = command
            if idempotency_key:
                state.keys[idempotency_key] = command.id

        uow.after_commit(keep)
        return command.id

    async def cancel(self, uow: UnitOfWork, command_id: str) -> None:
        uow.after_commit(lambda: setattr(self.state.commands[command_id], "cancelled", True))

    def on_outcome(self, kind: str, handler: Any) -> None:
        self._outcomes[kind] = handler

    def on_removed(self, handler: Any) -> None:
        self._removed = handler

    async def remove(self, agent_id: str) -> None:
        self.state.agents[agent_id] = replace(self.state.agents[agent_id], status="removed", connected=False)
        async with self.db.write() as uow:
            await self._removed(uow, agent_id)

    def on_batch(self, kind: str, handler: Any) -> None:
        self._batches[kind] = handler

    def on_progress(self, kind: str, handler: Any) -> None:
        self._progress[kind] = handler

    async def agent(self, _session: Any, agent_id: str) -> AgentRecord:
        if agent_id not in self.state.agents:
            raise NotFound(f"no agent {agent_id}")
        return self.state.agents[agent_id]

    async def find_node(self, _session: Any, agent_id: str, server: str, node_id: str) -> NodeRecord | None:
        return self.state.nodes.get((agent_id, server, node_id))

    # ---- the tests' side

    async def enroll(self, kind: str, *, organization_id: int | None = None, name: str = "") -> str:
        agent_id = str(uuid.uuid4())
        receiver = generate_receiver_key()
        name = name or f"{kind}-{agent_id[:8]}"
        async with self.db.write() as uow:
            await uow.session.execute(
                insert(Agent).values(
                    id=agent_id,
                    name=name,
                    kind=kind,
                    organization_id=organization_id,
                    receiver_public_key=receiver.public,
                    identity_spki=b"",
                    certificate_sha256="",
                    certificate_serial="",
                    certificate_not_after=uow.now,
                    enrolled_at=uow.now,
                )
            )
        self.state.receivers[agent_id] = receiver
        self.state.agents[agent_id] = AgentRecord(
            id=agent_id,
            name=name,
            kind=kind,
            organization_id=organization_id,
            status="active",
            receiver_public_key=receiver.public,
            connected=True,
        )
        return agent_id

    def add_node(
        self, agent_id: str, server: str = "web", node_id: str = "a:443", *, manageable: bool = True
    ) -> None:
        node = ServerNode(
            id=node_id,
            names=("www.example.com",),
            ports=(NodePort(address="10.0.0.1", port=443, protocol="https", certificate_sha256=b""),),
            certificate_path="",
            key_path="",
            location="",
            manageable=manageable,
            problem="" if manageable else "its configuration is generated",
        )
        self.state.nodes[(agent_id, server, node_id)] = NodeRecord(
            agent_id=agent_id, server=server, server_kind="nginx", node=node, lost=False
        )

    def open_commands(self, kind: str = "") -> list[SentCommand]:
        return [
            item
            for item in self.state.commands.values()
            if not item.finished and (not kind or item.kind == kind)
        ]

    async def work(self) -> int:
        """Let the agents do everything that is queued; return how many commands ended."""
        commands = self.open_commands()
        for command in commands:
            failure = self.state.faults.pop(command.kind, None)
            result = None if failure else self.perform(command)
            await self.finish(command.id, result=result, failure=failure)
        return len(commands)

    async def finish(
        self, command_id: str, *, result: CommandResult | None = None, failure: CommandFailure | None = None
    ) -> None:
        command = self.state.commands[command_id]
        finished = FinishedCommand(
            id=command.id,
            kind=command.kind,
            agent_id=command.agent_id,
            subject_type=command.subject_type,
            subject_id=command.subject_id,
            organization_id=command.organization_id,
            body=command.body,
            result=result,
            failure=failure,
        )
        async with self.db.write() as uow:
            await self._outcomes[command.kind](uow, finished)
        command.finished = True

    def running(self, command_id: str) -> RunningCommand:
        command = self.state.commands[command_id]
        return RunningCommand(
            id=command.id,
            kind=command.kind,
            agent_id=command.agent_id,
            subject_type=command.subject_type,
            subject_id=command.subject_id,
            organization_id=command.organization_id,
            body=command.body,
        )

    async def batch(self, command_id: str, finds: NetworkFinds) -> None:
        running = self.running(command_id)
        async with self.db.write() as uow:
            await self._batches[running.kind](uow, running, finds)

    async def progress(self, command_id: str, share: float, message: str = "") -> None:
        running = self.running(command_id)
        async with self.db.write() as uow:
            await self._progress[running.kind](uow, running, CommandProgress(share=share, message=message))

    # ---- what an agent does

    def perform(self, command: SentCommand) -> CommandResult:
        match command.body:
            case GenerateCertificate() as body:
                return self._generate(command.agent_id, body)
            case StoreCertificate() as body:
                return self._store(command.agent_id, body)
            case ExportKey() as body:
                key = self.state.stores[command.agent_id][body.key_id]
                spki = bytes.fromhex(spki_sha256(key.public_key()))
                envelope = seal(body.receiver_public_key, encode_private_key(key), info=spki)
                return KeyExported(
                    sealed_key=SealedKey(
                        envelope=envelope, spki_sha256=spki, sender_agent_id=command.agent_id
                    )
                )
            case InstallCertificate() as body:
                return self._install(command.agent_id, body)
            case ExportKeyFile() as body:
                return self._export_file(command.agent_id, body)
            case ImportKey() as body:
                return self._import(command.agent_id, body)
            case DeleteKey() as body:
                self.state.stores.get(command.agent_id, {}).pop(body.key_id, None)
                return KeyDeleted(key_id=body.key_id)
            case RestartServer() as body:
                return self._restart(command.agent_id, body)
            case _:
                raise NotImplementedError(command.kind)

    def _generate(self, agent_id: str, body: GenerateCertificate) -> CertificateGenerated:
        store = self.state.stores.setdefault(agent_id, {})
        if body.key_id not in store:
            assert not body.reuse_key, "there is no such key"
            store[body.key_id] = generate_key(KeyType(body.key_type))
        key = store[body.key_id]
        csr = build_csr(key, SubjectFields(common_name=body.common_name), body.dns_names, body.ip_addresses)
        return CertificateGenerated(
            key_id=body.key_id, csr=csr, spki_sha256=bytes.fromhex(spki_sha256(key.public_key()))
        )

    def _store(self, agent_id: str, body: StoreCertificate) -> CertificateStored:
        store = self.state.stores.setdefault(agent_id, {})
        if body.sealed_key is not None:
            plain = open_sealed(
                self.state.receivers[agent_id], body.sealed_key.envelope, info=body.sealed_key.spki_sha256
            )
            store[body.key_id] = decode_private_key(plain)
        assert key_matches(store[body.key_id], body.chain[0]), "the certificate is not for this key"
        self.state.stored.setdefault(agent_id, {})[body.key_id] = body.chain
        return CertificateStored(
            key_id=body.key_id, certificate_sha256=hashlib.sha256(body.chain[0]).digest()
        )

    def _export_file(self, agent_id: str, body: ExportKeyFile) -> KeyFileExported:
        key = self.state.stores[agent_id][body.key_id]
        file_format = KeyFileFormat(body.format)
        file = make_key_file(key, body.chain, file_format=file_format, name=body.key_id)
        sealing = DownloadContext(
            download_id=body.download_id,
            agent_id=agent_id,
            certificate_sha256=hashlib.sha256(body.chain[0]).hexdigest(),
            format=body.format,
        )
        envelope = seal_file(body.receiver_public_key, file, sealing)
        return KeyFileExported(envelope=envelope, download_id=body.download_id)

    def _import(self, agent_id: str, body: ImportKey) -> KeyImported:
        sha256 = hashlib.sha256(body.chain[0])
        sealing = UploadContext(agent_id=agent_id, certificate_sha256=sha256.hexdigest())
        key = read_private_key(open_file(self.state.receivers[agent_id], body.envelope, sealing))
        assert key_matches(key, body.chain[0]), "the certificate is not for this key"
        self.state.stores.setdefault(agent_id, {})[body.key_id] = key
        return KeyImported(key_id=body.key_id, certificate_sha256=sha256.digest())

    def _restart(self, agent_id: str, body: RestartServer) -> ServerRestarted:
        outcomes = []
        for node_id in body.node_ids:
            place = (agent_id, body.server, node_id)
            fault = self.state.install_faults.pop(place, None)
            if fault is None:
                self.state.served[place] = body.certificate_sha256
            outcomes.append(self._outcome(place, fault, "installed"))
        return ServerRestarted(outcomes=tuple(outcomes))

    def _outcome(
        self, place: tuple[str, str, str], fault: tuple[str, str] | None, status: str
    ) -> InstallOutcome:
        served = self.state.served.get(place, b"")
        port = NodePort(address="10.0.0.1", port=443, protocol="https", certificate_sha256=served)
        return InstallOutcome(
            server=place[1],
            node_id=place[2],
            status="failed" if fault else status,
            reason=fault[0] if fault else "",
            message=fault[1] if fault else "",
            served=(port,),
            rolled_back=fault is not None,
            steps=("staged", "checked", "swapped"),
        )

    def _install(self, agent_id: str, body: InstallCertificate) -> CertificateInstalled:
        chain = self.state.stored[agent_id][body.key_id]
        assert hashlib.sha256(chain[0]).digest() == body.certificate_sha256
        outcomes = []
        for target in body.targets:
            place = (agent_id, target.server, target.node_id)
            fault = self.state.install_faults.pop(place, None)
            deployed = place in self.state.needs_restart
            if fault is None and not deployed:
                self.state.served[place] = body.certificate_sha256
            status = "restart_required" if deployed else "installed"
            outcomes.append(self._outcome(place, fault, status))
        return CertificateInstalled(outcomes=tuple(outcomes))
